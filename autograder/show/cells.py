"""Square cells with numbers in them, as the lectures draw arrays."""

from collections.abc import Collection

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from autograder.show.canvas import FAINT, INK, PAPER, Colour, tint

Corner = tuple[float, float]
Place = tuple[int, ...]


def number(value: float) -> str:
    """``value`` in three digits or, from 100 on, as a whole number: 3, 0.25, 4310."""
    return (f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}").replace("-", "−")


def cell(axes: Axes, corner: Corner, fill: Colour = PAPER, name: str = "cell") -> Rectangle:
    """A unit square with its left top at ``corner``; ``name`` becomes its ``gid``."""
    square = Rectangle(corner, 1, 1, facecolor=fill, edgecolor=FAINT, linewidth=0.8, gid=name)
    axes.add_patch(square)
    return square


def write(axes: Axes, x: float, y: float, text: str, size: float = 10) -> None:
    """``text`` centred on a point."""
    axes.text(x, y, text, ha="center", va="center", color=INK, fontsize=size)


def grid(
    axes: Axes,
    values: NDArray[np.float64],
    corner: Corner,
    title: str,
    marked: Collection[Place],
    colour: Colour,
) -> None:
    """A 2-D array with its title; the cells at the ``marked`` places are tinted and framed."""
    left, top = corner
    for place in np.ndindex(*values.shape):
        row, column = place
        shade, name = (tint(colour), f"{title} marked") if place in marked else (PAPER, title)
        cell(axes, (left + column, top + row), shade, name)
        write(axes, left + column + 0.5, top + row + 0.5, number(float(values[place])))
    frame(axes, corner, marked, colour)
    write(axes, left + values.shape[1] / 2, top - 0.4, title)


def frame(axes: Axes, corner: Corner, places: Collection[Place], colour: Colour) -> None:
    """A thick line around the smallest rectangle that holds the ``places`` of a grid."""
    rows, columns = zip(*places, strict=True)
    first = (corner[0] + min(columns), corner[1] + min(rows))
    size = (max(columns) - min(columns) + 1, max(rows) - min(rows) + 1)
    axes.add_patch(Rectangle(first, *size, fill=False, edgecolor=colour, linewidth=2.2))
