"""The filter at its places over the input, and the sum that each place gives."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import BLUE, GREEN, INK, ORANGE, PAGE_WIDTH, VERMILION, Picture, drawing
from autograder.show.cells import CELL, EDGE, Mark, Place, grid, holds, number, window, write
from autograder.show.inputs import numbers, refuse

GAP = 1.2  # cells between two grids, room for the sign
WIDEST = 40  # cells from the left of X to the right of Y
ABOVE, BELOW = 0.8, 1.3  # cells, room for the titles and for the sum


@dataclass(frozen=True)
class _Step:
    """The filter K at one place over X, and Y, which should hold the sum there."""

    X: NDArray[np.float64]
    K: NDArray[np.float64]
    Y: NDArray[np.float64]
    place: tuple[int, int]

    @property
    def window(self) -> list[Place]:
        return window(self.place, self.K.shape)

    @property
    def width(self) -> float:
        return 2 * GAP + int(self.X.shape[1] + self.K.shape[1] + self.Y.shape[1])

    @property
    def height(self) -> int:
        return max(len(self.X), len(self.K), len(self.Y))


def sliding_window(
    X: ArrayLike,  # noqa: N803 - the lecture's name
    K: ArrayLike,  # noqa: N803
    Y: ArrayLike,  # noqa: N803
    at: Sequence[tuple[int, int]] = ((0, 0),),
) -> Picture:
    """One panel for each place of the filter: what is multiplied with what, and where it goes.

    Stride 1 and no padding. A value of ``Y`` that is not the sum written under its panel is
    told in vermilion.

    Args:
        X: (H, W), the input.
        K: (K_H, K_W), the filter.
        Y: (H', W'), what the function under study made of the two.
        at: places in ``Y``, each (row, column).

    Raises:
        BadInputError: an array is not 2-D, or at one of the places there is no value in ``Y``
            or the filter reaches past ``X``.
    """
    x, k, y = (numbers(f"sliding_window, {n}", a, (2,)) for n, a in (("X", X), ("K", K), ("Y", Y)))
    steps = [_checked(_Step(x, k, y, (row, column))) for row, column in at]
    if not steps:
        refuse("sliding_window, at", "no place", "at least one", "Give at=[(0, 0)].")
    if steps[0].width > WIDEST:
        found, wanted = f"{x.shape} and {y.shape}", "arrays whose numbers can be read"
        refuse("sliding_window, X and Y", found, wanted, "Show a corner: X[:6, :6].")
    columns = max(1, min(len(steps), int(PAGE_WIDTH / (CELL * steps[0].width))))
    rows = -(-len(steps) // columns)
    tall = steps[0].height + ABOVE + BELOW
    figure = Picture(CELL * steps[0].width * columns, CELL * tall * rows)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes in panels:
        drawing(axes, -EDGE, steps[0].width + EDGE, -ABOVE, tall - ABOVE)
    for axes, step in zip(figure.axes, steps, strict=False):
        _draw(axes, step)
    return figure


def _checked(step: _Step) -> _Step:
    where = f"sliding_window, at {step.place}"
    last = step.window[-1]
    if min(step.place) < 0 or not holds(step.X, last):
        refuse(
            where,
            f"a filter of shape {step.K.shape} that reaches past X of shape {step.X.shape}",
            "a place where all of it lies on X",
            "Count rows and columns from 0.",
        )
    if not holds(step.Y, step.place):
        refuse(
            where,
            f"no such value in Y of shape {step.Y.shape}",
            "one value for every place of the filter",
            "Look at the shape of what your function returns.",
        )
    return step


def _draw(axes: Axes, step: _Step) -> None:
    trio: Sequence[tuple[NDArray[np.float64], str, Mark]] = (
        (step.X, "X", (step.window, BLUE)),
        (step.K, "K", (window((0, 0), step.K.shape), ORANGE)),
        (step.Y, "Y", ([step.place], GREEN)),
    )
    left, middle = 0.0, step.height / 2
    for (array, title, mark), sign in zip(trio, " ⋆=", strict=True):
        write(axes, left - GAP / 2, middle, sign, size=17)
        grid(axes, array, (left, middle - len(array) / 2), title, [mark])
        left += array.shape[1] + GAP
    _write_sum(axes, step)


def _write_sum(axes: Axes, step: _Step) -> None:
    pairs = [(step.X[at], weight) for at, weight in zip(step.window, step.K.flat, strict=True)]
    total, found = sum(x * weight for x, weight in pairs), step.Y[step.place]
    name = f"Y[{step.place[0]}, {step.place[1]}]"
    terms = " + ".join(f"{_factor(x)}×{_factor(weight)}" for x, weight in pairs)
    right = np.isclose(found, total)
    verdict = "" if right else f"\nbut {name} is {number(found)}"
    axes.text(
        step.width / 2,
        step.height + 0.3,
        textwrap.fill(f"{name} = {terms} = {number(total)}", int(4.6 * step.width)) + verdict,
        ha="center",
        va="top",
        fontsize=9,
        color=INK if right else VERMILION,
    )


def _factor(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)
