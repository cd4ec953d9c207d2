"""The check of minibatches: every image once, in random order that can be repeated."""

from collections.abc import Callable
from itertools import chain, islice
from typing import Any

import numpy as np

from autograder.check import seed
from autograder.check.call import call_as_is
from autograder.check.case import Case, name_of
from autograder.check.explain import raised
from autograder.check.learning.answers import Fault, failed, subject
from autograder.check.record import Record
from autograder.check.verdict import conclude

Function = Callable[..., Any]


def minibatches(function: Function, *, count: int, batch_size: int, concept: str = "") -> None:
    """Checks ``minibatches(count, batch_size, rng)``; errors are those of `Layer.forward`."""
    name = name_of(function)
    case = subject(name, f"{name}({count}, {batch_size}, rng)", concept)
    conclude(case.record(), lambda: _judged_batches(case, function, count, batch_size))


def _judged_batches(case: Case, function: Function, count: int, batch_size: int) -> Record:
    epochs = []
    for rng in (np.random.default_rng([seed.current(), place]) for place in (0, 0, 1)):
        called = call_as_is(
            lambda rng: _batches(function(count, batch_size, rng), count), [rng], {}, {}
        )
        if called.error is not None:
            return case.record(**raised(called, case.name))
        if called.value is None:
            message, expected = f"{case.name} must return a list", "arrays of whole numbers"
            return case.record(**failed(message, expected=expected))
        epochs.append(called.value)
    one, again, other = (list(chain.from_iterable(epoch)) for epoch in epochs)
    fault = (
        _wrong_numbers(one, epochs[0], count, batch_size)
        or _wrong_sizes(epochs[0], _sizes(count, batch_size))
        or _wrong_order(one, again, other)
    )
    return case.record(**(fault or {"message": "every image once, in random order"}))


def _batches(answer: Any, most: int) -> list[list[int]] | None:
    """The numbers in each batch, or None where they are no whole numbers; it may have no end."""
    arrays = [np.asarray(batch) for batch in islice(answer, most + 1)]
    if not all(array.ndim == 1 and array.dtype.kind in "iu" for array in arrays):
        return None
    return [array.tolist() for array in arrays]


def _sizes(count: int, batch_size: int) -> list[int]:
    return [min(batch_size, count - start) for start in range(0, count, batch_size)]


def _wrong_numbers(seen: list[int], epoch: list[list[int]], count: int, batch_size: int) -> Fault:
    if any(i not in range(count) for i in seen):
        return failed("there is a number of no image", got=f"{max(seen)}", expected=f"< {count}")
    twice = next((i for place, i in enumerate(seen) if i in seen[:place]), None)
    if twice is not None:
        advice = "Shuffle all the numbers once, then cut; drawing each time draws some twice."
        return failed(f"image {twice} comes twice in an epoch", hint=advice)
    sizes, wanted = list(map(len, epoch)), _sizes(count, batch_size)
    if len(seen) < count:
        advice = "The last batch may be smaller: its images want to be seen too."
        return failed(
            f"{count - len(seen)} of {count} images are never seen",
            got=f"batches of {sizes}",
            expected=f"batches of {wanted}",
            hint=advice if sizes == wanted[:-1] else "",
        )
    return {}


def _wrong_sizes(epoch: list[list[int]], wanted: list[int]) -> Fault:
    sizes = list(map(len, epoch))
    if sizes == wanted:
        return {}
    advice = "Only the last batch may be smaller, and none is empty."
    return failed("wrong sizes", got=f"batches of {sizes}", expected=f"{wanted}", hint=advice)


def _wrong_order(one: list[int], again: list[int], other: list[int]) -> Fault:
    if one != again:
        advice = "Shuffle with the rng that you are given: np.random's own cannot be repeated."
        return failed("two generators with one seed give different orders", hint=advice)
    if one == sorted(one):
        return failed("the images are not shuffled", hint="rng.permutation gives a random order.")
    if one == other:
        advice = "Shuffle with the rng that you are given, and do not make one of your own."
        return failed("two generators with different seeds give one order", hint=advice)
    return {}
