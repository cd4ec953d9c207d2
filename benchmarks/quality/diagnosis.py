"""Diagnosis: is each misconception of the bank named, first, by the lesson's own checks?

A student's functions are made up that answer exactly as the misconception does.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder import check
from autograder.check import oracle
from autograder.check.layer import Layer
from autograder.check.mistakes import Mistake
from benchmarks.quality import mistaken
from benchmarks.quality.children import Say, each
from benchmarks.quality.lesson import Namespace, failures
from benchmarks.quality.lessons import Plan

SECONDS = 120
Function = Callable[..., Any]


@dataclass(frozen=True)
class Bug:
    """A misconception about one result of a layer: ``out``, ``dx`` or ``running_mean``."""

    layer: str
    slot: str
    place: int
    name: str
    says: str

    @property
    def title(self) -> str:
        """How the report calls it."""
        return f"{self.layer} {self.slot}: {self.name}"


@dataclass(frozen=True)
class Diagnosis:
    """What the first failing report said to somebody with that bug."""

    bug: Bug
    test: str = ""
    message: str = ""
    hint: str = ""

    @property
    def named(self) -> bool:
        """Whether it named the bug, before anything else."""
        return self.hint.startswith(self.bug.says)


def bugs(plan: Plan) -> list[Bug]:
    """Every misconception of the layers that this lesson checks."""
    found = []
    for name in plan.layers:
        for slot, mistakes in bank(getattr(check, name)).items():
            found += [Bug(name, slot, i, m.name, m.says) for i, m in enumerate(mistakes)]
    return found


def bank(checked: Any) -> dict[str, tuple[Mistake, ...]]:
    """The misconceptions of each result of what a check is about."""
    return slots(checked) if isinstance(checked, Layer) else mistaken.bank(checked)


def slots(layer: Layer) -> dict[str, tuple[Mistake, ...]]:
    """The bank of each result of a layer."""
    return {"out": layer.mistakes, **layer.gradient_mistakes, **layer.state_mistakes}


def diagnosed(plan: Plan, found: Sequence[Bug], workers: int = 2) -> Iterator[Diagnosis]:
    """What each of these bugs is told."""

    def work(bug: Bug, say: Say) -> None:
        forward, backward = plan.layers[bug.layer]
        changed = frozenset(filter(None, (forward, backward)))
        scope = with_bug(plan.lesson.namespace(), bug, forward, backward)
        tests = tests_about(plan, bug, changed)
        for failure in failures(tests, scope):
            record = failure.record
            say((failure.test, failure.error, record.hint if record else ""))
            return

    for bug, said in each(work, found, SECONDS, workers):
        yield Diagnosis(bug, *said[0]) if said else Diagnosis(bug)


def tests_about(plan: Plan, bug: Bug, changed: frozenset[str]) -> dict[str, str]:
    """The tests that such a student sees.

    A module that is made up computes with no layers of its own, so that nothing but the checks of
    that module can be asked of it.
    """
    tests = plan.lesson.tests_of(plan.lesson.reached(changed))
    if isinstance(getattr(check, bug.layer), Layer):
        return tests
    return {id: source for id, source in tests.items() if f"check.{bug.layer}" in source}


def with_bug(scope: Namespace, bug: Bug, forward: str, backward: str) -> Namespace:
    """The answers in ``scope`` with functions that answer as the bug does."""
    checked = getattr(check, bug.layer)
    answer = bank(checked)[bug.slot][bug.place].answer
    if not isinstance(checked, Layer):
        scope[forward] = mistaken.made(checked, bug.slot, answer, scope[forward])
        return scope
    layer = _Mistaken(checked, bug.slot, answer)
    scope[forward] = layer.forward(scope[forward])
    if backward:
        scope[backward] = layer.backward(scope[backward])
    return scope


@dataclass(frozen=True)
class _Mistaken:
    layer: Layer
    slot: str
    answer: Function

    def forward(self, right: Function) -> Function:
        """``right`` with this bug; the cache holds what the bug needs on its way back."""

        count = len(self.layer.arguments) + len(self.layer.state)
        names = list(inspect.signature(right).parameters)[count:]

        @functools.wraps(right)
        def forward(*given: Any, **options: Any) -> Any:
            given, rest = given[:count], given[count:]  # options may come by position
            options |= dict(zip(names, rest, strict=False))
            before = [np.array(v) if isinstance(v, np.ndarray) else v for v in given]
            result = right(*given, **options)
            pair = isinstance(result, tuple) and len(result) == 2
            out, more = result if pair else (result, None)
            if self.slot == "out":
                out = self._instead(out, before, options)
            elif self.slot in self.layer.state:
                state = given[len(self.layer.arguments) + self.layer.state.index(self.slot)]
                state[...] = self._instead(state, before, options)
            elif pair and isinstance(more, tuple) and not self.layer.cached:
                return out, self._gradients(more, np.ones(np.shape(out)), before, options)
            if not pair:
                return out
            return (out, (more, before, options)) if self.layer.cached else (out, more)

        return forward

    def backward(self, right: Function) -> Function:
        @functools.wraps(right)
        def backward(dout: Any, cache: Any) -> Any:
            inner, given, options = cache
            result = right(dout, inner)
            gradients = result if isinstance(result, tuple) else (result,)
            changed = self._gradients(gradients, dout, given, options)
            return changed if isinstance(result, tuple) else changed[0]

        return backward

    def _gradients(
        self, right: tuple[Any, ...], dout: Any, given: Sequence[Any], options: Any
    ) -> tuple[Any, ...]:
        names = [f"d{argument}" for argument in self.layer.arguments]
        return tuple(
            self._instead(value, [dout, *given], options) if name == self.slot else value
            for name, value in zip(names, right, strict=True)
        )

    def _instead(self, right: Any, given: Sequence[Any], options: Any) -> Any:
        """What the bug answers; what is right where the bug cannot arise."""
        first = len(given) - len(self.layer.state) if self.layer.state else len(given)
        values = [oracle.tensor(v) if isinstance(v, np.ndarray) else v for v in given[:first]]
        settings = {**dict(zip(self.layer.state, given[first:], strict=False)), **options}
        try:
            answer = self.answer(*values, **oracle.settings(settings))
        except (RuntimeError, IndexError):
            return right
        return right if answer is None else answer.detach().numpy()
