"""im2col: the windows of an image, and the columns of a matrix that should hold them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PAGE_WIDTH,
    VERMILION,
    Picture,
    drawing,
)
from autograder.show.cells import CELL, EDGE, Place, grid, window, write
from autograder.show.inputs import Pair, numbers, pair, refuse

COLOURS = (BLUE, ORANGE, GREEN)
GAP = 3.0  # cells between the two arrays, room for the taps
ABOVE, LINE = 0.8, 0.7  # cells: room for the titles, and for one line of text
LEAST = 17  # cells, room for the text
WIDEST = 40  # cells from the left of x to the right of the matrix


@dataclass(frozen=True)
class _Column:
    """One column, and the window that its place in the matrix stands for."""

    index: int
    place: tuple[int, int]
    window: Sequence[Place]
    colour: str

    def verdict(self, x: NDArray[np.float64], matrix: NDArray[np.float64]) -> str:
        """What is wrong with the column; nothing if it holds its window from top to bottom."""
        found, expected = matrix[:, self.index], np.array([x[place] for place in self.window])
        if np.allclose(found, expected):
            return ""
        same = np.allclose(np.sort(found), np.sort(expected))
        return "its numbers in another order" if same else "other numbers"


def columns(x: ArrayLike, columns: ArrayLike, kernel_size: Pair, stride: Pair = 1) -> Picture:
    """An image and the matrix that im2col made of it: windows, and their columns in one colour.

    The first two windows and the last are shown. A column that does not hold the numbers of its
    window, row by row, is told in vermilion.

    Args:
        x: (H, W), one channel of one image, padded if the layer pads.
        columns: (K_H * K_W, H' * W'), what the function under study made of it.
        kernel_size: K, or (K_H, K_W).
        stride: S, or (S_H, S_W).

    Raises:
        BadInputError: an array is not 2-D, the filter is larger than ``x``, or ``columns`` has not
            one row for each tap and one column for each place of the filter.
    """
    image, matrix = numbers("columns, x", x, (2,)), numbers("columns, columns", columns, (2,))
    size = pair("columns, kernel_size", kernel_size, 1)
    starts = _starts(image.shape, size, pair("columns, stride", stride, 1))
    _check(matrix.shape, size, len(starts))
    width = image.shape[1] + GAP + matrix.shape[1]
    if width > WIDEST:
        found, wanted = f"{image.shape} and {matrix.shape}", "arrays whose numbers can be read"
        refuse("columns, x and columns", found, wanted, "Show a smaller image.")
    shown = [
        _Column(index, (i, j), window(starts[i, j], size), colour)
        for (index, (i, j)), colour in zip(_few(list(starts)), COLOURS, strict=False)
    ]
    height = max(len(image), len(matrix))
    figure, axes = _sheet(width, height + LINE * len(shown))
    _draw(axes, image, matrix, size, shown)
    for line, column in enumerate(shown, 1):
        _tell(axes, column, column.verdict(image, matrix), height + LINE * line)
    return figure


def _starts(
    shape: Sequence[int], size: Sequence[int], stride: Sequence[int]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Each place of the filter, row by row, and the cell of x where its window begins."""
    if size[0] > shape[0] or size[1] > shape[1]:
        found = f"{size[0]} × {size[1]}"
        refuse("columns, kernel_size", found, f"at most {shape}, the shape of x", "Change it.")
    downs, rights = (range(0, n - k + 1, s) for n, k, s in zip(shape, size, stride, strict=True))
    return {(i, j): (a, b) for i, a in enumerate(downs) for j, b in enumerate(rights)}


def _check(shape: Sequence[int], size: Sequence[int], places: int) -> None:
    if tuple(shape) != (size[0] * size[1], places):
        refuse(
            "columns, columns",
            f"shape {shape}",
            f"a row for each of {size[0]} × {size[1]} taps, a column for each of {places} places",
            "Look at the shape of what your function returns.",
        )


def _few(places: Sequence[tuple[int, int]]) -> list[tuple[int, tuple[int, int]]]:
    """The first two, which overlap, and the last, which tells whether the order is right."""
    return [(i, places[i]) for i in sorted({0, min(1, len(places) - 1), len(places) - 1})]


def _sheet(width: float, height: float) -> tuple[Picture, Axes]:
    width = max(width, LEAST)
    scale = min(CELL, PAGE_WIDTH / width)
    figure = Picture(scale * width, scale * (height + ABOVE))
    axes = figure.subplots()
    drawing(axes, -EDGE, width + EDGE, -ABOVE, height + EDGE)
    return figure, axes


def _draw(
    axes: Axes,
    image: NDArray[np.float64],
    matrix: NDArray[np.float64],
    size: tuple[int, int],
    shown: Sequence[_Column],
) -> None:
    left, rows = image.shape[1] + GAP, range(len(matrix))
    grid(axes, image, (0, 0), "x", [(column.window, column.colour) for column in shown])
    marks = [([(row, column.index) for row in rows], column.colour) for column in shown]
    grid(axes, matrix, (left, 0), "columns", marks)
    write(axes, left - 1.1, -0.4, "u, v", size=8)
    for row, (u, v) in zip(rows, np.ndindex(*size), strict=True):
        write(axes, left - 1.1, row + 0.5, f"{u}, {v}", size=8)


def _tell(axes: Axes, column: _Column, verdict: str, y: float) -> None:
    axes.text(0, y, "■", color=column.colour, va="center", fontsize=9)
    text = f"column {column.index} is the window at place {column.place}"
    if verdict:
        text = f"{text.replace('is', 'is not')}: {verdict}"
    axes.text(0.7, y, text, color=VERMILION if verdict else INK, va="center", fontsize=9)
