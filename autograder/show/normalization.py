"""Normalization: what it does to features, its graph, its gradient, and its relatives."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Polygon
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import (
    BLUE,
    FAINT,
    INK,
    ORANGE,
    PAGE_WIDTH,
    PALETTE,
    PAPER,
    VERMILION,
    Picture,
    drawing,
    tint,
)
from autograder.show.cells import write
from autograder.show.inputs import numbers, refuse

HEIGHT = 2.9  # inches: a panel
JITTER = 0.16  # features: how far the points of one spread sideways
SAME = 1e-9  # points closer than this, all of them, are one point

Array = NDArray[np.float64]
Point = tuple[float, float]


def features(panels: Mapping[str, ArrayLike]) -> Picture:
    """Each feature of some batches as a column of points, with its mean and standard deviation.

    Args:
        panels: (N, D) each, by what is written above it; all share one vertical axis.

    Raises:
        BadInputError: there is none, or one is not a 2-D array of numbers.
    """
    arrays = {name: numbers(f"features, {name}", x, (2,)) for name, x in panels.items()}
    figure, row = _row("features", len(arrays), sharey=True)
    for axes, (name, x) in zip(row, arrays.items(), strict=True):
        for j, column in enumerate(x.T):
            _feature(axes, j, column)
        axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
        axes.set_xticks(range(x.shape[1]), [f"{j}" for j in range(x.shape[1])])
        _dress(axes, name, xlabel="feature j")
    return figure


def _feature(axes: Axes, j: int, column: Array) -> None:
    colour = PALETTE[j % len(PALETTE)]
    # Spread like a Weyl sequence: even, and the same each time.
    sideways = j + JITTER * (2 * (np.arange(len(column)) * 0.618 % 1) - 1)
    axes.scatter(sideways, column, s=5, color=tint(colour, 0.5), linewidths=0)
    axes.errorbar(j + 0.33, column.mean(), column.std(), fmt="o", color=INK, ms=4, capsize=3)


def points(panels: Mapping[str, ArrayLike], labels: ArrayLike) -> Picture:
    """The same points several times, coloured by their kind.

    Args:
        panels: (N, 2) each, by what is written above it.
        labels: (N,), whole numbers from 0.

    Raises:
        BadInputError: there is none, or the shapes do not fit.
    """
    kinds = numbers("points, labels", labels, (1,)).astype(int)
    arrays = {name: numbers(f"points, {name}", x, (2,)) for name, x in panels.items()}
    figure, row = _row("points", len(arrays), sharex=True, sharey=True)
    for axes, (name, x) in zip(row, arrays.items(), strict=True):
        if x.shape != (len(kinds), 2):
            found = f"shape {x.shape}"
            refuse(f"points, {name}", found, f"({len(kinds)}, 2), a point a label", "Plot 2 axes.")
        for kind in np.unique(kinds):
            mine = x[kinds == kind]
            colour = PALETTE[kind % len(PALETTE)]
            axes.scatter(mine[:, 0], mine[:, 1], s=14, color=colour, alpha=0.6, linewidths=0)
        axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
        axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
        if np.ptp(x, axis=0).max() < SAME:
            place = (float(x[0, 0]), float(x[0, 1]))
            axes.annotate(f"all {len(x)} points", place, (14, 14), textcoords="offset points")
        _dress(axes, name)
    return figure


# The graph of batch norm: boxes (name, x, y), and arrows between them with what goes along them.
BOXES = {
    "x": (0.0, 1.4),
    "μ": (2.0, 0.0),
    "c = x − μ": (4.2, 1.4),
    "σ²": (6.2, 0.0),
    "s = √(σ² + ε)": (9.1, 0.0),
    "x̂ = c / s": (11.2, 1.4),
    "y = γ·x̂ + β": (14.3, 1.4),
}
ARROWS = (
    ("x", "μ", "1/N, for each row"),
    ("x", "c = x − μ", "1"),
    ("μ", "c = x − μ", "−1"),
    ("c = x − μ", "σ²", "2c / N"),
    ("σ²", "s = √(σ² + ε)", "1 / 2s"),
    ("s = √(σ² + ε)", "x̂ = c / s", "−c / s²"),
    ("c = x − μ", "x̂ = c / s", "1 / s"),
    ("x̂ = c / s", "y = γ·x̂ + β", "γ"),
)


def batch_norm_graph() -> Picture:
    """The computational graph of batch norm, with the local gradient of every edge."""
    figure = Picture(PAGE_WIDTH, 2.5)
    axes = figure.subplots()
    drawing(axes, -0.9, 15.7, 2.3, -0.9)
    for start, end, local in ARROWS:
        _arrow(axes, start, end, local)
    for name, (x, y) in BOXES.items():
        _box(axes, name, x, y)
    caption = (
        "black: forward     orange: the local gradient, by which the upstream one is multiplied"
    )
    write(axes, 7.4, -0.75, caption, size=9)
    return figure


def _width(name: str) -> float:
    return 0.5 + 0.15 * len(name)


def _box(axes: Axes, name: str, x: float, y: float) -> None:
    half = _width(name) / 2
    gate = FancyBboxPatch((x - half, y - 0.25), 2 * half, 0.5, "round,pad=0.06")
    gate.set(facecolor=tint(BLUE, 0.15), edgecolor=BLUE, gid="gate")
    axes.add_patch(gate)
    write(axes, x, y, name, size=10)


def _arrow(axes: Axes, start: str, end: str, local: str) -> None:
    (x, y), (to_x, to_y) = BOXES[start], BOXES[end]
    level = y == to_y
    begin = (x + _width(start) / 2 + 0.06, y) if level else (x, y - 0.34 if to_y < y else y + 0.34)
    goal = (to_x - _width(end) / 2 - 0.1, to_y) if level else (to_x, to_y + 0.38)
    if not level and to_y > y:
        goal = (to_x, to_y - 0.38)
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", goal, begin, arrowprops=arrow)
    middle = ((begin[0] + goal[0]) / 2, (begin[1] + goal[1]) / 2 + (0.22 if level else 0))
    box = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}
    where = {"ha": "center", "va": "center", "fontsize": 9, "color": VERMILION}
    axes.text(*middle, local, where, bbox=None if level else box)


def leftover(x_hat: ArrayLike, dout: ArrayLike, rest: ArrayLike) -> Picture:
    """One feature: dout against x̂, the straight line through it, and what the line leaves over.

    Args:
        x_hat: (N,), with mean 0 and variance 1.
        dout: (N,), the upstream gradient.
        rest: (N,), drawn as a stroke from each point towards the line.

    Raises:
        BadInputError: the arrays are not 1-D or differ in length.
    """
    names = (("x_hat", x_hat), ("dout", dout), ("rest", rest))
    across, up, strokes = (numbers(f"leftover, {name}", array, (1,)) for name, array in names)
    if not across.shape == up.shape == strokes.shape:
        found = f"{len(across)}, {len(up)} and {len(strokes)} numbers"
        refuse("leftover", found, "as many of each", "Take one column of each.")
    figure = Picture(6.4, 3.4)
    axes = figure.subplots()
    ends = np.array([across.min() - 0.2, across.max() + 0.2])
    line = up.mean() + ends * (up * across).mean()
    label = "E[dout] + x̂ · E[dout · x̂]"
    axes.plot(ends, line, color=BLUE, linewidth=1.8, label=label)
    label = "what is left over: dx · σ / γ"
    axes.vlines(across, up - strokes, up, color=ORANGE, linewidth=2.4, label=label, gid="rest")
    axes.scatter(across, up, s=22, color=INK, zorder=3)
    axes.legend(fontsize=9, frameon=False, labelcolor=INK)
    _dress(axes, "", r"$\hat{x}$", "dout")
    return figure


# Which of the axes N, C and (H, W) are averaged over, and of C in how many groups.
NORMS = {
    "batch norm": ("N", "HW"),
    "layer norm": ("C", "HW"),
    "instance norm": ("HW",),
    "group norm, G = 2": ("C/2", "HW"),
}
SIZES = {"N": 4, "C": 6, "HW": 5}  # cells of the drawing
SLANT = (0.34, 0.3)  # of one step along C, into the depth
SQUARE = ((0, 0), (1, 0), (1, 1), (0, 1))


def averaged_axes() -> Picture:
    """Four normalizations of (N, C, H, W): the numbers that share one mean are blue."""
    figure, row = _row("averaged_axes", len(NORMS))
    for axes, (name, averaged) in zip(row, NORMS.items(), strict=True):
        _block(axes, averaged)
        axes.set_title(name, fontsize=10, color=INK)
    return figure


def _block(axes: Axes, averaged: Sequence[str]) -> None:
    """A block of cells seen from its front (N, HW), from the top (N, C) and the side (C, HW)."""
    n, c, pixels = SIZES.values()
    drawing(axes, -1.3, n + c * SLANT[0] + 1.0, pixels + c * SLANT[1] + 0.5, -1.1)
    for i, k in np.ndindex(n, pixels):
        front = [_point(i + u, k + v, 0) for u, v in SQUARE]
        _tile(axes, front, _shared(averaged, i, 0))
    for i, d in np.ndindex(n, c):
        top = [_point(i + u, pixels, d + v) for u, v in SQUARE]
        _tile(axes, top, _shared(averaged, i, d))
    for k, d in np.ndindex(pixels, c):
        side = [_point(n, k + u, d + v) for u, v in SQUARE]
        _tile(axes, side, _shared(averaged, n - 1, d))
    write(axes, n / 2, -0.5, "N", size=9)
    write(axes, -0.7, pixels / 2, "H, W", size=9)
    write(axes, *_point(n + 0.6, -0.3, c / 2), "C", size=9)


def _point(across: float, up: float, depth: float) -> Point:
    """Where a corner of the block is drawn."""
    return across + depth * SLANT[0], up + depth * SLANT[1]


def _shared(averaged: Sequence[str], image: int, channel: int) -> bool:
    """Whether this image and channel share a mean with the last image's first channel.

    That is where the block shows most of them. Pixels need no thought: all of these norms average
    over H and W.
    """
    channels = {"C": SIZES["C"], "C/2": SIZES["C"] // 2}.get(averaged[0], 1)
    return (image == SIZES["N"] - 1 or "N" in averaged) and channel < channels


def _tile(axes: Axes, corners: Sequence[Point], shared: bool) -> None:
    fill = tint(BLUE, 0.75) if shared else PAPER
    tile = Polygon(corners, facecolor=fill, edgecolor=FAINT, linewidth=0.7)
    tile.set_gid("shared" if shared else "tile")
    axes.add_patch(tile)


def _row(
    where: str, count: int, *, sharex: bool = False, sharey: bool = False
) -> tuple[Picture, Sequence[Axes]]:
    if not count:
        refuse(where, "nothing to show", "at least one panel", "Give {title: array}.")
    figure = Picture(PAGE_WIDTH, HEIGHT)
    panels = figure.subplots(1, count, squeeze=False, sharex=sharex, sharey=sharey)
    return figure, list(panels[0])


def _dress(axes: Axes, title: str, xlabel: str = "", ylabel: str = "") -> None:
    axes.set_title(title, fontsize=10, color=INK)
    axes.set_xlabel(xlabel, fontsize=9, color=INK)
    axes.set_ylabel(ylabel, fontsize=9, color=INK)
    axes.tick_params(colors=INK, labelsize=8, length=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
