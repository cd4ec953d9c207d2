"""What is right, according to PyTorch in double precision.

Every function takes and returns float64 torch tensors and is differentiable, so that the expected
gradients come from autograd and not from a second hand-written formula.
"""

import importlib.util
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check.record import Array

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]


def available() -> bool:
    """Whether torch can be imported here (it is heavy, so nothing is imported to find out)."""
    return importlib.util.find_spec("torch") is not None


def evaluate(function: Function, arrays: Mapping[str, Any], options: Mapping[str, Any]) -> Array:
    """``function(*arrays, **options)`` as a NumPy array."""
    result = function(*map(tensor, arrays.values()), **settings(options))
    return np.asarray(result.detach().numpy(), dtype=np.float64)


def gradients(
    function: Function, arrays: Mapping[str, Any], options: Mapping[str, Any], dout: Array
) -> dict[str, Array]:
    """The gradient of ``sum(function(*arrays, **options) * dout)`` for each of the arrays."""
    leaves = {name: tensor(array).requires_grad_() for name, array in arrays.items()}
    function(*leaves.values(), **settings(options)).backward(tensor(dout))
    return {f"d{name}": leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}


def tensor(array: Any) -> "Tensor":
    """A float64 copy of ``array`` as a torch tensor."""
    import torch

    return torch.tensor(np.array(array, dtype=np.float64))


def settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the oracle wants them: arrays as tensors, whole numbers in them kept whole."""
    return {name: _setting(value) for name, value in options.items()}


def _setting(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return tensor(value).long() if value.dtype.kind in "iub" else tensor(value)
