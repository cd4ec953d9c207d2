"""Pooling, according to PyTorch."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Choose = Callable[["Tensor"], "Tensor"]


def max_pool(x: "Tensor", kernel_size: int, stride: int) -> "Tensor":
    """The largest number of each window: x (N, C, H, W), result (N, C, H', W')."""
    from torch.nn import functional

    return functional.max_pool2d(x, kernel_size, stride)


def avg_pool(x: "Tensor", kernel_size: int, stride: int) -> "Tensor":
    """The mean of each window: x (N, C, H, W), result (N, C, H', W')."""
    from torch.nn import functional

    return functional.avg_pool2d(x, kernel_size, stride)


def windows(x: "Tensor", kernel_size: int, stride: int) -> "Tensor":
    """Every window of x (N, C, H, W): (N, C, H', W', K, K)."""
    return x.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)


def added_up(shares: "Tensor", x: "Tensor", stride: int) -> "Tensor":
    """The way back from `windows`: a pixel of x gets the sum of its shares (N, C, H', W', K, K)."""
    total = x.new_zeros(x.shape)
    rows, cols = (stride * (size - 1) + 1 for size in shares.shape[2:4])
    for u in range(shares.shape[4]):
        for v in range(shares.shape[5]):
            total[:, :, u : u + rows : stride, v : v + cols : stride] += shares[..., u, v]
    return total


def routed(choose: Choose) -> Callable[..., "Tensor"]:
    """The dx of max pooling that sends each number of dout to its window's maximum.

    ``choose`` says who among equals gets how much: from which of the K·K places of a window hold
    the maximum (booleans along the last axis) to the share of each.
    """

    def dx(dout: "Tensor", x: "Tensor", kernel_size: int, stride: int) -> "Tensor":
        seen = windows(x, kernel_size, stride)
        flat = seen.flatten(4)
        share = choose(flat == flat.amax(-1, keepdim=True)).to(x.dtype).reshape(seen.shape)
        return added_up(share * dout[..., None, None], x, stride)

    return dx


def _first(largest: "Tensor") -> "Tensor":
    return largest & (largest.cumsum(-1) == 1)


def _last(largest: "Tensor") -> "Tensor":
    return _first(largest.flip(-1)).flip(-1)


def _by_columns(choose: Choose) -> Choose:
    """The same choice, with the places of a window counted column by column."""

    def chosen(largest: "Tensor") -> "Tensor":
        size = round(largest.shape[-1] ** 0.5)
        shape = (*largest.shape[:-1], size, size)
        columns = choose(largest.reshape(shape).transpose(-1, -2).flatten(-2))
        return columns.reshape(shape).transpose(-1, -2).flatten(-2)

    return chosen


# Where several numbers of a window are equal and largest, a maximum has no derivative. Whoever gets
# dout there, it is a choice: each of them, one of them, or all in equal parts.
TIES = (
    routed(lambda largest: largest),
    routed(_first),
    routed(_last),
    routed(lambda largest: largest / largest.sum(-1, keepdim=True)),
    routed(_by_columns(_first)),
    routed(_by_columns(_last)),
)
