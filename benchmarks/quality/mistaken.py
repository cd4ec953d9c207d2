"""Answers written with PyTorch that are what a misconception says: functions, gates, modules."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from autograder.check.boxes.heads import TwoHeads
from autograder.check.images.batches import OfBatches
from autograder.check.layer import Layer
from autograder.check.mistakes import Mistake
from autograder.check.modules.functions import Applied
from autograder.check.modules.net import Net
from autograder.check.tensors import OfTensors

Function = Callable[..., Any]
IMPOSSIBLE = (RuntimeError, IndexError, ValueError, KeyError)  # with these shapes
BOX = 4  # numbers of a box, behind the scores


def bank(checked: Any) -> dict[str, tuple[Mistake, ...]]:
    """The misconceptions of each result of what is checked: ``names`` are of a state dict."""
    if isinstance(checked, Net | TwoHeads):
        net = checked.net if isinstance(checked, TwoHeads) else checked
        return {"names": net.drafts, "out": net.mistakes}
    return {"out": checked.layer.mistakes, **checked.layer.gradient_mistakes}


def made(checked: Any, slot: str, answer: Function, right: Any) -> Any:
    """``right`` with this bug.

    Args:
        checked: the check that it is about.
        slot: of the bank.
        answer: the misconception's.
        right: the student's function or class.
    """
    match checked:
        case OfBatches():
            return _of_batches(answer, right)
        case OfTensors():
            return _function(answer, right)
        case Applied(layer):
            return _gate(layer, slot, answer, right)
        case TwoHeads(net):
            return _module(net, slot, answer, right, _two)
        case Net():
            return _module(checked, slot, answer, right, lambda out: out)
    raise TypeError(f"no check with a bank: {checked}")


def _function(answer: Function, right: Function) -> Function:
    @functools.wraps(right)
    def function(*given: Any, **options: Any) -> Any:
        out = _possible(answer, *given, **options)
        return right(*given, **options) if out is None else out

    return function


def _of_batches(answer: Function, right: Function) -> Function:
    """A function of tensors of any type: a bug's answer comes from doubles, as floats or counts."""

    @functools.wraps(right)
    def function(*given: Any, **options: Any) -> Any:
        doubles = (part.double() for part in given)
        out = _possible(answer, *doubles, **options)
        return right(*given, **options) if out is None else torch.as_tensor(out).float()

    return function


def _possible(answer: Function, *given: Any, **options: Any) -> Any:
    """What the bug answers; None where it cannot arise."""
    try:
        return answer(*given, **options)
    except IMPOSSIBLE:
        return None


def _gate(layer: Layer, slot: str, answer: Function, right: Any) -> Any:
    """A class with ``apply``, of which the output or one gradient is the bug's."""

    class Gate(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *given: Any) -> Any:
            ctx.save_for_backward(*given)
            out = _possible(answer, *given) if slot == "out" else None
            return layer.oracle(*given) if out is None else out

        @staticmethod
        def backward(ctx: Any, dout: Any) -> Any:
            given = ctx.saved_tensors
            with torch.enable_grad():  # a bank may ask autograd
                leaves = [part.detach().requires_grad_() for part in given]
                gradients = [*torch.autograd.grad(layer.oracle(*leaves), leaves, dout)]
                changed = None if slot == "out" else _possible(answer, dout, *leaves)
            if changed is not None:
                place = [f"d{argument}" for argument in layer.arguments].index(slot)
                gradients[place] = changed.detach()
            return tuple(gradients)

    Gate.__name__ = right.__name__
    return Gate


def _module(net: Net, slot: str, answer: Function, right: Any, outputs: Function) -> Any:
    """A class of modules that have the names, or the output, of the bug."""

    class Made(nn.Module):
        expansion = getattr(right, "expansion", 1)

        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__()
            self.sizes = {**dict(zip(net.arguments, given, strict=False)), **options}
            shapes = answer(**self.sizes) if slot == "names" else net.shapes(**self.sizes)
            for name, shape in shapes.items():
                _put(self, name, shape)

        def forward(self, x: Any) -> Any:
            state = self.state_dict(keep_vars=True)
            function = answer if slot == "out" else net.oracle
            return outputs(function(state, x, self.training, **self.sizes))

    Made.__name__ = right.__name__
    return Made


def _put(module: nn.Module, name: str, shape: tuple[int, ...]) -> None:
    """A parameter or a statistic of that shape, in parts of the module as its name says."""
    *path, last = name.split(".")
    for part in path:
        if part not in module._modules:
            module.add_module(part, nn.Module())
        module = module.get_submodule(part)
    if last == "num_batches_tracked":
        module.register_buffer(last, torch.zeros(shape, dtype=torch.int64))
    elif last.startswith("running_"):
        module.register_buffer(last, torch.ones(shape))
    else:
        module.register_parameter(last, nn.Parameter(torch.randn(shape)))


def _two(out: Any) -> Any:
    """Scores and boxes, of what an oracle has in one tensor."""
    return out[:, :-BOX], out[:, -BOX:]
