"""From scores to decisions: probabilities, what comes back to the scores, regions of a plane."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import BLUE, FAINT, GREEN, INK, PALETTE, PAPER, Picture, tint
from autograder.show.cells import number
from autograder.show.inputs import numbers, refuse, whole

FINE = 160  # points of the plane along each axis
BORDER = 0.08  # of the points' reach, around them

Array = NDArray[np.float64]


def softmax(
    scores: ArrayLike,
    probabilities: ArrayLike,
    gradient: ArrayLike,
    names: Sequence[str],
    y: int,
) -> Picture:
    """One image's scores, their probabilities and the gradient that comes back, class by class.

    Args:
        scores: (C,).
        probabilities: (C,), what softmax makes of them.
        gradient: (C,), of the loss with respect to the scores.
        names: of the C classes.
        y: the right class; its bars are green.

    Raises:
        BadInputError: one of these has another length, or there is no such class.
    """
    given = {"scores": scores, "probabilities": probabilities, "gradient": gradient}
    panels = {name: numbers(f"softmax, {name}", array, (1,)) for name, array in given.items()}
    for name, array in panels.items():
        if len(array) != len(names):
            refuse(f"softmax, {name}", f"{len(array)} numbers", f"{len(names)}, one a name", "Cut.")
    if whole("softmax, y", y, 0) >= len(names):
        refuse("softmax, y", str(y), f"a class below {len(names)}", "Count from 0.")
    figure = Picture(8.4, 0.4 * len(names) + 0.6)
    row = figure.subplots(1, 3, sharey=True)
    for axes, (title, array) in zip(row, panels.items(), strict=True):
        _bars(axes, title, array, y)
    row[0].set_yticks(range(len(names)), names, fontsize=10)
    row[0].invert_yaxis()
    return figure


def _bars(axes: Axes, title: str, array: Array, y: int) -> None:
    colours = [tint(GREEN if i == y else BLUE, 0.7) for i in range(len(array))]
    drawn = axes.barh(range(len(array)), array, color=colours, height=0.62)
    axes.bar_label(drawn, [number(value) for value in array], padding=4, fontsize=9, color=INK)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.margins(x=0.25)
    axes.set_title(title, fontsize=10, color=INK)
    axes.set_xticks([])
    axes.tick_params(length=0, colors=INK)
    axes.spines[:].set_visible(False)


def regions(points: ArrayLike, y: ArrayLike, classify: Callable[[Array], Any]) -> Picture:
    """Points of a plane in the colour of their class, on what ``classify`` says around them.

    Args:
        points: (N, 2).
        y: (N,), the points' classes, counted from 0.
        classify: from points (n, 2) to n classes.

    Raises:
        BadInputError: the arrays do not fit, there are more classes than colours, or ``classify``
            answers otherwise.
    """
    where, labels = numbers("regions, points", points, (2,)), numbers("regions, y", y, (1,))
    if where.shape != (len(labels), 2):
        refuse("regions, points", f"shape {where.shape}", f"({len(labels)}, 2)", "One a label.")
    low, high = where.min(axis=0), where.max(axis=0)
    reach = BORDER * (high - low)
    x0, x1 = (np.linspace(*ends, FINE) for ends in zip(low - reach, high + reach, strict=True))
    plane = np.stack(np.meshgrid(x0, x1), axis=-1).reshape(-1, 2)
    answers = numbers("regions, classify(points)", classify(plane), (1,))
    if len(answers) != len(plane):
        found, wanted = f"{len(answers)} classes", f"{len(plane)}, one a point"
        refuse("regions, classify(points)", found, wanted, "Take the argmax over axis 1.")
    if max(answers.max(), labels.max()) >= len(PALETTE):
        refuse("regions, y", "too many classes", f"at most {len(PALETTE)}", "Show fewer.")
    return _plane(where, labels, answers.reshape(FINE, FINE), (x0[0], x0[-1], x1[0], x1[-1]))


def _plane(
    points: Array, labels: Array, answers: Array, extent: tuple[float, float, float, float]
) -> Picture:
    figure = Picture(4.6, 4.6)
    axes = figure.subplots()
    last = len(PALETTE) - 1
    light, strong = (ListedColormap([tint(c, s) for c in PALETTE]) for s in (0.3, 1.0))
    axes.imshow(answers, cmap=light, vmin=0, vmax=last, extent=extent, origin="lower")
    options: dict[str, Any] = {"cmap": strong, "vmin": 0, "vmax": last, "s": 16}
    axes.scatter(points[:, 0], points[:, 1], c=labels, edgecolors=PAPER, linewidths=0.4, **options)
    axes.set(xticks=[], yticks=[], aspect="equal")
    for side in axes.spines.values():
        side.set(color=FAINT, linewidth=0.6)
    return figure
