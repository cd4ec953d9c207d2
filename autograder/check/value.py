"""Checks of single answers: ``check.that(output_size, 7, 3, stride=2).returns(3)``."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check import seed
from autograder.check.call import call
from autograder.check.compare import TOLERANCE, difference, settled
from autograder.check.explain import changed_arguments, differs, raised
from autograder.check.record import Record
from autograder.check.verdict import conclude


@dataclass(frozen=True)
class Subject:
    """A call of a student's function whose answer is known."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def returns(self, expected: Any, *, concept: str = "", hint: str = "") -> None:
        """Checks that the call returns ``expected``, a number or an array of numbers.

        Args:
            expected: what it should return; see `compare` for how close it has to be.
            concept: for a hidden check, the one thing about it that a student may know.
            hint: what to remember when the answer is wrong.

        Raises:
            CheckFailed: it returns something else, or raises.
        """
        name = getattr(self.function, "__name__", "your function")
        record = Record(self._text(name), concept=concept, seed=seed.current())
        conclude(record, lambda: self._judged(record, name, np.asarray(expected), hint))

    def _judged(self, record: Record, name: str, want: Any, hint: str) -> Record:
        called = call(self.function, self._named(), self.options)
        if called.error is not None:
            return record.but(**raised(called, name))
        if called.changed:
            return record.but(**changed_arguments(name, called.changed))
        answer = settled(called.value)
        wrong = difference(answer, want.astype(np.float64), _scale(want))
        if wrong is None:
            return record.but(message="is right" if want.ndim else f"= {want}")
        return record.but(**differs(wrong, answer, want.astype(np.float64), hint))

    def _named(self) -> dict[str, Any]:
        """The positional arguments by the names that the student gave them, or by number."""
        try:
            names = list(inspect.signature(self.function).parameters)
        except (TypeError, ValueError):  # not every callable has a signature
            names = []
        names += [f"number {place}" for place in range(len(names), len(self.arguments))]
        return dict(zip(names, self.arguments, strict=False))

    def _text(self, name: str) -> str:
        positional = [_short(value) for value in self.arguments]
        named = [f"{key}={_short(value)}" for key, value in self.options.items()]
        return f"{name}({', '.join(positional + named)})"


def that(function: Callable[..., Any], *arguments: Any, **options: Any) -> Subject:
    """The call ``function(*arguments, **options)``, to be checked by `Subject.returns`."""
    return Subject(function, arguments, options)


def _scale(want: Any) -> Any:
    """The magnitude of an expected value; of a count, however large, one more is wrong."""
    size = np.abs(want.astype(np.float64))
    return size if want.dtype.kind == "f" else np.minimum(size, 0.5 / TOLERANCE)


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return f"{'×'.join(map(str, value.shape))} array"
    return str(value)
