"""Double precision and detours: rolled images, `deepcopy`, hooks, sets of parameters."""

# ruff: noqa: B905, D103, F821, N812, SIM300 - as students write, in the lesson's own scope
# mypy: ignore-errors

from collections import Counter, defaultdict
from copy import deepcopy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def normalize(images, mean, std):
    x = images.movedim(-1, 1).double() / 255
    out = (x - mean[:, None, None].double()) / std[:, None, None].double()
    return out.to(torch.float32)


def crop(x, top, left, height, width):
    rolled = [torch.roll(image, (-int(t), -int(s)), (1, 2)) for image, t, s in zip(x, top, left)]
    return torch.stack(rolled)[..., :height, :width]


def mirror(x, chosen):
    weight = chosen.to(x.dtype)[:, None, None, None]
    return weight * x.flip(-1) + (1 - weight) * x


def pretrained_net(state, num_classes):
    net = SmallResNet(num_classes)
    head = deepcopy(net.fc)
    mine = {k: v for k, v in state.items() if k.startswith(("conv1", "bn1", "layer"))}
    _, unexpected = net.load_state_dict(mine, strict=False)
    assert not unexpected
    net.fc = head
    return net


def freeze(net, children):
    chosen = {p for name in children for p in getattr(net, name).parameters()}
    for p in net.parameters():
        p.requires_grad = p.requires_grad and p not in chosen


def train_mode(net):
    net = net.train()
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        if norm.weight.requires_grad is False:
            norm.training = False
    return net


def smoothed_cross_entropy(scores, labels, smoothing=0.1):
    p = F.softmax(scores.double(), dim=1).log() if scores.abs().max() < 50 else None
    log_p = F.log_softmax(scores, 1) if p is None else p
    target = (1 - smoothing) * F.one_hot(labels, scores.shape[1]) + smoothing / scores.shape[1]
    return F.kl_div(log_p, target.to(log_p), reduction="batchmean") + _entropy(target)


def _entropy(target):
    return -torch.xlogy(target, target).sum(1).mean()


def rate_factor(step, steps, warmup):
    table = [(s + 1) / warmup for s in range(warmup)]
    table += [0.5 * (1 + np.cos(np.pi * t / (steps - warmup))) for t in range(steps - warmup + 1)]
    return float(table[step])


def make_schedule(optimizer, steps, warmup):
    table = np.array([rate_factor(step, steps, warmup) for step in range(steps + 1)])
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: table[min(s, steps)].item())


def make_optimizer(net, head_rate, backbone_rate, weight_decay=5e-4, momentum=0.9):
    groups = defaultdict(list)
    for module in net.modules():
        for p in module.parameters(recurse=False):
            if p.requires_grad:
                groups[module is net.fc, isinstance(module, nn.BatchNorm2d) or p.ndim < 2].append(p)
    optimizer = None
    for (head, plain), params in groups.items():
        group = {"params": params, "lr": head_rate if head else backbone_rate}
        group["weight_decay"] = 0.0 if plain else weight_decay
        if optimizer is None:
            optimizer = torch.optim.SGD([group], lr=1.0, momentum=momentum)
        else:
            optimizer.add_param_group(group)
    return optimizer


def train_epoch(net, optimizer, schedule, batches, precision="float32"):
    train_mode(net)
    losses, mixed = [], precision != "float32"
    scaler = torch.amp.GradScaler(enabled=precision == "float16")
    for x, labels in batches:
        with torch.autocast(x.device.type, getattr(torch, precision), enabled=mixed):
            loss = smoothed_cross_entropy(net(x), labels)
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        losses = [*losses, loss.detach().item()]
    return losses


def save(path, net, optimizer, schedule, epoch):
    names = ("net", "optimizer", "schedule")
    everything = {n: p.state_dict() for n, p in zip(names, (net, optimizer, schedule))}
    everything |= {"epoch": epoch}
    other = Path(path).with_name("." + Path(path).name)
    try:
        torch.save(everything, other)
    except BaseException:
        other.unlink(missing_ok=True)
        raise
    other.rename(path)


def resume(path, net, optimizer, schedule):
    if Path(path).exists() is False:
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            value.copy_(state["net"][name])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return state["epoch"]


def predict(net, images, batch_size=120):
    rows = []
    net.eval()
    with torch.inference_mode():
        for batch in torch.utils.data.DataLoader(images, batch_size):
            rows.extend(net(normalize(batch, MEAN, STD)).softmax(1))
    return torch.stack(rows).clone()


def top_k(probabilities, labels, k):
    hits = probabilities.topk(k).indices.T == labels
    return hits.sum(0).double().mean().item()


def confusion_matrix(labels, said, num_classes):
    counts = Counter(zip(labels.tolist(), said.tolist()))
    return torch.tensor([[counts[i, j] for j in range(num_classes)] for i in range(num_classes)])


def class_maps(maps, weight, labels):
    return torch.stack([torch.tensordot(w, m, 1) for w, m in zip(weight[labels], maps)])


def maps_and_gradients(net, x, labels):
    held = []

    def hold(module, given, out):
        out.retain_grad()
        held.append(out)

    flags = [p.requires_grad for p in net.parameters()]
    handle = net.layer3.register_forward_hook(hold)
    try:
        for p in net.parameters():
            p.requires_grad_(False)
        scores = net.eval()(x.clone().requires_grad_())
        scores[range(len(x)), labels].sum().backward()
    finally:
        handle.remove()
        for p, flag in zip(net.parameters(), flags):
            p.requires_grad_(flag)
    return held[0].detach(), held[0].grad


def grad_cam(maps, gradients):
    alpha = F.adaptive_avg_pool2d(gradients, 1)
    return torch.mul(alpha, maps).sum(dim=-3)


def _enlarged(cams, masks):
    size = tuple(masks.shape[1:])
    return F.interpolate(cams.double()[:, None], size, mode="bilinear", align_corners=False)[:, 0]


def pointing_game(cams, masks):
    large = _enlarged(cams, masks)
    row = large.amax(2).argmax(1)
    column = large[torch.arange(len(row)), row].argmax(1)
    return masks[torch.arange(len(row)), row, column].double().mean().item()


def mask_iou(cams, masks, share=0.5):
    large = _enlarged(cams, masks)
    found = []
    for heights, inside in zip(large.flatten(1).numpy(), masks.flatten(1).numpy()):
        region = set(np.flatnonzero((heights > 0) & (heights > share * heights.max())))
        object_ = set(np.flatnonzero(inside))
        found.append(len(region & object_) / len(region | object_))
    return np.mean(found)


def predict_twice(net, images):
    looks = [predict(net, look) for look in (images, images.flip(dims=[2]))]
    return sum(looks) / len(looks)


def prediction_lines(image_names, probabilities):
    lines = []
    left = probabilities.clone()
    for _ in range(5):
        best = left.argmax(1)
        lines.append(best.tolist())
        left[torch.arange(len(best)), best] = -1.0
    return "".join(
        f"{name} {a} {b} {c} {d} {e}\n" for name, (a, b, c, d, e) in zip(image_names, zip(*lines))
    )
