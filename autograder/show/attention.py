"""What a network looks at, laid over its images, and what it takes for what."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import (
    GREEN,
    INK,
    PAGE_WIDTH,
    PAPER,
    VERMILION,
    Picture,
    tint,
)
from autograder.show.cells import number, write
from autograder.show.inputs import numbers, refuse, whole
from autograder.show.scenes import pixels, titled, trace

# From dark to light, so that it needs no colours to be read.
HEAT = LinearSegmentedColormap.from_list("heat", [VERMILION, "#FF9A2E", "#FFE15C", "#FFFBD0"])
STRONGEST = 0.8  # opacity of the highest place
PALE = 0.3  # how much of its colours a picture keeps below a map,
DARK = 0.6  # and how much of its light, so that the map is lighter
CELL, NAMED = 0.38, 40  # inches of a class, and how many are shown with their names

Floats = NDArray[np.float64]


def attention(
    images: ArrayLike,
    maps: ArrayLike,
    masks: ArrayLike | None = None,
    titles: Sequence[str] | None = None,
    *,
    columns: int = 6,
) -> Picture:
    """Pictures, paled and darkened, and over them a glow where their maps are positive.

    A map is enlarged bilinearly, and has its own scale: what is not positive is clear, and the
    highest place, marked with a cross, the lightest.

    Args:
        images: (N, H, W, 3) with values from 0 to 255.
        maps: (N, h, w), of any size.
        masks: (N, H, W) bool, to be outlined in blue; or None.
        titles: one for each picture.
        columns: how many stand in a row.

    Raises:
        BadInputError: they are not of these shapes, or there are not as many of each.
    """
    pictures = pixels("attention, images", images)
    coarse = numbers("attention, maps", maps, (3,))
    inside = None if masks is None else numbers("attention, masks", masks, (3,))
    _require("maps", len(coarse), len(pictures))
    if inside is not None and inside.shape != pictures.shape[:3]:
        got, expected = f"shape {inside.shape}", f"shape {pictures.shape[:3]}"
        refuse("attention, masks", got, expected, "Choose those of the same pictures.")
    if titles is not None:
        _require("titles", len(titles), len(pictures))
    figure, every = titled(len(pictures), whole("attention, columns", columns, 1), titles)
    for place, (axes, picture) in enumerate(zip(every, pictures, strict=True)):
        _overlay(axes, picture, _enlarged(coarse[place], picture.shape[:2]))
        if inside is not None:
            trace(axes, inside[place])
    return figure


def _require(name: str, got: int, expected: int) -> None:
    if got != expected:
        refuse(f"attention, {name}", str(got), f"{expected}, one a picture", "Give as many.")


def _overlay(axes: Axes, picture: NDArray[np.uint8], heights: Floats) -> None:
    """The picture, paled, what is positive over it, and a cross at the highest place."""
    gray = np.repeat((picture @ np.array([0.299, 0.587, 0.114]))[..., None], 3, axis=2)
    pale = (PALE * picture + (1 - PALE) * gray) / 255
    axes.imshow(DARK * np.clip(pale, 0, 1), interpolation="nearest")
    share = np.clip(heights, 0, None) / max(heights.max(), 1e-300)
    layer = HEAT(share)
    layer[..., 3] = STRONGEST * share**0.8
    axes.imshow(layer, interpolation="nearest")
    row, column = np.unravel_index(int(np.argmax(heights)), heights.shape)
    if heights[row, column] > 0:
        for colour, width, reach in ((PAPER, 3.4, 8.4), (INK, 1.4, 7)):
            style: Any = {"markersize": reach, "markeredgewidth": width, "zorder": 5}
            axes.plot(column, row, "+", color=colour, **style)


def _enlarged(coarse: Floats, size: tuple[int, ...]) -> Floats:
    """(h, w) to (H, W): bilinear, a cell standing for its square, the outermost values kept."""
    down, across = (_shares(*sides) for sides in zip(size, coarse.shape, strict=True))
    return np.asarray(down @ coarse @ across.T)


def _shares(side: int, cells: int) -> Floats:
    """(side, cells): how much of each cell there is in each pixel."""
    middle = (np.arange(side) + 0.5) * cells / side - 0.5
    place = np.clip(middle, 0, cells - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(place[:, None] - np.arange(cells))))


def confused(counts: ArrayLike, names: Sequence[str], categories: Sequence[str]) -> Picture:
    """How often each class (row) was taken for each (column), categories side by side.

    Args:
        counts: (K, K).
        names: of the classes, in the order of the counts.
        categories: of each class its own.

    Raises:
        BadInputError: there are not as many of each, or a count is negative.
    """
    table = numbers("confused, counts", counts, (2,))
    for what, given in (("names", names), ("categories", categories)):
        if len(given) != len(table):
            got, expected = f"{len(given)}", f"{len(table)}, one a class"
            refuse(f"confused, {what}", got, expected, "Give as many.")
    if table.shape[0] != table.shape[1] or table.min() < 0:
        got = f"shape {table.shape}, at least {table.min():g}"
        refuse("confused, counts", got, "a square of counts from 0 up", "Count images.")
    groups = list(dict.fromkeys(categories))
    order = sorted(range(len(table)), key=lambda k: groups.index(categories[k]))
    sizes = [list(categories).count(group) for group in groups]
    figure = _matrix(table[np.ix_(order, order)], [names[k] for k in order], groups, sizes)
    figure.supxlabel(_told(table, categories), fontsize=9, color=INK)
    return figure


def _matrix(
    table: Floats, names: Sequence[str], groups: Sequence[str], sizes: Sequence[int]
) -> Picture:
    classes, small = len(table), len(table) <= NAMED
    side = CELL * classes + 2.2 if small else 6.5
    figure = Picture(min(side, PAGE_WIDTH), min(side, PAGE_WIDTH) + 0.2)
    axes = figure.subplots()
    axes.imshow(_shades(table), interpolation="nearest")
    if small:
        for row, column in np.argwhere(table):
            write(axes, column, row, number(table[row, column]), size=min(9, 250 / classes))
    ends = np.cumsum([0, *sizes]) - 0.5
    for end in ends[1:-1]:
        axes.axhline(end, color=INK, linewidth=0.7)
        axes.axvline(end, color=INK, linewidth=0.7)
    middles = (ends[1:] + ends[:-1]) / 2
    ticks = (range(classes), names) if small else (middles, groups)
    axes.set_xticks(*ticks, rotation=90 if small else 0)
    axes.set_yticks(*ticks)
    axes.set_xlabel("taken for", fontsize=9, color=INK)
    axes.set_ylabel("is", fontsize=9, color=INK)
    axes.tick_params(labelsize=8, length=0, colors=INK)
    for edge in axes.spines.values():
        edge.set(color=INK, linewidth=0.7)
    if small:
        _beside(axes, middles, groups)
    return figure


def _beside(axes: Axes, middles: Floats, groups: Sequence[str]) -> None:
    """The categories, above and on the right."""
    style: dict[str, Any] = {"fontsize": 9, "color": INK, "clip_on": False}
    last = axes.get_xlim()[1]
    for middle, group in zip(middles, groups, strict=True):
        axes.text(middle, -0.75, group, ha="center", va="bottom", **style)
        axes.text(last + 0.25, middle, group, ha="left", va="center", rotation=270, **style)


def _shades(table: Floats) -> Floats:
    """(K, K, 3) by shares of rows: green on the diagonal, red beside it, the most in full."""
    share = table / np.maximum(table.sum(1, keepdims=True), 1)
    right = np.eye(len(table), dtype=bool)
    share = np.where(right, share, share / max((share * ~right).max(), 1e-300))
    colours = np.where(right[..., None], tint(GREEN, 0.65), tint(VERMILION, 0.75))
    return np.asarray(1 - np.sqrt(share)[..., None] * (1 - colours))


def _told(table: Floats, categories: Sequence[str]) -> str:
    kinds = np.asarray(categories)
    same = kinds[:, None] == kinds
    wrong = table * ~np.eye(len(table), dtype=bool)
    total, mistakes, within = table.sum(), wrong.sum(), (wrong * same).sum()
    if not mistakes:
        return f"{total:.0f} images, no mistake"
    return (
        f"{mistakes:.0f} of {total:.0f} images are wrong: {within / mistakes:.0%} of these within "
        f"their category, {1 - within / mistakes:.0%} across"
    )
