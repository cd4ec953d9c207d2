"""A convolution as a matrix: which number stands where, and which places share one."""

import numpy as np
from matplotlib import colormaps
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import FAINT, INK, PAGE_WIDTH, PALETTE, Colour, Picture, tint
from autograder.show.cells import number, write
from autograder.show.inputs import numbers

CELL = 0.4  # inches, at most
READABLE = 0.26  # inches: in smaller cells no number is written


def matrix(
    M: ArrayLike,  # noqa: N803 - W_hat and X_hat are matrices
    title: str = "",
    *,
    xlabel: str = "",
    ylabel: str = "",
    blank: float | None = 0.0,
) -> Picture:
    """A matrix whose equal entries share a colour; numbers are written while they fit.

    Args:
        M: (rows, columns).
        title: above it, for instance ``r"$\\hat{W}$"``.
        xlabel: what a column stands for.
        ylabel: what a row stands for.
        blank: the value that is left white and unwritten; None where zeros are data too.

    Raises:
        BadInputError: ``M`` is not a 2-D array of numbers.
    """
    entries = numbers("matrix, M", M, (2,))
    rows, columns = entries.shape
    size = min(CELL, PAGE_WIDTH / max(rows, columns))
    figure = Picture(max(2.0, size * columns + 0.4), size * rows + 0.7)
    axes = figure.subplots()
    axes.imshow(_shades(entries, blank), extent=(0, columns, rows, 0))
    rulers = {"color": FAINT, "linewidth": 2 * size, "clip_on": False}
    axes.vlines(range(columns + 1), 0, rows, **rulers)
    axes.hlines(range(rows + 1), 0, columns, **rulers)
    if size >= READABLE:
        for row, column in np.argwhere(entries != blank):
            write(axes, column + 0.5, row + 0.5, number(entries[row, column]), size=25 * size)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize=11, color=INK)
    axes.set_xlabel(xlabel, fontsize=9, color=INK)
    axes.set_ylabel(ylabel, fontsize=9, color=INK)
    return figure


def _shades(entries: NDArray[np.float64], blank: float | None) -> NDArray[np.float64]:
    """(rows, columns, 3): one colour for each different value."""
    values, which = np.unique(entries, return_inverse=True)
    coloured = values != blank
    shades = np.ones((len(values), 3))
    shades[coloured] = _palette(int(coloured.sum()))
    return shades[which.reshape(entries.shape)]


def _palette(count: int) -> list[tuple[float, float, float]]:
    """Named colours while there are enough of them, else steps of a map that keeps the order."""
    steps: list[Colour] = [tuple(colormaps["viridis"](x)[:3]) for x in np.linspace(0, 1, count)]
    return [tint(colour, 0.5) for colour in (PALETTE[:count] if count <= len(PALETTE) else steps)]
