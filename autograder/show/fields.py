"""The cone of cells that one output cell depends on, layer by layer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from autograder.show.canvas import (
    BLUE,
    FAINT,
    INK,
    ORANGE,
    PAGE_WIDTH,
    PAPER,
    SKY,
    Picture,
    drawing,
    tint,
)
from autograder.show.inputs import refuse, whole

CELL = 0.34  # inches, at most
STEP = 0.75  # inches from one layer to the next
LABELS = 2.4  # inches, for the text on both sides
WIDEST = 400  # cells: more could not be told apart


@dataclass(frozen=True)
class _Layer:
    kernel_size: int
    stride: int
    dilation: int

    def taps(self, cell: int) -> list[int]:
        """The cells below that one cell of the layer reads."""
        return [cell * self.stride + k * self.dilation for k in range(self.kernel_size)]

    def __str__(self) -> str:
        spread = f", D = {self.dilation}" if self.dilation > 1 else ""
        return f"K = {self.kernel_size}, S = {self.stride}{spread}"


@dataclass(frozen=True)
class _Row:
    """One row of the picture: the middle of every cell drawn, and the cells in the cone."""

    middles: dict[int, float]
    seen: Collection[int]


def receptive_field(layers: Sequence[tuple[int, ...]]) -> Picture:
    """The input cells that one output cell depends on, found by following every connection.

    The output is on top. Next to the highlighted cell its neighbours are drawn, so that the
    input's cells outside the cone are seen as well. How far the cone reaches is written beside
    each row.

    Args:
        layers: from input to output, each (kernel_size, stride) or
            (kernel_size, stride, dilation).

    Raises:
        BadInputError: a layer is none of these, or the input is too wide to be drawn.
    """
    chain = [_layer(i, layer) for i, layer in enumerate(layers)]
    if not chain:
        refuse("receptive_field", "no layer", "at least one", "Give layers=[(3, 1)].")
    return _picture(_rows(chain), chain)


def _layer(index: int, given: Sequence[int]) -> _Layer:
    where = f"receptive_field, layers[{index}]"
    if not isinstance(given, Sequence) or len(given) not in (2, 3):
        refuse(where, repr(given), "(kernel_size, stride) or with a dilation", "Change the layer.")
    return _Layer(*(whole(where, value, 1) for value in (*given, 1)[:3]))


def _trace(layers: Sequence[_Layer], cells: set[int]) -> list[set[int]]:
    """What ``cells`` of the output depend on: a set of cells for the input and each layer."""
    sets = [cells]
    for layer in reversed(layers):
        sets.insert(0, {tap for cell in sets[0] for tap in layer.taps(cell)})
        if _span(sets[0]) > WIDEST:
            found, wanted = f"a cone {_span(sets[0])} cells wide", f"at most {WIDEST}"
            refuse("receptive_field, layers", found, wanted, "Show fewer layers.")
    return sets


def _span(cells: Collection[int]) -> int:
    return max(cells) - min(cells) + 1


def _rows(layers: Sequence[_Layer]) -> list[_Row]:
    """The middle of a cell is the mean of its taps' middles; the input's cells are 1 apart."""
    drawn = _trace(layers, {0, 1, 2})
    seen = _trace(layers, {1})
    middles = {cell: float(cell) for cell in range(min(drawn[0]), max(drawn[0]) + 1)}
    rows = [_Row(middles, seen[0])]
    for layer, cells, cone in zip(layers, drawn[1:], seen[1:], strict=True):
        below = middles
        middles = {
            cell: sum(below[tap] for tap in layer.taps(cell)) / layer.kernel_size
            for cell in range(min(cells), max(cells) + 1)
        }
        rows.append(_Row(middles, cone))
    return rows


def _picture(rows: Sequence[_Row], layers: Sequence[_Layer]) -> Picture:
    width = len(rows[0].middles)
    size = min(CELL, (PAGE_WIDTH - LABELS) / width)
    figure = Picture(size * width + LABELS, STEP * len(rows))
    axes = figure.subplots()
    step = STEP / size
    drawing(axes, -0.6, width - 0.4, step * len(layers) + 0.6, -0.6)
    names = ["input", *(f"layer {i}\n{layer}" for i, layer in enumerate(layers, 1))]
    for i, (row, name) in enumerate(zip(rows, names, strict=True)):
        colour = BLUE if i == 0 else ORANGE if row is rows[-1] else SKY
        _cells(axes, row, step * i, colour, f"row {i}")
        _labels(axes, (-1, width), step * i, name, row)
    for i, layer in enumerate(layers):
        _connect(axes, layer, rows[i : i + 2], (step * i, step * (i + 1)))
    return figure


def _cells(axes: Axes, row: _Row, height: float, colour: str, name: str) -> None:
    for index, middle in row.middles.items():
        seen = index in row.seen
        square = Rectangle((middle - 0.42, height - 0.42), 0.84, 0.84, edgecolor=FAINT)
        square.set(facecolor=tint(colour, 0.8) if seen else PAPER, linewidth=0.6, zorder=2)
        square.set_gid(f"{name} seen" if seen else name)
        axes.add_patch(square)


def _labels(axes: Axes, ends: tuple[float, float], height: float, name: str, row: _Row) -> None:
    style: dict[str, Any] = {"va": "center", "fontsize": 9, "color": INK}
    axes.text(ends[0], height, name, ha="right", **style)
    span = _span(row.seen)
    axes.text(ends[1], height, f"{span} wide" if span > 1 else "1 cell", ha="left", **style)


def _connect(axes: Axes, layer: _Layer, rows: Sequence[_Row], heights: tuple[float, float]) -> None:
    below, above = rows
    lines = [
        [(below.middles[tap], heights[0] + 0.42), (above.middles[cell], heights[1] - 0.42)]
        for cell in above.seen
        for tap in layer.taps(cell)
    ]
    axes.add_collection(LineCollection(lines, colors=SKY, linewidths=0.8, zorder=1))
