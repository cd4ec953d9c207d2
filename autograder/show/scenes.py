"""Scenes: a sheet of classes, and where the thing is that defines each."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import BLUE, INK, ORANGE, PAPER, Picture
from autograder.show.inputs import numbers, refuse, whole
from autograder.show.panels import panels
from autograder.show.pictures import outline

LARGEST, TITLE = 1.5, 0.25  # inches: a picture, and the line above it
DOTS, NAME = 100, 1.35  # pixels of a sheet's pictures an inch, and inches for a name before them
GAP = 2  # pixels between pictures

Pictures = NDArray[np.uint8]


def contact_sheet(rows: Mapping[str, ArrayLike], *, columns: int = 2) -> Picture:
    """Rows of pictures, each after its name.

    Args:
        rows: for each name (N, H, W, 3) pictures with values from 0 to 255, all of one shape.
        columns: how many names stand side by side.

    Raises:
        BadInputError: there is no row, or they are not pictures of one shape.
    """
    strips = {name: pixels(f"contact_sheet, {name}", row) for name, row in rows.items()}
    shapes = {strip.shape for strip in strips.values()}
    if len(shapes) != 1:
        got = " and ".join(map(str, sorted(shapes))) or "nothing"
        refuse("contact_sheet, rows", got, "rows of one shape", "Give as many of each.")
    columns = whole("contact_sheet, columns", columns, 1)
    count, height, width, _ = shapes.pop()
    lines = -(-len(strips) // columns)
    wide, high = count * (width + GAP) / DOTS, (height + GAP) / DOTS
    figure = Picture(columns * (NAME + wide), lines * high)
    # A dot for each pixel: what lays out a figure would move them by parts of one.
    figure.set_layout_engine("none")
    for place, (name, strip) in enumerate(strips.items()):
        column, line = divmod(place, lines)
        left, bottom = column * (NAME + wide) + NAME, (lines - 1 - line) * high
        axes = figure.add_axes(_shares(figure, left, bottom, wide, high))
        axes.imshow(_side_by_side(strip), interpolation="nearest", aspect="auto")
        axes.text(-2 * GAP, height / 2, name, ha="right", va="center", fontsize=8, color=INK)
        axes.set_axis_off()
    return figure


def located(
    images: ArrayLike,
    masks: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    titles: Sequence[str] | None = None,
    *,
    columns: int = 6,
) -> Picture:
    """Pictures with the outline of what defines their class in blue, and its box in orange.

    Args:
        images: (N, H, W, 3) with values from 0 to 255.
        masks: (N, H, W) bool, or None.
        boxes: (N, 4) x0, y0, x1, y1 in pixels, x1 and y1 the first ones outside; or None.
        titles: one for each picture.
        columns: how many stand in a row.

    Raises:
        BadInputError: they are not of these shapes, or there are not as many of each.
    """
    pictures = pixels("located, images", images)
    inside = None if masks is None else numbers("located, masks", masks, (3,))
    corners = None if boxes is None else numbers("located, boxes", boxes, (2,))
    _require_shape("masks", inside, pictures.shape[:3])
    _require_shape("boxes", corners, (len(pictures), 4))
    if titles is not None and len(titles) != len(pictures):
        expected = f"{len(pictures)}, one a picture"
        refuse("located, titles", str(len(titles)), expected, "Add them.")
    figure, every = titled(len(pictures), whole("located, columns", columns, 1), titles)
    for place, (axes, picture) in enumerate(zip(every, pictures, strict=True)):
        axes.imshow(picture, interpolation="nearest")
        if inside is not None:
            trace(axes, inside[place])
        if corners is not None:
            x0, y0, x1, y1 = (int(corner) for corner in corners[place])
            outline(axes, (y0, x0, y1 - y0, x1 - x0), ORANGE)
    return figure


def titled(count: int, columns: int, titles: Sequence[str] | None) -> tuple[Picture, list[Axes]]:
    """A figure, and a panel in it for each of ``count`` pictures, under its title if it has one."""
    figure, every = panels(count, columns, LARGEST, TITLE if titles else 0)
    for axes, title in zip(every, titles or (), strict=False):
        axes.set_title(title, fontsize=9, color=INK, pad=3)
    return figure, every


def _shares(
    figure: Picture, left: float, bottom: float, wide: float, high: float
) -> tuple[float, float, float, float]:
    """Inches as shares of a figure."""
    whole_width, whole_height = figure.get_size_inches()
    return left / whole_width, bottom / whole_height, wide / whole_width, high / whole_height


def _require_shape(name: str, given: NDArray[np.float64] | None, shape: tuple[int, ...]) -> None:
    if given is not None and given.shape != shape:
        fix = "Choose those of the same pictures."
        refuse(f"located, {name}", f"shape {given.shape}", f"shape {shape}", fix)


def trace(axes: Axes, mask: NDArray[np.float64]) -> None:
    """Lines between the pixels of a mask and the others."""
    for colour, width in ((PAPER, 2.4), (BLUE, 1.2)):
        axes.plot(*_edges(mask > 0), color=colour, linewidth=width, solid_capstyle="round")


def _edges(mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The sides of pixels where a mask ends, as x and y with NaN between one and the next."""
    padded = np.pad(mask, 1)
    row, column = (found.astype(np.float64) for found in np.nonzero(padded[1:] != padded[:-1]))
    flat = _sides(column - 1.5, row - 0.5, right=1, down=0)
    across = padded[:, 1:] != padded[:, :-1]
    row, column = (found.astype(np.float64) for found in np.nonzero(across))
    upright = _sides(column - 0.5, row - 1.5, right=0, down=1)
    x, y = np.concatenate([flat, upright], axis=1)
    return x, y


def _sides(
    x: NDArray[np.float64], y: NDArray[np.float64], right: int, down: int
) -> NDArray[np.float64]:
    """(2, 3N): from each place to the one ``right`` and ``down`` of it, and a gap."""
    gaps = np.full(x.shape, np.nan)
    return np.stack([(x, x + right, gaps), (y, y + down, gaps)]).transpose(0, 2, 1).reshape(2, -1)


def _side_by_side(strip: Pictures) -> Pictures:
    """(N, H, W, 3) as (H + GAP, N · (W + GAP), 3)."""
    spaced = np.pad(strip, ((0, 0), (0, GAP), (0, GAP), (0, 0)), constant_values=255)
    return np.concatenate(list(spaced), axis=1)


def pixels(where: str, value: ArrayLike) -> Pictures:
    """``value`` as (N, H, W, 3) whole numbers.

    Raises:
        BadInputError: it has another shape, or values that are not from 0 to 255.
    """
    array = numbers(where, value, (4,))
    if array.shape[3] != 3 or not 0 <= array.min() <= array.max() <= 255:
        got = f"shape {array.shape}, values {array.min():g} to {array.max():g}"
        expected = "shape (N, H, W, 3), values 0 to 255"
        refuse(where, got, expected, "Undo the normalization; channels go last.")
    return array.astype(np.uint8)
