"""Misconceptions of convolution, forward, and of its relatives.

Functions take what the oracle takes: x: (N, C_in, ...), w: (C_out, C_in / groups, ...) and
b: (C_out,).
"""

from collections.abc import Callable
from typing import Any

from autograder.check import oracle
from autograder.check.mistakes import Mistake


def flipped(x: Any, w: Any, b: Any, **options: int) -> Any:
    """The convolution of signal processing."""
    return oracle.conv(x, w.flip(-1, -2), b, **options)


def _without(option: str, neutral: int) -> Callable[..., Any]:
    def answer(x: Any, w: Any, b: Any, **options: int) -> Any:
        return oracle.conv(x, w, b, **{**options, option: neutral})

    return answer


def _groups_ignored(x: Any, w: Any, b: Any, groups: int = 1, **options: int) -> Any:
    """Every filter reads the first C_in / groups channels."""
    return oracle.conv(x[:, : w.shape[1]], w, b, **options)


def _padded_at_one_side(x: Any, w: Any, b: Any, padding: int = 0, **options: int) -> Any:
    from torch.nn.functional import pad

    return oracle.conv(pad(x, (2 * padding, 0, 2 * padding, 0)), w, b, **options)


def _axes_swapped(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x, w.transpose(-1, -2), b, **options)


def _bias_per_channel(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x, w, b * w.shape[1], **options)


def _first_channel_only(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x[:, :1], w[:, :1], b, **{**options, "groups": 1})


def _no_bias(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x, w, 0 * b, **options)


def _stride_only_in_the_size(x: Any, w: Any, b: Any, stride: int = 1, **options: int) -> Any:
    """As many outputs as the stride asks for, but from windows one pixel apart."""
    rows, cols = oracle.conv(x, w, b, stride=stride, **options).shape[2:]
    return oracle.conv(x, w, b, **options)[:, :, :rows, :cols]


def _every_axis_padded(x: Any, w: Any, b: Any, padding: int = 0, **options: int) -> Any:
    from torch.nn.functional import pad

    n, c = x.shape[:2]
    return oracle.conv(pad(x, (padding,) * 8)[:n, :c], w, b, **options)


def _groups_interleaved(x: Any, w: Any, b: Any, groups: int = 1, **options: int) -> Any:
    """Group g takes every groups-th channel, from g on."""
    from torch import cat

    order = cat([x[:, g::groups] for g in range(groups)], dim=1)
    return oracle.conv(order, w, b, groups=groups, **options)


CONV2D = (
    Mistake(
        "kernel flipped",
        "You flip the filter: that is the convolution of signal processing. The course's "
        "convolution is a cross-correlation, out[i, j] = Σ x[i+u, j+v] · w[u, v].",
        flipped,
    ),
    Mistake("bias forgotten", "The bias b is missing: add b[f] to the map of filter f.", _no_bias),
    Mistake(
        "bias once per channel",
        "The bias is added once for every input channel; it belongs to a filter, add it once.",
        _bias_per_channel,
    ),
    Mistake(
        "padding ignored",
        "This is the answer for padding=0: x is never surrounded by zeros.",
        _without("padding", 0),
    ),
    Mistake(
        "padding fixed at 1",
        "This is the answer for padding=1, whatever padding you are given.",
        _without("padding", 1),
    ),
    Mistake(
        "padding at one side",
        "All the zeros are at the top and the left; half of them belong at the bottom and the "
        "right.",
        _padded_at_one_side,
    ),
    Mistake(
        "stride ignored",
        "This is the answer for stride=1: the window moves one pixel at a time.",
        _without("stride", 1),
    ),
    Mistake(
        "stride only in the size",
        "The output has the right size, but its windows are one pixel apart: the window of "
        "out[i, j] starts at (i·S, j·S).",
        _stride_only_in_the_size,
    ),
    Mistake(
        "every axis padded",
        "Images and channels are padded too. Only height and width have a border: "
        "np.pad(x, ((0, 0), (0, 0), (P, P), (P, P))).",
        _every_axis_padded,
    ),
    Mistake(
        "dilation ignored",
        "This is the answer for dilation=1: the taps of the filter are not spread out.",
        _without("dilation", 1),
    ),
    Mistake(
        "groups ignored",
        "Every filter reads the first C_in/groups channels; the filters of group g read the "
        "channels of group g.",
        _groups_ignored,
    ),
    Mistake(
        "groups interleaved",
        "Group g takes every G-th channel; it should take the g-th run of neighbours, "
        "x[:, g·C_in/G : (g+1)·C_in/G].",
        _groups_interleaved,
    ),
    Mistake(
        "height and width swapped", "The filter's rows and columns are swapped.", _axes_swapped
    ),
    Mistake(
        "first channel only",
        "Only the first input channel is used; sum over all C_in channels.",
        _first_channel_only,
    ),
)

