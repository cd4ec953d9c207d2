"""As few modules as the names allow; everything else is a function, and states are passed on."""

# ruff: noqa: B905, D101, D102, D103, N812, RUF012, RUF059 - as students write
# mypy: ignore-errors

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class Multiply(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return torch.einsum("...,...->...", x, y)

    @staticmethod
    def backward(ctx, dz):
        x, y = ctx.saved_tensors
        return torch.mul(dz, y), torch.mul(dz, x)


class Rectify(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        out = F.relu(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, dz):
        (out,) = ctx.saved_tensors
        return torch.where(out == 0, 0.0, dz)


class Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w, b)
        return torch.addmm(b, x, w.t())

    @staticmethod
    def backward(ctx, dz):
        x, w, b = ctx.saved_tensors
        return dz.mm(w), torch.einsum("nk,nd->kd", dz, x), torch.einsum("nk->k", dz)


def convolution(c_in, c_out, k, stride=1):
    return nn.Conv2d(c_in, c_out, (k, k), (stride, stride), (k // 2, k // 2), bias=False)


def through(block, x, count):
    for i in range(1, count + 1):
        x = getattr(block, f"bn{i}")(getattr(block, f"conv{i}")(x))
        if i < count:
            x = F.relu(x, inplace=True)
    return x


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, c_in, channels, stride=1, skip=True):
        super().__init__()
        self.conv1, self.bn1 = convolution(c_in, channels, 3, stride), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = convolution(channels, channels, 3), nn.BatchNorm2d(channels)
        if not skip:
            self.shortcut = lambda x: torch.zeros(())
        elif stride == 1 and c_in == channels:
            self.shortcut = lambda x: x
        else:
            norm = nn.BatchNorm2d(channels)
            self.downsample = nn.Sequential(convolution(c_in, channels, 1, stride), norm)
            self.shortcut = lambda x: self.downsample(x)

    def forward(self, x):
        return torch.clamp(through(self, x, 2) + self.shortcut(x), min=0)


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, c_in, channels, stride=1):
        super().__init__()
        c_out = 4 * channels
        self.conv1, self.bn1 = convolution(c_in, channels, 1), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = convolution(channels, channels, 3, stride), nn.BatchNorm2d(channels)
        self.conv3, self.bn3 = convolution(channels, c_out, 1), nn.BatchNorm2d(c_out)
        if stride != 1 or c_in != c_out:
            self.downsample = nn.Sequential(
                convolution(c_in, c_out, 1, stride), nn.BatchNorm2d(c_out)
            )

    def forward(self, x):
        shortcut = self.downsample(x) if hasattr(self, "downsample") else x
        return F.relu(shortcut.add(through(self, x, 3)))


def layer(block, c_in, channels, count, stride):
    blocks = nn.Sequential(block(c_in, channels, stride))
    while len(blocks) < count:
        blocks.append(block(channels * block.expansion, channels, 1))
    return blocks


class ResNet(nn.Module):
    TABLE = {
        18: [2, 2, 2, 2],
        34: [3, 4, 6, 3],
        50: [3, 4, 6, 3],
        101: [3, 4, 23, 3],
        152: [3, 8, 36, 3],
    }

    def __init__(self, depth, num_classes=1000, width=64):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        block = BasicBlock if depth in (18, 34) else Bottleneck
        wide, one = block.expansion, self.TABLE[depth]
        self.layer1 = layer(block, width, width, one[0], 1)
        self.layer2 = layer(block, wide * width, 2 * width, one[1], 2)
        self.layer3 = layer(block, 2 * wide * width, 4 * width, one[2], 2)
        self.layer4 = layer(block, 4 * wide * width, 8 * width, one[3], 2)
        self.fc = nn.Linear(8 * wide * width, num_classes)

    def features(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), (3, 3), (2, 2), (1, 1))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x):
        maps = self.features(x)
        means = F.avg_pool2d(maps, maps.shape[2:]).squeeze(-1).squeeze(-1)
        return self.fc(means)


def cost(net, image_shape):
    seen = {}

    def look(module, inputs, output):
        k = module.kernel_size if isinstance(module, nn.Conv2d) else (1, 1)
        c_in = inputs[0].shape[1] // getattr(module, "groups", 1)
        seen[module] = output[0].numel() * c_in * k[0] * k[1]

    parts = [m for m in net.modules() if type(m) in (nn.Conv2d, nn.Linear)]
    handles = [m.register_forward_hook(look) for m in parts]
    mode = net.training
    try:
        net.eval()
        with torch.inference_mode():
            net(torch.rand(1, *image_shape, device=next(net.parameters()).device))
    finally:
        net.train(mode)
        for handle in handles:
            handle.remove()
    return np.sum([p.numel() for p in net.parameters()]), sum(seen.values())


def train(net, batches, learning_rate, momentum=0.9):
    net.train(True)
    parameters = [p for p in net.parameters() if p.requires_grad]
    memory = [None] * len(parameters)
    losses = []
    for x, y in batches:
        loss = F.nll_loss(F.log_softmax(net(x), dim=1), y)
        gradients = torch.autograd.grad(loss, parameters)
        for i, (p, g) in enumerate(zip(parameters, gradients)):
            memory[i] = g if memory[i] is None else momentum * memory[i] + g
            p.data -= learning_rate * memory[i]
        losses.append(loss.detach().numpy())
    return losses


