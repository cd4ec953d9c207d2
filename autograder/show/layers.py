"""A convolution layer as the lectures draw it: a box, a stack of filters, a box."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Polygon

from autograder.show.canvas import INK, PAGE_WIDTH, PALETTE, Picture, drawing, tint
from autograder.show.cells import write
from autograder.show.inputs import refuse, whole

TALLEST = 3.0  # units: height or width of the largest box
SMALLEST = 0.3  # units, so that a 1 × 1 filter is seen
DEEP = 0.55  # units: depth of a single channel
BACK = (0.32, 0.2)  # units to the right and up on the page for one unit of depth
SHOWN = 6  # filters, and slabs of the output, that are drawn one by one
SINGLE = 12  # channels of the input that are drawn one by one, at most
STACK = 5.0  # units: how high the filters stand on each other, at most
GAP = 1.1  # units between boxes, at least
COLUMN = 3.2  # units between the middles of boxes, at least, so that narrow boxes are not blown up
GRAY = "#7F8C99"

Point = tuple[float, float]


@dataclass(frozen=True)
class _Box:
    """An oblique box whose front has its left bottom corner at (x, y)."""

    x: float
    y: float
    width: float
    height: float
    depth: float

    def at(self, across: float, up: float, back: float) -> Point:
        """A point of the box, given in shares of its width, height and depth, on the page."""
        return (
            self.x + across * self.width + back * self.depth * BACK[0],
            self.y + up * self.height + back * self.depth * BACK[1],
        )

    @property
    def right(self) -> float:
        return self.at(1, 0, 1)[0]

    @property
    def middle(self) -> float:
        return (self.x + self.right) / 2

    @property
    def top(self) -> float:
        return self.at(0, 1, 1)[1]


def volumes(x: Sequence[int], w: Sequence[int], y: Sequence[int]) -> Picture:
    """A convolution layer: the input, its filters and the output, with their sizes.

    A filter is as deep as the input, and its output is the slab that has its colour. Heights
    and widths are to scale, depth goes by its square root. The sizes are drawn as they are
    given: whether the output's are right is for whoever computed them.

    Args:
        x: (C_in, H, W), the input's shape.
        w: (C_out, C_in, K_H, K_W), the weights' shape.
        y: (C_out, H', W'), the output's shape.

    Raises:
        BadInputError: one of them is not such a shape.
    """
    x, w, y = _shape("x", x, 3), _shape("w", w, 4), _shape("y", y, 3)
    unit = TALLEST / max(*x[1:], *w[2:], *y[1:])
    source = _box(unit, x)
    filters = _stack(_beside(source, _box(unit, w[1:])), w[0])
    result = _beside(filters[0], _box(unit, y))

    figure, axes = _sheet([source, *filters, result])
    _draw(axes, source, x[0], [GRAY] * x[0] if x[0] <= SINGLE else [])
    for box, colour in zip(filters, PALETTE, strict=False):
        _draw(axes, box, 1, [colour])
    if len(filters) < w[0]:
        write(axes, filters[-1].at(0.5, 0, 0)[0], filters[-1].y - 0.25, "⋮", size=14)
    _draw(axes, result, y[0], PALETTE[: min(len(filters), y[0])])
    _follow(axes, source, filters[0], result)

    _sizes(axes, source, x)
    _sizes(axes, result, y)
    _caption(axes, source, f"{_product(x)} input", ("C_{in}", "H", "W"))
    each = f"{w[0]} filters, each {_product(w[1:])}"
    _caption(axes, filters[0], each, ("C_{out}", "C_{in}", "K_H", "K_W"))
    _caption(axes, result, f"{_product(y)} output", ("C_{out}", "H'", "W'"))
    return figure


def _shape(name: str, value: Sequence[int], length: int) -> tuple[int, ...]:
    where = f"volumes, {name}"
    if not isinstance(value, Sequence) or len(value) != length:
        refuse(where, repr(value), f"{length} sizes", "Give its shape.")
    return tuple(whole(where, size, 1) for size in value)


def _box(unit: float, shape: Sequence[int]) -> _Box:
    """A box at the origin: sides in proportion, depth as its square root."""
    channels, height, width = shape
    wide, high = (max(SMALLEST, unit * side) for side in (width, height))
    return _Box(0, 0, wide, high, DEEP * sqrt(channels))


def _beside(box: _Box, other: _Box) -> _Box:
    """``other``, moved to the right of ``box``."""
    x = max(box.right + GAP, box.middle + COLUMN - other.middle)
    return replace(other, x=x, y=0)


def _stack(one: _Box, filters: int) -> list[_Box]:
    """Filters one above the other, centred on the input's height, as many as there is room for."""
    pitch = one.top + 0.15
    room = min(SHOWN, max(1, int(STACK / pitch)))
    count = filters if filters <= room else max(1, room - 1)
    top = TALLEST / 2 + count * pitch / 2
    return [replace(one, y=top - (i + 1) * pitch) for i in range(count)]


