"""Where an answer went wrong: got, expected and the difference."""

from collections.abc import Sequence

import numpy as np
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import INK, PAGE_WIDTH, PAPER, SIGNED, Picture
from autograder.show.cells import number, write
from autograder.show.inputs import numbers, refuse
from autograder.show.pictures import draw_map, measurable, outline

ROWS, COLUMNS = 6, 8  # cells: in a larger slice no number is written
COLUMN, ROW = 1.3, 0.32  # inches for a column of numbers, in all three panels, and for a row
WIDTH, HEIGHT = 6.0, 2.0  # inches, at least
MARGINS = (0.4, 0.6)  # inches of the width and of the height that are no cells
LARGEST = 11  # points

Position = tuple[int, ...]
Array = NDArray[np.float64]
ROUNDING = 1e-14  # of the largest number expected: nothing to look at


def error_map(got: ArrayLike, want: ArrayLike) -> Picture:
    """Got, expected and got − expected over the 2-D slice that holds the largest error.

    The slice runs over the last two axes and is named in the picture; a vector is shown as
    one row. A NaN or infinity that was not expected is the largest error of all and is gray.
    ``got`` is drawn with the colours of ``want``, beyond whose range it saturates. In a slice of
    at most 6 × 8 cells the numbers are written.

    Args:
        got: an array of 1 to 4 dimensions.
        want: an array of the same shape.

    Raises:
        BadInputError: the shapes differ, or are none that can be drawn.
    """
    got = numbers("error_map, got", got, (1, 2, 3, 4))
    want = numbers("error_map, want", want, (1, 2, 3, 4))
    if got.shape != want.shape:
        refuse("error_map", f"shape {got.shape}", f"{want.shape}", "Report the shapes instead.")
    difference = _difference(got, want)
    error = np.where(np.isnan(difference), np.inf, np.abs(difference))
    worst = tuple(int(i) for i in np.unravel_index(error.argmax(), error.shape))
    planes = [np.atleast_2d(array[worst[:-2]]) for array in (got, want, difference)]
    figure = _panels(*planes)
    figure.supxlabel(_caption(worst, float(error[worst])), fontsize=8, color=INK)
    if error[worst]:
        row, column = (0, *worst)[-2:]
        outline(figure.axes[2], (row, column, 1, 1), INK)
    return figure


def _difference(got: Array, want: Array) -> Array:
    """The signed error: 0 where it is rounding or both are the same, NaN where it is no number."""
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    largest = np.max(np.abs(want), where=np.isfinite(want), initial=0)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.where(same, 0, got - want)
        return measurable(np.where(np.abs(error) <= ROUNDING * largest, 0, error))


def _panels(got: Array, want: Array, difference: Array) -> Picture:
    # Square pixels, unless the slice is so long that they would make a thread of it; cells with
    # numbers take all the room there is.
    long = max(got.shape) > 4 * min(got.shape)
    aspect = "auto" if long or _readable(got.shape) else "equal"
    figure = Picture(*_size(got.shape))
    left, middle, right = figure.subplots(1, 3)
    seen = _range(want) or _range(got) or (0.0, 1.0)
    reach = np.max(np.abs(difference), where=~np.isnan(difference), initial=0) or 1.0
    for axes, pixels, title in ((left, got, "got"), (middle, want, "expected")):
        draw_map(axes, pixels, title, cmap="viridis", vmin=seen[0], vmax=seen[1], aspect=aspect)
    scale = draw_map(
        right, difference, "got − expected", cmap=SIGNED, vmin=-reach, vmax=reach, aspect=aspect
    )
    for axes in (left, middle, right):
        axes.set_facecolor("#BBBBBB")  # shows through where there is no number
    if _readable(got.shape):
        _write_numbers(figure, (got, want, difference))
    else:
        figure.colorbar(scale, ax=right, shrink=0.8).ax.tick_params(labelsize=7)
    return figure


def _readable(shape: Sequence[int]) -> bool:
    return shape[0] <= ROWS and shape[1] <= COLUMNS


def _size(shape: Sequence[int]) -> tuple[float, float]:
    """Inches; where numbers are written, wide and high enough for them."""
    if not _readable(shape):
        return WIDTH, HEIGHT
    width, height = MARGINS[0] + COLUMN * shape[1], MARGINS[1] + ROW * shape[0]
    return min(PAGE_WIDTH, max(WIDTH, width)), max(HEIGHT, height)


def _write_numbers(figure: Picture, planes: Sequence[Array]) -> None:
    """The numbers in the cells of each panel, white on dark colours."""
    rows, columns = planes[0].shape
    width, height = figure.get_size_inches() - MARGINS
    side = 72 * min(width / 3 / columns, 2 * height / rows)  # points: digits are half as wide
    for axes, plane in zip(figure.axes, planes, strict=False):
        for (row, column), value in np.ndenumerate(plane):
            text = number(value)
            size = min(LARGEST, side / (0.7 * max(5, len(text))))
            dark = _brightness(axes.images[0], row, column) < 0.45
            write(axes, column, row, text, size, PAPER if dark else INK)


def _brightness(image: AxesImage, row: int, column: int) -> float:
    """How light a pixel is drawn, 0 to 1: the luma of ITU-R BT.601."""
    shown = np.ma.asarray(image.get_array())[row, column]
    if shown is np.ma.masked:
        return 1.0
    return float(np.dot(image.to_rgba(shown)[:3], (0.299, 0.587, 0.114)))


def _range(values: Array) -> tuple[float, float] | None:
    """The least and largest finite value; None when there are not two different ones."""
    finite = values[~np.isnan(measurable(values))]
    if finite.size and finite.min() < finite.max():
        return float(finite.min()), float(finite.max())
    return None


def _caption(worst: Position, error: float) -> str:
    if not error:
        return "no difference"
    plane = ", ".join([*map(str, worst[:-2]), *[":"] * min(2, len(worst))])
    what = f"largest error {error:.3g}" if np.isfinite(error) else "an error that is not finite"
    return f"slice [{plane}]     {what}, at {list(worst)}"
