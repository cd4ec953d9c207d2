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
    result = function(*map(tensor, arrays.values()), **options)
    return np.asarray(result.detach().numpy(), dtype=np.float64)


def gradients(
    function: Function, arrays: Mapping[str, Any], options: Mapping[str, Any], dout: Array
) -> dict[str, Array]:
    """The gradient of ``sum(function(*arrays, **options) * dout)`` for each of the arrays."""
    leaves = {name: tensor(array).requires_grad_() for name, array in arrays.items()}
    function(*leaves.values(), **options).backward(tensor(dout))
    return {f"d{name}": leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}


def tensor(array: Any) -> "Tensor":
    """A float64 copy of ``array`` as a torch tensor."""
    import torch

    return torch.tensor(np.array(array, dtype=np.float64))


def conv(
    x: "Tensor",
    w: "Tensor",
    b: "Tensor",
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> "Tensor":
    """The course's convolution (a cross-correlation) in one, two or three spatial dimensions.

    Shapes: x (N, C_in, ...), w (C_out, C_in / groups, ...), b (C_out,).
    """
    from torch.nn import functional

    apply = {3: functional.conv1d, 4: functional.conv2d, 5: functional.conv3d}[x.dim()]
    return apply(x, w, b, stride, padding, dilation, groups)


def corr2d(X: "Tensor", K: "Tensor") -> "Tensor":
    """The lecture's ``corr2d``: X (H, W), K (K_H, K_W), result (H − K_H + 1, W − K_W + 1)."""
    from torch.nn import functional

    return functional.conv2d(X[None, None], K[None, None])[0, 0]


def conv1x1(x: "Tensor", w: "Tensor", b: "Tensor") -> "Tensor":
    """A 1×1 convolution: x (N, C_in, H, W), w (C_out, C_in), b (C_out,)."""
    return conv(x, w[:, :, None, None], b)


def im2col(x: "Tensor", kernel_size: int, stride: int = 1, padding: int = 0) -> "Tensor":
    """The windows of x (N, C, H, W) as columns: (N, C·K·K, H'·W')."""
    from torch.nn import functional

    return functional.unfold(x, kernel_size, stride=stride, padding=padding)


def filter_matrix(w: "Tensor", size: int) -> "Tensor":
    """The lecture's Ŵ: (size, size), with Ŵ @ x the "same" 1-D convolution of x (size,) by w (K,).

    Its columns are what the convolution answers to the columns of the identity.
    """
    import torch
    from torch.nn import functional

    basis = torch.eye(size, dtype=w.dtype)[:, None, :]
    return functional.conv1d(basis, w[None, None], padding=w.shape[0] // 2)[:, 0].T
