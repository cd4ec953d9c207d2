"""Everything is put together from nn.Sequential, ModuleDict and inheritance; loops over batches."""

# ruff: noqa: B905, D101, D102, D103 - as students write
# mypy: ignore-errors

from collections import OrderedDict

import numpy as np
import torch
from torch import nn


class Multiply(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(y, x)
        return y * x

    @staticmethod
    def backward(ctx, *grads):
        local = ctx.saved_tensors
        return tuple(grads[0] * g for g in local)


class Rectify(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.positive = (x > 0).double()
        return torch.maximum(x, torch.zeros(1, dtype=x.dtype))

    @staticmethod
    def backward(ctx, dz):
        return dz * ctx.positive


class Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.x, ctx.w = x, w
        return torch.stack([(w * row).sum(1) + b for row in x])

    @staticmethod
    def backward(ctx, dz):
        dx = torch.stack([row @ ctx.w for row in dz])
        dw = sum(torch.outer(d, row) for d, row in zip(dz, ctx.x))
        return dx, dw, dz.sum(dim=0)


class Block(nn.Module):
    def build(self, sizes, kernels, strides, shortcut=True):
        body = OrderedDict()
        for i, (kernel, stride) in enumerate(zip(kernels, strides)):
            body[f"conv{i + 1}"] = nn.Conv2d(
                sizes[i], sizes[i + 1], kernel, stride=stride, padding=kernel // 2, bias=False
            )
            body[f"bn{i + 1}"] = nn.BatchNorm2d(sizes[i + 1])
        for name, part in body.items():
            setattr(self, name, part)
        self.depth, self.shortcut = len(kernels), shortcut
        stride = max(strides)
        if shortcut and (sizes[0] != sizes[-1] or stride > 1):
            self.downsample = nn.Sequential()
            self.downsample.append(nn.Conv2d(sizes[0], sizes[-1], 1, stride=stride, bias=False))
            self.downsample.append(nn.BatchNorm2d(sizes[-1]))
        else:
            self.downsample = nn.Identity()

    def residual(self, x):
        layers = []
        for i in range(1, self.depth + 1):
            layers += [self.get_submodule(f"conv{i}"), self.get_submodule(f"bn{i}"), nn.ReLU()]
        return nn.Sequential(*layers[:-1])(x)

    def forward(self, x):
        total = self.residual(x)
        if self.shortcut:
            total = torch.stack([total, self.downsample(x)]).sum(0)
        return nn.ReLU(inplace=True)(total)


class BasicBlock(Block):
    expansion = 1

    def __init__(self, c_in, channels, stride=1, skip=True):
        super().__init__()
        self.build([c_in, channels, channels], [3, 3], [stride, 1], skip)


class Bottleneck(Block):
    expansion = 4

    def __init__(self, c_in, channels, stride=1):
        super().__init__()
        sizes = [c_in, channels, channels, channels * self.expansion]
        self.build(sizes, [1, 3, 1], [1, stride, 1])


class ResNet(nn.Sequential):
    def __init__(self, depth, num_classes=1000, width=64):
        block = {18: BasicBlock, 34: BasicBlock}.get(depth, Bottleneck)
        counts = {18: (2, 2, 2, 2), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}.get(depth, (3, 4, 6, 3))
        parts = OrderedDict(
            conv1=nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False),
            bn1=nn.BatchNorm2d(width),
            relu=nn.ReLU(),
            maxpool=nn.MaxPool2d(3, 2, 1),
        )
        c = width
        for i, count in enumerate(counts, start=1):
            blocks = nn.Sequential()
            for j in range(count):
                stride = 2 if i > 1 and j == 0 else 1
                blocks.add_module(str(j), block(c, width * 2 ** (i - 1), stride))
                c = width * 2 ** (i - 1) * block.expansion
            parts[f"layer{i}"] = blocks
        parts["avgpool"] = nn.AdaptiveAvgPool2d(1)
        parts["flatten"] = nn.Flatten()
        parts["fc"] = nn.Linear(c, num_classes)
        super().__init__(parts)


class Counter:
    def __init__(self):
        self.total = 0

    def __call__(self, layer, inputs, output):
        positions = output.numel() // output.shape[1]
        self.total += positions * layer.weight.numel()


def cost(net, image_shape):
    counter, training, handles = Counter(), net.training, []
    for _, part in net.named_modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            handles.append(part.register_forward_hook(counter))
    net.eval()
    net(torch.randn(image_shape, device=next(net.parameters()).device).unsqueeze(0))
    net.training = training
    net.train(training)
    [handle.remove() for handle in handles]
    parameters = torch.nn.utils.parameters_to_vector(net.parameters())
    return torch.tensor([len(parameters), counter.total])


def train(net, batches, learning_rate, momentum=0.9):
    optimizer = torch.optim.SGD(net.parameters(), learning_rate, momentum, foreach=False)
    criterion, losses = nn.CrossEntropyLoss(reduction="mean"), []
    for images, labels in batches:
        net.train()
        loss = criterion(net(images), labels)
        loss.backward()
        optimizer.step()
        losses += [float(loss)]
        optimizer.zero_grad()
    return tuple(losses)


def accuracy(net, x, y):
    net = net.eval()
    hits = torch.zeros(())
    for image, label in zip(x, y):
        hits += torch.argmax(net(image.unsqueeze(0))[0]) == label
    return hits / len(y)


def gradient_norms(net, x, y):
    for p in net.parameters():
        p.grad = None
    log = net(x).log_softmax(1)
    (-log.gather(1, y[:, None]).mean()).backward()
    return torch.stack([torch.linalg.vector_norm(p.grad) for p in net.parameters() if p.dim() == 4])


def filter_normalized(direction, weight):
    out = torch.zeros_like(direction)
    if weight.dim() > 1:
        for f in range(weight.shape[0]):
            out[f] = direction[f] * torch.norm(weight[f]) / torch.norm(direction[f])
    return out


class SameConv(nn.Conv2d):
    def __init__(self, c_in, c_out, k, d, g):
        super().__init__(c_in, c_out, k, padding=(k // 2) * d, dilation=d, groups=g)


def same_conv(c_in, c_out, kernel_size, dilation=1, groups=1):
    return SameConv(c_in, c_out, kernel_size, dilation, groups)


def receptive_field(net, c_in, size):
    x = torch.zeros(1, c_in, size, size).requires_grad_(True)
    maps = net(x)
    middle = [side // 2 for side in maps.shape[-2:]]
    torch.sum(maps[..., middle[0], middle[1]]).backward()
    touched = x.grad.numpy().any(axis=(0, 1, 2))
    first, last = touched.argmax(), size - touched[::-1].argmax()
    return torch.tensor(last - first)


def conv_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    k = w.shape[-1]
    rows, columns = (range(0, side - k + 1, stride) for side in x.shape[2:])
    flat = w.reshape(len(w), -1).T
    out = [
        [x[:, :, i : i + k, j : j + k].reshape(len(x), -1) @ flat + b for j in columns]
        for i in rows
    ]
    return np.array(out).transpose(2, 3, 0, 1), None


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    g, b, m, v = (a.reshape(1, -1, 1, 1) for a in (gamma, beta, running_mean, running_var))
    return g * (x - m) / np.sqrt(v + eps) + b, {}


def max_pool_forward(x, kernel_size, stride):
    h, w = x.shape[2:]
    rows = [x[:, :, i : i + kernel_size].max(2) for i in range(0, h - kernel_size + 1, stride)]
    tall = np.stack(rows, axis=2)
    cells = [tall[..., j : j + kernel_size].max(3) for j in range(0, w - kernel_size + 1, stride)]
    return np.stack(cells, axis=3), None


def torch_running_var(running_var, x, momentum=0.1):
    out = running_var.copy()
    for c in range(len(out)):
        out[c] += momentum * (np.var(x[:, c], ddof=1) - out[c])
    return out


def numpy_resnet18(state, x):
    def norm(x, name):
        s = {k: state[f"{name}.{k}"] for k in ("weight", "bias", "running_mean", "running_var")}
        return spatial_batch_norm_forward(x, *s.values(), training=False)[0]

    def conv(x, name, stride=1):
        w = state[f"{name}.weight"]
        return conv_forward(x, w, np.zeros(w.shape[0]), stride, (w.shape[-1] - 1) // 2)[0]

    x = norm(conv(x, "conv1", 2), "bn1").clip(min=0)
    x = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=-np.inf)
    x = max_pool_forward(x, 3, 2)[0]
    blocks = sorted({name.rsplit(".conv1", 1)[0] for name in state if ".conv1." in name})
    for block in blocks:
        down = f"{block}.downsample.0.weight" in state
        branch = norm(conv(x, f"{block}.conv1", 2 if down else 1), f"{block}.bn1").clip(min=0)
        branch = norm(conv(branch, f"{block}.conv2"), f"{block}.bn2")
        if down:
            x = norm(conv(x, f"{block}.downsample.0", 2), f"{block}.downsample.1")
        x = (branch + x).clip(min=0)
    return np.mean(x, axis=(-1, -2)).dot(state["fc.weight"].T) + state["fc.bias"]
