"""Normalization, according to PyTorch."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def batch_norm(
    x: "Tensor",
    gamma: "Tensor",
    beta: "Tensor",
    running_mean: "Tensor",
    running_var: "Tensor",
    training: bool = True,
    momentum: float = 0.01,
    eps: float = 1e-5,
) -> "Tensor":
    """Batch normalization of x (N, D), or of x (N, C, H, W) with one mean for each channel."""
    from torch.nn import functional

    if training:  # PyTorch would update copies of the running statistics, and in its own way
        return functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
    return functional.batch_norm(x, running_mean, running_var, gamma, beta, eps=eps)


def running_statistics(
    x: "Tensor",
    gamma: "Tensor",
    beta: "Tensor",
    running_mean: "Tensor",
    running_var: "Tensor",
    training: bool = True,
    momentum: float = 0.01,
    eps: float = 1e-5,
) -> tuple["Tensor", "Tensor"]:
    """What the lecture has in running_mean and running_var after `batch_norm`.

    The variance is the biased one, with which the batch is normalized too. (PyTorch normalizes with
    it, but keeps the unbiased one.)
    """
    import torch

    if not training:
        return running_mean, running_var
    var, mean = torch.var_mean(x, dim=[0, *range(2, x.dim())], correction=0)
    return running_mean.lerp(mean, momentum), running_var.lerp(var, momentum)


def layer_norm(x: "Tensor", gamma: "Tensor", beta: "Tensor", eps: float = 1e-5) -> "Tensor":
    """Layer normalization of x (N, D): each row by its own mean and variance."""
    from torch.nn import functional

    return functional.layer_norm(x, gamma.shape, gamma, beta, eps)


def group_norm(
    x: "Tensor", gamma: "Tensor", beta: "Tensor", groups: int, eps: float = 1e-5
) -> "Tensor":
    """Group normalization of x (N, C, H, W): C / groups neighbouring channels share a mean."""
    from torch.nn import functional

    return functional.group_norm(x, groups, gamma, beta, eps)


def fold_weight(w: "Tensor", gamma: "Tensor", running_var: "Tensor", eps: float = 1e-5) -> "Tensor":
    """The filters w (C_out, C_in, K_H, K_W) of a convolution that a batch norm was fused into."""
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    zeros = gamma * 0
    return fuse_conv_bn_weights(w, zeros, zeros, running_var, eps, gamma, zeros)[0]


def fold_bias(
    b: "Tensor",
    gamma: "Tensor",
    beta: "Tensor",
    running_mean: "Tensor",
    running_var: "Tensor",
    eps: float = 1e-5,
) -> "Tensor":
    """The bias b (C_out,) of a convolution that a batch norm was fused into."""
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    w = b[:, None, None, None]  # any: the bias does not depend on it
    return fuse_conv_bn_weights(w, b, running_mean, running_var, eps, gamma, beta)[1]
