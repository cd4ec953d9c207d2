"""Convolutions, according to PyTorch."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


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
