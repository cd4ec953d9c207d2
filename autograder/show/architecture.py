"""A network as a row of boxes, and where its parameters and its work are."""

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from numpy.typing import ArrayLike

from autograder.show.canvas import (
    BLUE,
    FAINT,
    INK,
    ORANGE,
    PAGE_WIDTH,
    PALETTE,
    Colour,
    Picture,
    drawing,
    tint,
)
from autograder.show.cells import write
from autograder.show.inputs import numbers, refuse, whole

TALLEST = 3.0  # units: height or width of the largest map
DEPTH = 0.16  # units: depth of a single channel; more go by the square root
BACK = (0.75, 0.5)  # units to the right and up on the page for one unit of depth
COLUMN, GAP = 1.25, 0.5  # units: from box to box at least, and between them
SLIM = 0.16  # units: how wide a vector is drawn


def network(shapes: Sequence[tuple[str, Sequence[int]]]) -> Picture:
    """A box for the output of each layer: maps to scale, depth by the square root of channels.

    Args:
        shapes: from the input on, (name of the layer, shape of what comes out of it): (C, H, W)
            for maps or (D,) for a vector.

    Raises:
        BadInputError: there is none, or one is not of these shapes.
    """
    if not shapes:
        refuse("network, shapes", "none", "at least one", "Give the layers' outputs.")
    found = [(name, _shape(name, shape)) for name, shape in shapes]
    unit = TALLEST / max([max(shape[1:]) for _, shape in found if len(shape) == 3], default=1)
    boxes = [(name, shape, *_box(shape, unit)) for name, shape in found]
    widths = [max(COLUMN, width + depth * BACK[0]) + GAP for *_, width, _, depth in boxes]
    figure = Picture(PAGE_WIDTH, PAGE_WIDTH * (TALLEST + 2.4) / sum(widths))
    axes = figure.subplots()
    drawing(axes, -0.2, sum(widths), TALLEST + 1.4, -1.2)
    starts = np.cumsum([0, *widths[:-1]])
    for place, (start, (name, shape, *sizes)) in enumerate(zip(starts, boxes, strict=True)):
        _draw(axes, float(start), sizes, PALETTE[place % len(PALETTE)])
        _name(axes, float(start) + sizes[0] / 2, name, shape)
    return figure


def _shape(name: str, shape: Sequence[int]) -> tuple[int, ...]:
    where = f"network, {name}"
    if not isinstance(shape, Sequence) or len(shape) not in (1, 3):
        refuse(where, repr(shape), "(C, H, W) or (D,)", "Give the shape of one image's output.")
    return tuple(whole(where, size, 1) for size in shape)


def _box(shape: Sequence[int], unit: float) -> tuple[float, float, float]:
    """Width, height and depth on the page; a vector is a pole as high as the root of its length."""
    if len(shape) == 1:
        return SLIM, TALLEST * min(1, sqrt(shape[0]) / 50), SLIM
    channels, height, width = shape
    return unit * width, unit * height, DEPTH * sqrt(channels)


def _draw(axes: Axes, left: float, sizes: Sequence[float], colour: Colour) -> None:
    width, height, depth = sizes
    bottom, (right, up) = (TALLEST - height) / 2, (depth * BACK[0], depth * BACK[1])
    front = [(0, 0), (width, 0), (width, height), (0, height)]
    top = [(0, height), (width, height), (width + right, height + up), (right, height + up)]
    side = [(width, 0), (width, height), (width + right, height + up), (width + right, up)]
    for strength, corners in ((0.35, front), (0.55, top), (0.75, side)):
        face = [(left + x, bottom + y) for x, y in corners]
        axes.add_patch(
            Polygon(face, facecolor=tint(colour, strength), edgecolor=INK, linewidth=0.6)
        )


def _name(axes: Axes, middle: float, name: str, shape: Sequence[int]) -> None:
    write(axes, middle, -0.45, name, size=8)
    write(axes, middle, -0.9, "×".join(map(str, shape)), size=8)


def shares(columns: Mapping[str, ArrayLike], names: Sequence[str]) -> Picture:
    """Of each column, the share that belongs to each name, as bars side by side.

    Args:
        columns: (names,) each, not below 0; their names say what is counted.
        names: from top to bottom.

    Raises:
        BadInputError: a column is not as long as the names, is negative somewhere or all 0.
    """
    counted = {name: _counts(name, column, names) for name, column in columns.items()}
    figure = Picture(8, 0.5 * len(names) + 0.6)
    axes = figure.subplots()
    height = 0.8 / max(1, len(counted))
    for place, (name, counts) in enumerate(counted.items()):
        percent = 100 * counts / counts.sum()
        rows = np.arange(len(names)) + (place - (len(counted) - 1) / 2) * height
        colour = (BLUE, ORANGE)[place] if len(counted) == 2 else PALETTE[place % len(PALETTE)]
        drawn = axes.barh(rows, percent, 0.9 * height, color=tint(colour, 0.75), label=name)
        told = [f"{count:,.0f}  ({p:.1f}%)" for count, p in zip(counts, percent, strict=True)]
        axes.bar_label(drawn, told, padding=4, fontsize=8, color=INK)
    axes.set(xlim=(0, 130), xticks=[], yticks=range(len(names)), yticklabels=list(names))
    axes.invert_yaxis()
    axes.tick_params(colors=INK, length=0, labelsize=9)
    axes.spines[:].set_visible(False)
    axes.spines["left"].set(visible=True, color=FAINT)
    axes.legend(fontsize=9, frameon=False, loc="lower right")
    return figure


def _counts(name: str, column: ArrayLike, names: Sequence[str]) -> np.ndarray:
    counts = numbers(f"shares, {name}", column, (1,))
    if len(counts) != len(names) or counts.min() < 0 or counts.sum() == 0:
        expected = f"{len(names)} numbers from 0 up"
        refuse(f"shares, {name}", f"{counts.tolist()}", expected, "One for each name.")
    return counts
