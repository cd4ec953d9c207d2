"""Checks of one kind of layer: its forward, its backward, and whether the two belong together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.check import oracle, seed
from autograder.check.call import call, call_as_is
from autograder.check.compare import difference, misfit
from autograder.check.explain import changed_arguments, differs, kind, not_a_pair, raised
from autograder.check.gradient import slopes
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
        case = _Case.draw(self, given, concept, function)
        conclude(case.record(), lambda: _needs_oracle(case) or _forward(case, function))

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
        case = _Case.draw(self, given, concept, forward, backward)
        conclude(
            case.record(),
            lambda: _needs_oracle(case) or _backward(case, forward, backward, gradient),
        )

    def gradients(
        self, forward: Function, backward: Function, *, concept: str = "", **given: Any
    ) -> None:
        """Checks every gradient against numerical derivatives of the student's own forward."""
        case = _Case.draw(self, given, concept, forward, backward)
        conclude(case.record(), lambda: _needs_oracle(case) or _numerical(case, forward, backward))


@dataclass(frozen=True)
class _Case:
    """One configuration of a layer: its random arrays, its options, and how to speak of it."""

    layer: Layer
    name: str
    call: str
    arrays: dict[str, Array]
    options: dict[str, Any]
    concept: str
    rng: np.random.Generator

    @staticmethod
    def draw(
        layer: Layer,
        given: Mapping[str, Any],
        concept: str,
        forward: Function,
        backward: Function | None = None,
    ) -> "_Case":
        name = _name(backward or forward)
        rng = seed.stream(f"{name} {concept} {sorted(given)}")
        arrays = {key: _draw(rng, given[key]) for key in layer.arguments}
        options = {key: value for key, value in given.items() if key not in layer.arguments}
        named = [f"{key}={value}" for key, value in options.items()]
        call = f"{_name(forward)}({', '.join([*arrays, *named])})"
        if backward:
            call = f"{name}(dout, cache) after {call}"
        return _Case(layer, name, call, arrays, options, concept, rng)

    def record(self, **found: Any) -> Record:
        """A `Record` that is passed unless ``found`` says otherwise."""
        return Record(
            call=self.call,
            inputs="  ".join(f"{key}: {array.shape}" for key, array in self.arrays.items()),
            concept=self.concept,
            seed=seed.current(),
        ).but(**found)

    def other(self) -> dict[str, Array]:
        """Different arrays of the same shapes."""
        return {key: self.rng.standard_normal(array.shape) for key, array in self.arrays.items()}

    def expected(self) -> Array:
        return oracle.evaluate(self.layer.oracle, self.arrays, self.options)

    def magnitude(self) -> Array:
        """The sum of the absolute terms of each output: the oracle on absolute values."""
        positive = {key: np.abs(array) for key, array in self.arrays.items()}
        return np.asarray(oracle.evaluate(self.layer.oracle, positive, self.options))


def _name(function: Function) -> str:
    return getattr(function, "__name__", "your function")


def _draw(rng: np.random.Generator, given: Any) -> Array:
    if isinstance(given, tuple) and all(isinstance(size, int) for size in given):
        return rng.standard_normal(given)
    return np.array(given)


def _needs_oracle(case: _Case) -> Record | None:
    if oracle.available():
        return None
    message = "PyTorch, which knows the right answer, is not installed here: pip install torch"
    return case.record(outcome=Outcome.COULD_NOT_RUN, message=message)


def _forward(case: _Case, function: Function) -> Record:
    called = call(function, case.arrays, case.options)
    if called.error is not None:
        return case.record(**raised(called, case.name))
    if called.changed:
        return case.record(**changed_arguments(case.name, called.changed))
    out = _output(case.layer, called.value)
    if out is None:
        return case.record(**not_a_pair(case.name, called.value))
    want = case.expected()
    wrong = difference(out, want, case.magnitude())
    if wrong is None:
        return case.record(message="agrees with PyTorch")
    return case.record(**differs(wrong, out, want, _hint(case, case.layer.mistakes, {}, out)))


def _backward(case: _Case, forward: Function, backward: Function, gradient: str) -> Record:
    want_out = case.expected()
    dout = case.rng.standard_normal(want_out.shape)
    claims = _claims(case, forward, backward, dout)
    if isinstance(claims, Record):
        return claims
    want = oracle.gradients(case.layer.oracle, case.arrays, case.options, dout)[gradient]
    positive = {key: np.abs(array) for key, array in case.arrays.items()}
    magnitude = oracle.gradients(case.layer.oracle, positive, case.options, np.abs(dout))[gradient]
    got = claims[gradient]
    wrong = difference(got, want, magnitude)
    if wrong is None:
        return case.record(message=f"{gradient} agrees with autograd")
    mistakes = case.layer.gradient_mistakes.get(gradient, ())
    found = differs(wrong, got, want, _hint(case, mistakes, {"dout": dout}, got))
    return case.record(**{**found, "message": f"{gradient}: {found['message']}"})


