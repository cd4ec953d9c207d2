"""Watching a network learn, and looking at what it has learned."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    PAGE_WIDTH,
    PALETTE,
    SIGNED,
    VERMILION,
    Picture,
    tint,
)
from autograder.show.cells import number, write
from autograder.show.inputs import numbers, refuse, whole
from autograder.show.pictures import draw_map

History = Mapping[str, ArrayLike]

FEW = 2  # runs of which the loss of every step can be seen
MARKERS = "os^Dv"
SMOOTH = 20  # steps whose mean a loss curve shows, at most a tenth of all
TILE, LINE = 0.82, 0.22  # inches: a tile at most, and a line of text above it
PANEL = 1.75  # inches: an image with its probabilities
STEEP = 50.0  # how much faster the valley of `descent` rises along one axis than the other


def curves(
    lines: Mapping[str, ArrayLike],
    *,
    xlabel: str = "",
    ylabel: str = "",
    log: bool = False,
    start: int = 1,
) -> Picture:
    """One line a name, over whole numbers.

    Args:
        lines: (length,) each.
        xlabel: what is counted.
        ylabel: what the values are.
        log: whether the vertical axis is logarithmic.
        start: the first of the numbers.

    Raises:
        BadInputError: there is no line, or one is not a 1-D array of numbers.
    """
    found = {name: numbers(f"curves, {name}", line, (1,)) for name, line in lines.items()}
    if not found:
        refuse("curves, lines", "none", "at least one", "Give them by name.")
    figure = Picture(6, 3)
    axes = figure.subplots()
    for (name, line), colour in zip(found.items(), _colours(len(found)), strict=True):
        axes.plot(_counted(line) - 1 + start, line, color=colour, label=name, linewidth=1.8)
    if log:
        axes.set_yscale("log")
        axes.minorticks_off()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _dress(axes, xlabel, ylabel)
    axes.legend(fontsize=9, frameon=False)
    return figure


def history(runs: History | Mapping[str, History]) -> Picture:
    """How training went: the loss of every step (smoothed: the line), the accuracy of each epoch.

    Args:
        runs: ``{"loss": [...], "accuracy": [...]}`` of one training, or several of them by name.

    Raises:
        BadInputError: that is not what it holds.
    """
    named: Mapping[str, Any] = {"": runs} if "loss" in runs else runs
    figure = Picture(PAGE_WIDTH, 3)
    left, right = figure.subplots(1, 2)
    faint = 0.35 if len(named) <= FEW else 0.15
    for place, (name, run) in enumerate(named.items()):
        colour, marker = _colours(len(named))[place], MARKERS[place % len(MARKERS)]
        loss, accuracy = (_part(name, run, key) for key in ("loss", "accuracy"))
        left.plot(_counted(loss), loss, color=tint(colour, faint), linewidth=0.7, zorder=1)
        width = max(1, min(SMOOTH, len(loss) // 10))
        smooth = np.convolve(loss, np.full(width, 1 / width), "valid")
        style: Any = {"color": colour, "label": name, "linewidth": 1.8, "zorder": 2}
        style["linestyle"] = "-" if place < FEW + 2 else (0, (4, 1.2))
        left.plot(_counted(smooth) + width - 1, smooth, **style)
        right.plot(_counted(accuracy), accuracy, marker=marker, markersize=5, **style)
    _dress(left, "step", "loss of the batch")
    _dress(right, "epoch", "validation accuracy")
    left.set_ylim(bottom=0)
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    if "" not in named:
        beside = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
        right.legend(fontsize=9, frameon=False, **beside)
    return figure


def _part(name: str, run: Any, key: str) -> NDArray[np.float64]:
    where = f"history{', ' + name if name else ''}"
    if not isinstance(run, Mapping) or key not in run:
        refuse(where, f"no {key!r}", "a dict with 'loss' and 'accuracy'", "Give train's result.")
    return numbers(f"{where}, {key}", run[key], (1,))


def _colours(count: int) -> list[str]:
    return [PALETTE[i % len(PALETTE)] for i in range(count)]


def _counted(line: NDArray[np.float64]) -> NDArray[np.int_]:
    return np.arange(1, len(line) + 1)


def _dress(axes: Axes, xlabel: str, ylabel: str) -> None:
    axes.set_xlabel(xlabel, fontsize=9, color=INK)
    axes.set_ylabel(ylabel, fontsize=9, color=INK)
    axes.tick_params(colors=INK, labelsize=8, length=0)
    axes.grid(color=FAINT, alpha=0.3, linewidth=0.6)
    axes.spines[:].set_visible(False)


def descent(paths: Mapping[str, ArrayLike]) -> Picture:
    """Ways down a long valley, L = (w₀² + 50 w₁²) / 2, seen from above.

    Args:
        paths: (steps, 2) each: the places w, the start first.

    Raises:
        BadInputError: there is no path, or one is not of this shape.
    """
    found = {name: numbers(f"descent, {name}", path, (2,)) for name, path in paths.items()}
    if not found or any(path.shape[1] != 2 for path in found.values()):
        shapes = [path.shape for path in found.values()]
        refuse("descent, paths", f"{shapes}", "shapes (steps, 2)", "Give places in the plane.")
    figure = Picture(PAGE_WIDTH, 0.2 + 2.1 * len(found))
    for axes, (name, path) in zip(
        figure.subplots(len(found), 1, sharex=True, squeeze=False).flat,
        found.items(),
        strict=True,
    ):
        _valley(axes, np.abs(np.concatenate(list(found.values()))).max(axis=0) * 1.15)
        axes.plot(*path.T, "o-", color=VERMILION, markersize=3.5, linewidth=1.2)
        axes.plot(0, 0, "*", color=GREEN, markersize=13)
        axes.set_title(name, fontsize=10, color=INK)
        axes.set(xticks=[], yticks=[])
    return figure


def _valley(axes: Axes, reach: NDArray[np.float64]) -> None:
    w0, w1 = (np.linspace(-r, r, 101) for r in reach)
    heights = (w0**2 + STEEP * w1[:, None] ** 2) / 2
    levels = heights.max() * np.linspace(0, 1, 13) ** 2
    axes.contour(w0, w1, heights, levels, colors=[tint(BLUE, 0.5)], linewidths=0.8)


def tiles(
    arrays: ArrayLike,
    *,
    columns: int = 10,
    titles: Sequence[str] | None = None,
    alike: bool = True,
) -> Picture:
    """Filters or feature maps in rows.

    Where there are negative numbers, blue is below zero, white zero and orange above; else black
    is 0 and white the largest.

    Args:
        arrays: (count, H, W).
        columns: how many in a row.
        titles: one for each.
        alike: whether all have one scale, so that they can be compared; if not, each has its own.

    Raises:
        BadInputError: that is not their shape, or there is another number of titles.
    """
    maps = numbers("tiles, arrays", arrays, (3,))
    columns = min(whole("tiles, columns", columns, 1), len(maps))
    if titles is not None and len(titles) != len(maps):
        refuse("tiles, titles", f"{len(titles)}", f"{len(maps)}, one an array", "Add them.")
    rows = -(-len(maps) // columns)
    size = min(TILE, PAGE_WIDTH / columns)
    figure = Picture(size * columns, (size + (LINE if titles else 0)) * rows)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for place, axes in enumerate(panels):
        if place < len(maps):
            draw_map(axes, maps[place], "", **_scale(maps if alike else maps[place]))
            axes.set_title(titles[place] if titles else "", fontsize=9, color=INK, pad=2)
        else:
            axes.set_axis_off()
    return figure


def _scale(maps: NDArray[np.float64]) -> dict[str, Any]:
    finite = maps[np.isfinite(maps)]
    reach = np.abs(finite).max(initial=1e-300)
    if finite.min(initial=0) < 0:
        return {"cmap": SIGNED, "vmin": -reach, "vmax": reach}
    return {"cmap": "gray", "vmin": 0, "vmax": reach}


def verdicts(
    images: ArrayLike, probabilities: ArrayLike, labels: ArrayLike, *, most: int = 10
) -> Picture:
    """Images with what a network makes of them: a bar for each class, the label's in green.

    Args:
        images: (N, H, W).
        probabilities: (N, classes).
        labels: (N,) the right classes.
        most: how many are shown, the first ones.

    Raises:
        BadInputError: they are not of these shapes.
    """
    pictures = numbers("verdicts, images", images, (3,))
    shares = numbers("verdicts, probabilities", probabilities, (2,))
    right = numbers("verdicts, labels", labels, (1,)).astype(int)
    if not len(pictures) == len(shares) == len(right):
        got = f"{len(pictures)} images, {len(shares)} probabilities, {len(right)} labels"
        refuse("verdicts", got, "as many of each", "Choose the same images from all three.")
    count = min(whole("verdicts, most", most, 1), len(pictures))
    columns = min(5, count)
    rows = -(-count // columns)
    figure = Picture(PANEL * columns, 1.45 * PANEL * rows)
    panels = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[2, 1] * rows)
    for place in range(rows * columns):
        above, below = panels[2 * (place // columns) : 2 * (place // columns) + 2, place % columns]
        if place < count:
            _verdict(above, below, pictures[place], shares[place], int(right[place]))
        else:
            above.set_axis_off()
            below.set_axis_off()
    return figure


def _verdict(
    above: Axes,
    below: Axes,
    image: NDArray[np.float64],
    shares: NDArray[np.float64],
    label: int,
) -> None:
    said = int(shares.argmax())
    draw_map(above, image, f"is {label}, taken for {said}" if said != label else f"is {label}")
    classes = range(len(shares))
    colours = [GREEN if c == label else VERMILION if c == said else FAINT for c in classes]
    below.bar(classes, shares, color=colours)
    below.set(ylim=(0, 1), yticks=[], xticks=classes)
    below.tick_params(labelsize=7, length=0, colors=INK)
    below.spines[:].set_visible(False)


def confusion(labels: ArrayLike, predictions: ArrayLike, *, classes: int = 10) -> Picture:
    """How often each class (row) was taken for each (column).

    Args:
        labels: (N,) the right classes.
        predictions: (N,) what was said.
        classes: how many there are.

    Raises:
        BadInputError: they differ in length, or a number is of no class.
    """
    right, said = (
        numbers(f"confusion, {name}", value, (1,)).astype(int)
        for name, value in (("labels", labels), ("predictions", predictions))
    )
    if len(right) != len(said):
        got, expected = f"{len(said)} predictions", f"{len(right)}, one a label"
        refuse("confusion", got, expected, "Predict all images.")
    if min(right.min(), said.min()) < 0 or max(right.max(), said.max()) >= classes:
        got, expected = f"up to {max(right.max(), said.max())}", f"classes 0 to {classes - 1}"
        refuse("confusion", got, expected, "Give numbers of classes.")
    counts = np.zeros((classes, classes))
    np.add.at(counts, (right, said), 1)
    figure = Picture(0.4 * classes + 0.9, 0.4 * classes + 0.9)
    axes = figure.subplots()
    shades = np.ones((classes, classes, 3))
    shades[counts > 0] = tint(VERMILION, 0.45)
    np.einsum("iic->ic", shades)[:] = tint(GREEN, 0.35)
    axes.imshow(shades)
    for row, column in np.argwhere(counts):
        write(axes, column, row, number(counts[row, column]), size=9)
    axes.set(xticks=range(classes), yticks=range(classes))
    axes.set_xlabel("taken for", fontsize=9, color=INK)
    axes.set_ylabel("is", fontsize=9, color=INK)
    axes.tick_params(labelsize=8, length=0, colors=INK)
    axes.spines[:].set_visible(False)
    return figure
