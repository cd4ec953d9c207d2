"""A whole network, LeNet-5, as students write it: with its parameters in a dict."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.check import judge, seed
from autograder.check.case import Case, name_of
from autograder.check.explain import changed_arguments
from autograder.check.layer import Layer
from autograder.check.learning.answers import Fault, not_named
from autograder.check.mistakes.first_weights import he
from autograder.check.mistakes.lenet import LENET
from autograder.check.mistakes.lenet_backward import LENET_GRADIENTS
from autograder.check.oracle import lenet as oracle
from autograder.check.record import Array, Outcome, Record
from autograder.check.verdict import conclude

Function = Callable[..., Any]

NET = Layer(
    oracle.NAMES,
    oracle.lenet,
    LENET,
    LENET_GRADIENTS,
    cached=True,
    linear=False,
    # What is lost in one layer is multiplied by the next.
    conditioning=3.0,
    state=("x",),
)
DEPTH = 7
SHAPES_HINT = (
    "After a convolution (P = 2) a map is as large as before it, after pooling half as large; "
    "print the shapes on the way."
)
REVERSE_HINT = "Go through the layers from the last to the first, each with its own cache."


@dataclass(frozen=True)
class Sizes:
    """A LeNet-5 of other sizes: images (N, C, H, W), with H and W divisible by 4."""

    images: tuple[int, int, int, int]
    channels: tuple[int, int]
    hidden: int
    classes: int

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter, in order."""
        _, c_in, height, width = self.images
        (first, second), k = self.channels, oracle.KERNEL_SIZE
        weights = [
            (first, c_in, k, k),
            (second, first, k, k),
            (second * (height // 4) * (width // 4), self.hidden),
            (self.hidden, self.classes),
        ]
        outputs = (first, second, self.hidden, self.classes)
        shapes = [shape for w, out in zip(weights, outputs, strict=True) for shape in (w, (out,))]
        return dict(zip(oracle.NAMES, shapes, strict=True))

    def drawn(self, rng: np.random.Generator) -> dict[str, Array]:
        """Random parameters that keep the numbers in the net near 1, with biases that matter."""
        return {
            name: rng.standard_normal(shape) * (he(shape) if name.endswith("_w") else 0.5)
            for name, shape in self.shapes().items()
        }


@dataclass
class _Flat:
    """A student's network in the form in which layers are judged: arrays in place of dicts.

    ``fault`` says what was wrong with the dicts.
    """

    student_forward: Function
    student_backward: Function | None = None
    fault: Fault = field(default_factory=dict)

    def forward(self) -> Function:
        """Takes the parameters one by one and then x."""

        def flat(*arrays: Array) -> Any:
            *values, x = arrays
            params, before = dict(zip(oracle.NAMES, values, strict=True)), x.copy()
            answer = self.student_forward(x, params)
            same = params.keys() == set(oracle.NAMES) and all(
                params[name] is value for name, value in zip(oracle.NAMES, values, strict=True)
            )
            changed = [*([] if same else ["params"])]
            changed += [] if np.array_equal(before, x) else ["x"]
            if changed:
                self.fault = changed_arguments(flat.__name__, tuple(changed))
            return answer

        flat.__name__ = name_of(self.student_forward)
        return flat

    def backward(self) -> Function:
        """Returns the gradients one by one."""
        student = self.student_backward
        assert student is not None

        def flat(dscores: Array, cache: Any) -> Any:
            grads = student(dscores, cache)
            self.fault = self.fault or not_named(grads, flat.__name__, oracle.NAMES)
            if self.fault:
                return [None] * len(oracle.NAMES)
            return [grads[name] for name in oracle.NAMES]

        flat.__name__ = name_of(student)
        return flat


class LeNet:
    """Checks of ``lenet_forward(x, params)`` and ``lenet_backward(dscores, cache)``.

    Sizes are given as for `Sizes`; parameters and images are drawn. Errors are those of
    `Layer.forward`; ``concept`` is, too.
    """

    def forward(self, forward: Function, *, concept: str = "", **sizes: Any) -> None:
        """Checks the scores."""
        case, flat = _case(forward, None, concept, Sizes(**sizes)), _Flat(forward)
        _conclude(case, flat, lambda: judge.output(NET, case, flat.forward()))

    def backward(
        self, forward: Function, backward: Function, name: str, *, concept: str = "", **sizes: Any
    ) -> None:
        """Checks the gradient of the parameter ``name``."""
        case, flat = _case(forward, backward, concept, Sizes(**sizes)), _Flat(forward, backward)
        _conclude(case, flat, lambda: _one_gradient(case, flat, name))

    def gradients(
        self, forward: Function, backward: Function, *, concept: str = "", **sizes: Any
    ) -> None:
        """Checks every gradient against numerical derivatives of the student's own forward."""
        case, flat = _case(forward, backward, concept, Sizes(**sizes)), _Flat(forward, backward)
        _conclude(case, flat, lambda: _every_gradient(case, flat))


def _one_gradient(case: Case, flat: _Flat, name: str) -> Record:
    """Through seven layers a wrong forward spoils every gradient, so that one comes first."""
    forward = flat.forward()
    record = judge.one_gradient(NET, case, forward, flat.backward(), f"d{name}")
    if record.outcome is Outcome.FAILED and not flat.fault:
        right = judge.output(NET, case, forward)
        if right.outcome is not Outcome.PASSED:
            return record.but(hint=f"{name_of(forward)} is not right yet: mend it first.")
    return record


def _every_gradient(case: Case, flat: _Flat) -> Record:
    """By slopes; where a finite step crossed the kink of a ReLU, autograd has the last word."""
    forward, backward = flat.forward(), flat.backward()
    record = judge.every_gradient(NET, case, forward, backward)
    if not record.message.endswith("is not the gradient of your forward"):
        return record
    again = (judge.one_gradient(NET, case, forward, backward, f"d{name}") for name in oracle.NAMES)
    if any(found.outcome is not Outcome.PASSED for found in again):
        return record
    return case.record(message="every gradient agrees with autograd")


def _case(forward: Function, backward: Function | None, concept: str, sizes: Sizes) -> Case:
    name = name_of(backward or forward)
    rng = seed.stream(f"{name} {concept} {sizes}")
    params, x = sizes.drawn(rng), rng.standard_normal(sizes.images)
    call = f"{name_of(forward)}(x, params)"
    if backward:
        call = f"{name}(dscores, cache) after {call}"
    return _Deep(oracle.lenet, name, call, params, {"x": x}, {}, concept, linear=False, rng=rng)


class _Deep(Case):
    """A case of `DEPTH` layers, each of which rounds what the one before has rounded."""

    def magnitude(self) -> Array:
        return DEPTH * super().magnitude()

    def gradient_magnitude(self, name: str, dout: Array) -> Array:
        return DEPTH * super().gradient_magnitude(name, dout)


def _conclude(case: Case, flat: _Flat, find: Callable[[], Record]) -> None:
    def found() -> Record:
        record = judge.needs_oracle(case) or find()
        return _reworded(record.but(**flat.fault) if flat.fault else record, case.name)

    conclude(case.record(), found)


def _reworded(record: Record, name: str) -> Record:
    """The record of a layer in the words of a network: its gradients are in a dict."""
    message, advice = _in_grads(record.message), record.hint
    if advice.startswith("That is the shape of d"):
        advice = _in_grads(advice.split(":")[0]) + "."
    elif record.trace and not advice:
        advice = REVERSE_HINT if "backward" in name and name in message else SHAPES_HINT
    return record.but(message=message, hint=advice)


def _in_grads(text: str) -> str:
    return re.sub(rf"\bd({'|'.join(oracle.NAMES)})\b", r"grads['\1']", text)


lenet = LeNet()
