"""Checks of one kind of layer: its forward, its backward, and whether the two belong together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.check import oracle
from autograder.check.call import Called, call, call_as_is
from autograder.check.case import Case, name_of
from autograder.check.compare import as_numbers, difference, misfit, settled
from autograder.check.explain import changed_arguments, differs, kind, not_a_pair, raised
from autograder.check.gradient import slopes
from autograder.check.hint import hint
from autograder.check.mistakes import Mistake
from autograder.check.record import Array, Outcome, Record
from autograder.check.verdict import conclude

Function = Callable[..., Any]
# Double precision stays far below it, single precision far above.
SINGLE_NOISE = 1e-11


@dataclass(frozen=True)
class Layer:
    """A layer that students write, and what is known about it.

    Attributes:
        arguments: the names of its array arguments, in order.
        oracle: what is right; takes the arrays and the options.
        mistakes: misconceptions of the forward pass.
        gradient_mistakes: misconceptions of each gradient, by its name (``dx``).
        cached: whether forward returns ``(out, cache)`` rather than ``out``.
    """

    arguments: tuple[str, ...]
    oracle: Function
    mistakes: tuple[Mistake, ...] = ()
    gradient_mistakes: Mapping[str, tuple[Mistake, ...]] = field(default_factory=dict)
    cached: bool = False

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
        conclude(case.record(), lambda: _needs_oracle(case) or _forward(self, case, function))

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
            lambda: _needs_oracle(case) or _backward(self, case, forward, backward, gradient),
        )

    def gradients(
        self, forward: Function, backward: Function, *, concept: str = "", **given: Any
    ) -> None:
        """Checks every gradient against numerical derivatives of the student's own forward."""
        case = self._case(given, concept, forward, backward)
        conclude(
            case.record(), lambda: _needs_oracle(case) or _numerical(self, case, forward, backward)
        )

    def _case(
        self, given: Mapping[str, Any], concept: str, forward: Function, *backward: Function
    ) -> Case:
        return Case.draw(self.oracle, self.arguments, given, concept, forward, *backward)


def _needs_oracle(case: Case) -> Record | None:
    if oracle.available():
        return None
    message = "PyTorch, which knows the right answer, is not installed here: pip install torch"
    return case.record(outcome=Outcome.COULD_NOT_RUN, message=message)


def _forward(layer: Layer, case: Case, function: Function) -> Record:
    called = call(function, case.arrays, case.options)
    fault = _fault(layer, called, case.name)
    if fault:
        return case.record(**fault)
    out, want = settled(_output(layer, called.value)), case.expected()
    wrong = difference(out, want, case.magnitude())
    if wrong is None:
        return case.record(message="agrees with PyTorch")
    named = hint(layer.mistakes, case.arrays, case.options, out)
    return case.record(**differs(wrong, out, want, named))


def _backward(
    layer: Layer, case: Case, forward: Function, backward: Function, gradient: str
) -> Record:
    dout = case.rng.standard_normal(case.expected().shape)
    claims = _claims(layer, case, forward, backward, dout)
    if isinstance(claims, Record):
        return claims
    got, want = claims[gradient], case.expected_gradient(gradient, dout)
    wrong = difference(got, want, case.gradient_magnitude(gradient, dout))
    if wrong is None:
        return case.record(message=f"{gradient} agrees with autograd")
    mistakes = layer.gradient_mistakes.get(gradient, ())
    named = hint(mistakes, {"dout": dout, **case.arrays}, case.options, got)
    named = named or _other_gradient(layer, case, gradient, got)
    return _about(case, gradient, differs(wrong, got, want, named))


def _other_gradient(layer: Layer, case: Case, gradient: str, got: Any) -> str:
    """A hint where ``got`` has the shape of another gradient than the one it should be."""
    shapes = {f"d{name}": array.shape for name, array in case.arrays.items()}
    array = as_numbers(got)
    if array is None or array.shape == shapes[gradient]:
        return ""
    others = [name for name, shape in shapes.items() if shape == array.shape]
    order = ", ".join(shapes)
    return f"That is the shape of {others[0]}: return {order}, in this order." if others else ""


def _claims(
    layer: Layer, case: Case, forward: Function, backward: Function, dout: Array
) -> dict[str, Any] | Record:
    """What ``backward`` returns, by name; or the record of why there is nothing to look at."""
    given = {key: array.copy() for key, array in case.arrays.items()}
    before = call_as_is(forward, list(given.values()), case.options, watched=given)
    fault = _fault(layer, before, name_of(forward))
    if fault:
        return case.record(**{**fault, "outcome": Outcome.COULD_NOT_RUN})
    # Another forward in between: what backward needs must be in the cache, not in a global.
    call(forward, case.other(), case.options)
    upstream = dout.copy()
    after = call_as_is(backward, [upstream, before.value[1]], {}, {**given, "dout": upstream})
    names = [f"d{argument}" for argument in layer.arguments]
    fault = _call_fault(after, case.name) or _not_all(after.value, names, case.name)
    if fault:
        return case.record(**fault)
    return dict(zip(names, map(settled, after.value), strict=True))


