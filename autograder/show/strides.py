"""Where the filter can stand: size, kernel size, stride and padding."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, product

from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle

from autograder.show.canvas import (
    BLUE,
    INK,
    ORANGE,
    PAGE_WIDTH,
    PAPER,
    VERMILION,
    Picture,
    drawing,
    tint,
)
from autograder.show.cells import cell, write
from autograder.show.inputs import Pair, pair, refuse, whole

CELL = 0.42  # inches, at most
TITLE = 0.9  # cells, room for the title
EDGE = 0.1  # cells, room for half a line's width
BAR, PITCH = 0.44, 0.6  # cells: a bar's height, and from one bar to the next
WIDEST = 64  # cells: more could not be told apart
PADDING = "#EEEEEE"
COLOURS = (BLUE, ORANGE)  # neighbouring places differ


@dataclass(frozen=True)
class _Side:
    """One direction of the padded input; cells are counted from the first padding cell."""

    size: int
    kernel_size: int
    stride: int
    padding: int
    dilation: int

    @property
    def span(self) -> int:
        """From the filter's first tap to its last: D(K−1)+1."""
        return self.dilation * (self.kernel_size - 1) + 1

    def taps(self, start: int) -> list[int]:
        """The cells that a window beginning at ``start`` reads."""
        return [start + k * self.dilation for k in range(self.kernel_size)]

    @property
    def length(self) -> int:
        return self.size + 2 * self.padding

    @property
    def starts(self) -> list[int]:
        """Where windows begin: one stride after another for as long as the window fits."""
        starts, place = [], 0
        while place + self.span <= self.length:
            starts.append(place)
            place += self.stride
        return starts

    @property
    def covered(self) -> set[int]:
        return {tap for start in self.starts for tap in self.taps(start)}

    @property
    def misfit(self) -> int | None:
        """Where a window begins that hangs over the end and leaves cells behind for it."""
        last = self.starts[-1]
        rest = self.length - (last + self.span)
        return last + self.stride if rest > 0 and last + self.stride < self.length else None

    def pads(self, place: int) -> bool:
        return not self.padding <= place < self.padding + self.size


