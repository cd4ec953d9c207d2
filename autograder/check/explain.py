"""The parts of a record that say what went wrong, the same for every check."""

import builtins
from typing import Any

import numpy as np

from autograder.check import pattern
from autograder.check.call import Called
from autograder.check.compare import Difference, as_numbers
from autograder.check.record import Array, Outcome

DRAWN = range(1, 5)  # the numbers of axes for which there is a picture


def differs(wrong: Difference, got: Any, want: Array, hint: str = "") -> dict[str, Any]:
    """A wrong answer; without a ``hint``, what the error looks like is the hint."""
    array = as_numbers(got)
    if not hint and array is not None and np.isfinite(array).all():
        hint = pattern.describe(array, want, wrong.wrong)
    drawn = array is not None and array.shape == want.shape and want.ndim in DRAWN
    return {
        "outcome": Outcome.FAILED,
        "message": wrong.message,
        "got": wrong.got,
        "expected": wrong.expected,
        "where": wrong.where,
        "hint": hint,
        "arrays": (array, want) if array is not None and drawn else None,
    }


def raised(called: Called, name: str) -> dict[str, Any]:
    """The function raised, or is still the empty one that was handed out."""
    if called.missing:
        message = f"{name} is not written yet"
        return {"outcome": Outcome.COULD_NOT_RUN, "message": message, "inputs": ""}
    error = called.error
    return {
        "outcome": Outcome.FAILED,
        "message": f"{name} raised {_kind_of(error)}",
        "got": str(error)[:300],
        "trace": called.trace,
    }


def _kind_of(error: BaseException | None) -> str:
    """The exception's type, or the builtin that it is: a name of one's own could tell anything."""
    names = (base.__name__ for base in type(error).__mro__)
    return next(name for name in names if hasattr(builtins, name))


def changed_arguments(name: str, changed: tuple[str, ...]) -> dict[str, Any]:
    """The function altered arrays that belong to its caller."""
    return {
        "outcome": Outcome.FAILED,
        "message": f"{name} changes its argument {', '.join(changed)}",
        "hint": "The caller still needs that array. Work on a copy, or avoid +=, *= on arguments.",
    }


def not_a_pair(name: str, value: Any) -> dict[str, Any]:
    """A forward that did not return ``(out, cache)``."""
    return {
        "outcome": Outcome.FAILED,
        "message": f"{name} must return two things, (out, cache)",
        "got": kind(value),
        "expected": "(out, cache)",
    }


def kind(value: Any) -> str:
    """What a value is, in two or three words."""
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"one {type(value).__name__}"
