"""Somebody new to PyTorch: loops over everything, NumPy wherever it is allowed, parts by name."""

# ruff: noqa: B905, D103, F821, PTH105, PTH113, PTH123 - as students write, in the lesson's own scope
# mypy: ignore-errors

import os

import numpy as np
import torch
from torch import nn


def normalize(images, mean, std):
    x = images.numpy().astype(np.float64) / 255
    for c in range(3):
        x[:, :, :, c] -= float(mean[c])
        x[:, :, :, c] /= float(std[c])
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))).float()


def crop(x, top, left, height, width):
    out = torch.zeros(x.shape[0], x.shape[1], height, width, dtype=x.dtype)
    for n in range(x.shape[0]):
        for i in range(height):
            for j in range(width):
                out[n, :, i, j] = x[n, :, int(top[n]) + i, int(left[n]) + j]
    return out


def mirror(x, chosen):
    out = x.detach().numpy().copy()
    for n in range(len(out)):
        if chosen[n]:
            out[n] = out[n, :, :, ::-1].copy()
    return torch.tensor(out)


def pretrained_net(state, num_classes):
    net = SmallResNet(num_classes)
    parameters, buffers = dict(net.named_parameters()), dict(net.named_buffers())
    for name, value in state.items():
        if name.split(".")[0] == "fc":
            continue
        if name in parameters:
            parameters[name].data = value.detach().clone()
        else:
            buffers[name].copy_(value)
    return net


def freeze(net, children):
    for name, parameter in net.named_parameters():
        for child in children:
            if name.startswith(child + "."):
                parameter.requires_grad = False


def train_mode(net):
    net.train()
    for _, module in net.named_modules():
        if type(module) is nn.BatchNorm2d:
            module.train(module.weight.requires_grad)
    return net


def smoothed_cross_entropy(scores, labels, smoothing=0.1):
    n, k = scores.shape
    total = 0.0
    for i in range(n):
        log_p = scores[i] - torch.logsumexp(scores[i], 0)
        for j in range(k):
            target = smoothing / k
            if j == int(labels[i]):
                target = target + 1 - smoothing
            total = total - target * log_p[j]
    return total / n


def rate_factor(step, steps, warmup):
    if warmup > 0 and step < warmup:
        return 1.0 - (warmup - 1 - step) / warmup
    angle = np.pi * (step - warmup) / (steps - warmup)
    return float(np.cos(angle / 2) ** 2)


def make_schedule(optimizer, steps, warmup):
    def told(step):
        return rate_factor(step, steps, warmup)

    return torch.optim.lr_scheduler.LambdaLR(optimizer, [told] * len(optimizer.param_groups))


def make_optimizer(net, head_rate, backbone_rate, weight_decay=5e-4, momentum=0.9):
    groups = []
    for name, parameter in net.named_parameters():
        if not parameter.requires_grad:
            continue
        group = {"params": [parameter], "lr": backbone_rate, "weight_decay": 0}
        if "fc" in name:
            group["lr"] = head_rate
        if parameter.dim() >= 2:
            group["weight_decay"] = weight_decay
        groups.append(group)
    return torch.optim.SGD(groups, momentum=momentum)


def train_epoch(net, optimizer, schedule, batches, precision="float32"):
    train_mode(net)
    losses, mixed = [], precision != "float32"
    scaler = torch.amp.GradScaler(enabled=precision == "float16")
    for x, labels in batches:
        with torch.autocast(x.device.type, getattr(torch, precision), enabled=mixed):
            scores = net(x)
            loss = smoothed_cross_entropy(scores, labels, 0.1)
        net.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        losses.append(loss.tolist())
    return losses


def save(path, net, optimizer, schedule, epoch):
    state = {"epoch": torch.tensor(epoch)}
    state["weights"] = net.state_dict()
    state["velocities"] = optimizer.state_dict()
    state["rates"] = schedule.state_dict()
    with open(path + ".new", "wb") as file:
        torch.save(state, file)
    os.replace(path + ".new", path)


def resume(path, net, optimizer, schedule):
    if not os.path.isfile(path):
        return 0
    with open(path, "rb") as file:
        state = torch.load(file, weights_only=True)
    net.load_state_dict(state["weights"])
    optimizer.load_state_dict(state["velocities"])
    schedule.load_state_dict(state["rates"])
    return int(state["epoch"])


def predict(net, images, batch_size=120):
    net.train(False)
    found = []
    for start in range(0, len(images), batch_size):
        x = normalize(images[start : start + batch_size], MEAN, STD)
        with torch.no_grad():
            scores = net(x).numpy()
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        found.append(powers / powers.sum(axis=1, keepdims=True))
    return torch.tensor(np.concatenate(found))


def top_k(probabilities, labels, k):
    right = 0
    for row, label in zip(probabilities.numpy(), labels.numpy()):
        if label in np.argsort(row)[-k:]:
            right += 1
    return right / len(labels)


def confusion_matrix(labels, said, num_classes):
    counts = np.zeros((num_classes, num_classes), dtype=int)
    np.add.at(counts, (labels.numpy(), said.numpy()), 1)
    return torch.tensor(counts)


def class_maps(maps, weight, labels):
    n, channels, height, width = maps.shape
    out = torch.zeros(n, height, width, dtype=maps.dtype)
    for i in range(n):
        for c in range(channels):
            out[i] += weight[labels[i], c] * maps[i, c]
    return out


def maps_and_gradients(net, x, labels):
    net.eval()
    maps = net.features(x)
    scores = net.fc(maps.mean(dim=3).mean(dim=2))
    total = 0
    for i in range(len(x)):
        total = total + scores[i, labels[i]]
    return maps.detach(), torch.autograd.grad(total, [maps])[0]


def grad_cam(maps, gradients):
    out = np.zeros((maps.shape[0], *maps.shape[2:]))
    for i in range(maps.shape[0]):
        for c in range(maps.shape[1]):
            out[i] += gradients[i, c].numpy().mean() * maps[i, c].numpy()
    return torch.tensor(out)


def enlarged(cam, mask):
    return nn.Upsample(size=tuple(mask.shape), mode="bilinear")(cam.reshape(1, 1, *cam.shape))[0, 0]


def pointing_game(cams, masks):
    right = []
    for cam, mask in zip(cams, masks):
        large = enlarged(cam, mask).numpy()
        right.append(mask.numpy()[np.unravel_index(np.argmax(large), large.shape)])
    return float(np.mean(right))


def mask_iou(cams, masks, share=0.5):
    total = 0
    for cam, mask in zip(cams, masks):
        large = enlarged(cam, mask)
        highest = large.max()
        if highest <= 0:
            continue
        region = large > share * highest
        both = torch.logical_and(region, mask).sum().item()
        total += both / torch.logical_or(region, mask).sum().item()
    return total / len(cams)


def predict_twice(net, images):
    mirrored = torch.tensor(images.numpy()[:, :, ::-1].copy())
    return 0.5 * predict(net, images) + 0.5 * predict(net, mirrored)


def prediction_lines(image_names, probabilities):
    text = ""
    for i, name in enumerate(image_names):
        pairs = sorted(enumerate(probabilities[i].tolist()), key=lambda pair: -pair[1])
        text += name
        for label, _ in pairs[:5]:
            text += " " + str(label)
        text += "\n"
    return text
