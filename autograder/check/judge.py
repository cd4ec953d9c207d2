"""What a check of a layer finds: the student's answers beside the oracle's, as records."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check import oracle
from autograder.check.call import Called, call, call_as_is
from autograder.check.case import Case, name_of
from autograder.check.compare import as_numbers, difference, misfit, settled
from autograder.check.explain import changed_arguments, differs, kind, not_a_pair, raised
from autograder.check.gradient import slopes
from autograder.check.hint import hint
from autograder.check.record import Array, Outcome, Record

if TYPE_CHECKING:
    from autograder.check.layer import Layer

Function = Callable[..., Any]
# Double precision stays far below it, single precision far above.
SINGLE_NOISE = 1e-11


def needs_oracle(case: Case) -> Record | None:
    """A record that says so, where there is no PyTorch to know the right answer."""
    if oracle.available():
        return None
    message = "PyTorch, which knows the right answer, is not installed here: pip install torch"
    return case.record(outcome=Outcome.COULD_NOT_RUN, message=message)


def output(layer: "Layer", case: Case, function: Function) -> Record:
    """The output, and the arguments that should have been updated, beside the oracle's."""
    given = case.given()
    found = _answer(layer, case, function, given)
    if found.outcome is not Outcome.PASSED:
        return found
    return _wrong_state(layer, case, given) or found


def _answer(layer: "Layer", case: Case, function: Function, given: Mapping[str, Array]) -> Record:
    watched = {name: given[name] for name in case.arrays}
    called = call_as_is(function, list(given.values()), case.options, watched)
    fault = _fault(layer, called, case.name)
    if fault:
        return case.record(**fault)
    out, want = settled(_output(layer, called.value)), case.expected()
    wrong = difference(out, want, case.magnitude())
    if wrong is None:
        return case.record(message="agrees with PyTorch")
    named = hint(layer.mistakes, case.arrays, case.settings, out)
    return case.record(**differs(wrong, out, want, named))


def _wrong_state(layer: "Layer", case: Case, after: Mapping[str, Any]) -> Record | None:
    """What is wrong with the arguments that forward should have updated in place, if anything."""
    if layer.next_state is None:
        return None
    right = layer.next_state(
        *map(oracle.tensor, case.arrays.values()), **oracle.settings(case.settings)
    )
    for name, want in zip(layer.state, right, strict=True):
        got, wanted = after[name], want.detach().numpy()
        wrong = difference(got, wanted, np.abs(wanted) + np.abs(case.state[name]))
        if wrong is not None:
            named = hint(layer.state_mistakes.get(name, ()), case.arrays, case.settings, got)
            return _about(case, f"{name} afterwards", differs(wrong, got, wanted, named))
    return None


def output_and_gradients(layer: "Layer", case: Case, function: Function) -> Record:
    """The output and all gradients that one function returns together."""
    given = case.given()
    called = call_as_is(function, list(given.values()), case.options, given)
    names = [f"d{argument}" for argument in layer.arguments]
    fault = _call_fault(called, case.name) or _not_flat(called.value, names, case.name)
    if fault:
        return case.record(**fault)
    out, want = settled(called.value[0]), case.expected()
    wrong = difference(out, want, case.magnitude())
    if wrong is not None:
        named = hint(layer.mistakes, case.arrays, case.settings, out)
        return _about(case, "the output", differs(wrong, out, want, named))
    for name, claim in zip(names, map(settled, called.value[1]), strict=True):
        found = _judged(layer, case, name, claim, np.ones(want.shape))
        if found.outcome is not Outcome.PASSED:
            return found
    return case.record(message=f"output and {', '.join(names)} agree with autograd")


def _not_flat(value: Any, names: Sequence[str], name: str) -> dict[str, Any]:
    pair = isinstance(value, (tuple, list)) and len(value) == 2
    if pair and _are(value[1], names):
        return {}
    return {
        "outcome": Outcome.FAILED,
        "message": f"{name} must return (out, ({', '.join(names)}))",
        "got": kind(value),
        "expected": f"the output, and a tuple of {len(names)} gradients",
    }


def one_gradient(
    layer: "Layer", case: Case, forward: Function, backward: Function, gradient: str
) -> Record:
    """One gradient that ``backward`` returns for a cache of ``forward``'s."""
    dout = case.rng.standard_normal(case.expected().shape)
    claims = _claims(layer, case, forward, backward, dout)
    if isinstance(claims, Record):
        return claims
    return _judged(layer, case, gradient, claims[gradient], dout)


