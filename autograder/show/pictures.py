"""Photographs, filters and feature maps side by side."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import FAINT, INK, ORANGE, PAGE_WIDTH, PAPER, SIGNED, Picture
from autograder.show.inputs import numbers, refuse

TALLEST, TITLE = 3.6, 0.45  # inches: a panel at most, and the line above it
LARGEST = 1e300  # the distance of two such numbers is still a number

Box = tuple[int, int, int, int]


def images(
    arrays: Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    *,
    boxes: Sequence[Box | None] | None = None,
    width: float = PAGE_WIDTH,
) -> Picture:
    """A row of images or maps of one height.

    A map without negative values is gray: 0 is black, and white is 1 or, if that is more, its
    largest value. A signed map is blue below zero, white at zero and orange above, with the same
    reach on both sides; clip it first where it should be looked at as a photograph.

    Args:
        arrays: each (H, W), or (3, H, W) for colour, clipped to [0, 1] with NaN as black.
        titles: one for each array.
        boxes: for each array None or a (top, left, height, width) to outline, in pixels.
        width: inches, at most.

    Raises:
        BadInputError: an array is not one of these shapes, or the lists differ in length.
    """
    panels = [_pixels(f"images, arrays[{i}]", array) for i, array in enumerate(arrays)]
    if not panels:
        refuse("images, arrays", "none", "at least one array", "Give a list of them.")
    for name, given in (("titles", titles), ("boxes", boxes)):
        if given is not None and len(given) != len(panels):
            refuse(f"images, {name}", str(len(given)), f"{len(panels)}, one an array", "Add them.")
    shares = [panel.shape[1] / panel.shape[0] for panel in panels]
    height = min(width / sum(shares), TALLEST)
    figure = Picture(height * sum(shares), height + TITLE)
    row = figure.subplots(1, len(panels), squeeze=False, width_ratios=shares)[0]
    for axes, panel, title, box in zip(
        row, panels, titles or repeat(""), boxes or repeat(None), strict=False
    ):
        draw_map(axes, panel, title)
        if box:
            outline(axes, box, ORANGE)
    return figure


def draw_map(axes: Axes, pixels: NDArray[np.float64], title: str, **options: Any) -> AxesImage:
    """Puts (H, W) or (H, W, 3) pixels into ``axes``; ``options`` go to imshow.

    What is not a number stays empty, and what lies beyond the colours takes the last of them.
    """
    options = _colours(pixels) | options
    if pixels.ndim == 2:
        pixels = np.clip(measurable(pixels), options["vmin"], options["vmax"])
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=10, color=INK)
    for side in axes.spines.values():
        side.set(color=FAINT, linewidth=0.6)
    return axes.imshow(pixels, **options)


def measurable(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``values`` with NaN for infinities and for what a colour scale could not span."""
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


def outline(axes: Axes, box: Box, colour: str) -> None:
    """A frame around the pixels of a (top, left, height, width), edged in white for dark pixels."""
    top, left, height, width = box
    corner = (left - 0.5, top - 0.5)  # pixel (0, 0) is drawn around the point (0, 0)
    frame = Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=2)
    frame.set_path_effects([withStroke(linewidth=4.5, foreground=PAPER)])
    axes.add_patch(frame)


def _pixels(where: str, value: ArrayLike) -> NDArray[np.float64]:
    array = numbers(where, value, (2, 3))
    if array.ndim == 2:
        return array
    if len(array) != 3:
        refuse(where, f"shape {array.shape}", "(H, W) or (3, H, W)", "Show one channel at a time.")
    return np.clip(np.nan_to_num(array.transpose(1, 2, 0)), 0, 1)


def _colours(pixels: NDArray[np.float64]) -> dict[str, Any]:
    finite = pixels[~np.isnan(measurable(pixels))]
    if finite.min(initial=0) < 0:
        reach = np.abs(finite).max()
        return {"cmap": SIGNED, "vmin": -reach, "vmax": reach}
    return {"cmap": "gray", "vmin": 0, "vmax": finite.max(initial=1)}
