"""The gates and layers of a fully-connected network, according to PyTorch."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def neuron(w0: "Tensor", x0: "Tensor", w1: "Tensor", x1: "Tensor", w2: "Tensor") -> "Tensor":
    """The lecture's sigmoid neuron, on numbers."""
    return (w0 * x0 + w1 * x1 + w2).sigmoid()


def add(x: "Tensor", y: "Tensor") -> "Tensor":
    """The add gate."""
    return x + y


def multiply(x: "Tensor", y: "Tensor") -> "Tensor":
    """The multiply gate."""
    return x * y


def maximum(x: "Tensor", y: "Tensor") -> "Tensor":
    """The max gate."""
    return x.maximum(y)


def branch(x: "Tensor", y: "Tensor") -> "Tensor":
    """All three gates; both arguments are used twice."""
    return (x + y) * x.maximum(y)


def relu(x: "Tensor") -> "Tensor":
    """ReLU, of any shape."""
    return x.relu()


def matmul(x: "Tensor", w: "Tensor") -> "Tensor":
    """A matrix product: x (N, D), w (D, M), result (N, M)."""
    return x @ w


def affine(x: "Tensor", w: "Tensor", b: "Tensor") -> "Tensor":
    """A fully-connected layer: x (N, d_1, ..., d_k) of D numbers each, w (D, M), b (M,)."""
    return x.flatten(1) @ w + b


def softmax(scores: "Tensor") -> "Tensor":
    """Probabilities: each row of scores (N, C) is exponentiated and divided by its sum."""
    return scores.softmax(1)


def softmax_loss(scores: "Tensor", y: "Tensor") -> "Tensor":
    """The mean over N of −log p of the right class: scores (N, C), y (N,) whole numbers."""
    from torch.nn import functional

    return functional.cross_entropy(scores, y)


def two_layer_loss(
    w1: "Tensor", b1: "Tensor", w2: "Tensor", b2: "Tensor", x: "Tensor", y: "Tensor"
) -> "Tensor":
    """The softmax loss of affine, ReLU, affine: w1 (D, H), b1 (H,), w2 (H, C), b2 (C,)."""
    return softmax_loss(affine(relu(affine(x, w1, b1)), w2, b2), y)


def central_difference(f: Callable[[Any], Any], x: "Tensor", h: float = 1e-5) -> "Tensor":
    """(f(x + h) − f(x − h)) / 2h for each number of x, the others left as they are."""
    import torch

    steps = h * torch.eye(x.numel(), dtype=x.dtype).reshape(-1, *x.shape)
    slopes = [(f(x + step) - f(x - step)) / (2 * h) for step in steps]
    return torch.stack(slopes).reshape(x.shape)
