"""The truth of what is written with PyTorch: functions from tensors to tensors, and modules."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.quality.truth import Array, Call, Namespace, ProcedureTruth, WrongError

Rng = np.random.Generator
Calls = Callable[[Rng], Iterable[Call]]
Function = Callable[..., Any]


def function(name: str, right: Function, calls: Calls, slopes: int = 0) -> ProcedureTruth:
    """The truth of a function of tensors; its example is the first of its calls, drawn anew.

    Args:
        name: of the student's function.
        right: the same; takes and returns tensors.
        calls: draws what is asked. Every array of a call is given as a tensor.
        slopes: of how many arguments autograd has to find the gradient.
    """

    def ask(scope: Namespace, call: Call) -> list[Any]:
        return _asked(scope[name], call, slopes)

    def answer(call: Call) -> list[Any]:
        return _asked(right, call, slopes)

    return ProcedureTruth((name,), ask, answer, calls, _first(calls))


def _first(calls: Calls) -> Call:
    return next(iter(calls(np.random.default_rng(0))))


def _asked(function: Function, call: Call, slopes: int) -> list[Any]:
    """What it returns, and the gradients."""
    given = [as_tensor(value) for value in (*call.arrays, *call.others)]
    options = {key: as_tensor(value) for key, value in call.options.items()}
    leaves = [value.requires_grad_() for value in given[:slopes]]
    out = function(*given, **options)
    found = [numbers(out)]
    if slopes:
        torch.autograd.backward(out, upstream(out))
        found += [gradient(leaf) for leaf in leaves]
    for value, before in zip(given, (*call.arrays, *call.others), strict=True):
        require_same(value, before)
    for key, before in call.options.items():
        require_same(options[key], before)
    return found


def as_tensor(value: Any) -> Any:
    """An array as a tensor of its own, with the same dtype; all else as it is."""
    return torch.tensor(value) if isinstance(value, np.ndarray) else value


def numbers(out: Any) -> Array:
    """An array of a tensor, of numbers, or of several in a tuple or list."""
    if isinstance(out, torch.Tensor):
        return np.asarray(out.detach().numpy())
    if isinstance(out, (tuple, list)):
        return np.asarray([numbers(part) for part in out])
    return np.asarray(out)


def gradient(leaf: Any) -> Array:
    """What has come back to a leaf.

    Raises:
        WrongError: nothing has.
    """
    if leaf.grad is None:
        raise WrongError("no gradient comes back")
    return np.array(leaf.grad.numpy())


def require_same(value: Any, before: Any) -> None:
    """Raises `WrongError` if a tensor no longer has the numbers of the array it was made of."""
    if isinstance(before, np.ndarray) and not np.array_equal(value.detach().numpy(), before):
        raise WrongError("an argument is changed")


def upstream(out: Any) -> Any:
    """The same upstream gradient for the same shape, wherever it is asked for."""
    return torch.tensor(np.random.default_rng(out.numel()).standard_normal(tuple(out.shape)))


@dataclass(frozen=True)
class Made:
    """A module that is asked for.

    Attributes:
        given: what its constructor takes by position.
        shape: of the input.
        options: what the constructor takes by name.
        training: the module's mode.
        backward: whether gradients are asked for.
        tolerance: see `Call`.
    """

    given: tuple[Any, ...]
    shape: tuple[int, ...]
    options: Mapping[str, Any]
    training: bool = True
    backward: bool = True
    tolerance: float = 1e-9


def module(name: str, right: Function, asked: Sequence[Made]) -> ProcedureTruth:
    """The truth of a module: its names, output, gradients and statistics, with equal numbers.

    Args:
        name: of the student's class, or of a function that makes a module.
        right: makes the same.
        asked: everything that is asked; its example is the first.
    """

    def calls(rng: Rng) -> Iterator[Call]:
        for made in asked:
            state = state_for(right(*made.given, **made.options), rng)
            x = rng.standard_normal(made.shape)
            yield Call((x,), (made, state), tolerance=made.tolerance)

    def ask(scope: Namespace, call: Call) -> list[Any]:
        return _module_asked(scope[name], call)

    def answer(call: Call) -> list[Any]:
        return _module_asked(right, call)

    return ProcedureTruth((name,), ask, answer, calls, _first(calls))


def state_for(net: nn.Module, rng: Rng) -> dict[str, Array]:
    """Numbers for a state dict that keep those of a net near 1, none of them special."""
    return {name: _drawn(name, value, rng) for name, value in net.state_dict().items()}


def _drawn(name: str, value: Any, rng: Rng) -> Array:
    shape = tuple(value.shape)
    if not value.is_floating_point():
        return np.asarray(rng.integers(0, 9, shape))
    if name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
        return np.asarray(rng.uniform(0.5, 1.5, shape))
    scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.5
    return np.asarray(scale * rng.standard_normal(shape))


def _module_asked(make: Function, call: Call) -> list[Any]:
    (array,), (made, state) = call.arrays, call.others
    net = loaded(make(*made.given, **made.options), state).train(made.training)
    x = torch.tensor(array, requires_grad=made.backward)
    out = net(x)
    outs = list(out) if isinstance(out, (tuple, list)) else [out]
    found = [numbers(part) for part in outs]
    if made.backward:
        torch.autograd.backward(outs, [upstream(part) for part in outs])
        found += [gradient(leaf) for leaf in (x, *_by_name(net.named_parameters()))]
    require_same(x, array)
    return [*found, *(numbers(buffer) for buffer in _by_name(net.named_buffers()))]


def loaded(net: Any, state: Mapping[str, Array]) -> Any:
    """A module in double precision with these numbers; it raises unless names and shapes fit."""
    if not isinstance(net, nn.Module):
        raise WrongError("no module")
    net.double().load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    return net


def _by_name(parts: Iterable[tuple[str, Any]]) -> list[Any]:
    return [part for _, part in sorted(parts)]
