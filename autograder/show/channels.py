"""Which input channels an output channel of a grouped convolution sees."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle

from autograder.show.canvas import INK, PAGE_WIDTH, PALETTE, Picture, drawing, tint
from autograder.show.cells import write
from autograder.show.inputs import refuse, whole

CELL = 0.5  # inches from one channel to the next, at most
RISE = 1.5  # inches from the inputs to the outputs
RADIUS = 0.32  # channels
MOST = 32  # channels: more lines could not be told apart
MARGIN = 2.4  # channels, at most, room for the names of the rows
LEAST = 6.6  # inches, room for the caption


def groups(c_in: int, c_out: int, groups: int) -> Picture:
    """The channels of a convolution and a line wherever an output channel sees an input channel.

    Inputs are below and outputs on top; a group has one colour. With ``groups=1`` every output
    channel sees every input channel; with 2 groups there are two layers side by side.

    Args:
        c_in: C_in, the number of input channels.
        c_out: C_out, the number of output channels.
        groups: into how many groups both are split.

    Raises:
        BadInputError: a number makes no sense, or a number of channels is not a multiple of
            ``groups`` or too large to be drawn.
    """
    groups = whole("groups, groups", groups, 1)
    inputs, outputs = (_split(n, c, groups) for n, c in (("c_in", c_in), ("c_out", c_out)))
    figure, axes, scale = _sheet(max(c_in, c_out))
    rows = [(_middles(c, max(c_in, c_out)), y) for c, y in ((c_in, 0.0), (c_out, RISE / scale))]
    for group, members in enumerate(zip(inputs, outputs, strict=True)):
        colour = PALETTE[group % len(PALETTE)]
        ends = [[(xs[c], y) for c in which] for (xs, y), which in zip(rows, members, strict=True)]
        _connect(axes, ends, colour)
        for name, points, which in zip(("in", "out"), ends, members, strict=True):
            _circles(axes, points, which, colour, name)
    for name, (xs, y) in zip(("in", "out"), rows, strict=True):
        write(axes, min(xs) - 1.2, y, name)
    axes.set_title(_caption(c_in, c_out, groups), fontsize=10, color=INK)
    return figure


def _split(name: str, channels: int, groups: int) -> list[range]:
    """The channels of each group."""
    where = f"groups, {name}"
    if whole(where, channels, 1) > MOST:
        refuse(where, f"{channels}", f"at most {MOST}", "Draw a smaller example.")
    size, rest = divmod(channels, groups)
    if rest:
        refuse(where, f"{channels}", f"a multiple of groups, {groups}", "Change one of the two.")
    return [range(group * size, (group + 1) * size) for group in range(groups)]


def _sheet(channels: int) -> tuple[Picture, Axes, float]:
    """A figure and its axes, whose unit is the distance of two channels, in inches."""
    width = channels + 2 * MARGIN
    scale = min(CELL, PAGE_WIDTH / width)
    figure = Picture(max(LEAST, scale * width), RISE + 2 * scale + 0.3)
    axes = figure.subplots()
    drawing(axes, -MARGIN, channels - 1 + MARGIN, RISE / scale + 0.8, -0.8)
    return figure, axes, scale


def _middles(count: int, widest: int) -> list[float]:
    """Where the channels of a row stand: spread over as much room as the wider row takes."""
    pitch = widest / count
    return [pitch * (channel + 0.5) - 0.5 for channel in range(count)]


def _connect(axes: Axes, ends: Sequence[Sequence[tuple[float, float]]], colour: str) -> None:
    below, above = ends
    lines = LineCollection([(a, b) for a in below for b in above], colors=colour, linewidths=1.2)
    lines.set(zorder=0.5, gid="connections")
    axes.add_collection(lines)


def _circles(
    axes: Axes, points: Sequence[tuple[float, float]], which: range, colour: str, name: str
) -> None:
    for channel, point in zip(which, points, strict=True):
        circle = Circle(point, RADIUS, facecolor=tint(colour, 0.4), edgecolor=colour)
        circle.set_gid(name)
        axes.add_patch(circle)
        write(axes, *point, f"{channel}", size=8)


def _caption(c_in: int, c_out: int, groups: int) -> str:
    if groups == 1:
        return "groups = 1: every output channel sees every input channel"
    sizes = f"sees {c_in // groups} of {c_in} channels and makes {c_out // groups} of {c_out}"
    return f"groups = {groups}: {groups} conv layers side by side, each {sizes}"
