"""Checks of functions that are given a batch as tensors, with inputs that tell bugs apart."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check import judge, oracle, seed
from autograder.check.call import call_as_is
from autograder.check.case import Case, drawn, name_of
from autograder.check.compare import difference, settled
from autograder.check.explain import differs, kind, raised
from autograder.check.hint import hint
from autograder.check.layer import Layer
from autograder.check.mistakes import Mistake
from autograder.check.record import Array, Outcome, Record
from autograder.check.verdict import conclude

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]
Arrays = dict[str, Array]

TRIES = 25  # batches among which the one is taken that tells most bugs from what is right
POOL, DRAWS = 400, 20  # images from which those of such a batch are chosen, in so many draws
NO_BUG = 1000  # how much worse it is if a bug answers right than if two answer alike


@dataclass(frozen=True)
class OfBatches:
    """Checks of a function that takes tensors: bytes, whole numbers, truth values, float32.

    Attributes:
        layer: what is known about it; every array is one of its arguments.
        telling: takes what the oracle takes; (kinds, N) whether an image is of that kind. Those of
            a batch are of each kind in turn; the last one are all images with only one right
            answer, however ties are broken and numbers rounded.
        prepared: what becomes of an argument's random numbers, by its name.
        dtype: what the result has to be made of, if that matters.
    """

    layer: Layer
    telling: Function | None = None
    prepared: Mapping[str, Callable[[Array], Array]] = field(default_factory=dict)
    dtype: str = ""

    def __call__(self, function: Function, *, concept: str = "", **given: Any) -> None:
        """Checks what ``function`` returns.

        Args:
            function: the student's.
            concept: for a hidden check, the one thing about it that a student may know.
            **given: a shape, an array or a `Drawn` for each argument; all else is an option.

        Raises:
            CheckFailed: the answer is wrong, or there is none.
            GraderBroke: the check itself failed; nothing is said about the student.
        """
        case = self._case(function, concept, given)
        conclude(case.record(), lambda: judge.needs_oracle(case) or self._judged(case, function))

    def _judged(self, case: Case, function: Function) -> Record:
        asked = _Asked(function)
        record = judge.output(self.layer, case, asked)
        if record.outcome is not Outcome.PASSED or asked.dtype in (self.dtype, ""):
            return record
        return record.but(**_wrong_dtype(asked.dtype, self.dtype)) if self.dtype else record

    def _case(self, function: Function, concept: str, given: Mapping[str, Any]) -> Case:
        name = name_of(function)
        rng = seed.stream(f"{name} {concept} {sorted(given)}")
        options = {key: given[key] for key in given if key not in self.layer.arguments}
        arrays = self._most_telling(rng, given, options)
        call = _text(name, arrays, options)
        return Case(self.layer.oracle, name, call, arrays, {}, options, concept, False, rng)

    def _most_telling(
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


@dataclass(frozen=True)
class Loss(OfBatches):
    """The same of a loss, which also has to have a gradient."""

    def backward(
        self, function: Function, gradient: str, *, concept: str = "", **given: Any
    ) -> None:
        """Checks the ``gradient`` (``"dscores"``) that autograd finds; all else is as before."""
        case = self._case(function, concept, given)
        subject = case.record(call=f"{case.call}.backward()")

        def find() -> Record:
            record = judge.needs_oracle(case) or self._gradient(case, function, gradient)
            return record.but(call=subject.call)

        conclude(subject, find)

    def _gradient(self, case: Case, function: Function, gradient: str) -> Record:
        name = gradient.removeprefix("d")
        given = {key: as_tensor(array) for key, array in case.given().items()}
        leaf = given[name].requires_grad_()
        called = call_as_is(function, list(given.values()), case.options, {})
        if called.error is not None:
            return case.record(**raised(called, case.name))
        out = called.value
        fault = _no_way_back(out)
        if fault:
            return case.record(**fault)
        back = call_as_is(lambda: out.backward(), [], {}, {})
        if back.error is not None:
            return case.record(**raised(back, f"{case.name}(…).backward"))
        got = settled(np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy())
        return self._compared(case, gradient, got)

    def _compared(self, case: Case, gradient: str, got: Any) -> Record:
        place = list(case.arrays).index(gradient.removeprefix("d"))
        want = oracle.evaluate(_slope(case.oracle, place), case.arrays, case.options)
        wrong = difference(got, want, np.full(want.shape, np.abs(want).max()))
        if wrong is None:
            return case.record(message=f"{gradient} agrees with autograd")
        bugs = [Mistake(m.name, m.says, _slope(m.answer, place)) for m in self.layer.mistakes]
        found = differs(wrong, got, want, hint(bugs, case.arrays, case.options, got))
        return case.record(**{**found, "message": f"{gradient}: {found['message']}"})


class _Asked:
    """A function of arrays that asks a student's with tensors, and remembers what it was given."""

    def __init__(self, function: Function) -> None:
        self.function, self.dtype = function, ""
        self.__name__ = name_of(function)

    def __call__(self, *arrays: Any, **options: Any) -> Any:
        given = [as_tensor(array) for array in arrays]
        out = self.function(*given, **options)
        for array, changed in zip(arrays, given, strict=True):
            array[...] = changed.detach().numpy()
        self.dtype = str(getattr(out, "dtype", "")).removeprefix("torch.")
        return out.detach().numpy() if hasattr(out, "detach") else out