def _judged(layer: "Layer", case: Case, gradient: str, got: Any, dout: Array) -> Record:
    """One gradient beside autograd's, and the other conventions where there are some."""
    want, magnitude = (
        case.expected_gradient(gradient, dout),
        case.gradient_magnitude(gradient, dout),
    )
    wrong = difference(got, want, magnitude)
    if wrong is None or _conventional(layer, case, gradient, got, dout, magnitude):
        return case.record(message=f"{gradient} agrees with autograd")
    mistakes = layer.gradient_mistakes.get(gradient, ())
    named = hint(mistakes, {"dout": dout, **case.arrays}, case.settings, got)
    named = named or _other_gradient(layer, case, gradient, got)
    return _about(case, gradient, differs(wrong, got, want, named))


def _conventional(
    layer: "Layer", case: Case, gradient: str, got: Any, dout: Array, magnitude: Array
) -> bool:
    tensors = [oracle.tensor(array) for array in (dout, *case.arrays.values())]
    settings = oracle.settings(case.settings)
    answers = (right(*tensors, **settings) for right in layer.conventions.get(gradient, ()))
    peak = magnitude + np.abs(dout).max(initial=0.0)  # where the oracle has 0, another need not
    return any(difference(got, answer.numpy(), peak) is None for answer in answers)


def _other_gradient(layer: "Layer", case: Case, gradient: str, got: Any) -> str:
    """A hint where ``got`` has the shape of another gradient than the one it should be."""
    shapes = {f"d{name}": array.shape for name, array in case.arrays.items()}
    array = as_numbers(got)
    if array is None or array.shape == shapes[gradient]:
        return ""
    others = [name for name, shape in shapes.items() if shape == array.shape]
    order = ", ".join(shapes)
    return f"That is the shape of {others[0]}: return {order}, in this order." if others else ""


def _claims(
    layer: "Layer", case: Case, forward: Function, backward: Function, dout: Array
) -> dict[str, Any] | Record:
    """What ``backward`` returns, by name; or the record of why there is nothing to look at."""
    given = case.given()
    watched = {name: given[name] for name in case.arrays}
    before = call_as_is(forward, list(given.values()), case.options, watched)
    fault = _fault(layer, before, name_of(forward))
    if fault:
        return case.record(**{**fault, "outcome": Outcome.COULD_NOT_RUN})
    # Another forward in between: what backward needs must be in the cache, not in a global.
    call(forward, case.other(), case.options)
    upstream = dout.copy()
    after = call_as_is(backward, [upstream, before.value[1]], {}, {**watched, "dout": upstream})
    names = [f"d{argument}" for argument in layer.arguments]
    if len(names) == 1 and _alone(after.value):
        after = replace(after, value=(after.value,))
    fault = _call_fault(after, case.name) or _not_all(after.value, names, case.name)
    if fault:
        return case.record(**fault)
    return dict(zip(names, map(settled, after.value), strict=True))


def every_gradient(layer: "Layer", case: Case, forward: Function, backward: Function) -> Record:
    """Every gradient beside the slopes of the student's own forward."""
    right = _answer(layer, case, forward, case.given())  # whatever became of its state
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
    conditioning = forward.layer.conditioning
    gradients = {name: np.asarray(claims[f"d{name}"]) for name in case.arrays}
    noise = np.abs(forward(*case.arrays.values()) - case.expected()).max() / case.magnitude().max()
    # A forward may compute in float32 and return float64: its dtype would not tell.
    eps = float(np.finfo(np.float32 if noise > SINGLE_NOISE else np.float64).eps)
    measured = slopes(forward, case.arrays, gradients, dout, case.rng, conditioning, eps)
    for slope in measured:
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

    layer: "Layer"
    case: Case
    forward: Function
    shape: tuple[int, ...]

    def __call__(self, *arrays: Any) -> Any:
        state = [array.copy() for array in self.case.state.values()]
        called = call_as_is(self.forward, [*arrays, *state], self.case.options, {})
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


def _output(layer: "Layer", value: Any) -> Any:
    return value[0] if layer.cached else value


def _fault(layer: "Layer", called: Called, name: str) -> dict[str, Any]:
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
    if _are(value, names):
        return {}
    return {
        "outcome": Outcome.FAILED,
        "message": f"{name} must return ({', '.join(names)})"
        if names[1:]
        else f"{name} must return {names[0]}",
        "got": kind(value),
        "expected": f"{len(names)} arrays" if names[1:] else "one array",
    }


def _are(value: Any, names: Sequence[str]) -> bool:
    """Whether a value can be the gradients; those of single numbers may come as one array."""
    several = isinstance(value, (tuple, list)) or (
        isinstance(value, np.ndarray) and value.ndim == 1
    )
    return several and len(value) == len(names)


def _alone(value: Any) -> bool:
    """Whether a value is the one gradient itself, perhaps as a list of rows; else it holds it."""
    return not isinstance(value, (tuple, list)) or (isinstance(value, list) and len(value) != 1)


def _about(case: Case, subject: str, found: dict[str, Any]) -> Record:
    return case.record(**{**found, "message": f"{subject}: {found['message']}"})
