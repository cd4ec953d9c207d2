"""The truth of the sixth lesson: batches, a loss, rates, measures, maps, and what nets do."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from autograder.leaderboard.parse import parse
from autograder.problem import BadInputError
from benchmarks.quality import tensors
from benchmarks.quality.lessons import miniplaces_nets, miniplaces_training
from benchmarks.quality.lessons.miniplaces_outcomes import OUTCOMES
from benchmarks.quality.truth import (
    Array,
    Call,
    FunctionTruth,
    Namespace,
    ProcedureTruth,
    WrongError,
)

__all__ = ["LAYERS", "MUTATED_STYLES", "OUTCOMES", "SAMPLES", "TRAININGS", "TRUTHS"]

Rng = np.random.Generator
ROUNDED = 1e-5  # of the largest number: a few steps in single precision


def _pixels(rng: Rng) -> Iterator[Call]:
    for shape in ((4, 4, 4, 3), (2, 5, 3, 3), (1, 2, 7, 3), (3, 3, 3, 3)):
        images = rng.integers(0, 256, shape, np.uint8)
        mean, std = rng.uniform(-0.5, 1, 3), rng.uniform(0.1, 2, 3)
        yield Call((images, mean.astype(np.float32), std.astype(np.float32)), tolerance=ROUNDED)


def _asked_normalized(scope: Namespace, call: Call) -> list[Any]:
    given = [torch.tensor(array) for array in call.arrays]
    x = scope["normalize"](*given)
    if x.dtype != torch.float32:
        raise WrongError("not as a net's weights are")
    for value, before in zip(given, call.arrays, strict=True):
        tensors.require_same(value, before)
    return [tensors.numbers(x)]


def _normalized(call: Call) -> list[Any]:
    """Channel by channel."""
    images, mean, std = (array.astype(np.float64) for array in call.arrays)
    return [np.stack([(images[..., c] / 255 - mean[c]) / std[c] for c in range(3)], 1)]


def _corners(rng: Rng) -> Iterator[Call]:
    """Windows anywhere; the last of each batch, and the first of some, at the very edge."""
    for (n, c, h, w), height, width in (
        ((4, 3, 6, 6), 4, 4), ((3, 2, 8, 9), 5, 4), ((4, 3, 5, 9), 4, 2), ((1, 1, 4, 3), 4, 3),
        ((5, 4, 7, 4), 1, 3), ((2, 5, 3, 8), 2, 8), ((6, 1, 4, 4), 3, 1),
    ):  # fmt: skip
        top, left = rng.integers(0, h - height + 1, n), rng.integers(0, w - width + 1, n)
        top[-1], left[-1] = h - height, w - width
        x = rng.standard_normal((n, c, h, w))
        yield Call((x, top, left), (height, width))
        yield Call((x, top, left), options={"height": height, "width": width})


def _cropped(x: Any, top: Any, left: Any, height: int, width: int) -> Any:
    """Window by window."""
    corners = zip(top.tolist(), left.tolist(), strict=True)
    return torch.stack([x[i, :, t : t + height, s : s + width] for i, (t, s) in enumerate(corners)])


def _chosen(rng: Rng) -> Iterator[Call]:
    for shape in ((4, 4, 4, 4), (3, 2, 4, 5), (1, 3, 5, 2), (6, 1, 2, 3)):
        n, x = shape[0], rng.standard_normal(shape)
        for chosen in (np.arange(n) % 2 == 0, rng.uniform(size=n) < 0.5, np.ones(n) > 0,
                       np.zeros(n) > 0):  # fmt: skip
            yield Call((x, chosen))


def _mirrored(x: Any, chosen: Any) -> Any:
    """Image by image, column by column."""
    columns, pairs = torch.arange(x.shape[3] - 1, -1, -1), zip(x, chosen, strict=True)
    return torch.stack([image[:, :, columns] if c else image for image, c in pairs])


def _scored(rng: Rng) -> Iterator[Call]:
    for n, classes, std in ((4, 4, 1), (5, 3, 1), (1, 6, 2), (7, 9, 1), (6, 2, 400), (3, 7, 1)):
        scores, labels = std * rng.standard_normal((n, classes)), rng.integers(0, classes, n)
        yield Call((scores, labels))
        for smoothing in (0.0, 0.3, 0.1, 1.0):
            yield Call((scores, labels), (smoothing,))
            yield Call((scores, labels), options={"smoothing": smoothing})


def _smoothed(scores: Any, labels: Any, smoothing: float = 0.1) -> Any:
    return functional.cross_entropy(scores, labels, label_smoothing=smoothing)


def _steps(rng: Rng) -> Iterator[Call]:
    for steps, warmup in ((10, 4), (30, 6), (20, 0), (9, 8), (1, 0), (7, 1)):
        for step in range(steps + 1):
            yield Call((step, steps, warmup))


def _shares(rng: Rng, n: int, classes: int) -> Array:
    """Probabilities, none of them alike."""
    powers = np.exp(rng.standard_normal((n, classes)))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _ranked(rng: Rng) -> Iterator[Call]:
    for n, classes, ks in ((4, 4, (1, 2, 4)), (40, 8, (1, 3, 5)), (7, 20, (5, 19)), (1, 3, (1, 2))):
        for k in ks:
            for _ in range(3):
                given = (_shares(rng, n, classes), rng.integers(0, classes, n))
                yield Call(given, (k,), tolerance=ROUNDED)
                yield Call(given, options={"k": k}, tolerance=ROUNDED)


def _top_k(probabilities: Any, labels: Any, k: int) -> Any:
    """By counting those that are more probable."""
    own = probabilities[torch.arange(len(labels)), labels]
    return ((probabilities > own[:, None]).sum(1) < k).double().mean()


def _told(rng: Rng) -> Iterator[Call]:
    for n, drawn, classes in ((8, 4, 4), (50, 3, 3), (9, 2, 6), (1, 1, 2), (200, 7, 7), (5, 1, 1)):
        yield Call((rng.integers(0, drawn, n), rng.integers(0, drawn, n)), (classes,))
        labels, said = rng.integers(classes - drawn, classes, (2, n))
        yield Call((labels, said), options={"num_classes": classes})


def _counted(labels: Any, said: Any, num_classes: int) -> Any:
    """Each place by itself."""
    classes = torch.arange(num_classes)
    rows, columns = labels == classes[:, None], said == classes[:, None]
    return rows.long() @ columns.long().T


def _weighed(rng: Rng) -> Iterator[Call]:
    for n, c, h, w, classes in ((4, 4, 4, 4, 4), (3, 5, 4, 6, 7), (1, 2, 3, 1, 5), (6, 3, 2, 5, 2)):
        labels = rng.integers(0, classes, n)
        yield Call((rng.standard_normal((n, c, h, w)), rng.standard_normal((classes, c)), labels))


def _class_maps(maps: Any, weight: Any, labels: Any) -> Any:
    """By a 1×1 convolution for all classes."""
    every = functional.conv2d(maps, weight[:, :, None, None])
    return torch.stack([image[k] for image, k in zip(every, labels.tolist(), strict=True)])


def _maps(rng: Rng) -> Iterator[Call]:
    for shape in ((4, 4, 4, 4), (3, 5, 4, 6), (2, 7, 3, 2), (1, 2, 1, 5), (5, 1, 3, 3)):
        yield Call((rng.standard_normal(shape), rng.standard_normal(shape)))


def _grad_cam(maps: Any, gradients: Any) -> Any:
    """Channel by channel."""
    alpha = functional.adaptive_avg_pool2d(gradients, 1)
    return sum(alpha[:, c] * maps[:, c] for c in range(maps.shape[1]))


MASKED = (
    ((4, 4, 4), (8, 8)),
    ((30, 3, 4), (12, 16)),
    ((25, 4, 2), (16, 12)),
    ((9, 3, 5), (7, 11)),
    ((1, 2, 2), (5, 6)),
    ((12, 5, 4), (5, 4)),
)


def _pointed(rng: Rng) -> Iterator[Call]:
    """Maps of which some are nowhere positive, and masks of which none is empty."""
    for shape, size in MASKED:
        for shift in (0.0, -3.0, 1.0):
            cams, masks = rng.standard_normal(shape) + shift, _masks(rng, shape[0], *size)
            yield Call((cams, masks | _half_covered(cams, masks)), tolerance=ROUNDED)


def _half_covered(cams: Array, masks: Array) -> Array:
    """Where a map is highest, if some of that is in the mask: at a border, whole rows are alike."""
    large = _large(torch.tensor(cams), masks).numpy()
    peak = large > large.max((1, 2), keepdims=True) - 1e-6
    return np.asarray(peak & (peak & masks).any((1, 2), keepdims=True))


def _masks(rng: Rng, count: int, height: int, width: int) -> Array:
    """(count, height, width): half planes with a few places more."""
    rows, columns = np.mgrid[:height, :width]
    slope = rng.standard_normal((2, count, 1, 1))
    level = slope[0] * (rows - rng.integers(height)) + slope[1] * (columns - rng.integers(width))
    return np.asarray((level >= 0) | (rng.uniform(size=level.shape) < 0.1))


def _large(cams: Any, masks: Any) -> Any:
    """Bilinear: a matrix for each axis, of what every place takes of those beside it."""
    down, across = (_taken(*sizes) for sizes in zip(cams.shape[1:], masks.shape[1:], strict=True))
    return down @ cams @ across.T


def _taken(few: int, many: int) -> Any:
    """(many, few): the shares of the neighbours; places are the middles of cells."""
    place = ((torch.arange(many).double() + 0.5) * few / many - 0.5).clamp(0, few - 1)
    return (1 - (place[:, None] - torch.arange(few)).abs()).relu()


def _points(cams: Any, masks: Any) -> Any:
    large, inside = _large(cams, masks), masks
    best = torch.where(inside, large, -torch.inf).amax((1, 2))
    return (best == large.amax((1, 2))).double().mean()


def _regions(rng: Rng) -> Iterator[Call]:
    for call in _pointed(rng):
        yield call
        for share in (0.5, 0.2, 0.8):
            yield Call(call.arrays, (share,), tolerance=ROUNDED)
            yield Call(call.arrays, options={"share": share}, tolerance=ROUNDED)


def _iou(cams: Any, masks: Any, share: float = 0.5) -> Any:
    """Map by map, by counting."""
    shares = []
    for large, mask in zip(_large(cams, masks), masks, strict=True):
        region = large > max(0.0, share * float(large.max()))
        shared, either = int((region & mask).sum()), int((region | mask).sum())
        shares.append(shared / either)
    return torch.tensor(shares).mean()


def _named(rng: Rng) -> Iterator[Call]:
    for n, classes in ((4, 8), (11, 12), (6, 100), (1, 5), (3, 5)):
        names = [f"val/{number:08}.jpg" for number in rng.choice(9999, n, replace=False)]
        yield Call((_shares(rng, n, classes).astype(np.float32),), (names,))


def _asked_lines(scope: Namespace, call: Call) -> list[Any]:
    (array,), (names,) = call.arrays, call.others
    given, probabilities = list(names), torch.tensor(array)
    text = scope["prediction_lines"](given, probabilities)
    tensors.require_same(probabilities, array)
    if given != names or not isinstance(text, str):
        raise WrongError("an argument is changed, or there is no text")
    try:
        found = parse(text.encode(), "predictions.txt", names, array.shape[1])
    except BadInputError as refused:
        raise WrongError("the board refuses it") from refused
    return [np.array([found.labels[name] for name in names])]


def _lines(call: Call) -> list[Any]:
    """By sorting, the largest last."""
    return [np.argsort(call.arrays[0], axis=1)[:, :-6:-1]]


_EXAMPLE = np.random.default_rng(0)

TRUTHS = (
    ProcedureTruth(
        ("normalize",), _asked_normalized, _normalized, _pixels, next(_pixels(_EXAMPLE))
    ),
    tensors.function("crop", _cropped, _corners),
    tensors.function("mirror", _mirrored, _chosen),
    tensors.function("smoothed_cross_entropy", _smoothed, _scored, slopes=1),
    FunctionTruth("rate_factor", miniplaces_training.factor, _steps, Call((3, 10, 4))),
    tensors.function("top_k", _top_k, _ranked),
    tensors.function("confusion_matrix", _counted, _told),
    tensors.function("class_maps", _class_maps, _weighed),
    tensors.function("grad_cam", _grad_cam, _maps),
    tensors.function("pointing_game", _points, _pointed),
    tensors.function("mask_iou", _iou, _regions),
    ProcedureTruth(("prediction_lines",), _asked_lines, _lines, _named, next(_named(_EXAMPLE))),
    *miniplaces_nets.TRUTHS,
    *miniplaces_training.TRUTHS,
)

# The student's functions that each of the checks' layers is about. What is asked of functions
# that are given a net has misconceptions of its own: tests/check/test_finetuning.py goes through
# all of them, and tests/check/test_images.py through those of the file.
LAYERS = {
    "normalized_images": ("normalize", ""),
    "cropped_images": ("crop", ""),
    "mirrored_images": ("mirror", ""),
    "smoothed_loss": ("smoothed_cross_entropy", ""),
    "top_k_share": ("top_k", ""),
    "confusion_counts": ("confusion_matrix", ""),
    "class_maps": ("class_maps", ""),
    "grad_cam": ("grad_cam", ""),
    "pointing_game": ("pointing_game", ""),
    "mask_iou": ("mask_iou", ""),
}

# Tests that train for seconds: with many seeds they are measured by OUTCOMES, and nowhere else.
TRAININGS = ("fit-probe", "fit-frozen-early")

# Right sample submissions that are measured as styles too.
SAMPLES = ("by_hand",)
MUTATED_STYLES = ("by_hand",)
