"""Somebody who writes modules for everything, works in chunks, and keeps to single precision."""

# ruff: noqa: D101, D102, D103, N812, RUF059 - as students write
# mypy: ignore-errors

import torch
from torch import nn
from torch.nn import functional as F

CHUNK = 8


def to_fractions(corners, height, width):
    corners = corners.float().clone()
    corners[:, 2] -= corners[:, 0]
    corners[:, 3] -= corners[:, 1]
    corners[:, ::2] /= width
    corners[:, 1::2] /= height
    return corners


def to_corners(boxes, height, width):
    x, y, w, h = boxes.float().T
    x0, y0 = torch.mul(x, width), torch.mul(y, height)
    return torch.vstack([x0, y0, x0 + w * width, y0 + h * height]).T


def clip(corners, height, width):
    out = corners.clone()
    out[:, 0].clamp_(0, width)
    out[:, 2].clamp_(0, width)
    out[:, 1].clamp_(0, height)
    out[:, 3].clamp_(0, height)
    return out


def area(corners):
    w = (corners[:, 2] - corners[:, 0]).clip(0)
    h = (corners[:, 3] - corners[:, 1]).clip(0)
    return torch.einsum("n,n->n", w, h)


def overlap(a, b):
    top = torch.max(a[:, None, :2], b[:, :2])
    bottom = torch.min(a[:, None, 2:], b[:, 2:])
    wh = (bottom - top).clamp_min(0)
    inter = wh[..., 0] * wh[..., 1]
    union = area(a)[:, None] + area(b) - inter
    out = torch.zeros_like(inter)
    out[union > 0] = inter[union > 0] / union[union > 0]
    return out


def iou(a, b):
    return torch.cat([overlap(part, b) for part in a.float().split(CHUNK)])


def score(boxes, true_boxes, labels, true_labels):
    table = iou(boxes, true_boxes)
    values = torch.diag(table)
    ok = torch.eq(labels, true_labels).float() * torch.gt(values, 0.5).float()
    return [values.mean().item(), ok.mean().item()]


def windows(image, size, stride):
    patches = nn.Unfold(kernel_size=size, stride=stride)(image[None].float())
    return patches.squeeze(0).permute(1, 0).contiguous().view(-1, image.size(0), size, size)


def window_scores(maps, weight, bias, height, width):
    n, c, h, w = maps.shape
    columns = F.unfold(maps, (height, width))
    out = torch.matmul(weight, columns) + bias.view(1, -1, 1)
    return out.view(n, -1, h - height + 1, w - width + 1)


def multiply_adds(height, width):
    def conv(h, w, k, c_in, c_out):
        return (h - k + 1) * (w - k + 1) * k * k * c_in * c_out

    return conv(height, width, 5, 3, 8) + conv((height - 4) // 2, (width - 4) // 2, 6, 8, 12)


class Heads(nn.Module):
    def __init__(self, channels, height, width, num_classes):
        super().__init__()
        self.height, self.width = height, width
        self.class_head = nn.Linear(channels, num_classes)
        self.box_head = nn.Linear(channels * height * width, 4)
        self.sigmoid = nn.Sigmoid()

    def pool(self, maps):
        return F.avg_pool2d(maps, (self.height, self.width))[:, :, 0, 0]

    def locate(self, maps):
        return self.sigmoid(self.box_head(maps.reshape(maps.shape[0], -1)))

    def forward(self, maps):
        return self.class_head(self.pool(maps)), self.locate(maps)


class SquaredDistance(nn.Module):
    def forward(self, predicted, true):
        return torch.pow(predicted - true, 2).sum(-1).mean(0)


def box_loss(predicted, true):
    return SquaredDistance()(predicted, true)


def smooth_l1(predicted, true, beta=1.0):
    loss = nn.SmoothL1Loss(reduction="sum", beta=beta)
    return loss(predicted, true) / len(predicted)


def multitask_loss(scores, boxes, labels, true_boxes, weight=1.0):
    entropy = nn.CrossEntropyLoss()(scores, labels)
    return torch.add(entropy, box_loss(boxes, true_boxes), alpha=weight)


def box_of(mask):
    found = mask != 0
    if found.sum() == 0:
        return torch.zeros(4, dtype=torch.long)
    rows, columns = found.any(dim=1).int(), found.any(dim=0).int()
    y0, x0 = rows.argmax(), columns.argmax()
    y1 = len(rows) - rows.flip(0).argmax()
    x1 = len(columns) - columns.flip(0).argmax()
    return torch.stack([x0, y0, x1, y1])
