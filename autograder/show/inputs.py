"""What the pictures accept: arrays of numbers and small whole numbers, or one clear message."""

from collections.abc import Collection, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from autograder.problem import BadInputError, Problem

Pair = int | Sequence[int]


def refuse(where: str, got: str, expected: str, fix: str) -> NoReturn:
    """Raises `BadInputError` with this one problem."""
    raise BadInputError(Problem(where, got, expected, fix))


def numbers(where: str, value: Any, dimensions: Collection[int]) -> NDArray[np.float64]:
    """``value`` as a float64 array.

    Raises:
        BadInputError: it is not real numbers, is empty, or has another number of dimensions.
    """
    expected = "a real array with " + " or ".join(map(str, dimensions)) + " dimensions"
    fix = "Look at what the function that made it returns."
    if value is None:
        refuse(where, "None", expected, "Does the function that made it return its result?")
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            refuse(where, f"{type(value).__name__} of {array.dtype}", expected, fix)
    except (TypeError, ValueError, RuntimeError):  # ragged, or a tensor with its gradient
        refuse(where, f"a {type(value).__name__} that is not an array", expected, fix)
    if array.ndim not in dimensions or array.size == 0:
        refuse(where, f"shape {array.shape}", expected, fix)
    return array.astype(np.float64)


def whole(where: str, value: Any, least: int) -> int:
    """``value`` as an int of at least ``least``; raises `BadInputError`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        refuse(where, repr(value), f"a whole number of at least {least}", "Change this argument.")
    return int(value)


def pair(where: str, value: Pair, least: int) -> tuple[int, int]:
    """``value``, or ``value`` twice, as (height, width); raises `BadInputError`."""
    both = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(both) != 2:
        refuse(where, repr(value), "a whole number or two", "Give (height, width).")
    return whole(where, both[0], least), whole(where, both[1], least)
