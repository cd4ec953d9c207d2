"""Computational graphs as the lectures draw them: values above the edges, gradients below."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch
from numpy.typing import NDArray

from autograder.show.canvas import (
    BLUE,
    GREEN,
    INK,
    PAGE_WIDTH,
    PAPER,
    VERMILION,
    Picture,
    drawing,
    tint,
)
from autograder.show.cells import number, write
from autograder.show.inputs import refuse

COLUMN, ROW, WIDE_ROW = 2.0, 1.3, 2.2  # units between gates, and between inputs
RADIUS = 0.3  # of a gate
UNIT = 0.8  # inches, at most
APART = 0.21  # units between an edge and what is written at it
# Where on an edge that is: far from where edges meet, and from the middle, where they may cross.
ALONG, ALONG_BRANCH = 0.4, 0.76

Point = tuple[float, float]
Array = NDArray[np.float64]
Gates = Mapping[str, Sequence[str]]
Edge = tuple[str, str]


@dataclass
class _Layout:
    """Where everything stands: gates in columns by depth, inputs in rows by first use."""

    gates: Gates
    columns: dict[str, int] = field(default_factory=dict)
    rows: dict[str, float] = field(default_factory=dict)

    @property
    def width(self) -> float:
        return COLUMN * (max(self.columns.values()) + 1)

    @property
    def row(self) -> float:
        branches = any(len(self.users(name)) > 1 for name in self.columns)
        return WIDE_ROW if branches else ROW

    @property
    def lowest(self) -> float:
        return self.row * max(self.rows.values())

    def at(self, name: str) -> Point:
        return COLUMN * self.columns[name], self.row * self.rows[name]

    def users(self, name: str) -> list[str]:
        """The gates that take this value."""
        return [gate for gate, (_, *inputs) in self.gates.items() if name in inputs]


def graph(
    gates: Gates,
    values: Mapping[str, Any],
    gradients: Mapping[str | Edge, Any] | None = None,
) -> Picture:
    """A computational graph, with the value above each edge and its gradient below.

    A value that is used more than once has an edge to each of its uses. What comes back along one
    of them is given under the pair of names ``(value, user)``; the sum stands at the value itself.

    Args:
        gates: for each gate, by the name of its output, what it does and the names of its inputs:
            ``{"s": ("+", "x", "y"), "f": ("×", "s", "z")}``. Inputs come before their use.
        values: a number for every name.
        gradients: a number for as many names, or pairs of them, as are known yet.

    Raises:
        BadInputError: a gate uses a later one, a name has no value, or what is given for a name
            that the graph does not have is not a number.
    """
    layout = _placed(gates)
    back = dict(gradients or {})
    _check(gates, layout, values, back)
    unit = min(UNIT, PAGE_WIDTH / (layout.width + 1.6))
    top, bottom = -0.75, layout.lowest + 0.75
    figure = Picture(unit * (layout.width + 1.6), unit * (bottom - top))
    axes = figure.subplots()
    drawing(axes, -0.8, layout.width + 0.8, top, bottom)
    for name, (sign, *inputs) in gates.items():
        for source in inputs:
            _edge(axes, layout, (source, name), values, back)
        _gate(axes, layout.at(name), sign)
    for name in layout.columns:
        _end(axes, layout, name, values, back)
    return figure


def gate() -> Picture:
    """One gate: the upstream gradient comes in, times each local gradient it goes on downstream."""
    figure = Picture(7.0, 2.9)
    axes = figure.subplots()
    drawing(axes, -4.6, 4.6, -1.9, 1.9)
    for y, name in ((-1.0, "x"), (1.0, "y")):
        _arrow(axes, (-3.4, y), (-0.75, 0.35 * y), INK)
        _arrow(axes, (-0.85, 0.35 * y + 0.3), (-3.4, y + 0.3), VERMILION)
        write(axes, -3.7, y, f"${name}$", 13, GREEN)
        product = rf"$\frac{{\partial L}}{{\partial {name}}} = $" + _product(name)
        write(axes, -2.2, y + (-0.62 if y < 0 else 0.72), product, 13, VERMILION)
    _arrow(axes, (0.75, 0), (3.4, 0), INK)
    _arrow(axes, (3.4, 0.3), (0.75, 0.3), VERMILION)
    write(axes, 3.7, 0, "$z$", 13, GREEN)
    write(axes, 2.1, 0.75, r"$\frac{\partial L}{\partial z}$", 15, VERMILION)
    axes.add_patch(Circle((0, 0), 0.8, facecolor=tint(BLUE, 0.15), edgecolor=BLUE))
    write(axes, 0, -0.25, "$f$", 13)
    local = r"$\frac{\partial z}{\partial x}$  $\frac{\partial z}{\partial y}$"
    write(axes, 0, 0.25, local, 12, BLUE)
    for x, y, text, colour in (
        (2.2, 1.25, "upstream", VERMILION),
        (0, 1.15, "local", BLUE),
        (-4.0, 0.05, "down-\nstream", VERMILION),
    ):
        write(axes, x, y, text, 10, colour)
    return figure


def _product(name: str) -> str:
    return rf"$\frac{{\partial z}}{{\partial {name}}}\ \frac{{\partial L}}{{\partial z}}$"


def _placed(gates: Gates) -> _Layout:
    layout = _Layout(gates)
    for name, (_, *inputs) in gates.items():
        later = [source for source in inputs if source in gates and source not in layout.columns]
        if later:
            found = f"{name} uses {later[0]}, which comes later"
            refuse("graph, gates", found, "each gate after its inputs", "Change their order.")
        depths = [layout.columns[source] for source in inputs if source in gates]
        layout.columns[name] = 1 + max(depths, default=0)
        for source in inputs:
            _enter(layout, source)
    for name, (_, *inputs) in gates.items():
        middle = float(np.mean([layout.rows[source] for source in inputs]))
        layout.rows[name] = _free(layout, name, middle)
    for name in _inputs(gates):  # an input stands right before its first use
        layout.columns[name] = min(layout.columns[gate] for gate in layout.users(name)) - 1
    return layout


def _enter(layout: _Layout, source: str) -> None:
    """Gives an input the next row, and a column that only counts for width."""
    if source not in layout.gates and source not in layout.rows:
        layout.rows[source] = float(sum(name not in layout.gates for name in layout.rows))


def _free(layout: _Layout, name: str, row: float) -> float:
    """``row``, or half a row off where another gate of this column stands there."""
    column = layout.columns[name]
    others = [gate for gate, c in layout.columns.items() if c == column and gate != name]
    meeting = [gate for gate in others if abs(layout.rows.get(gate, np.inf) - row) < 1]
    if not meeting:
        return row
    layout.rows[meeting[0]] -= 0.5
    return row + 0.5


def _inputs(gates: Gates) -> list[str]:
    used = (source for _, *inputs in gates.values() for source in inputs)
    return list(dict.fromkeys(source for source in used if source not in gates))


def _check(
    gates: Gates,
    layout: _Layout,
    values: Mapping[str, Any],
    gradients: Mapping[str | Edge, Any],
) -> None:
    missing = [name for name in layout.columns if name not in values]
    if missing:
        fix = "Compute it first."
        refuse("graph, values", f"none for {', '.join(missing)}", "one for every name", fix)
    edges = [(source, name) for name, (_, *inputs) in gates.items() for source in inputs]
    known: Iterable[str | Edge] = (*layout.columns, *edges)
    strange = [name for name in gradients if name not in known]
    if strange:
        refuse("graph, gradients", f"one for {strange[0]!r}", "names of the graph", "Rename it.")
    for name, value in (*values.items(), *gradients.items()):
        if np.ndim(value) or np.asarray(value).dtype.kind not in "biuf":
            refuse(f"graph, {name}", repr(value), "one number", "Does its function return it?")


def _edge(
    axes: Axes,
    layout: _Layout,
    edge: Edge,
    values: Mapping[str, Any],
    gradients: Mapping[str | Edge, Any],
) -> None:
    source, name = edge
    start, end = np.array(layout.at(source)), np.array(layout.at(name))
    way = (end - start) / np.hypot(*(end - start))
    if source in layout.gates:
        start = start + RADIUS * way
    end = end - RADIUS * way
    _arrow(axes, _point(start), _point(end), INK)
    along = ALONG_BRANCH if len(layout.users(source)) > 1 else ALONG
    middle = start + along * (end - start)
    _numbers(axes, middle, values[source], gradients.get(edge, gradients.get(source)), way)


def _numbers(axes: Axes, at: Array, value: Any, gradient: Any, way: Array) -> None:
    """The value above an edge that goes this ``way``, a unit vector, and the gradient below."""
    # A number is wider than high: beside a steep edge it has to stand further off.
    aside = (APART + 0.08 * abs(way[1])) * np.array([-way[1], way[0]])
    label(axes, _point(at - aside), number(float(value)), GREEN)
    if gradient is not None:
        label(axes, _point(at + aside), number(float(gradient)), VERMILION)


def _point(array: Array) -> Point:
    return float(array[0]), float(array[1])


def label(axes: Axes, at: Point, text: str, colour: str, size: float = 10) -> None:
    """A text that covers what is drawn behind it."""
    box = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
    where = {"ha": "center", "va": "center", "in_layout": False, "zorder": 4}
    axes.text(*at, text, where, color=colour, fontsize=size, bbox=box)


def _gate(axes: Axes, at: Point, sign: str) -> None:
    circle = Circle(at, RADIUS, facecolor=tint(BLUE, 0.2), edgecolor=INK, linewidth=1, zorder=3)
    circle.set_gid("gate")
    axes.add_patch(circle)
    label_size = 13 if len(sign) == 1 else 9
    where = {"ha": "center", "va": "center", "in_layout": False, "zorder": 5}
    axes.text(*at, sign, where, color=INK, fontsize=label_size)


def _end(
    axes: Axes,
    layout: _Layout,
    name: str,
    values: Mapping[str, Any],
    gradients: Mapping[str | Edge, Any],
) -> None:
    """The name of an input at its left; and where nothing uses a gate, its output at its right."""
    x, y = layout.at(name)
    uses = layout.users(name)
    if name not in layout.gates:
        label(axes, (x - 0.3, y), name, INK, 11)
        if len(uses) > 1 and name in gradients:
            shares = [gradients.get((name, gate), np.nan) for gate in uses]
            sums = " + ".join(number(float(share)) for share in shares) + " = "
            text = ("" if np.isnan(shares).any() else sums) + number(float(gradients[name]))
            label(axes, (x - 0.3, y + 0.4), text, VERMILION)
    elif not uses:
        _arrow(axes, (x + RADIUS, y), (x + COLUMN - 0.5, y), INK)
        middle = np.array([x + COLUMN / 2 - 0.1, y])
        _numbers(axes, middle, values[name], gradients.get(name), np.array([1.0, 0.0]))
        label(axes, (x + COLUMN - 0.25, y), name, INK, 11)


def _arrow(axes: Axes, start: Point, end: Point, colour: str) -> None:
    arrow = FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0)
    arrow.set(color=colour, linewidth=1, zorder=1, gid="edge")
    axes.add_patch(arrow)
