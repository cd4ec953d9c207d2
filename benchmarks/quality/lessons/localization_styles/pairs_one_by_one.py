"""Plain Python and NumPy: a box at a time, and back to a tensor at the end."""

# ruff: noqa: D101, D102, D103, SIM108 - as students write
# mypy: ignore-errors

import math

import numpy as np
import torch
from torch import nn


def to_fractions(corners, height, width):
    corners = np.array(corners, dtype=float)
    out = np.empty_like(corners)
    out[:, 0], out[:, 1] = corners[:, 0] / width, corners[:, 1] / height
    out[:, 2] = (corners[:, 2] - corners[:, 0]) / width
    out[:, 3] = (corners[:, 3] - corners[:, 1]) / height
    return torch.from_numpy(out)


def to_corners(boxes, height, width):
    out = []
    for x, y, w, h in boxes.tolist():
        out.append([x * width, y * height, (x + w) * width, (y + h) * height])
    return torch.tensor(out)


def clip(corners, height, width):
    return torch.from_numpy(np.clip(corners.numpy(), 0, [width, height, width, height]))


def area(corners):
    return torch.tensor([max(c - a, 0) * max(d - b, 0) for a, b, c, d in corners.tolist()])


def iou(a, b):
    out = torch.zeros(len(a), len(b), dtype=torch.float64)
    for i in range(len(a)):
        for j in range(len(b)):
            x0, y0 = max(a[i][0], b[j][0]), max(a[i][1], b[j][1])
            x1, y1 = min(a[i][2], b[j][2]), min(a[i][3], b[j][3])
            if x1 > x0 and y1 > y0:
                common = (x1 - x0) * (y1 - y0)
                out[i, j] = common / (area(a[i : i + 1]) + area(b[j : j + 1]) - common)
    return out


def score(boxes, true_boxes, labels, true_labels):
    overlaps = [float(iou(boxes[i : i + 1], true_boxes[i : i + 1])) for i in range(len(boxes))]
    right = [o > 0.5 and a == b for o, a, b in zip(overlaps, labels, true_labels, strict=True)]
    return sum(overlaps) / len(overlaps), float(np.mean([bool(r) for r in right]))


def windows(image, size, stride):
    pixels = image.numpy()
    views = np.lib.stride_tricks.sliding_window_view(pixels, (size, size), axis=(1, 2))
    views = views[:, ::stride, ::stride]
    found = np.moveaxis(views, 0, 2).reshape(-1, len(pixels), size, size)
    return torch.tensor(found)


def window_scores(maps, weight, bias, height, width):
    n, c, h, w = maps.shape
    filters = weight.reshape(-1, c, height, width)
    out = torch.zeros(n, len(weight), h - height + 1, w - width + 1, dtype=maps.dtype)
    for k in range(len(weight)):
        for u in range(height):
            for v in range(width):
                part = maps[:, :, u : u + out.shape[2], v : v + out.shape[3]]
                out[:, k] += (part * filters[k, :, u, v].view(-1, 1, 1)).sum(1)
        out[:, k] += bias[k]
    return out


def multiply_adds(height, width):
    h, w = height - 5 + 1, width - 5 + 1
    conv = h * w * 8 * (3 * 5 * 5)
    down, across = math.floor(h / 2) - 6 + 1, math.floor(w / 2) - 6 + 1
    return conv + down * across * 12 * (8 * 6 * 6)


class Heads(nn.Module):
    def __init__(self, channels, height, width, num_classes):
        super().__init__()
        self.class_head = nn.Linear(in_features=channels, out_features=num_classes)
        self.box_head = nn.Linear(in_features=height * width * channels, out_features=4)

    def forward(self, maps):
        means = torch.stack([maps[:, c].mean(dim=(1, 2)) for c in range(maps.shape[1])], dim=1)
        scores = self.class_head(means)
        boxes = torch.sigmoid(self.box_head(maps.contiguous().view(maps.size(0), -1)))
        return scores, boxes


def box_loss(predicted, true):
    loss = 0
    for i in range(len(predicted)):
        loss = loss + torch.dot(predicted[i] - true[i], predicted[i] - true[i])
    return loss / len(predicted)


def smooth_l1(predicted, true, beta=1.0):
    loss = torch.zeros((), dtype=predicted.dtype)
    for p, t in zip(predicted, true, strict=True):
        for k in range(4):
            d = p[k] - t[k]
            if -beta < d < beta:
                loss = loss + d * d / 2 / beta
            else:
                loss = loss + torch.abs(d) - beta / 2
    return loss / predicted.shape[0]


def multitask_loss(scores, boxes, labels, true_boxes, weight=1.0):
    probabilities = torch.exp(scores) / torch.exp(scores).sum(1, keepdim=True)
    picked = [probabilities[i, y] for i, y in enumerate(labels.tolist())]
    entropy = -torch.log(torch.stack(picked)).mean()
    return entropy + box_loss(boxes, true_boxes) * weight


def box_of(mask):
    ys, xs = np.nonzero(mask.numpy())
    if ys.size == 0:
        return torch.tensor([0, 0, 0, 0])
    return torch.tensor([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
