"""When no known mistake matches: what the error itself looks like."""

import numpy as np

from autograder.check.compare import Mask
from autograder.check.record import Array


def describe(got: Array, want: Array, wrong: Mask) -> str:
    """A sentence on where and how ``got`` is off (equal shapes, some ``wrong``), or ''."""
    for look in (_sign, _factor, _transposed, _border, _one_index):
        sentence = look(got, want, wrong)
        if sentence:
            return sentence
    return ""


def _close(a: Array, b: Array) -> bool:
    return bool(np.allclose(a, b, rtol=1e-4, atol=1e-6 * float(np.abs(b).max(initial=1e-300))))


def _sign(got: Array, want: Array, wrong: Mask) -> str:
    return "Every number has the wrong sign." if _close(got, -want) else ""


def _factor(got: Array, want: Array, wrong: Mask) -> str:
    norm = float((want * want).sum())
    factor = float((got * want).sum()) / norm if norm else 0.0
    if want.size < 2 or abs(factor) < 1e-9 or not _close(got, factor * want):
        return ""
    return f"Every number is {factor:.4g} times what it should be."


def _transposed(got: Array, want: Array, wrong: Mask) -> str:
    if want.ndim < 2 or want.shape[-1] != want.shape[-2] or not _close(got.swapaxes(-1, -2), want):
        return ""
    return "The last two axes are swapped."


def _border(got: Array, want: Array, wrong: Mask) -> str:
    if want.ndim < 2 or min(want.shape[-2:]) < 3 or wrong[..., 1:-1, 1:-1].any():
        return ""
    return "Only the border is wrong; everything inside is right."


def _one_index(got: Array, want: Array, wrong: Mask) -> str:
    for axis, size in enumerate(want.shape):
        hit = np.flatnonzero(wrong.any(axis=tuple(a for a in range(want.ndim) if a != axis)))
        if size > 1 and len(hit) == 1:
            place = ", ".join(str(hit[0]) if a == axis else ":" for a in range(want.ndim))
            return f"Only [{place}] is wrong; everything else is right."
    return ""
