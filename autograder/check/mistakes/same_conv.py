"""Misconceptions of a convolution that keeps height and width."""

from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import same_conv as right

if TYPE_CHECKING:
    from torch import Tensor


def _half(kernel_size: int, dilation: int) -> int:
    return (kernel_size - 1) // 2


def _close(state: Any, x: "Tensor", training: bool, **sizes: int) -> "Tensor":
    return right.same_conv(state, x, training, **{**sizes, "dilation": 1})


def _padded_by(padding: Any) -> Any:
    def answer(state: Any, x: "Tensor", training: bool, **sizes: int) -> "Tensor":
        chosen = padding(sizes["kernel_size"], sizes.get("dilation", 1))
        return right.same_conv(state, x, training, **sizes, padding=chosen)

    return answer


SAME_CONV = (
    Mistake(
        "dilation forgotten",
        "The taps stand side by side: the dilation is not passed on.",
        _close,
    ),
    Mistake(
        "padding without dilation",
        "The padding does not grow with the dilation: the filter is d·(K − 1) + 1 pixels wide.",
        _padded_by(_half),
    ),
    Mistake("no padding", "There is no padding.", _padded_by(lambda kernel_size, dilation: 0)),
    Mistake(
        "padding is the dilation",
        "The padding is d; that is right for 3×3 only.",
        _padded_by(lambda kernel_size, dilation: dilation),
    ),
)
SAME_CONV_DRAFTS = (
    Mistake(
        "groups forgotten",
        "Each filter sees all channels: the groups are not passed on.",
        lambda c_in, c_out, kernel_size, **_: right.shapes(c_in, c_out, kernel_size),
    ),
    Mistake(
        "no bias",
        "It has no bias. No batch norm follows here, so it needs one.",
        lambda c_in, c_out, kernel_size, groups=1, **_: {
            "weight": (c_out, c_in // groups, kernel_size, kernel_size)
        },
    ),
)
