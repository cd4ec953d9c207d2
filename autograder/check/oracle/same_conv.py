"""A convolution that keeps height and width, as a function of a state dict."""

from typing import TYPE_CHECKING

from autograder.check.oracle.resnet import Numbers, Shapes

if TYPE_CHECKING:
    from torch import Tensor


def shapes(c_in: int, c_out: int, kernel_size: int, dilation: int = 1, groups: int = 1) -> Shapes:
    """What its state dict holds."""
    weight = (c_out, c_in // groups, kernel_size, kernel_size)
    return {"weight": weight, "bias": (c_out,)}


def same_conv(
    state: Numbers,
    x: "Tensor",
    training: bool,
    *,
    kernel_size: int,
    dilation: int = 1,
    groups: int = 1,
    padding: int | None = None,
    **_: int,
) -> "Tensor":
    """Maps x (N, c_in, H, W) to (N, c_out, H, W); with another ``padding``, other sizes."""
    from torch.nn import functional

    if padding is None:
        padding = dilation * (kernel_size - 1) // 2
    return functional.conv2d(x, state["weight"], state["bias"], 1, padding, dilation, groups)
