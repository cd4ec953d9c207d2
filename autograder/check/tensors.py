"""Checks of functions of tensors: what they return, and the gradients that autograd finds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check import judge, oracle, seed
from autograder.check.case import Case, drawn, name_of
from autograder.check.compare import difference, settled
from autograder.check.explain import changed_arguments, differs, kind
from autograder.check.hint import hint
from autograder.check.inputs import Drawn
from autograder.check.layer import Layer
from autograder.check.mistakes import Mistake
from autograder.check.modules.judge import Refused, attempt
from autograder.check.record import Array, Outcome, Record
from autograder.check.verdict import conclude

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]
Arrays = dict[str, Array]

ONE = np.ones(())  # the upstream gradient of a loss
CUT = "Keep it a tensor: no .item(), no .detach(), no NumPy on the way."


@dataclass(frozen=True)
class OfTensors:
    """Checks of a function that takes tensors, and arrays among its options as tensors too."""

    layer: Layer

    def __call__(self, function: Function, *, concept: str = "", **given: Any) -> None:
        """Checks what ``function`` returns. Arguments and errors are those of `Layer.forward`."""
        case = self._case(function, concept, given)
        asked = Asked(function, self._tensor)
        conclude(case.record(), lambda: judge.needs_oracle(case) or self._judged(case, asked))

    def backward(
        self, function: Function, gradient: str, *, concept: str = "", **given: Any
    ) -> None:
        """Checks one ``gradient`` (``"dscores"``) of a loss; all else is as before."""
        case = self._case(function, concept, given)
        case = replace(case, call=f"{case.call}.backward()")

        def find() -> Record:
            try:
                out, got = self._gradient(case, function, gradient)
                return self._compared(case, gradient, got, out)
            except Refused as refused:
                return case.record(**refused.found)

        conclude(case.record(), lambda: judge.needs_oracle(case) or find())

    def _case(self, function: Function, concept: str, given: Mapping[str, Any]) -> Case:
        name, layer = name_of(function), self.layer
        rng = seed.stream(f"{name} {concept} {sorted(given)}")
        others = {key: given[key] for key in given if key not in layer.arguments}
        options = {key: drawn(rng, v) if isinstance(v, Drawn) else v for key, v in others.items()}
        arrays = self._arrays(rng, given, options)
        call = _text(name, arrays, options)
        return Case(layer.oracle, name, call, arrays, {}, options, concept, layer.linear, rng)

    def _arrays(
        self, rng: np.random.Generator, given: Mapping[str, Any], options: Mapping[str, Any]
    ) -> Arrays:
        """The arguments; ``options`` are for those who choose by them."""
        return {name: drawn(rng, given[name]) for name in self.layer.arguments}

    def _tensor(self, array: Array) -> "Tensor":
        """What the student is given of an array."""
        return oracle.tensor(array)

    def _judged(self, case: Case, asked: "Asked") -> Record:
        record = judge.output(self.layer, case, asked)
        if asked.changed:
            return case.record(**changed_arguments(case.name, asked.changed))
        return record

    def _gradient(self, case: Case, function: Function, gradient: str) -> tuple[Any, Any]:
        """The loss and its gradient; raises `Refused` where there is none."""
        import torch

        given = {name: _leaf(self._tensor(array)) for name, array in case.arrays.items()}
        options = oracle.settings(case.options)
        out = attempt(case.name, lambda: function(*given.values(), **options))
        _require_way_back(out)
        attempt(f"{case.name}(…).backward", lambda: torch.autograd.backward(out))
        leaf = given[gradient.removeprefix("d")]
        got = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy()
        return _array(out), settled(got)

    def _compared(self, case: Case, gradient: str, got: Any, out: Any) -> Record:
        want = case.expected_gradient(gradient, ONE)
        wrong = difference(got, want, case.gradient_magnitude(gradient, ONE))
        if wrong is None:
            return case.record(message=f"{gradient} agrees with autograd")
        found = differs(wrong, got, want, self._bug(case, gradient, got, out))
        return case.record(**{**found, "message": f"{gradient}: {found['message']}"})

    def _bug(self, case: Case, gradient: str, got: Any, out: Any) -> str:
        """The bug that gives this wrong loss, or else this gradient, which several may share."""
        wrong = difference(out, case.expected(), case.magnitude())
        named = hint(self.layer.mistakes, case.arrays, case.options, out) if wrong else ""
        place = self.layer.arguments.index(gradient.removeprefix("d"))
        slopes = [Mistake(m.name, m.says, _slope(m.answer, place)) for m in self.layer.mistakes]
        return named or hint(slopes, case.arrays, case.options, got)


class Asked:
    """A function of arrays that asks a student's with tensors.

    Attributes:
        changed: the options, such as labels, that were changed in place. They are not written
            back, as arguments are: what is right is computed from the same arrays.
        dtype: what the result was made of.
    """

    def __init__(self, function: Function, tensor: Callable[[Array], "Tensor"]) -> None:
        self.function, self.tensor = function, tensor
        self.changed: tuple[str, ...] = ()
        self.dtype = ""
        self.__name__ = name_of(function)

    def __call__(self, *arrays: Any, **options: Any) -> Any:
        """What comes back, as an array; arguments that it changes are changed."""
        given, others = [self.tensor(array) for array in arrays], oracle.settings(options)
        out = self.function(*given, **others)
        for array, after in zip(arrays, given, strict=True):
            array[...] = after.detach().numpy()
        self.changed = tuple(name for name in others if _changed(options[name], others[name]))
        self.dtype = str(getattr(out, "dtype", "")).removeprefix("torch.")
        return _array(out)


def _changed(before: Any, after: Any) -> bool:
    return isinstance(before, np.ndarray) and not np.array_equal(after.detach(), before)


def _array(out: Any) -> Any:
    """An array of a tensor, or of several in a tuple or a list."""
    import torch

    if isinstance(out, (tuple, list)):
        parts = [_array(part) for part in out]
        return parts if isinstance(out, list) else tuple(parts)
    return out.detach().numpy() if isinstance(out, torch.Tensor) else out


def _leaf(tensor: "Tensor") -> "Tensor":
    return tensor.requires_grad_(tensor.is_floating_point())


def _text(name: str, arrays: Arrays, options: Mapping[str, Any]) -> str:
    named = [key if isinstance(v, np.ndarray) else f"{key}={v}" for key, v in options.items()]
    return f"{name}({', '.join([*arrays, *named])})"


def _require_way_back(out: Any) -> None:
    """Raises `Refused` where nothing can be differentiated."""
    import torch

    failed = {"outcome": Outcome.FAILED, "expected": "a tensor with one number and its graph"}
    if not isinstance(out, torch.Tensor) or not out.requires_grad:
        message = "no gradient flows back from what was returned"
        raise Refused({**failed, "message": message, "got": kind(out), "hint": CUT})
    if out.numel() != 1:
        got = f"a tensor of shape {tuple(out.shape)}"
        raise Refused({**failed, "message": "the loss should be one number", "got": got})


def _slope(function: Function, place: int) -> Function:
    """The gradient of a function for its argument of this number."""

    def slope(*tensors: Any, **settings: Any) -> Any:
        import torch

        leaves = [tensor.clone() for tensor in tensors]
        leaves[place].requires_grad_()
        (found,) = torch.autograd.grad(function(*leaves, **settings).sum(), leaves[place])
        return found

    return slope