def accuracy(net, x, y):
    mode = net.training
    net.train(False)
    with torch.inference_mode():
        said = torch.cat([net(part).max(1).indices for part in x.split(4)])
    net.train(mode)
    return np.mean(said.numpy() == y.numpy())


def gradient_norms(net, x, y):
    net.zero_grad(set_to_none=False)
    nn.CrossEntropyLoss()(net(x), y).backward()
    norms = []
    for p in net.parameters():
        if len(p.shape) == 4:
            norms.append(float(np.sqrt((p.grad.numpy() ** 2).sum())))
    return norms


def filter_normalized(direction, weight):
    if weight.dim() <= 1:
        return torch.zeros_like(weight)
    axes = tuple(range(1, weight.dim()))
    longer = torch.linalg.vector_norm(weight, dim=axes, keepdim=True)
    return direction / torch.linalg.vector_norm(direction, dim=axes, keepdim=True) * longer


def same_conv(c_in, c_out, kernel_size, dilation=1, groups=1):
    reach = dilation * (kernel_size - 1) + 1
    options = {"padding": (reach - 1) // 2, "dilation": dilation, "groups": groups}
    return nn.Conv2d(c_in, c_out, kernel_size, **options)


def receptive_field(net, c_in, size):
    x = torch.ones(1, c_in, size, size, requires_grad=True)
    out = net(x)
    _, _, h, w = out.shape
    mask = torch.zeros_like(out)
    mask[:, :, h // 2, w // 2] = torch.rand(out.shape[1])
    (gradient,) = torch.autograd.grad(out, x, mask)
    seen = (gradient != 0).any(dim=2).any(dim=1)[0].numpy()
    return np.flatnonzero(seen)[-1] - np.flatnonzero(seen)[0] + 1


def conv_forward(x, w, b, stride=1, padding=0):
    n, c, h, wide = x.shape
    f, _, k, _ = w.shape
    padded = np.zeros((n, c, h + 2 * padding, wide + 2 * padding), dtype=x.dtype)
    padded[:, :, padding : padding + h, padding : padding + wide] = x
    h_out = 1 + (h + 2 * padding - k) // stride
    w_out = 1 + (wide + 2 * padding - k) // stride
    out = np.zeros((n, f, h_out, w_out), dtype=x.dtype) + b.reshape(1, -1, 1, 1)
    for u in range(k):
        for v in range(k):
            part = padded[:, :, u : u + stride * h_out : stride, v : v + stride * w_out : stride]
            out += np.einsum("nchw,fc->nfhw", part, w[:, :, u, v])
    return out, (x, w, b, stride, padding)


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    n, c, h, w = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, c)
    normal = (flat - running_mean) * (running_var + eps) ** -0.5
    return (gamma * normal + beta).reshape(n, h, w, c).transpose(0, 3, 1, 2), ()


def max_pool_forward(x, kernel_size, stride):
    h, w = ((side - kernel_size) // stride + 1 for side in x.shape[2:])
    out = np.full((*x.shape[:2], h, w), -np.inf)
    for u in range(kernel_size):
        for v in range(kernel_size):
            part = x[:, :, u : u + stride * h : stride, v : v + stride * w : stride]
            out = np.maximum(out, part[:, :, :h, :w])
    return out, None


def torch_running_var(running_var, x, momentum=0.1):
    m = x.size // x.shape[1]
    deviation = x - x.mean(axis=(0, 2, 3), keepdims=True)
    fresh = (deviation**2).sum(axis=(0, 2, 3)) / (m - 1)
    return running_var * (1 - momentum) + fresh * momentum


def numpy_resnet18(state, x):
    def layer(x, conv, bn, stride):
        w = state[conv + ".weight"]
        gamma, beta = state[bn + ".weight"], state[bn + ".bias"]
        scale = gamma / np.sqrt(state[bn + ".running_var"] + 1e-5)  # folded into the convolution
        b = beta - scale * state[bn + ".running_mean"]
        return conv_forward(x, w * scale[:, None, None, None], b, stride, w.shape[-1] // 2)[0]

    x = np.maximum(layer(x, "conv1", "bn1", 2), 0)
    x = max_pool_forward(np.pad(x, [(0, 0)] * 2 + [(1, 1)] * 2), 3, 2)[0]
    for i in range(1, 5):
        for j in range(2):
            at, stride = f"layer{i}.{j}.", 1 + (i > 1 and j == 0)
            y = np.maximum(layer(x, at + "conv1", at + "bn1", stride), 0)
            y = layer(y, at + "conv2", at + "bn2", 1)
            if stride == 2:
                x = layer(x, at + "downsample.0", at + "downsample.1", 2)
            x = np.maximum(x + y, 0)
    return np.einsum("nchw,kc->nk", x, state["fc.weight"]) / x[0, 0].size + state["fc.bias"]
