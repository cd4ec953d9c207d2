"""Small functions of the fifth lesson, according to PyTorch."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def linear(x: "Tensor", w: "Tensor", b: "Tensor") -> "Tensor":
    """PyTorch's fully-connected layer: x (N, D_in), w (D_out, D_in), b (D_out,)."""
    return x @ w.T + b


def filter_normalized(direction: "Tensor", weight: "Tensor") -> "Tensor":
    """``direction``, each of its filters as long as the weight's; 0 where there are no filters.

    H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein, *Visualizing the Loss Landscape of Neural
    Nets* (2018), section 4.
    """
    if weight.ndim < 2:
        return 0 * direction
    return direction * lengths(weight) / lengths(direction)


def lengths(weight: "Tensor") -> "Tensor":
    """The norm of each filter, in a shape that divides a weight."""
    import torch

    norms: Tensor = torch.linalg.vector_norm(weight.flatten(1), dim=1)
    return norms.reshape(-1, *[1] * (weight.ndim - 1))


def running_var(running_var: "Tensor", x: "Tensor", momentum: float = 0.1) -> "Tensor":
    """What torch's batch norm makes of its running variance in a step: x (N, C, H, W)."""
    return (1 - momentum) * running_var + momentum * x.var((0, 2, 3))
