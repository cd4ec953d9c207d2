"""Square cells with numbers in them, as the lectures draw arrays."""

import re
from collections.abc import Collection, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from autograder.show.canvas import FAINT, INK, PAPER, Colour, tint

CELL = 0.36  # inches: a cell of a picture whose cells all hold a number
EDGE = 0.1  # cells, room for half a line's width

Corner = tuple[float, float]
Place = tuple[int, ...]
Mark = tuple[Collection[Place], Colour]  # places of a grid that belong together


def number(value: float) -> str:
    """``value`` in three digits or as a whole number: 3, −0.25, 4310, 1.2e7, 1e−4."""
    size = abs(value)
    if 0 < size < 1e-3 or 1e6 <= size < np.inf:
        return re.sub(r"\.?0*e\+?(-?)0*", r"e\1", f"{value:.2e}").replace("-", "−")
    value += 0.0  # makes a plain zero of minus zero
    return (f"{value:.3g}" if not 100 <= size < np.inf else f"{value:.0f}").replace("-", "−")


def window(corner: tuple[int, int], shape: tuple[int, ...]) -> list[Place]:
    """The places under a filter of (K_H, K_W) whose first tap is at ``corner``, row by row."""
    return [(corner[0] + u, corner[1] + v) for u, v in np.ndindex(*shape)]


def holds(array: NDArray[np.float64], place: Place) -> bool:
    """Whether a place without negative indices lies in the array."""
    return all(index < size for index, size in zip(place, array.shape, strict=True))


def cell(axes: Axes, corner: Corner, fill: Colour = PAPER, name: str = "cell") -> Rectangle:
    """A unit square with its left top at ``corner``; ``name`` becomes its ``gid``."""
    square = Rectangle(corner, 1, 1, facecolor=fill, edgecolor=FAINT, linewidth=0.8, gid=name)
    axes.add_artist(square)  # not add_patch: these axes have their limits, none need be found
    return square


def write(
    axes: Axes, x: float, y: float, text: str, size: float = 10, colour: Colour = INK
) -> None:
    """``text`` centred on a point of the axes; no room is made for it around them."""
    where = {"ha": "center", "va": "center", "in_layout": False}
    axes.text(x, y, text, where, color=colour, fontsize=size)


def grid(
    axes: Axes,
    values: NDArray[np.float64],
    corner: Corner,
    title: str,
    marks: Sequence[Mark],
) -> None:
    """A 2-D array with its title; marked places are tinted, where marks meet in both colours."""
    left, top = corner
    for place in np.ndindex(*values.shape):
        row, column = place
        tints = [tint(colour) for places, colour in marks if place in places]
        shade = tuple(np.mean(tints, axis=0)) if tints else PAPER
        cell(axes, (left + column, top + row), shade, f"{title} marked" if tints else title)
        write(axes, left + column + 0.5, top + row + 0.5, number(float(values[place])))
    for i, (places, colour) in enumerate(marks):
        # A frame that meets others is drawn inside of them, so that none hides another.
        met = sum(not set(places).isdisjoint(others) for others, _ in marks[:i])
        frame(axes, corner, places, colour, inset=0.07 * met)
    write(axes, left + values.shape[1] / 2, top - 0.4, title)


def frame(
    axes: Axes, corner: Corner, places: Collection[Place], colour: Colour, inset: float = 0
) -> None:
    """A thick line around the smallest rectangle that holds the ``places`` of a grid."""
    rows, columns = zip(*places, strict=True)
    first = (corner[0] + min(columns) + inset, corner[1] + min(rows) + inset)
    width, height = (max(line) - min(line) + 1 - 2 * inset for line in (columns, rows))
    box = Rectangle(first, width, height, fill=False, edgecolor=colour, linewidth=2.2, gid="frame")
    axes.add_patch(box)
