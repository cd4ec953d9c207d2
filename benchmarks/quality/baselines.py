"""Checks of kinds that are common in courses, made by us, to see what the same mutants do there.

Each looks at one fixed example, square and with stride 1, and says whether it would object.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.quality.truth import Array, Known, LayerTruth, Namespace, Truth

READ_STRICTLY = 1e-6  # a relative error above this is called wrong by a strict human
STEP = 1e-5


@dataclass(frozen=True)
class Example:
    """A truth with its one example, and the same for an upstream gradient of ones."""

    truth: Truth
    known: Known
    ones: Known


Objects = Callable[[Namespace, Example], bool]


def example_of(truth: Truth) -> Example:
    """What these checks look at."""
    known = truth.known(truth.example)
    if not isinstance(truth, LayerTruth) or known.dout is None:
        return Example(truth, known, known)
    return Example(truth, known, truth.known_for(truth.example, np.ones_like(known.dout)))


def relative_error(scope: Namespace, example: Example) -> bool:
    """Output against a fixed one; each gradient against central differences of one's own forward.

    The measure is max |a − b| / max(1e-8, |a| + |b|), element by element.
    """
    got = example.truth.answer(scope, example.known)
    if _relative(got[0], example.known.want[0]) > READ_STRICTLY:
        return True
    if not isinstance(example.truth, LayerTruth):
        return False
    arrays = example.known.call.arrays
    slopes = [_slopes(scope, example.truth, example.known, place) for place in range(len(arrays))]
    pairs = zip(got[-len(arrays) :], slopes, strict=True)
    return any(_relative(claim, slope) > READ_STRICTLY for claim, slope in pairs)


def _relative(a: Any, b: Array) -> float:
    a = np.asarray(a)
    if a.shape != b.shape:
        return np.inf
    error = np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b))
    return float(np.nan_to_num(error, nan=np.inf).max(initial=0.0))


def _slopes(scope: Namespace, truth: LayerTruth, known: Known, place: int) -> Array:
    slopes = np.zeros(known.call.arrays[place].shape)
    dout = np.ones(()) if known.dout is None else known.dout
    for index in np.ndindex(slopes.shape):
        up, down = (_moved(scope, truth, known, place, index, step) for step in (STEP, -STEP))
        slopes[index] = np.sum((up - down) * dout) / (2 * STEP)
    return slopes


def _moved(
    scope: Namespace,
    truth: LayerTruth,
    known: Known,
    place: int,
    index: tuple[int, ...],
    step: float,
) -> Array:
    arrays = [array.copy() for array in known.call.arrays]
    arrays[place][index] += step
    others = [v.copy() if isinstance(v, np.ndarray) else v for v in known.call.others]
    return np.asarray(scope[truth.forward](*arrays, *others, **known.call.options)[0])


def shape_only(scope: Namespace, example: Example) -> bool:
    """Only the shapes of the output and of the gradients."""
    got = example.truth.answer(scope, example.known)
    pairs = zip(got, example.known.want, strict=True)
    return any(np.shape(a) != want.shape for a, want in pairs)


def all_ones(scope: Namespace, example: Example) -> bool:
    """All values, but every gradient for an upstream gradient of ones."""
    got = example.truth.answer(scope, example.ones)
    pairs = zip(got, example.ones.want, strict=True)
    return any(np.shape(a) != b.shape or not np.allclose(a, b) for a, b in pairs)


def one_element(scope: Namespace, example: Example) -> bool:
    """The shapes, and one number of each result."""
    got = example.truth.answer(scope, example.known)
    for a, want in zip(got, example.known.want, strict=True):
        middle = want.size // 2
        same = np.shape(a) == want.shape and np.isclose(np.ravel(a)[middle], want.flat[middle])
        if not same:
            return True
    return False


BASELINES: dict[str, Objects] = {
    "relative error, numeric gradient": relative_error,
    "allclose, upstream all ones": all_ones,
    "allclose on one element": one_element,
    "shape only": shape_only,
}