def as_tensor(array: Array) -> "Tensor":
    """A copy as a tensor; numbers with a point are float32, as in the lesson."""
    import torch

    return torch.tensor(array, dtype=torch.float32 if array.dtype.kind == "f" else None)


def _single(array: Any) -> Any:
    """Numbers that float32 holds exactly."""
    return array.astype(np.float32).astype(np.float64) if array.dtype.kind == "f" else array


def _text(name: str, arrays: Arrays, options: Mapping[str, Any]) -> str:
    return f"{name}({', '.join([*arrays, *(f'{key}={v}' for key, v in options.items())])})"


def _wrong_dtype(got: str, want: str) -> dict[str, Any]:
    return {
        "outcome": Outcome.FAILED,
        "message": "the numbers are right, but of another type",
        "got": got,
        "expected": want,
        "hint": f"A net's weights are {want}, and so must be what it is given.",
    }


def _no_way_back(out: Any) -> dict[str, Any]:
    """Why nothing can be differentiated, if so."""
    import torch

    failed = {"outcome": Outcome.FAILED, "expected": "a tensor with one number and its graph"}
    if not isinstance(out, torch.Tensor) or not out.requires_grad:
        message = "no gradient flows back from what was returned"
        return {**failed, "message": message, "got": kind(out), "hint": "Keep it a tensor: no "
                ".item(), no .detach(), no NumPy on the way."}  # fmt: skip
    if out.numel() != 1:
        message = "the loss should be one number"
        return {**failed, "message": message, "got": f"a tensor of shape {tuple(out.shape)}"}
    return {}


def _slope(function: Function, place: int) -> Function:
    """The gradient of a function for its argument of this number."""

    def slope(*tensors: Any, **settings: Any) -> Any:
        import torch

        leaves = [tensor.clone() for tensor in tensors]
        leaves[place].requires_grad_()
        (found,) = torch.autograd.grad(function(*leaves, **settings).sum(), leaves[place])
        return found

    return slope


def _alike(layer: Layer, arrays: Arrays, options: Mapping[str, Any]) -> int:
    """How many bugs cannot be told from what is right, or from each other, by their answers."""
    right = oracle.evaluate(layer.oracle, arrays, options)
    answers = list(_answers(layer.mistakes, arrays, options))
    unseen = sum(_same(right, answer) for answer in answers)
    return NO_BUG * unseen + sum(_same(*pair) for pair in combinations(answers, 2))


def _answers(
    mistakes: tuple[Mistake, ...], arrays: Arrays, options: Mapping[str, Any]
) -> Iterator[Array]:
    for mistake in mistakes:
        try:
            yield oracle.evaluate(mistake.answer, arrays, options)
        except (RuntimeError, IndexError):  # it cannot be made with these shapes
            continue


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, 1e-4, 1e-6, equal_nan=True))
