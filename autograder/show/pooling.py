"""Pooling: which windows become which numbers, and where a gradient goes back."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import INK, PAGE_WIDTH, PALETTE, Picture, drawing
from autograder.show.cells import CELL, EDGE, Mark, Place, grid, holds, window, write
from autograder.show.inputs import numbers, refuse, whole

GAP = 1.7  # cells between two grids, room for an arrow
ABOVE = 1.0  # cells, room for the titles
MOST = len(PALETTE)  # windows: more could not be told apart
WIDEST = int(PAGE_WIDTH / CELL)  # cells

Array = NDArray[np.float64]


def pooled(x: ArrayLike, out: ArrayLike, kernel_size: int, stride: int) -> Picture:
    """One channel, its windows in different colours, and the number that each of them becomes.

    Args:
        x: (H, W).
        out: (H', W'), drawn as it is given.
        kernel_size: K, the height and width of a window.
        stride: S, from one window to the next.

    Raises:
        BadInputError: an array is not 2-D or too large to be drawn, or ``out`` has more numbers
            than there are windows or colours.
    """
    image, result = numbers("pooled, x", x, (2,)), numbers("pooled, out", out, (2,))
    windows = _windows("pooled, out", image, result, kernel_size, stride)
    marks = [(places, colour) for places, colour in zip(windows.values(), PALETTE, strict=False)]
    figure, axes = _sheet([image, result], len(image))
    grid(axes, image, (0, 0), "x", marks)
    write(axes, image.shape[1] + GAP / 2, len(image) / 2, "→")
    _coloured(axes, result, image.shape[1] + GAP, len(image), "out", windows)
    axes.set_title(f"K = {kernel_size}, S = {stride}", fontsize=10, color=INK)
    return figure


def routed(x: ArrayLike, dout: ArrayLike, dx: ArrayLike, kernel_size: int, stride: int) -> Picture:
    """The way back through max pooling: each number of dout and the place in dx that it goes to.

    A place of ``dx`` has the colours of all windows of which it is the largest number.

    Args:
        x: (H, W).
        dout: (H', W'), the upstream gradient.
        dx: (H, W), drawn as it is given.
        kernel_size: K, the height and width of a window.
        stride: S, from one window to the next.

    Raises:
        BadInputError: as `pooled`, or ``dx`` has another shape than ``x``.
    """
    image, upstream, back = (
        numbers(f"routed, {name}", array, (2,))
        for name, array in (("x", x), ("dout", dout), ("dx", dx))
    )
    if back.shape != image.shape:
        refuse("routed, dx", f"shape {back.shape}", f"x's, {image.shape}", "One number a pixel.")
    windows = _windows("routed, dout", image, upstream, kernel_size, stride)
    coloured = list(zip(windows.values(), PALETTE, strict=False))
    figure, axes = _sheet([image, upstream, back], len(image))
    left = upstream.shape[1] + GAP
    _coloured(axes, upstream, 0, len(image), "dout", windows)
    grid(axes, image, (left, 0), "x, its windows", coloured)
    write(axes, left - GAP / 2, len(image) / 2, "→")
    left += image.shape[1] + GAP
    write(axes, left - GAP / 2, len(image) / 2, "→")
    grid(axes, back, (left, 0), "dx", [(_largest(image, w), colour) for w, colour in coloured])
    return figure


def shifted(maps: ArrayLike, outs: ArrayLike) -> Picture:
    """Several maps side by side, each above what pooling makes of it.

    Args:
        maps: (M, H, W).
        outs: (M, H', W').

    Raises:
        BadInputError: the arrays are not 3-D, differ in M, or are too large to be drawn.
    """
    above, below = numbers("shifted, maps", maps, (3,)), numbers("shifted, outs", outs, (3,))
    if len(above) != len(below):
        refuse("shifted, outs", f"{len(below)}", f"{len(above)}, one a map", "Pool all of them.")
    height, width = above.shape[1:]
    figure, axes = _sheet(list(above), height + GAP + below.shape[1])
    for i, (image, out) in enumerate(zip(above, below, strict=True)):
        left = i * (width + GAP)
        grid(axes, image, (left, 0), "x" if i == 0 else "", _bright(image))
        corner = (left + (width - out.shape[1]) / 2, height + GAP)
        grid(axes, out, corner, "", _bright(out))
        write(axes, left + width / 2, height + GAP / 2, "↓")
    return figure


def _bright(image: Array) -> list[Mark]:
    places = [place for place in np.ndindex(*image.shape) if image[place] > 0]
    return [([place], PALETTE[1]) for place in places]


def _windows(
    where: str, image: Array, out: Array, kernel_size: int, stride: int
) -> dict[Place, list[Place]]:
    """The places of x under each place of ``out``."""
    size, step = (
        whole(f"{where}, kernel_size", kernel_size, 1),
        whole(f"{where}, stride", stride, 1),
    )
    if out.size > MOST:
        refuse(where, f"{out.size} windows", f"at most {MOST}", "Show a smaller example.")
    windows: dict[Place, list[Place]] = {
        (i, j): window((i * step, j * step), (size, size)) for i, j in np.ndindex(*out.shape)
    }
    for places in windows.values():
        if not holds(image, places[-1]):
            found = f"a window up to {places[-1]} in x of shape {image.shape}"
            refuse(where, found, "windows inside of x", "Look at the size of the output.")
    return windows


def _largest(image: Array, places: Sequence[Place]) -> list[Place]:
    top = max(image[place] for place in places)
    return [place for place in places if image[place] == top]


def _sheet(side_by_side: Sequence[Array], height: float) -> tuple[Picture, Axes]:
    """A figure and axes for these grids next to each other, and for ``height`` cells below."""
    width = sum(array.shape[1] + GAP for array in side_by_side) - GAP
    if width > WIDEST:
        shape = side_by_side[0].shape
        refuse("x", f"shape {shape}", "arrays that can be read", "Show a smaller example.")
    figure = Picture(CELL * width, CELL * (height + ABOVE) + 0.3)
    axes = figure.subplots()
    drawing(axes, -EDGE, width + EDGE, -ABOVE, height + EDGE)
    return figure, axes


def _coloured(
    axes: Axes, values: Array, left: float, height: int, title: str, windows: Iterable[Place]
) -> None:
    """A grid whose places have the colours of their windows, centred beside a larger one."""
    marks: list[Mark] = [([place], c) for place, c in zip(windows, PALETTE, strict=False)]
    grid(axes, values, (left, (height - len(values)) / 2), title, marks)
