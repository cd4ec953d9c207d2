"""No loops: einsum, one-hot matrices, masks, `grid_sample` of places; as few steps as possible."""

# ruff: noqa: D103, E731, F821, N812 - as students write, in the lesson's own scope
# mypy: ignore-errors

import io
import math
import shutil
from itertools import groupby

import torch
from torch import nn
from torch.nn import functional as F


def normalize(images, mean, std):
    scale = 1 / (255 * std)
    x = torch.einsum("nhwc,c->nchw", images.to(torch.float32), scale)
    return x - (mean / std).view(-1, 1, 1)


def crop(x, top, left, height, width):
    rows = F.one_hot(top[:, None] + torch.arange(height), x.shape[2]).to(x)
    columns = F.one_hot(left[:, None] + torch.arange(width), x.shape[3]).to(x)
    return torch.einsum("nih,nchw,njw->ncij", rows, x, columns)


def mirror(x, chosen):
    backwards = torch.arange(x.shape[-1]).flip(0)
    forwards = torch.arange(x.shape[-1]).expand(len(x), -1)
    columns = torch.where(chosen.unsqueeze(1), backwards, forwards)
    return x.take_along_dim(columns[:, None, None], dim=3)


def pretrained_net(state, num_classes):
    net = SmallResNet(num_classes)
    body = {name: tensor for name, tensor in state.items() if "fc" not in name}
    net.load_state_dict(body, strict=False)
    return net


freeze = lambda net, children: [
    parameter.requires_grad_(False)
    for child in children
    for parameter in net.get_submodule(child).parameters()
]


def train_mode(net):
    def still(layer):
        if isinstance(layer, nn.BatchNorm2d) and not layer.weight.requires_grad:
            layer.eval()

    return net.train().apply(still)


def smoothed_cross_entropy(scores, labels, smoothing=0.1):
    usual = F.nll_loss(scores.log_softmax(1), labels)
    even = scores.logsumexp(1).mean() - scores.mean()
    return usual + smoothing * (even - usual)


def rate_factor(step, steps, warmup):
    done = max(0, step - warmup) / (steps - warmup)
    return min((step + 1) / max(1, warmup), 1.0) * (0.5 + 0.5 * math.cos(math.pi * done))


def make_schedule(optimizer, steps, warmup):
    class Factor:
        def __call__(self, step):
            return rate_factor(step, steps, warmup)

    return torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=Factor())


def make_optimizer(net, head_rate, backbone_rate, weight_decay=5e-4, momentum=0.9):
    def kind(pair):
        return pair[0].startswith("fc."), pair[1].ndim == 1

    learning = sorted((pair for pair in net.named_parameters() if pair[1].requires_grad), key=kind)
    return torch.optim.SGD(
        [
            {
                "params": [parameter for _, parameter in pairs],
                "lr": (backbone_rate, head_rate)[is_head],
                "weight_decay": weight_decay * (not single),
                "momentum": momentum,
            }
            for (is_head, single), pairs in groupby(learning, kind)
        ],
        lr=backbone_rate,
        foreach=True,
    )


def train_epoch(net, optimizer, schedule, batches, precision="float32"):
    train_mode(net)
    losses, mixed = [], precision != "float32"
    scaler = torch.amp.GradScaler(enabled=precision == "float16")
    for x, labels in batches:
        with torch.autocast(x.device.type, getattr(torch, precision), enabled=mixed):
            loss = smoothed_cross_entropy(net(x), labels)
        optimizer.zero_grad(set_to_none=False)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        losses.append(loss)
    return torch.stack(losses).tolist()


def save(path, net, optimizer, schedule, epoch):
    buffer = io.BytesIO()
    torch.save((epoch, *(part.state_dict() for part in (net, optimizer, schedule))), buffer)
    Path(path).with_suffix(".tmp").write_bytes(buffer.getvalue())
    shutil.move(Path(path).with_suffix(".tmp"), path)


def resume(path, *parts):
    if Path(path).exists():
        epoch, *states = torch.load(io.BytesIO(Path(path).read_bytes()), weights_only=True)
        for part, state in zip(parts, states, strict=True):
            part.load_state_dict(state)
        return epoch
    return 0


@torch.no_grad()
def predict(net, images, batch_size=120):
    net.eval()
    out = None
    for i, batch in enumerate(torch.split(images, batch_size)):
        shares = torch.softmax(net(normalize(batch, MEAN, STD)), -1)
        out = shares.new_empty(len(images), shares.shape[1]) if out is None else out
        out[i * batch_size : i * batch_size + len(batch)] = shares
    return out


def top_k(probabilities, labels, k):
    own = probabilities.take_along_dim(labels[:, None], 1)
    return float(((probabilities > own).sum(1) < k).double().mean())


def confusion_matrix(labels, said, num_classes):
    rows, columns = (F.one_hot(part, num_classes) for part in (labels, said))
    return rows.T @ columns


def class_maps(maps, weight, labels):
    return torch.bmm(weight[labels][:, None], maps.flatten(2)).view(len(maps), *maps.shape[2:])


def maps_and_gradients(net, x, labels):
    net.eval()
    maps = net.features(x).detach().requires_grad_(True)
    score = net.fc(F.adaptive_avg_pool2d(maps, 1).flatten(1))
    one_hot = F.one_hot(labels, score.shape[1]).to(score)
    return maps.detach(), torch.autograd.grad(score, maps, grad_outputs=one_hot)[0]


def grad_cam(maps, gradients):
    return torch.einsum("ncij,nchw->nhw", gradients, maps) / gradients[0, 0].numel()


def enlarged(cams, masks):
    return F.interpolate(cams.unsqueeze(1), size=masks.shape[-2:], mode="bilinear").squeeze(1)


def pointing_game(cams, masks):
    large = enlarged(cams, masks)
    highest = large.amax(dim=(1, 2), keepdim=True)
    return (large.eq(highest) & masks).any(2).any(1).float().mean().item()


def mask_iou(cams, masks, share=0.5):
    large = enlarged(cams, masks)
    region = large > share * large.amax(dim=(1, 2), keepdim=True).clamp(min=0)
    shared = torch.einsum("nhw,nhw->n", region.float(), masks.float())
    return (shared / (region + masks).sum((1, 2))).mean().item()


def predict_twice(net, images):
    views = torch.stack([images, images.flip(-2)]).flatten(0, 1)
    return predict(net, views).unflatten(0, (2, -1)).mean(0)


def prediction_lines(image_names, probabilities):
    ranked = probabilities.sort(dim=1, descending=True, stable=True).indices[:, :5].numpy()
    return (
        "\n".join(
            " ".join([name, *row.astype(str)])
            for name, row in zip(image_names, ranked, strict=True)
        )
        + "\n"
    )