def _sheet(boxes: Sequence[_Box]) -> tuple[Picture, Axes]:
    low, high = min(box.y for box in boxes) - 1.5, max(box.top for box in boxes) + 0.1
    left, right = -0.8, boxes[-1].right + 0.8
    figure = Picture(PAGE_WIDTH, PAGE_WIDTH * (high - low) / (right - left))
    axes = figure.subplots()
    drawing(axes, left, right, high, low)
    return figure, axes


def _draw(axes: Axes, box: _Box, channels: int, colours: Sequence[str]) -> None:
    """A box of slabs: the foremost in ``colours``, the other channels as one in gray."""
    ends = [i / channels for i in range(len(colours) + 1)]
    slabs = list(zip(ends, ends[1:], colours, strict=False))
    if len(colours) < channels:
        slabs.append((ends[-1], 1.0, GRAY))
    for front, back, colour in reversed(slabs):
        _slab(axes, box, (front, back), colour)


def _slab(axes: Axes, box: _Box, ends: tuple[float, float], colour: str) -> None:
    front, back = ends
    faces = (
        (0.35, [(0, 0, front), (1, 0, front), (1, 1, front), (0, 1, front)]),
        (0.55, [(0, 1, front), (1, 1, front), (1, 1, back), (0, 1, back)]),
        (0.75, [(1, 0, front), (1, 1, front), (1, 1, back), (1, 0, back)]),
    )
    for strength, corners in faces:
        face = Polygon([box.at(*corner) for corner in corners], edgecolor=INK, linewidth=0.5)
        face.set(facecolor=tint(colour, strength), gid="face")
        axes.add_patch(face)


def _follow(axes: Axes, source: _Box, one: _Box, result: _Box) -> None:
    """A place on the input, the foremost filter that looks at it, and the number it gives."""
    width, height = one.width / source.width, one.height / source.height
    left, low = (1 - width) * 0.6, (1 - height) * 0.7
    patch = [(left, low), (left + width, low), (left + width, low + height), (left, low + height)]
    spot = [(0.6, 0.7), (0.66, 0.7), (0.66, 0.76), (0.6, 0.76)]
    for box, corners in ((source, patch), (result, spot)):
        outline = [box.at(*corner, 0) for corner in corners]
        axes.add_patch(Polygon(outline, facecolor=tint(PALETTE[0], 0.8), edgecolor=INK))
    rays = (
        (source.at(*patch[1], 0), one.at(0, 0, 0)),
        (source.at(*patch[2], 0), one.at(0, 1, 0)),
        (one.at(1, 0, 1), result.at(*spot[0], 0)),
        (one.at(1, 1, 1), result.at(*spot[3], 0)),
    )
    axes.add_collection(LineCollection(rays, colors=PALETTE[0], linewidths=0.9))


def _sizes(axes: Axes, box: _Box, shape: Sequence[int]) -> None:
    channels, height, width = map(str, shape)
    x, y = box.at(0.5, 0, 0)
    write(axes, x, y - 0.25, width)
    x, y = box.at(0, 0.5, 0)
    write(axes, x - 0.3, y, height)
    x, y = box.at(1, 0, 0.5)
    write(axes, x + 0.2, y - 0.15, channels)


def _caption(axes: Axes, box: _Box, sizes: str, names: Sequence[str]) -> None:
    low = axes.get_ylim()[0]
    write(axes, box.middle, low + 0.7, sizes, size=11)
    write(axes, box.middle, low + 0.3, "$" + r" \times ".join(names) + "$")


def _product(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))
