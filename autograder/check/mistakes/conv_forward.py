"""Misconceptions of convolution, forward, and of its relatives.

Functions take what the oracle takes: x: (N, C_in, ...), w: (C_out, C_in / groups, ...) and
b: (C_out,).
"""

from collections.abc import Callable, Mapping
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


def _padded_at_one_side(x: Any, w: Any, b: Any, padding: int = 0, **options: int) -> Any:
    from torch.nn.functional import pad

    return oracle.conv(pad(x, (2 * padding, 0, 2 * padding, 0)), w, b, **options)


def _every_axis_padded(x: Any, w: Any, b: Any, padding: int = 0, **options: int) -> Any:
    from torch.nn.functional import pad

    n, c = x.shape[:2]
    return oracle.conv(pad(x, (padding,) * 8)[:n, :c], w, b, **options)


def _padding_keeps_the_size(x: Any, w: Any, b: Any, **options: Any) -> Any:
    """Padding by (K − 1) / 2, whatever padding is asked for."""
    half = tuple((size - 1) // 2 for size in w.shape[2:])
    return oracle.conv(x, w, b, **{**options, "padding": half})


def height_and_width_swapped(x: Any, w: Any, b: Any, **options: int) -> Any:
    """The filter's rows taken for its columns."""
    return oracle.conv(x, w.transpose(-1, -2), b, **options)


def _times_bias(factor: Callable[[Any], int]) -> Callable[..., Any]:
    """The bias added ``factor(w)`` times."""

    def answer(x: Any, w: Any, b: Any, **options: int) -> Any:
        return oracle.conv(x, w, b * factor(w), **options)

    return answer


def _one_channel(which: int) -> Callable[..., Any]:
    """Of the channels that a filter sees, only one."""

    def answer(x: Any, w: Any, b: Any, **options: int) -> Any:
        one = w * 0
        one[:, which] = w[:, which]
        return oracle.conv(x, one, b, **options)

    return answer


def _as_many_filters_as_channels(x: Any, w: Any, b: Any, **options: int) -> Any:
    """The maps of the first C_in filters; the others stay as they were allocated."""
    out = oracle.conv(x, w, b, **options)
    out[:, x.shape[1] :] = 0
    return out


def stride_only_in_the_size(x: Any, w: Any, b: Any, stride: int = 1, **options: int) -> Any:
    """As many outputs as the stride asks for, but from windows one pixel apart."""
    rows, cols = oracle.conv(x, w, b, stride=stride, **options).shape[2:]
    return oracle.conv(x, w, b, **options)[:, :, :rows, :cols]


def dilation_only_in_the_size(x: Any, w: Any, b: Any, dilation: int = 1, **options: int) -> Any:
    """As many outputs as the dilation leaves, but from windows whose taps are not spread out."""
    rows, cols = oracle.conv(x, w, b, dilation=dilation, **options).shape[2:]
    return oracle.conv(x, w, b, **options)[:, :, :rows, :cols]


def groups_ignored(x: Any, w: Any, b: Any, groups: int = 1, **options: int) -> Any:
    """Every filter reads the first C_in / groups channels."""
    return oracle.conv(x[:, : w.shape[1]], w, b, **options)


def groups_interleaved(x: Any, w: Any, b: Any, groups: int = 1, **options: int) -> Any:
    """Group g takes every groups-th channel, from g on."""
    from torch import cat

    order = cat([x[:, g::groups] for g in range(groups)], dim=1)
    return oracle.conv(order, w, b, groups=groups, **options)


def filters_interleaved(x: Any, w: Any, b: Any, groups: int = 1, **options: int) -> Any:
    """Filter f reads the channels of group f modulo groups."""
    from torch import stack

    parts = x.split(w.shape[1], dim=1)
    maps = [
        oracle.conv(parts[f % groups], w[f : f + 1], b[f : f + 1], **options)[:, 0]
        for f in range(len(w))
    ]
    return stack(maps, dim=1)


def all_channels(x: Any, w: Any, b: Any, groups: int = 1, **options: int) -> Any:
    """Every filter is laid on the channels of all groups."""
    return oracle.conv(x, w.repeat(1, groups, 1, 1), b, **options)


def unpadded_size(x: Any, w: Any, options: Mapping[str, int]) -> tuple[int, int]:
    """H' and W' as they would be without padding."""
    bare = oracle.conv(x, w, w.new_zeros(len(w)), **{**options, "padding": 0})
    return bare.shape[2], bare.shape[3]


def _size_without_padding(x: Any, w: Any, b: Any, **options: int) -> Any:
    rows, cols = unpadded_size(x, w, options)
    return oracle.conv(x, w, b, **options)[:, :, :rows, :cols]


def _loops_without_padding(x: Any, w: Any, b: Any, **options: int) -> Any:
    """Output of the right size, with zeros wherever loops over the unpadded size do not come."""
    out = oracle.conv(x, w, b, **options)
    rows, cols = unpadded_size(x, w, options)
    out[:, :, rows:], out[:, :, :, cols:] = 0, 0
    return out


def padded_by_one(x: Any, w: Any, b: Any, padding: int = 0, **options: int) -> Any:
    """Output of the right size, whose windows start on a border of 1."""
    rows, cols = oracle.conv(x, w, b, padding=padding, **options).shape[2:]
    return oracle.conv(x, w, b, padding=1, **options)[:, :, :rows, :cols]


def _one_size_from_the_other(wrong: int, kernel_axis: int) -> Callable[..., Any]:
    """Too few rows (2) or columns (3), because they were counted along the other axis of x."""

    def answer(x: Any, w: Any, b: Any, **options: int) -> Any:
        out = oracle.conv(x, w, b, **options)
        span = options.get("dilation", 1) * (w.shape[kernel_axis] - 1) + 1
        room = x.shape[5 - wrong] + 2 * options.get("padding", 0) - span
        count = room // options.get("stride", 1) + 1
        return out.narrow(wrong, 0, count) if 0 < count < out.shape[wrong] else None

    return answer


def _axes(*order: int) -> Callable[..., Any]:
    """The output with its axes in another order."""

    def answer(x: Any, w: Any, b: Any, **options: int) -> Any:
        return oracle.conv(x, w, b, **options).permute(order)

    return answer


def _rounded_up(filled: bool) -> Callable[..., Any]:
    """A row and a column too many where the stride leaves a rest: of zeros, or of half windows."""

    def answer(x: Any, w: Any, b: Any, stride: int = 1, **options: int) -> Any:
        from torch.nn.functional import pad

        out = oracle.conv(x, w, b, stride=stride, **options)
        positions = oracle.conv(x, w, b, **options).shape[2:]
        more = [int((size - 1) % stride > 0) for size in positions]
        if not filled:
            return pad(out, (0, more[1], 0, more[0]))
        p = options.pop("padding", 0)
        wide = pad(x, (p, p + stride * more[1], p, p + stride * more[0]))
        rows, cols = out.shape[2] + more[0], out.shape[3] + more[1]
        return oracle.conv(wide, w, b, stride=stride, **options)[:, :, :rows, :cols]

    return answer


def _one_position_short(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x, w, b, **options)[:, :, :-1, :-1]


def _fractions_cut_off(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x, w, b, **options).trunc()


def _no_bias(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x, w, 0 * b, **options)


HEIGHT_FROM_WIDTH = (
    "The output has too few rows: they were counted with the width of x. H' comes from H and K_H."
)
WIDTH_FROM_HEIGHT = (
    "The output has too few columns: they were counted with the height of x. W' comes from W and "
    "K_W."
)
FIXED = "You pad with padding=1, whatever padding you are given."
ROUNDED_UP = (
    "The output is too large: where the last step does not fit, round down, (…) // S + 1, and "
    "leave the rest of the pixels alone."
)

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
        _times_bias(lambda w: w.shape[1]),
    ),
    Mistake(
        "bias once per weight",
        "The bias is added once for every weight of the filter; add it once, after the sum.",
        _times_bias(lambda w: w[0].numel()),
    ),
    Mistake(
        "padding ignored",
        "This is the answer for padding=0: x is never surrounded by zeros.",
        _without("padding", 0),
    ),
    Mistake("padding fixed at 1", FIXED, _without("padding", 1)),
    Mistake("border fixed at 1", FIXED, padded_by_one),
    Mistake(
        "padding keeps the size",
        "This is the answer for padding = (K − 1) / 2, whatever padding you are given.",
        _padding_keeps_the_size,
    ),
    Mistake(
        "size without padding",
        "The output is too small: H' and W' were counted without the padding on both sides.",
        _size_without_padding,
    ),
    Mistake(
        "loops without padding",
        "The last rows and columns are still 0: the loops end where they would without padding.",
        _loops_without_padding,
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
        stride_only_in_the_size,
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
        "dilation only in the size",
        "The output has the right size, but the taps of the filter are next to each other: they "
        "belong D pixels apart.",
        dilation_only_in_the_size,
    ),
    Mistake(
        "groups ignored",
        "Every filter reads the first C_in/groups channels; the filters of group g read the "
        "channels of group g.",
        groups_ignored,
    ),
    Mistake(
        "groups interleaved",
        "Group g takes every G-th channel; it should take the g-th run of neighbours, "
        "x[:, g·C_in/G : (g+1)·C_in/G].",
        groups_interleaved,
    ),
    Mistake(
        "filters interleaved",
        "Filter f reads the channels of group f modulo G; the first C_out/G filters belong to the "
        "first group, and so on.",
        filters_interleaved,
    ),
    Mistake(
        "all channels in every group",
        "Every filter sums over the channels of all groups; it should see only those of its own.",
        all_channels,
    ),
    Mistake("width from height", WIDTH_FROM_HEIGHT, _one_size_from_the_other(3, 3)),
    Mistake("width from height and K_H", WIDTH_FROM_HEIGHT, _one_size_from_the_other(3, 2)),
    Mistake("height from width", HEIGHT_FROM_WIDTH, _one_size_from_the_other(2, 2)),
    Mistake("height from width and K_W", HEIGHT_FROM_WIDTH, _one_size_from_the_other(2, 3)),
    Mistake("rounded up", ROUNDED_UP, _rounded_up(filled=False)),
    Mistake("rounded up with half windows", ROUNDED_UP, _rounded_up(filled=True)),
    Mistake(
        "one position short",
        "The output lacks its last row and column: the number of positions is (…) // S + 1.",
        _one_position_short,
    ),
    Mistake(
        "transposed",
        "The rows and columns of the output are swapped: out is (N, C_out, H', W').",
        _axes(0, 1, 3, 2),
    ),
    Mistake(
        "channels last",
        "The channels of the output come last: out is (N, C_out, H', W').",
        _axes(0, 2, 3, 1),
    ),
    Mistake(
        "filters first",
        "Images and filters are swapped in the output: out is (N, C_out, H', W').",
        _axes(1, 0, 2, 3),
    ),
    Mistake(
        "height and width swapped",
        "The filter's rows and columns are swapped.",
        height_and_width_swapped,
    ),
    Mistake(
        "first channel only",
        "Only the first of a filter's channels is used; sum over all of them.",
        _one_channel(0),
    ),
    Mistake(
        "last channel only",
        "Only the last of a filter's channels is left: each overwrites the one before, add them "
        "up (+=).",
        _one_channel(-1),
    ),
    Mistake(
        "as many filters as channels",
        "The maps of the last filters are still 0: the loop over filters ends at C_in, not C_out.",
        _as_many_filters_as_channels,
    ),
    Mistake(
        "fractions cut off",
        "The fractions are gone: the output took the integer dtype of x.",
        _fractions_cut_off,
    ),
)


