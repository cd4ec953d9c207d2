"""LeNet-5 as in the lecture, according to PyTorch.

Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86(11), 1998, had 6, 16 and 120 channels and no ReLU; the
lecture's net is larger and of today's parts, in the same order.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Part = Callable[["Tensor"], "Tensor"]

NAMES = (
    "conv1_w", "conv1_b", "conv2_w", "conv2_b", "fc1_w", "fc1_b", "fc2_w", "fc2_b",
)  # fmt: skip
KERNEL_SIZE = 5


def relu(h: "Tensor") -> "Tensor":
    """The larger of each number and 0."""
    return h.relu()


def halved(h: "Tensor") -> "Tensor":
    """Max pooling of 2×2 windows."""
    from torch.nn import functional

    return functional.max_pool2d(h, 2)


def stretched(h: "Tensor") -> "Tensor":
    """(N, C, H, W) as (N, C·H·W): channel by channel, row by row."""
    return h.flatten(1)


def unchanged(h: "Tensor") -> "Tensor":
    """What stands where there is nothing to do."""
    return h


def lenet(
    *params: "Tensor",
    x: "Tensor",
    relus: Sequence[Part] = (relu, relu, relu),
    pool: Part = halved,
    flatten: Part = stretched,
    ending: Part = unchanged,
) -> "Tensor":
    """The scores (N, classes) of LeNet-5 for images x (N, C, H, W); params in the order of NAMES.

    Its other arguments are parts that a misconception may exchange.
    """
    from torch.nn import functional

    w1, b1, w2, b2, w3, b3, w4, b4 = params
    h = pool(relus[0](functional.conv2d(x, w1, b1, padding=KERNEL_SIZE // 2)))
    h = pool(relus[1](functional.conv2d(h, w2, b2, padding=KERNEL_SIZE // 2)))
    return ending(relus[2](flatten(h) @ w3 + b3) @ w4 + b4)
