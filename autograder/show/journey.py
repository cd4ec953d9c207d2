"""One image on its way through a network."""

from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import BLUE, FAINT, INK, PAGE_WIDTH, Picture, tint
from autograder.show.inputs import numbers, refuse

MOST = 20  # numbers of a vector that are drawn as bars; longer ones are folded into a square
SEAM = 0.12  # of a map's height: the line between one map and the next
TALL = 2.9  # inches


def journey(stages: Sequence[tuple[str, ArrayLike]]) -> Picture:
    """What comes out of some layers for one image, from left to right.

    All maps of a layer stand together, each brightest where it is largest; a short vector is
    drawn as bars, a long one as a square of its numbers, in order.

    Args:
        stages: (name, (C, H, W) or (D,)) each.

    Raises:
        BadInputError: there is none, or one is not of these shapes.
    """
    if not stages:
        refuse("journey, stages", "none", "at least one", "Give the outputs of some layers.")
    found = [(name, numbers(f"journey, {name}", value, (1, 3))) for name, value in stages]
    figure = Picture(PAGE_WIDTH, TALL)
    panels = figure.subplots(1, len(found), squeeze=False).flat
    for axes, (name, value) in zip(panels, found, strict=True):
        (_bars if value.ndim == 1 and len(value) <= MOST else _maps)(axes, value)
        axes.set_anchor("N")  # all titles at one height
        axes.set_title(f"{name}\n{'×'.join(map(str, value.shape))}", fontsize=9, color=INK)
    return figure


def _maps(axes: Axes, value: NDArray[np.float64]) -> None:
    axes.imshow(mosaic(value if value.ndim == 3 else _folded(value)[None]), cmap="gray")
    axes.set_axis_off()


def _folded(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers in rows of a square, the rest of which is not a number."""
    side = ceil(sqrt(len(vector)))
    square = np.full(side * side, np.nan)
    square[: len(vector)] = vector
    return square.reshape(side, side)


def mosaic(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Maps (C, H, W) in rows, each from 0 to 1, with lines that are no numbers between them."""
    count, height, width = maps.shape
    columns, seam = ceil(sqrt(count)), max(1, round(SEAM * height)) if count > 1 else 0
    page = np.full((-(-count // columns) * (height + seam), columns * (width + seam)), np.nan)
    for place, each in enumerate(maps):
        top, left = (place // columns) * (height + seam), (place % columns) * (width + seam)
        page[top : top + height, left : left + width] = _stretched(each)
    return page[: len(page) - seam, : page.shape[1] - seam]


def _stretched(each: NDArray[np.float64]) -> NDArray[np.float64]:
    """From its least number (or 0) to its largest; all 0 where they are the same."""
    low = min(0.0, float(np.nanmin(each)))
    reach = float(np.nanmax(each)) - low
    return np.asarray((each - low) / reach) if reach > 0 else np.zeros_like(each)


def _bars(axes: Axes, value: NDArray[np.float64]) -> None:
    places = np.arange(len(value))
    best = places == value.argmax()
    axes.barh(places, value, color=[tint(BLUE, 0.85) if b else FAINT for b in best])
    axes.set(yticks=places, xticks=[], box_aspect=1)
    axes.invert_yaxis()
    axes.tick_params(length=0, labelsize=8, colors=INK)
    axes.spines[:].set_visible(False)
