"""Naming the mistake: which misconception gives exactly this answer on these inputs?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.check import oracle
from autograder.check.compare import as_numbers, difference
from autograder.check.mistakes import Mistake
from autograder.check.record import Array


def hint(
    mistakes: Sequence[Mistake], arrays: Mapping[str, Array], options: Mapping[str, Any], got: Any
) -> str:
    """What the first of the mistakes says that would have answered ``got``; else ''."""
    for mistake in mistakes:
        answer = _answer(mistake, arrays, options)
        if answer is not None and _same(got, answer):
            return mistake.says
    return ""


def _answer(mistake: Mistake, arrays: Mapping[str, Array], options: Mapping[str, Any]) -> Any:
    try:
        given = map(oracle.tensor, arrays.values())
        answer = mistake.answer(*given, **oracle.settings(options))
    except (RuntimeError, IndexError):
        return None  # torch says that this mistake cannot be made with these shapes
    return None if answer is None else np.asarray(answer.detach().numpy())


def _same(got: Any, answer: Array) -> bool:
    array = as_numbers(got)
    if array is None or array.shape != answer.shape:
        return False
    finite = np.isfinite(answer)
    # An overflow is told by where it strikes and by what it leaves: NaN, or infinity.
    if not np.array_equal(array[~finite], answer[~finite], equal_nan=True):
        return False
    floor = 1e-3 * float(np.abs(answer[finite]).max(initial=0.0))
    return difference(array[finite], answer[finite], np.abs(answer[finite]) + floor) is None
