"""Checks of functions that are given a batch as tensors, with inputs that tell bugs apart."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check import oracle
from autograder.check.case import Case, drawn
from autograder.check.layer import Layer
from autograder.check.mistakes import Mistake
from autograder.check.record import Array, Outcome, Record
from autograder.check.tensors import Arrays, Asked, Function, OfTensors

if TYPE_CHECKING:
    from torch import Tensor

TRIES = 25  # batches among which the one is taken that tells most bugs from what is right
POOL, DRAWS = 400, 20  # images from which those of such a batch are chosen, in so many draws
NO_BUG = 1000  # how much worse it is if a bug answers right than if two answer alike


@dataclass(frozen=True)
class OfBatches(OfTensors):
    """The same for tensors of bytes, whole numbers, truth values or float32, chosen to tell bugs.

    Attributes:
        layer: what is known about it; every array is one of its arguments.
        telling: takes what the oracle takes; (kinds, N) whether an image is of that kind. Those of
            a batch are of each kind in turn; the last one are all images with only one right
            answer, however ties are broken and numbers rounded.
        prepared: what becomes of an argument's random numbers, by its name.
        dtype: what the result has to be made of, if that matters.
    """

    telling: Function | None = None
    prepared: Mapping[str, Callable[[Array], Array]] = field(default_factory=dict)
    dtype: str = ""

    def _judged(self, case: Case, asked: Asked) -> Record:
        record = super()._judged(case, asked)
        other = self.dtype and asked.dtype not in (self.dtype, "")
        if record.outcome is Outcome.PASSED and other:
            return record.but(**_wrong_dtype(asked.dtype, self.dtype))
        return record

    def _tensor(self, array: Array) -> "Tensor":
        return as_tensor(array)

    def _arrays(
        self, rng: np.random.Generator, given: Mapping[str, Any], options: Mapping[str, Any]
    ) -> Arrays:
        """Of some draws, the one for which the fewest bugs answer what is right, or alike."""
        if not oracle.available():
            return self._draw(rng, given)
        found: list[tuple[int, Arrays]] = []
        while len(found) < TRIES and not (found and found[-1][0] == 0):
            arrays = self._batch(rng, given, options)
            found.append((_alike(self.layer, arrays, options), arrays))
        return min(found, key=lambda pair: pair[0])[1]

    def _batch(
        self, rng: np.random.Generator, given: Mapping[str, Any], options: Mapping[str, Any]
    ) -> Arrays:
        """A draw; where images can be `telling`, each is the first of its kind among many."""
        if self.telling is None:
            return self._draw(rng, given)
        first = self._draw(rng, given)
        count = min(DRAWS, POOL // max(map(len, first.values())))
        pool = [first, *(self._draw(rng, given) for _ in range(count))]
        together = {name: np.concatenate([draw[name] for draw in pool]) for name in pool[0]}
        kinds = oracle.evaluate(self.telling, together, options) > 0
        kinds = kinds.reshape(len(kinds), len(pool), -1)
        for place in range(kinds.shape[2]):
            mine = kinds[place % len(kinds), :, place]
            chosen = int(np.argmax(mine if mine.any() else kinds[-1, :, place]))
            for name, array in first.items():
                array[place] = pool[chosen][name][place]
        return first

    def _draw(self, rng: np.random.Generator, given: Mapping[str, Any]) -> Arrays:
        found = {name: drawn(rng, given[name]) for name in self.layer.arguments}
        ready = {
            name: self.prepared[name](array) if name in self.prepared else array
            for name, array in found.items()
        }
        return {name: _single(array) for name, array in ready.items()}


def as_tensor(array: Array) -> "Tensor":
    """A copy as a tensor; numbers with a point are float32, as in the lesson."""
    import torch

    return torch.tensor(array, dtype=torch.float32 if array.dtype.kind == "f" else None)


def _single(array: Any) -> Any:
    """Numbers that float32 holds exactly."""
    return array.astype(np.float32).astype(np.float64) if array.dtype.kind == "f" else array


def _wrong_dtype(got: str, want: str) -> dict[str, Any]:
    return {
        "outcome": Outcome.FAILED,
        "message": "the numbers are right, but of another type",
        "got": got,
        "expected": want,
        "hint": f"A net's weights are {want}, and so must be what it is given.",
    }


def _alike(layer: Layer, arrays: Arrays, options: Mapping[str, Any]) -> int:
    """How many bugs cannot be told from what is right, or from each other, by their answers."""
    right = oracle.evaluate(layer.oracle, arrays, options)
    answers = list(_answers(layer.mistakes, arrays, options))
    unseen = _same(right, answers)
    return NO_BUG * unseen + sum(_same(a, answers[i + 1 :]) for i, a in enumerate(answers))


def _answers(
    mistakes: tuple[Mistake, ...], arrays: Arrays, options: Mapping[str, Any]
) -> Iterator[Array]:
    for mistake in mistakes:
        try:
            yield oracle.evaluate(mistake.answer, arrays, options)
        except (RuntimeError, IndexError):  # it cannot be made with these shapes
            continue


def _same(one: Array, others: list[Array]) -> int:
    """How many of the others say the same."""
    alike = [other for other in others if other.shape == one.shape]
    if not alike:
        return 0
    close = np.isclose(one, np.stack(alike), 1e-4, 1e-6, equal_nan=True)
    return int(close.reshape(len(alike), -1).all(axis=1).sum())
