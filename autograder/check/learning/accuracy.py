"""The check of accuracy, the share of images whose largest score is that of their class."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.check.call import call_as_is
from autograder.check.case import Case, name_of
from autograder.check.explain import raised
from autograder.check.learning.answers import compared, judge_with_torch, subject
from autograder.check.learning.linear import parameters
from autograder.check.mistakes.accuracy import ACCURACY
from autograder.check.oracle import learning as oracle
from autograder.check.record import Array, Record

Function = Callable[..., Any]
# Whether each image is right (1), or has its smallest score at its label (-1), or neither (0):
# with batches of 4 every misconception has another accuracy than the right one, 6 / 11.
JUDGED = ((1, 1, 0, 1, -1, -1, 1, 0, 1, -1, 1), (1, 0, -1, -1, 1, 0, 1, 1, -1, 1, 1))


def accuracy(function: Function, *, batch_size: int, concept: str = "") -> None:
    """Checks ``accuracy(forward, params, x, y, batch_size)`` with a linear net of its own.

    Errors are those of `Layer.forward`.
    """
    name = name_of(function)
    call = f"{name}(forward, params, x, y, batch_size={batch_size})"
    case = subject(name, call, concept, x=np.empty((len(JUDGED[0]), 1, 3, 2)))
    found = (_judged_accuracy(case, function, batch_size, pattern) for pattern in JUDGED)
    right = case.record(message="is the share of images that are right")
    judge_with_torch(case, lambda: next(filter(None, found), right))


def _judged_accuracy(
    case: Case, function: Function, batch_size: int, pattern: Sequence[int]
) -> Record | None:
    """What is wrong with the accuracy where the images are as ``pattern`` says."""
    forward, _ = oracle.linear_network()
    x, params = case.rng.standard_normal(case.arrays["x"].shape), parameters(case.rng, 4)
    scores, _ = forward(x, params)
    y = _labels(scores, pattern)
    options = {"batch_size": batch_size}
    called = call_as_is(function, [forward, params, x.copy(), y.copy()], options, {})
    if called.error is not None:
        return case.record(**raised(called, case.name))
    return compared(
        case,
        called.value,
        np.mean([mark == 1 for mark in pattern]),
        "the share of right images",
        ACCURACY,
        arrays={"scores": scores, "y": y},
        options=options,
    )


def _labels(scores: Array, pattern: Sequence[int]) -> Any:
    """For each image the class whose score is the largest (1), the smallest (-1) or the second."""
    order = np.argsort(scores, axis=1)
    column = {1: -1, -1: 0, 0: -2}
    return np.array([row[column[mark]] for row, mark in zip(order, pattern, strict=True)])