def window_positions(
    size: Pair, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Picture:
    """The places of a filter over a padded input, and the cells that no place covers.

    One number for ``size`` draws a strip with a bar for each place, and dashed the one that no
    longer fits. Two, (H, W), draw the lecture's grid with a dot at the middle of each place and
    the first two places framed. Padding is hatched; a cell that is never covered is crossed out.
    With a dilation, a place is filled where the filter reads and light where it jumps over.

    Raises:
        BadInputError: a number makes no sense, or the filter is larger than the padded input.
    """
    if not isinstance(size, Sequence):
        return _strip(_side("", size, kernel_size, stride, padding, dilation))
    given = zip(
        pair("window_positions, size", size, 1),
        pair("window_positions, kernel_size", kernel_size, 1),
        pair("window_positions, stride", stride, 1),
        pair("window_positions, padding", padding, 0),
        pair("window_positions, dilation", dilation, 1),
        strict=True,
    )
    down, across = (_side(f" of {name}", *sizes) for name, sizes in zip("HW", given, strict=True))
    return _plane(down, across)


def _side(
    which: str, size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> _Side:
    side = _Side(
        whole("window_positions, size", size, 1),
        whole("window_positions, kernel_size", kernel_size, 1),
        whole("window_positions, stride", stride, 1),
        whole("window_positions, padding", padding, 0),
        whole("window_positions, dilation", dilation, 1),
    )
    if side.length > WIDEST:
        found, wanted = f"{side.length} cells with padding", f"at most {WIDEST}"
        refuse(f"window_positions, size{which}", found, wanted, "Draw a smaller example.")
    if side.span > side.length:
        refuse(
            f"window_positions, kernel_size{which}",
            f"{side.span}" + (" from first to last tap" if side.dilation > 1 else ""),
            f"at most the padded size, {side.length}",
            "Take a smaller filter or more padding.",
        )
    return side


def _strip(side: _Side) -> Picture:
    places = side.starts + ([] if side.misfit is None else [side.misfit])
    right = places[-1] + side.span
    figure, axes = _sheet(max(right, side.length), 1.3 + PITCH * len(places))
    for place in range(side.length):
        _cell(axes, (place, 0), side.pads(place), place in side.covered)
    for row, (start, colour) in enumerate(zip(places, cycle(COLOURS), strict=False)):
        top = 1.3 + PITCH * row
        if start == side.misfit:
            _bar(axes, (start, top), side, VERMILION, dashed=True)
            write(axes, start + side.span / 2, top + BAR / 2, "does not fit", size=8)
        else:
            _bar(axes, (start, top), side, colour, dashed=False)
    _caption(axes, f"W = {side.size}", side, side)
    _legend(figure, "a bar is a place: one output", side)
    return figure


def _plane(down: _Side, across: _Side) -> Picture:
    figure, axes = _sheet(across.length, down.length)
    for row, column in product(range(down.length), range(across.length)):
        pads = down.pads(row) or across.pads(column)
        _cell(axes, (column, row), pads, row in down.covered and column in across.covered)
    for left, colour in zip(across.starts, COLOURS, strict=False):
        box = Rectangle((left, 0), across.span, down.span, fill=False, linewidth=2.5, zorder=1.5)
        box.set(edgecolor=colour, gid="frame")
        axes.add_patch(box)
        for tap in product(across.taps(left), down.taps(0)):
            axes.add_patch(Rectangle(tap, 1, 1, facecolor=(*tint(colour, 1), 0.25), gid="tap"))
    for top, left in product(down.starts, across.starts):
        middle = (left + across.span / 2, top + down.span / 2)
        axes.add_patch(Circle(middle, 0.12, color=INK, gid="place", zorder=2))
    _caption(axes, f"H × W = {down.size} × {across.size}", down, across)
    _legend(figure, "●  the middle of a place: one output", down, across)
    return figure


def _sheet(width: float, height: float) -> tuple[Picture, Axes]:
    scale = min(CELL, PAGE_WIDTH / width)
    figure = Picture(max(3.4, scale * width), scale * (height + TITLE))
    axes = figure.subplots()
    drawing(axes, -EDGE, width + EDGE, -TITLE, height + EDGE)
    return figure, axes


def _cell(axes: Axes, corner: tuple[int, int], pads: bool, covered: bool) -> None:
    square = cell(axes, corner, PADDING if pads else PAPER, "covered" if covered else "left out")
    square.set_hatch("////" if pads else "")
    if not covered:
        left, top = corner
        x, y = (left + 0.25, left + 0.75), (top + 0.25, top + 0.75)
        axes.plot(x, y, x, y[::-1], color=VERMILION, linewidth=1.8, solid_capstyle="round")


def _bar(axes: Axes, corner: tuple[int, float], side: _Side, colour: str, dashed: bool) -> None:
    left, top = corner
    bar = Rectangle((left + 0.06, top), side.span - 0.12, BAR, edgecolor=colour, linewidth=1.5)
    bar.set(fill=False, linestyle="--" if dashed else "-", zorder=1.5)
    bar.set_gid("misfit" if dashed else "place")
    axes.add_patch(bar)
    for tap in [] if dashed else side.taps(left):
        fill = Rectangle((tap, top), 1, BAR, facecolor=tint(colour, 0.45), gid="tap")
        axes.add_patch(fill)
        fill.set_clip_path(bar)  # a bar is a little shorter than its cells


def _caption(axes: Axes, size: str, down: _Side, across: _Side) -> None:
    def both(height: int, width: int) -> str:
        return f"{width}" if height == width else f"{height} × {width}"

    text = (
        f"{size},  K = {both(down.kernel_size, across.kernel_size)},  "
        f"S = {both(down.stride, across.stride)},  P = {both(down.padding, across.padding)}"
    )
    if (down.dilation, across.dilation) != (1, 1):
        text += f",  D = {both(down.dilation, across.dilation)}"
    write(axes, sum(axes.get_xlim()) / 2, -TITLE / 2, text)


def _legend(figure: Picture, place: str, *sides: _Side) -> None:
    gaps = any(len(side.covered) < side.length for side in sides)
    text = place + ("        ×  never covered" if gaps else "")
    figure.supxlabel(text, fontsize=8, color=INK)
