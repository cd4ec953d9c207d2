"""The one comparison policy: shape, then kind of number, then finiteness, then values.

Values may differ by what single precision explains: a student is free to compute in float32, to
reorder sums or to call BLAS. An error is therefore measured against the sum of the absolute values
of the terms that were added up (the ``magnitude``), which is what rounding errors scale with; see
N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.check.record import Array

Mask = npt.NDArray[np.bool_]
TOLERANCE = 64 * float(np.finfo(np.float32).eps)
# A sum by Fourier transform, or one of larger terms that cancel, is as exact as the largest number
# of the array and not as each of its own.
FLOOR = 1 / 16


@dataclass(frozen=True)
class Difference:
    """How an answer differs from the expected one; ``wrong`` marks the numbers that are off."""

    message: str
    got: str
    expected: str
    where: str = ""
    wrong: Mask | None = None


@dataclass(frozen=True)
class Unreadable:
    """An answer that is not made of numbers, in words."""

    text: str


def settled(value: Any) -> Any:
    """What a student returned, looked at once: an array, or `Unreadable`.

    An object of their own may give other numbers, or none, when it is looked at again.
    """
    if isinstance(value, np.ndarray):
        return value
    try:
        array = np.asarray(value)
    except Exception:  # it may do anything when asked for an array
        return Unreadable(_describe(value))
    return array if array.dtype.kind in "fiubc" else Unreadable(_describe(value))


def difference(got: Any, want: Array, magnitude: Array | None = None) -> Difference | None:
    """How ``got`` differs from ``want``, or None where it does not.

    Args:
        got: whatever the student's function returned.
        want: the expected array, of any shape.
        magnitude: of want's shape, the sum of the absolute terms; by default ``abs(want)``.
    """
    unfit = misfit(got, want.shape)
    if unfit is not None:
        return unfit
    array = np.asarray(got, dtype=np.float64)
    if not np.isfinite(array).all():
        return _elementwise("not finite", array, want, ~np.isfinite(array))
    scale = np.abs(want) if magnitude is None else magnitude
    bound = TOLERANCE * np.maximum(scale, FLOOR * scale.max(initial=0))
    wrong = ~(np.abs(array - want) <= bound)
    return _elementwise("wrong value", array, want, wrong) if wrong.any() else None


def misfit(got: Any, shape: tuple[int, ...]) -> Difference | None:
    """Why ``got`` is not an array of real numbers of that shape, or None where it is."""
    array = as_numbers(got)
    if array is None:
        return Difference("did not return numbers", _describe(got), _shape(shape))
    if array.shape != shape:
        return Difference("wrong shape", _shape(array.shape), _shape(shape))
    return None


def as_numbers(value: Any) -> Array | None:
    """``value`` as a float64 array, or None if it is not made of real numbers."""
    try:
        array = np.asarray(value)
    except Exception:  # an object of the student's own may do anything when asked for an array
        return None
    return array.astype(np.float64) if array.dtype.kind in "fiub" else None


def _elementwise(message: str, got: Array, want: Array, wrong: Mask) -> Difference:
    error = np.where(wrong, np.nan_to_num(np.abs(got - want), nan=np.inf), -1.0)
    worst = np.unravel_index(int(np.argmax(error)), error.shape)
    if not worst:
        return Difference(message, f"{got:.6g}", f"{want:.6g}", wrong=wrong)
    index = f"[{', '.join(map(str, worst))}]"
    return Difference(
        f"{message}s" if message == "wrong value" else message,
        got=f"{got[worst]:.6g} at {index}",
        expected=f"{want[worst]:.6g} at {index}",
        where=f"{int(wrong.sum())} of {wrong.size} numbers are off, {index} the most",
        wrong=wrong,
    )


def _shape(shape: tuple[int, ...]) -> str:
    return f"an array of shape {shape}" if shape else "a number"


def _describe(value: Any) -> str:
    if isinstance(value, Unreadable):
        return value.text
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} and shape {value.shape}"
    return "None" if value is None else f"a {type(value).__name__}"