CORR2D = (
    Mistake(
        "kernel flipped",
        "You flip K: that is the convolution of signal processing. corr2d slides K as it is.",
        lambda X, K: oracle.corr2d(X, K.flip(0, 1)),
    ),
    Mistake(
        "height and width swapped",
        "The rows and columns of K are swapped.",
        lambda X, K: oracle.corr2d(X, K.T),
    ),
    Mistake(
        "fractions cut off",
        "The fractions are gone: Y took the integer dtype of X.",
        lambda X, K: oracle.corr2d(X, K).trunc(),
    ),
    Mistake(
        "last window missing",
        "The last row and column of windows are missing: there are H − K_H + 1 positions.",
        lambda X, K: oracle.corr2d(X, K)[:-1, :-1],
    ),
)


CONV_1D_3D = (
    Mistake("bias forgotten", "The bias b is missing: add b[f] to the map of filter f.", _no_bias),
    Mistake(
        "bias once per slice",
        "The bias is added once for every slice of the filter; add it once.",
        lambda x, w, b, **options: oracle.conv(x, w, b * w.shape[2], **options),
    ),
    Mistake(
        "first slice only",
        "Only the first slice of the filter is used; sum over all of its depths.",
        lambda x, w, b, **options: oracle.conv(
            x[:, :, : x.shape[2] - w.shape[2] + 1], w[:, :, :1], b, **options
        ),
    ),
)


def _with_rows(order: tuple[int, ...]) -> Callable[..., Any]:
    """im2col with the rows (channel, u, v) in another order."""

    def answer(x: Any, kernel_size: int, **options: int) -> Any:
        columns = oracle.im2col(x, kernel_size, **options)
        parts = columns.reshape(len(x), x.shape[1], kernel_size, kernel_size, -1)
        return parts.permute(0, *order, 4).reshape(columns.shape)

    return answer


IM2COL = (
    Mistake(
        "windows in rows",
        "Every window is a row; it should be a column, so that W @ columns is the layer.",
        lambda x, kernel_size, **o: oracle.im2col(x, kernel_size, **o).transpose(1, 2),
    ),
    Mistake(
        "channels fastest",
        "The channels run fastest down a column; they should run slowest, as in w[f].reshape(-1).",
        _with_rows((2, 3, 1)),
    ),
    Mistake(
        "filter columns before rows",
        "Down a column, the filter's rows and columns are swapped; the order is that of "
        "w[f].reshape(-1).",
        _with_rows((1, 3, 2)),
    ),
    Mistake(
        "stride ignored",
        "This is the answer for stride=1: the window moves one pixel at a time.",
        lambda x, kernel_size, stride=1, **o: oracle.im2col(x, kernel_size, **o),
    ),
    Mistake(
        "padding ignored",
        "This is the answer for padding=0: x is never surrounded by zeros.",
        lambda x, kernel_size, padding=0, **o: oracle.im2col(x, kernel_size, **o),
    ),
)

FILTER_MATRIX = (
    Mistake(
        "filter reversed",
        "The filter runs backwards: row i holds w₁, w₂, w₃ from left to right.",
        lambda w, size: oracle.filter_matrix(w.flip(0), size),
    ),
)
