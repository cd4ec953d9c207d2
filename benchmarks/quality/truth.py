"""What is right, asked of torch directly over many shapes and options; nothing of the checks' own.

A task's text says what an answer must do; a `Call` is one thing that it must do then. An answer is
equivalent to the reference if it does all of them, without changing what it is given, and with its
cache still good after another forward.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Array = npt.NDArray[Any]
Namespace = Mapping[str, Any]
Right = Callable[..., Any]
EXACT, SINGLE = 1e-9, 1e-4  # of the largest number: doubles, and inputs in single precision


@dataclass(frozen=True)
class Call:
    """What one answer is asked.

    Attributes:
        arrays: arguments by position that have gradients.
        others: arguments after them that have none; arrays among them may be updated in place.
        options: arguments by keyword.
        tolerance: how far off a number may be, in parts of the largest.
        forward_only: no gradient is asked for.
        harsh: rounding errors are so large beside the answer that no slope can be measured.
    """

    arrays: tuple[Any, ...]
    others: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = EXACT
    forward_only: bool = False
    harsh: bool = False


@dataclass(frozen=True)
class Known:
    """A call with its right results, gradients for ``dout`` among them."""

    call: Call
    want: tuple[Array, ...]
    dout: Array | None = None


class WrongError(Exception):
    """An answer is not equivalent to the reference."""


@dataclass(frozen=True)
class FunctionTruth:
    """A function without gradients.

    Attributes:
        name: of the student's function.
        right: the same with torch; takes what the function takes.
        calls: draws everything that is asked.
        example: the lesson's own example: square, one pixel at a time.
    """

    name: str
    right: Right
    calls: Callable[[np.random.Generator], Iterable[Call]]
    example: Call

    @property
    def names(self) -> tuple[str, ...]:
        """The student's functions that are judged."""
        return (self.name,)

    def known(self, call: Call) -> Known:
        """The call with its right result."""
        given = [_copied(value) for value in (*call.arrays, *call.others)]
        return Known(call, (_array(self.right(*given, **call.options)),))

    def answer(self, scope: Namespace, known: Known) -> tuple[Any, ...]:
        """What the student's function returns for this call.

        Raises:
            WrongError: it changes its arguments.
        """
        given = [_copied(value) for value in (*known.call.arrays, *known.call.others)]
        out = scope[self.name](*given, **known.call.options)
        _require_unchanged(given, (*known.call.arrays, *known.call.others))
        return (out,)

    def run(self, scope: Namespace, known: Known, changed: Iterable[str]) -> None:
        """Calls the student's function; raises what it raises."""
        self.answer(scope, known)


@dataclass(frozen=True)
class LayerTruth:
    """A layer: forward and backward, or one function that returns the output and the gradients.

    Attributes:
        forward: the name of the student's function.
        backward: the name of the other one; "" where forward returns its gradients.
        right: the same with torch; takes tensors, and updates those that forward updates.
        calls: draws everything that is asked.
        example: the lesson's own example: square, one pixel at a time.
        conditioning: how much rounding the forward adds, as the checks' layer says.
    """

    forward: str
    backward: str
    right: Right
    calls: Callable[[np.random.Generator], Iterable[Call]]
    example: Call
    conditioning: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """The student's functions that are judged."""
        return (self.forward, self.backward) if self.backward else (self.forward,)

    def known(self, call: Call) -> Known:
        """The call with the right output, state and gradients for a random upstream gradient."""
        out, *_ = self._right(call)
        rng = np.random.default_rng(out.numel())
        dout = rng.standard_normal(tuple(out.shape)) if self.backward else np.ones(out.shape)
        return self.known_for(call, np.asarray(dout))

    def known_for(self, call: Call, dout: Array) -> Known:
        """As `known`, for this upstream gradient."""
        out, leaves, others = self._right(call)
        state = [tensor.numpy() for tensor in _state(others)]
        if call.forward_only:
            return Known(call, (out.detach().numpy(), *state))
        out.backward(torch.tensor(dout))
        gradients = [leaf.grad.numpy() for leaf in leaves]
        return Known(call, (out.detach().numpy(), *state, *gradients), dout)

    def _right(self, call: Call) -> tuple[Any, list[Any], list[Any]]:
        leaves = [_tensor(array).requires_grad_() for array in call.arrays]
        others = [_setting(value) for value in call.others]
        return self.right(*leaves, *others, **call.options), leaves, others

    def answer(self, scope: Namespace, known: Known) -> tuple[Any, ...]:
        """The student's output, state and gradients for this call.

        Raises:
            WrongError: an argument is changed, or what is returned cannot be taken apart.
        """
        arrays, others, result = self._forward(scope, known.call)
        state = [value.copy() for value in _state(others)]
        _require_unchanged(arrays, known.call.arrays)
        if not self.backward:
            out, gradients = result
            return (out, *state, *_tuple(gradients, len(arrays)))
        out, cache = result
        out = np.array(out)  # a copy: it must be right when it is returned, not only at the end
        if known.call.forward_only:
            return (out, *state)
        self._forward(scope, _other(known.call))
        assert known.dout is not None
        dout = known.dout.copy()
        gradients = _tuple(scope[self.backward](dout, cache), len(arrays))
        _require_unchanged([*arrays, dout], (*known.call.arrays, known.dout))
        return (out, *state, *gradients)

    def run(self, scope: Namespace, known: Known, changed: Iterable[str]) -> None:
        """Calls the student's functions as far as they are ``changed``; raises what they raise."""
        if self.backward in changed:
            self.answer(scope, known)
        else:
            self._forward(scope, known.call)

    def _forward(self, scope: Namespace, call: Call) -> tuple[list[Any], list[Any], Any]:
        arrays, others = [list(map(_copied, given)) for given in (call.arrays, call.others)]
        return arrays, others, scope[self.forward](*arrays, *others, **call.options)