def _numerical(layer: Layer, case: Case, forward: Function, backward: Function) -> Record:
    right = _forward(layer, case, forward)
    if right.outcome is not Outcome.PASSED:
        message = f"{name_of(forward)} is not right on these inputs yet: mend it first"
        return case.record(outcome=Outcome.COULD_NOT_RUN, message=message, hint=right.hint)
    dout = case.rng.standard_normal(case.expected().shape)
    claims = _claims(layer, case, forward, backward, dout)
    if isinstance(claims, Record):
        return claims
    for name, array in case.arrays.items():
        wrong = misfit(claims[f"d{name}"], array.shape)
        if wrong is not None:
            return _about(case, f"d{name}", differs(wrong, claims[f"d{name}"], array))
    try:
        found = _judge_slopes(case, _Steady(layer, case, forward, dout.shape), claims, dout)
    except _UnsteadyError as unsteady:
        return case.record(**unsteady.found)
    return found if found.outcome is not Outcome.PASSED else _confirmed(case, claims, dout, found)


def _confirmed(case: Case, claims: Mapping[str, Any], dout: Array, found: Record) -> Record:
    """A forward could be right once, stand still while it is measured, and so have no slopes."""
    for name in case.arrays:
        got, want = claims[f"d{name}"], case.expected_gradient(f"d{name}", dout)
        wrong = difference(got, want, case.gradient_magnitude(f"d{name}", dout))
        if wrong is not None:
            return _about(case, f"d{name}", differs(wrong, got, want))
    return found


def _judge_slopes(case: Case, forward: "_Steady", claims: Mapping[str, Any], dout: Array) -> Record:
    gradients = {name: np.asarray(claims[f"d{name}"]) for name in case.arrays}
    noise = np.abs(forward(*case.arrays.values()) - case.expected()).max() / case.magnitude().max()
    # A forward may compute in float32 and return float64: its dtype would not tell.
    eps = float(np.finfo(np.float32 if noise > SINGLE_NOISE else np.float64).eps)
    for slope in slopes(forward, case.arrays, gradients, dout, case.rng, eps=eps):
        if not slope.agrees:
            return case.record(
                outcome=Outcome.FAILED,
                message=f"d{slope.argument} is not the gradient of your forward",
                got=f"a slope of {slope.analytic:.8g} along a random direction, by your gradient",
                expected=f"{slope.numerical:.8g}, measured by moving {slope.argument} that way",
            )
    return case.record(message="every gradient agrees with a numerical one")


@dataclass(frozen=True)
class _Steady:
    """A student's forward that was right once and is called again, on inputs close by."""

    layer: Layer
    case: Case
    forward: Function
    shape: tuple[int, ...]

    def __call__(self, *arrays: Any) -> Any:
        called = call_as_is(self.forward, arrays, self.case.options, {})
        fault = _fault(self.layer, called, name_of(self.forward))
        if fault:
            raise _UnsteadyError(fault)
        out = settled(_output(self.layer, called.value))
        if not isinstance(out, np.ndarray) or out.shape != self.shape or out.dtype.kind == "O":
            message = f"{name_of(self.forward)} returns something else when it is called again"
            raise _UnsteadyError({"outcome": Outcome.FAILED, "message": message})
        return out


class _UnsteadyError(Exception):
    """The student's forward did not answer again; ``found`` says what happened."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found


def _output(layer: Layer, value: Any) -> Any:
    return value[0] if layer.cached else value


def _fault(layer: Layer, called: Called, name: str) -> dict[str, Any]:
    """What is wrong with a call of forward, its numbers aside; {} if nothing is."""
    fault = _call_fault(called, name)
    if fault or not layer.cached:
        return fault
    pair = isinstance(called.value, (tuple, list)) and len(called.value) == 2
    return {} if pair else not_a_pair(name, called.value)


def _call_fault(called: Called, name: str) -> dict[str, Any]:
    if called.error is not None:
        return raised(called, name)
    return changed_arguments(name, called.changed) if called.changed else {}


def _not_all(value: Any, names: Sequence[str], name: str) -> dict[str, Any]:
    if isinstance(value, (tuple, list)) and len(value) == len(names):
        return {}
    return {
        "outcome": Outcome.FAILED,
        "message": f"{name} must return ({', '.join(names)})",
        "got": kind(value),
        "expected": f"{len(names)} arrays",
    }


def _about(case: Case, subject: str, found: dict[str, Any]) -> Record:
    return case.record(**{**found, "message": f"{subject}: {found['message']}"})
