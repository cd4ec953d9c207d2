"""Checks of a ``torch.autograd.Function``, and of a function of weights.

They are those of a layer: the student's function is called with tensors and answers with arrays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.check.case import name_of
from autograder.check.layer import Layer
from autograder.check.layers import backprop
from autograder.check.mistakes import functions as mistakes
from autograder.check.oracle import functions as oracle
from autograder.check.oracle import tensor
from autograder.check.tensors import OfTensors

Function = Callable[..., Any]


@dataclass(frozen=True)
class Applied:
    """Checks of a class whose ``apply`` computes what a layer does, forward and backward."""

    layer: Layer

    def forward(self, function: Any, *, concept: str = "", **given: Any) -> None:
        """Checks ``function.apply(...)``. Arguments and errors are those of `Layer.forward`."""
        self.layer.forward(_forward(function), concept=concept, **given)

    def backward(self, function: Any, gradient: str, *, concept: str = "", **given: Any) -> None:
        """Checks one ``gradient`` (``"dx"``). All else is as for `Layer.backward`."""
        forward, backward = _forward(function), _backward(function)
        self.layer.backward(forward, backward, gradient, concept=concept, **given)

    def gradients(self, function: Any, *, concept: str = "", **given: Any) -> None:
        """Checks all of them by slopes. All else is as for `Layer.gradients`."""
        self.layer.gradients(_forward(function), _backward(function), concept=concept, **given)


def _forward(function: Any) -> Function:
    """From arrays to an array, and a cache of the graph between them."""

    def forward(*arrays: Any) -> Any:
        leaves = [tensor(array).requires_grad_() for array in arrays]
        out = function.apply(*leaves)
        _write_back(leaves, arrays)
        return _array(out), (leaves, out)

    forward.__name__ = f"{name_of(function)}.apply"
    return forward


def _backward(function: Any) -> Function:
    def backward(dout: Any, cache: Any) -> Any:
        import torch

        leaves, out = cache
        torch.autograd.backward(out, tensor(dout))
        return tuple(leaf.grad if leaf.grad is None else leaf.grad.numpy() for leaf in leaves)

    backward.__name__ = f"{name_of(function)}.backward"
    return backward


def _write_back(tensors: Sequence[Any], arrays: Sequence[Any]) -> None:
    """Lets an argument that was changed in place be seen to have changed."""
    for part, array in zip(tensors, arrays, strict=True):
        array[...] = part.detach().numpy()


def _array(out: Any) -> Any:
    import torch

    return out.detach().numpy() if isinstance(out, torch.Tensor) else out


multiply_function = Applied(backprop.multiply_gate)
relu_function = Applied(backprop.relu)
linear_function = Applied(
    Layer(("x", "w", "b"), oracle.linear, mistakes.LINEAR, mistakes.LINEAR_GRADIENTS, cached=True)
)
filter_normalized = OfTensors(
    Layer(
        ("direction", "weight"),
        oracle.filter_normalized,
        mistakes.FILTER_NORMALIZED,
        linear=False,
    )
)
torch_running_var = Layer(
    ("running_var", "x"), oracle.running_var, mistakes.RUNNING_VAR, linear=False
)