@dataclass(frozen=True)
class ProcedureTruth:
    """Functions that have no gradients or take dicts, generators of random numbers or functions.

    Attributes:
        names: of the student's functions that are judged.
        ask: takes what the student's answers define and a call; returns all numbers to compare.
            Raises `WrongError` where what must not change is changed.
        right: takes the call; what these numbers should be, according to torch or by counting.
        calls: draws everything that is asked.
        example: the lesson's own example, or a small one.
    """

    names: tuple[str, ...]
    ask: Callable[[Namespace, Call], Sequence[Any]]
    right: Callable[[Call], Sequence[Any]]
    calls: Callable[[np.random.Generator], Iterable[Call]]
    example: Call

    def known(self, call: Call) -> Known:
        """The call with the right numbers."""
        return Known(call, tuple(map(_array, self.right(call))))

    def answer(self, scope: Namespace, known: Known) -> tuple[Any, ...]:
        """The numbers that the student's functions come to.

        Raises:
            WrongError: what must not change is changed, or it is not what was asked for.
        """
        return tuple(self.ask(scope, known.call))

    def run(self, scope: Namespace, known: Known, changed: Iterable[str]) -> None:
        """Calls the student's functions; raises what they raise."""
        self.answer(scope, known)


Truth = FunctionTruth | LayerTruth | ProcedureTruth


def require(truth: Truth, known: Known, scope: Namespace, tolerance: float = 0.0) -> None:
    """Raises `WrongError`, or what the answer raises, unless it is right for this call."""
    got = truth.answer(scope, known)
    for a, want in zip(got, known.want, strict=True):
        if not close(a, want, max(tolerance, known.call.tolerance)):
            raise WrongError(f"{truth.names}: {_text(known.call)}")


def close(got: Any, want: Array, tolerance: float) -> bool:
    """Whether every number is right, to a part of the largest."""
    array = np.asarray(got)
    if array.dtype.kind not in "fiub" or array.shape != want.shape:
        return False
    bound = tolerance * np.abs(want).max(initial=1e-3)  # inputs are of order 1
    return bool((np.abs(array.astype(np.float64) - want) <= bound).all())


def known(truths: Sequence[Truth], seed: int = 0) -> list[tuple[Truth, list[Known]]]:
    """Every truth with all its calls; the example comes first."""
    return [
        (truth, [truth.known(call) for call in (truth.example, *truth.calls(_rng(truth, seed)))])
        for truth in truths
    ]


def _rng(truth: Truth, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, *"".join(truth.names).encode()])


def named(answer: Any, names: Iterable[str]) -> list[Any]:
    """The values of these names in a dict that a student's function returned.

    Raises:
        WrongError: it is no dict, or one is not there.
    """
    if not isinstance(answer, Mapping) or not set(names) <= set(answer):
        raise WrongError("not a dict with these names")
    return [answer[name] for name in names]


def noncontiguous(array: Array) -> Array:
    """The same numbers as every other element of a larger array, in another order in memory."""
    wide = np.repeat(array[..., None], 2, axis=-1)
    return np.asfortranarray(wide)[..., 0]


def _other(call: Call) -> Call:
    """The same shapes with other numbers."""
    turned = (a[..., ::-1] if a.ndim else a for a in call.arrays)
    arrays = tuple(np.asarray(1.5 * a + 0.25, dtype=a.dtype) for a in turned)
    return Call(arrays, call.others, call.options)


def _copied(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    plain = value.flags.c_contiguous or value.ndim == 0
    return value.copy() if plain else noncontiguous(value)


def _state(others: Sequence[Any]) -> list[Any]:
    return [v for v in others if hasattr(v, "dtype") and "float" in str(v.dtype)]


def _tuple(value: Any, length: int) -> tuple[Any, ...]:
    if length == 1 and (not isinstance(value, (tuple, list)) or len(value) != 1):
        return (value,)
    if len(value) != length:
        raise WrongError("another number of gradients")
    return tuple(value)


def _require_unchanged(after: Sequence[Any], before: Sequence[Any]) -> None:
    for a, b in zip(after, before, strict=True):
        if isinstance(b, np.ndarray) and not np.array_equal(a, b):
            raise WrongError("an argument is changed")


def _tensor(array: Array) -> Any:
    return torch.tensor(np.array(array, dtype=np.float64))


def _setting(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return torch.tensor(value) if value.dtype.kind == "i" else _tensor(value)


def _array(value: Any) -> Array:
    return np.asarray(value.detach().numpy() if isinstance(value, torch.Tensor) else value) * 1.0


def _text(call: Call) -> str:
    given = ", ".join(map(_described, (*call.arrays, *call.others)))
    return f"{given} {dict(call.options)}"


def _described(value: Any) -> str:
    plain = isinstance(value, np.ndarray | int | float | str)
    return str(np.shape(value)) if plain else type(value).__name__
