"""Where an answer went wrong: got, expected and the difference."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import INK, SIGNED, Picture
from autograder.show.inputs import numbers, refuse
from autograder.show.pictures import draw_map, measurable, outline

Position = tuple[int, ...]
Array = NDArray[np.float64]


def error_map(got: ArrayLike, want: ArrayLike) -> Picture:
    """Got, expected and got − expected over the 2-D slice that holds the largest error.

    The slice runs over the last two axes and is named in the picture; a vector is shown as
    one row. A NaN or infinity that was not expected is the largest error of all and is gray.
    ``got`` is drawn with the colours of ``want``, beyond whose range it saturates.

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
    figure = Picture(6, 2)
    _panels(figure, *(np.atleast_2d(array[worst[:-2]]) for array in (got, want, difference)))
    figure.supxlabel(_caption(worst, float(error[worst])), fontsize=8, color=INK)
    if error[worst]:
        row, column = (0, *worst)[-2:]
        outline(figure.axes[2], (row, column, 1, 1), INK)
    return figure


def _difference(got: Array, want: Array) -> Array:
    """The signed error: 0 where both are the same infinity or NaN, NaN where it is no number."""
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    with np.errstate(invalid="ignore", over="ignore"):
        return measurable(np.where(same, 0, got - want))


def _panels(figure: Picture, got: Array, want: Array, difference: Array) -> None:
    # Square pixels, unless the slice is so long that they would make a thread of it.
    aspect = "equal" if max(got.shape) <= 4 * min(got.shape) else "auto"
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
    figure.colorbar(scale, ax=right, shrink=0.8).ax.tick_params(labelsize=7)


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
