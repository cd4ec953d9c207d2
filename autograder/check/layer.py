"""Checks of one kind of layer: its forward, its backward, and whether the two belong together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.check import judge, seed
from autograder.check.case import Case, drawn, name_of
from autograder.check.inputs import Drawn
from autograder.check.mistakes import Mistake
from autograder.check.verdict import conclude

Function = Callable[..., Any]


@dataclass(frozen=True)
class Layer:
    """A layer that students write, and what is known about it.

    Attributes:
        arguments: the names of its array arguments, in order.
        oracle: what is right; takes the arrays, and the rest by keyword.
        mistakes: misconceptions of the forward pass.
        gradient_mistakes: misconceptions of each gradient, by its name (``dx``).
        cached: whether forward returns ``(out, cache)`` rather than ``out``.
        linear: whether the output is linear in each argument; rounding errors are then known well.
        conventions: gradients that are as right as the oracle's where it has a kink, by name; each
            takes ``dout`` and then what the oracle takes.
        conditioning: how much rounding and curvature the forward adds, for numerical slopes.
        state: the names of the arguments after the arrays that forward changes in place.
        next_state: takes what the oracle takes; what the state should be afterwards, in order.
        state_mistakes: misconceptions of each part of the state, by its name.
    """

    arguments: tuple[str, ...]
    oracle: Function
    mistakes: tuple[Mistake, ...] = ()
    gradient_mistakes: Mapping[str, tuple[Mistake, ...]] = field(default_factory=dict)
    cached: bool = False
    linear: bool = True
    conventions: Mapping[str, tuple[Function, ...]] = field(default_factory=dict)
    conditioning: float = 0.0
    state: tuple[str, ...] = ()
    next_state: Function | None = None
    state_mistakes: Mapping[str, tuple[Mistake, ...]] = field(default_factory=dict)

    def forward(self, function: Function, *, concept: str = "", **given: Any) -> None:
        """Checks ``function`` on random arrays of the shapes given.

        Args:
            function: the student's forward.
            concept: for a hidden check, the one thing about it that a student may know.
            **given: a shape (drawn from a normal distribution) or an array for each of the
                layer's arguments; all else is passed on as options.

        Raises:
            CheckFailed: the answer is wrong, or there is none.
            GraderBroke: the check itself failed; nothing is said about the student.
        """
        case = self._case(given, concept, function)
        conclude(
            case.record(), lambda: judge.needs_oracle(case) or judge.output(self, case, function)
        )

    def backward(
        self,
        forward: Function,
        backward: Function,
        gradient: str,
        *,
        concept: str = "",
        **given: Any,
    ) -> None:
        """Checks one ``gradient`` (``"dx"``) that ``backward(dout, cache)`` returns.

        The arguments and errors are those of `forward`. Only the gradient is judged: a forward
        that computes something else but leaves a usable cache costs nothing here.
        """
        case = self._case(given, concept, forward, backward)
        conclude(
            case.record(),
            lambda: (
                judge.needs_oracle(case)
                or judge.one_gradient(self, case, forward, backward, gradient)
            ),
        )

    def gradients(
        self, forward: Function, backward: Function, *, concept: str = "", **given: Any
    ) -> None:
        """Checks every gradient against numerical derivatives of the student's own forward."""
        case = self._case(given, concept, forward, backward)
        conclude(
            case.record(),
            lambda: judge.needs_oracle(case) or judge.every_gradient(self, case, forward, backward),
        )

    def flat(self, function: Function, *, concept: str = "", **given: Any) -> None:
        """Checks ``function`` that returns a number and its gradients: ``(out, (da, db, ...))``.

        The arguments and errors are those of `forward`.
        """
        case = self._case(given, concept, function)
        conclude(
            case.record(),
            lambda: judge.needs_oracle(case) or judge.output_and_gradients(self, case, function),
        )

    def _case(
        self,
        given: Mapping[str, Any],
        concept: str,
        forward: Function,
        backward: Function | None = None,
    ) -> Case:
        name = name_of(backward or forward)
        rng = seed.stream(f"{name} {concept} {sorted(given)}")
        arrays = {key: drawn(rng, given[key]) for key in self.arguments}
        state = {key: drawn(rng, given[key]) for key in self.state}
        options = {
            key: drawn(rng, value) if isinstance(value, Drawn) else value
            for key, value in given.items()
            if key not in (*self.arguments, *self.state)
        }
        call = _text(forward, [*arrays, *state], options)
        if backward:
            call = f"{name}(dout, cache) after {call}"
        return Case(self.oracle, name, call, arrays, state, options, concept, self.linear, rng)


def _text(function: Function, arguments: list[str], options: Mapping[str, Any]) -> str:
    named = [key if isinstance(v, np.ndarray) else f"{key}={v}" for key, v in options.items()]
    return f"{name_of(function)}({', '.join([*arguments, *named])})"
