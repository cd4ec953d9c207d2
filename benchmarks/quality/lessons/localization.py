"""The truth of the seventh lesson: boxes, windows, two heads and their loss."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.quality import tensors
from benchmarks.quality.tensors import Calls, Made
from benchmarks.quality.truth import Array, Call, FunctionTruth

Rng = np.random.Generator
ROUNDED = 1e-6  # of the largest number: single precision, in which boxes may be computed
IMAGES = ((30, 50), (40, 40), (90, 40), (7, 9), (1281, 1697))


def _corners(rng: Rng, count: int, height: int, width: int, beyond: float = 0) -> Array:
    """(count, 4): boxes of any size, none empty, that may reach ``beyond`` the image."""
    ends = [np.sort(rng.uniform(-beyond, side + beyond, (2, count)), 0) for side in (width, height)]
    return np.stack([ends[0][0], ends[1][0], ends[0][1], ends[1][1]], 1)


def _whole(rng: Rng, count: int, height: int, width: int) -> Array:
    """(count, 4): boxes of whole pixels, some of them empty, many that touch."""
    x, y = (np.sort(rng.integers(0, side + 1, (2, count)), 0) for side in (width, height))
    return np.stack([x[0], y[0], x[1], y[1]], 1).astype(np.float64)


def _fractions(corners: Any, height: int, width: int) -> Any:
    size = torch.tensor([width, height, width, height])
    return torch.cat([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1) / size


def _from_fractions(boxes: Any, height: int, width: int) -> Any:
    size = torch.tensor([width, height, width, height])
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1) * size


def _clipped(corners: Any, height: int, width: int) -> Any:
    most = torch.tensor([width, height, width, height], dtype=corners.dtype)
    return torch.minimum(torch.maximum(corners, 0 * most), most)


def _boxes(fractions: bool = False, beyond: float = 0.0) -> Calls:
    """Of several images, as pixels or as fractions of the sides."""

    def calls(rng: Rng) -> Iterator[Call]:
        for height, width in IMAGES:
            for count in (4, 1, 9):
                size = (1, 1) if fractions else (height, width)
                yield _call(_corners(rng, count, *size, beyond), height, width)

    return calls


def _call(*given: Any, **options: Any) -> Call:
    """Arrays first; in single precision everything is right to six digits."""
    arrays = tuple(value for value in given if isinstance(value, np.ndarray))
    return Call(arrays, given[len(arrays) :], options, ROUNDED)


def _area(corners: Any) -> Any:
    return (corners[:, 2] - corners[:, 0]).relu() * (corners[:, 3] - corners[:, 1]).relu()


def _any_corners(rng: Rng) -> Iterator[Call]:
    yield _call(_whole(rng, 4, 6, 6))
    for count in (1, 7, 40):
        yield _call(_whole(rng, count, 5, 8))
        yield _call(rng.standard_normal((count, 4)))


def _covered(corners: Any, height: int, width: int) -> Any:
    """(N, height, width): the pixels that lie in each box."""
    x0, y0, x1, y1 = (part[:, None, None] for part in corners.unbind(1))
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    return (rows >= y0) & (rows < y1) & (columns >= x0) & (columns < x1)


def _iou(a: Any, b: Any) -> Any:
    """By counting, in eighths of a pixel."""
    a, b = 8 * a, 8 * b
    size = [int(max(part.max() for part in (a[:, k], b[:, k]))) for k in (3, 2)]
    one, two = _covered(a, *size)[:, None], _covered(b, *size)[None]
    shared, either = (part.sum((2, 3)).double() for part in (one & two, one | two))
    return shared / either.clamp(min=1)


def _pairs(rng: Rng) -> Iterator[Call]:
    for n, m, height, width in (
        (4, 4, 6, 6),
        (7, 7, 12, 16),
        (1, 30, 9, 7),
        (30, 1, 7, 9),
        (25, 40, 4, 5),
        (5, 3, 2, 40),
        (12, 12, 3, 3),
    ):
        a, b = _whole(rng, n, height, width), _whole(rng, m, height, width)
        yield _call(a, b)
        yield _call(a / 8, b / 8)  # boxes within one pixel


def _score(boxes: Any, true_boxes: Any, labels: Any, true_labels: Any) -> Any:
    pairs = zip(boxes, true_boxes, strict=True)
    each = torch.stack([_iou(p[None], t[None])[0, 0] for p, t in pairs])
    return each.mean(), ((each > 0.5) * (labels == true_labels)).double().mean()


def _found(rng: Rng) -> Iterator[Call]:
    for count, side, classes in ((4, 4, 2), (60, 3, 2), (1, 5, 1), (40, 2, 3), (200, 4, 2)):
        boxes = (_whole(rng, count, side, side), _whole(rng, count, side, side))
        labels = (rng.integers(0, classes, count), rng.integers(0, classes, count))
        yield _call(*boxes, *labels)
        yield _call(*boxes, labels[0] * 1.0, labels[1])
        yield _call(*boxes, labels=labels[0], true_labels=labels[1])


def _windows(image: Any, size: int, stride: int) -> Any:
    count, columns = len(image), functional.unfold(image[None], size, stride=stride)[0]
    return columns.T.reshape(-1, count, size, size)


def _images(rng: Rng) -> Iterator[Call]:
    for shape, size, stride in (
        ((4, 4, 4), 2, 1),
        ((3, 9, 13), 5, 2),
        ((2, 12, 8), 3, 3),
        ((4, 11, 10), 4, 3),
        ((1, 5, 5), 5, 1),
        ((2, 7, 6), 1, 4),
        ((3, 6, 17), 6, 5),
        ((2, 8, 9), 3, 5),
    ):
        yield _call(rng.standard_normal(shape), size, stride)


def _window_scores(maps: Any, weight: Any, bias: Any, height: int, width: int) -> Any:
    """Window by window."""
    rows, columns = maps.shape[2] - height + 1, maps.shape[3] - width + 1
    scores = [
        functional.linear(maps[:, :, i : i + height, j : j + width].flatten(1), weight, bias)
        for i in range(rows)
        for j in range(columns)
    ]
    return torch.stack(scores, 2).reshape(len(maps), len(weight), rows, columns)


def _maps(rng: Rng) -> Iterator[Call]:
    for n, c, h, w, k, height, width in (
        (2, 3, 4, 4, 3, 3, 3),
        (2, 3, 7, 9, 4, 3, 2),
        (3, 4, 6, 5, 2, 2, 4),
        (2, 5, 3, 4, 3, 3, 4),
        (1, 2, 8, 8, 12, 1, 1),
        (4, 1, 5, 6, 1, 5, 1),
    ):
        arrays = [rng.standard_normal(s) for s in ((n, c, h, w), (k, c * height * width), (k,))]
        yield _call(*arrays, height, width)


def _multiply_adds(height: int, width: int) -> Any:
    x = torch.empty(1, 3, height, width, device="meta")
    maps = nn.Conv2d(3, 8, 5, device="meta")(x)
    scores = nn.Conv2d(8, 12, 6, device="meta")(functional.max_pool2d(maps, 2))
    return torch.tensor(maps.numel() * 3 * 25 + scores.numel() * 8 * 36)


def _sizes(rng: Rng) -> Iterator[Call]:
    for _ in range(60):
        yield Call(tuple(int(n) for n in rng.integers(16, 70, 2)))


class _Heads(nn.Module):
    def __init__(self, channels: int, height: int, width: int, num_classes: int) -> None:
        super().__init__()
        self.class_head = nn.Linear(channels, num_classes)
        self.box_head = nn.Linear(channels * height * width, 4)

    def forward(self, maps: Any) -> tuple[Any, Any]:
        means = functional.adaptive_avg_pool2d(maps, 1).flatten(1)
        return self.class_head(means), torch.sigmoid(self.box_head(maps.flatten(1)))


HEADS = tuple(
    Made(sizes, (count, *sizes[:3]), {}, training)
    for count, sizes, training in (
        (4, (4, 4, 4, 4), True),
        (4, (6, 3, 2, 5), True),
        (2, (3, 4, 5, 7), False),
        (1, (2, 1, 3, 4), True),
        (5, (4, 2, 1, 2), False),
        (3, (3, 3, 3, 3), True),
    )
)


def _box_loss(predicted: Any, true: Any) -> Any:
    return 4 * functional.mse_loss(predicted, true)


def _smooth_l1(predicted: Any, true: Any, beta: float = 1.0) -> Any:
    return 4 * functional.smooth_l1_loss(predicted, true, beta=beta)


def _two_boxes(rng: Rng) -> Iterator[Call]:
    for count in (4, 1, 9, 30):
        yield _call(rng.standard_normal((count, 4)), rng.standard_normal((count, 4)))


def _betas(rng: Rng) -> Iterator[Call]:
    for options in ({}, {"beta": 1.0}, {"beta": 0.5}, {"beta": 1.7}, {"beta": 0.2}):
        for call in _two_boxes(rng):
            yield _call(*call.arrays, **options)


def _multitask(scores: Any, boxes: Any, labels: Any, true_boxes: Any, weight: float = 1.0) -> Any:
    return functional.cross_entropy(scores, labels) + weight * _box_loss(boxes, true_boxes)


def _batches(rng: Rng) -> Iterator[Call]:
    for count, classes in ((4, 4), (5, 3), (8, 6), (1, 2), (3, 9)):
        for options in ({}, {"weight": 3.0}, {"weight": 0.3}, {"weight": 0}):
            yield _call(
                rng.standard_normal((count, classes)),
                rng.uniform(0, 1, (count, 4)),
                rng.integers(0, classes, count),
                rng.uniform(0, 1, (count, 4)),
                **options,
            )


def _box_of(mask: Any) -> Any:
    rows, columns = ((mask != 0).any(axis).nonzero().flatten() for axis in (1, 0))
    if not len(rows):
        return torch.zeros(4)
    return torch.stack([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def _masks(rng: Rng) -> Iterator[Call]:
    for height, width in ((6, 6), (7, 9), (1, 5), (12, 3), (1, 1)):
        for share in (0.1, 0.03, 1.0, 0.0):
            mask = rng.uniform(size=(height, width)) < share
            yield _call(mask * rng.uniform(0.1, 2, mask.shape))
            yield _call(mask)
    alone = np.zeros((2, 7, 5))
    alone[0, 6, 0], alone[1, 0, 4] = 1, 1
    yield from map(_call, alone)


TRUTHS = (
    tensors.function("to_fractions", _fractions, _boxes()),
    tensors.function("to_corners", _from_fractions, _boxes(fractions=True)),
    tensors.function("clip", _clipped, _boxes(beyond=60.0)),
    tensors.function("area", _area, _any_corners),
    tensors.function("iou", _iou, _pairs),
    tensors.function("score", _score, _found),
    tensors.function("windows", _windows, _images),
    tensors.function("window_scores", _window_scores, _maps),
    FunctionTruth("multiply_adds", _multiply_adds, _sizes, Call((16, 16))),
    tensors.module("Heads", _Heads, HEADS),
    tensors.function("box_loss", _box_loss, _two_boxes, slopes=1),
    tensors.function("smooth_l1", _smooth_l1, _betas, slopes=1),
    tensors.function("multitask_loss", _multitask, _batches, slopes=2),
    tensors.function("box_of", _box_of, _masks),
)

# The student's functions that each of the checks' layers is about.
LAYERS = {
    "box_fractions": ("to_fractions", ""),
    "box_corners": ("to_corners", ""),
    "box_clip": ("clip", ""),
    "box_area": ("area", ""),
    "box_iou": ("iou", ""),
    "box_score": ("score", ""),
    "image_windows": ("windows", ""),
    "window_scores": ("window_scores", ""),
    "heads": ("Heads", ""),
    "box_loss": ("box_loss", ""),
    "smooth_l1": ("smooth_l1", ""),
    "multitask_loss": ("multitask_loss", ""),
    "box_of": ("box_of", ""),
}

# Right sample submissions that are measured as styles too.
SAMPLES = ("library", "loops")
MUTATED_STYLES = ("loops",)
