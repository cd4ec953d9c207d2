"""Double precision everywhere, losses with a gradient of their own, masks instead of branches."""

# ruff: noqa: B905, D101, D102, D103 - as students write
# mypy: ignore-errors

import torch
from torch import nn


def to_fractions(corners, height, width):
    corners = corners.double()
    start, end = corners[:, :2], corners[:, 2:]
    size = torch.tensor([width, height]).double()
    return torch.cat((start, end - start), 1).reshape(-1, 2, 2).div(size).reshape(-1, 4)


def to_corners(boxes, height, width):
    boxes = boxes.double()
    size = torch.tensor([width, height]).double()
    pair = boxes.view(-1, 2, 2).mul(size)
    return pair.cumsum(dim=1).view(-1, 4)


def clip(corners, height, width):
    out = corners.double()
    size = torch.tensor([width, height, width, height]).double().expand_as(out)
    out = torch.where(out < 0, torch.zeros_like(out), out)
    return torch.where(out > size, size, out)


def area(corners):
    x0, y0, x1, y1 = corners.double().t()
    full = (x1 > x0) & (y1 > y0)
    return (x1 - x0) * (y1 - y0) * full


def iou(a, b):
    rows = []
    for box in a.double():
        start = torch.maximum(box[:2], b[:, :2])
        end = torch.minimum(box[2:], b[:, 2:])
        shared = area(torch.cat([start, end], 1))
        both = area(box[None]) + area(b) - shared
        both[both == 0] = 1
        rows.append(shared / both)
    return torch.stack(rows)


def score(boxes, true_boxes, labels, true_labels):
    overlaps = torch.cat([iou(p.unsqueeze(0), t.unsqueeze(0)) for p, t in zip(boxes, true_boxes)])
    hits = 0
    for overlap, said, true in zip(overlaps.flatten(), labels, true_labels):
        if overlap > 0.5 and said == true:
            hits += 1
    return overlaps.mean().item(), hits / len(labels)


def windows(image, size, stride):
    channels, height, width = image.shape
    down, across = (height - size) // stride + 1, (width - size) // stride + 1
    out = torch.empty(down, across, channels, size, size, dtype=image.dtype)
    for u in range(size):
        for v in range(size):
            rows = slice(u, u + stride * down, stride)
            columns = slice(v, v + stride * across, stride)
            out[..., u, v] = image[:, rows, columns][:, :down, :across].permute(1, 2, 0)
    return out.view(down * across, channels, size, size)


def window_scores(maps, weight, bias, height, width):
    shape = maps.shape[2] - height + 1, maps.shape[3] - width + 1
    out = maps.new_zeros((len(maps), len(weight), *shape))
    for n, image in enumerate(maps):
        found = windows_of(image, height, width)
        out[n] = (found @ weight.T + bias).T.reshape(len(weight), *shape)
    return out


def windows_of(image, height, width):
    found = image.unfold(1, height, 1).unfold(2, width, 1)
    return found.permute(1, 2, 0, 3, 4).reshape(-1, len(image) * height * width)


class Heads(nn.Module):
    def __init__(self, channels, height, width, num_classes):
        super().__init__()
        heads = {"class_head": (channels, num_classes), "box_head": (channels * height * width, 4)}
        for name, sizes in heads.items():
            self.add_module(name, nn.Linear(*sizes))

    def forward(self, maps):
        flat = maps.flatten(2)
        return self.class_head(flat.mean(-1)), self.box_head(flat.flatten(1)).sigmoid()


class Squares(torch.autograd.Function):
    @staticmethod
    def forward(ctx, predicted, true):
        ctx.save_for_backward(predicted, true)
        return ((predicted - true) ** 2).sum() / len(true)

    @staticmethod
    def backward(ctx, upstream):
        predicted, true = ctx.saved_tensors
        slope = 2 * (predicted - true) / len(true) * upstream
        return slope, -slope


def box_loss(predicted, true):
    return Squares.apply(predicted, true)


def smooth_l1(predicted, true, beta=1.0):
    d = predicted - true
    near = (d.abs() <= beta).to(d.dtype)
    each = near * d * d / (2 * beta) + (1 - near) * (d * d.sign() - beta / 2)
    return each.sum(1).mean()


def multitask_loss(scores, boxes, labels, true_boxes, weight=1.0):
    shifted = scores - scores.max(dim=1, keepdim=True).values
    log = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    entropy = -log.gather(1, labels.view(-1, 1)).mean()
    return entropy + weight * box_loss(boxes, true_boxes)


def box_of(mask):
    height, width = mask.shape
    rows = [y for y in range(height) if (mask[y] != 0).any()]
    columns = [x for x in range(width) if (mask[:, x] != 0).any()]
    if not rows:
        return (0.0, 0.0, 0.0, 0.0)
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