def _as_large_as_the_image(X: Any, K: Any) -> Any:
    """The right numbers in an array of zeros of the shape of X."""
    from torch import zeros_like

    out, Y = zeros_like(X), oracle.corr2d(X, K)  # noqa: N806
    out[: Y.shape[0], : Y.shape[1]] = Y
    return out


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
    Mistake(
        "as large as the image",
        "Y is as large as X, but the filter fits in fewer places: H − K_H + 1 by W − K_W + 1.",
        _as_large_as_the_image,
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


CONV1X1 = (
    Mistake(
        "bias forgotten",
        "The bias b is missing: add b[f] to the map of filter f.",
        lambda x, w, b: oracle.conv1x1(x, w, 0 * b),
    ),
    Mistake(
        "channels last",
        "The channels of the output come last: out is (N, C_out, H, W).",
        lambda x, w, b: oracle.conv1x1(x, w, b).permute(0, 2, 3, 1),
    ),
)


def _windows_reshaped(x: Any, kernel_size: int, stride: int = 1, padding: int = 0) -> Any:
    """The windows, (N, C, H', W', K, K), reshaped although their axes stand in another order."""
    columns = oracle.im2col(x, kernel_size, stride=stride, padding=padding)
    parts = columns.reshape(len(x), x.shape[1], kernel_size**2, -1)
    return parts.transpose(2, 3).reshape(columns.shape)


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
        "windows reshaped",
        "The numbers are there, but mixed up: reshape keeps their order, so bring the axes into "
        "the order (N, C, K, K, H', W') first.",
        _windows_reshaped,
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