def _claims(
    case: _Case, forward: Function, backward: Function, dout: Array
) -> dict[str, Any] | Record:
    """What ``backward`` returns, by name; or the record of why there is nothing to look at."""
    given = {key: array.copy() for key, array in case.arrays.items()}
    before = call_as_is(forward, list(given.values()), case.options, watched=given)
    if before.error is not None:
        found = {**raised(before, _name(forward)), "outcome": Outcome.COULD_NOT_RUN}
        return case.record(**found)
    if _output(case.layer, before.value) is None:
        return case.record(**not_a_pair(_name(forward), before.value))
    # Another forward in between: what backward needs must be in the cache, not in a global.
    call(forward, case.other(), case.options)
    upstream = dout.copy()
    after = call_as_is(backward, [upstream, before.value[1]], {}, {**given, "dout": upstream})
    if after.error is not None:
        return case.record(**raised(after, case.name))
    if after.changed:
        return case.record(**changed_arguments(case.name, after.changed))
    names = [f"d{argument}" for argument in case.layer.arguments]
    if not isinstance(after.value, (tuple, list)) or len(after.value) != len(names):
        return case.record(
            outcome=Outcome.FAILED,
            message=f"{case.name} must return ({', '.join(names)})",
            got=kind(after.value),
            expected=f"{len(names)} arrays",
        )
    return dict(zip(names, after.value, strict=True))


def _numerical(case: _Case, forward: Function, backward: Function) -> Record:
    right = _forward(case, forward)
    if right.outcome is not Outcome.PASSED:
        return case.record(
            outcome=Outcome.COULD_NOT_RUN,
            message=f"{_name(forward)} is not right on these inputs yet: mend it first",
            hint=right.hint,
        )
    dout = case.rng.standard_normal(case.expected().shape)
    claims = _claims(case, forward, backward, dout)
    if isinstance(claims, Record):
        return claims
    for name, array in case.arrays.items():
        wrong = misfit(claims[f"d{name}"], array.shape)
        if wrong is not None:
            found = differs(wrong, claims[f"d{name}"], array)
            return case.record(**{**found, "message": f"d{name}: {wrong.message}"})
    return _judge_slopes(case, forward, claims, dout)


def _judge_slopes(case: _Case, forward: Function, claims: Mapping[str, Any], dout: Array) -> Record:
    gradients = {name: np.asarray(claims[f"d{name}"]) for name in case.arrays}
    for slope in slopes(
        lambda *arrays: _output(case.layer, forward(*arrays, **case.options)),
        case.arrays,
        gradients,
        dout,
        case.rng,
        eps=_working_eps(case, forward),
    ):
        if not slope.agrees:
            return case.record(
                outcome=Outcome.FAILED,
                message=f"d{slope.argument} is not the gradient of your forward",
                got=f"{slope.analytic:.10g}, from your d{slope.argument}",
                expected=f"{slope.numerical:.10g}, measured by moving {slope.argument} a little",
            )
    return case.record(message="every gradient agrees with a numerical one")


def _working_eps(case: _Case, forward: Function) -> float:
    """The rounding unit of the arithmetic inside ``forward``, told by its distance to the oracle.

    A forward may compute in float32 and return float64; its dtype would not tell.
    """
    out = np.asarray(_output(case.layer, call(forward, case.arrays, case.options).value))
    noise = np.abs(out - case.expected()).max() / case.magnitude().max()
    return float(np.finfo(np.float32 if noise > SINGLE_NOISE else np.float64).eps)


def _output(layer: Layer, value: Any) -> Any | None:
    """The output in what forward returned; None where it should have been ``(out, cache)``."""
    if not layer.cached:
        return value
    pair = isinstance(value, (tuple, list)) and len(value) == 2
    return value[0] if pair else None


def _hint(case: _Case, mistakes: tuple[Mistake, ...], extra: Mapping[str, Array], got: Any) -> str:
    """What the first mistake says whose answer, on the same inputs, is the student's."""
    arrays = {**extra, **case.arrays}
    for mistake in mistakes:
        answer = _answer(mistake, arrays, case.options)
        if answer is not None and _same(got, answer):
            return mistake.says
    return ""


def _answer(mistake: Mistake, arrays: Mapping[str, Array], options: dict[str, Any]) -> Any | None:
    try:
        answer = mistake.answer(*map(oracle.tensor, arrays.values()), **options)
    except (RuntimeError, IndexError):
        return None  # torch says that this mistake cannot be made with these shapes
    return None if answer is None else np.asarray(answer.detach().numpy())


def _same(got: Any, answer: Array) -> bool:
    floor = 1e-3 * float(np.abs(answer).max(initial=0.0))
    return difference(got, answer, np.abs(answer) + floor) is None
