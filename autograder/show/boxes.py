"""Boxes: what their numbers mean, what they overlap, where they are in pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PAGE_WIDTH,
    PAPER,
    VERMILION,
    Colour,
    Picture,
    drawing,
    tint,
)
from autograder.show.inputs import numbers, refuse, whole
from autograder.show.panels import panels

LARGEST, TITLE = 1.8, 0.26  # inches: a picture at most, and the line above it
PANEL, TALLEST = 2.1, 2.3  # inches: two boxes on squared paper
EDGE = withStroke(linewidth=3.6, foreground=PAPER)

Floats = NDArray[np.float64]


def boxed(
    images: ArrayLike,
    true: ArrayLike,
    predicted: ArrayLike | None = None,
    titles: Sequence[str] | None = None,
    *,
    right: ArrayLike | None = None,
    columns: int = 6,
) -> Picture:
    """Pictures with the true box in orange and, dashed, the predicted one in blue.

    Args:
        images: (N, H, W, 3), values from 0 to 255.
        true: (N, 4) x0, y0, x1, y1 in pixels, the second corner the first pixel outside.
        predicted: as ``true``, of any numbers.
        titles: one for each picture.
        right: (N,) whether a title is green; it is red otherwise.
        columns: how many stand in a row.

    Raises:
        BadInputError: they are not of these shapes, or there are not as many of each.
    """
    pictures = numbers("boxed, images", images, (4,))
    count = len(pictures)
    sets = {ORANGE: _boxes("boxed, true", true, count)}
    if predicted is not None:
        sets[BLUE] = _boxes("boxed, predicted", predicted, count)
    if titles is not None and len(titles) != count:
        refuse("boxed, titles", str(len(titles)), f"{count}, one a picture", "Add them.")
    hits = None if right is None else numbers("boxed, right", right, (1,))
    columns = whole("boxed, columns", columns, 1)
    figure, every = panels(count, columns, LARGEST, TITLE * _lines(titles))
    for place, (axes, picture) in enumerate(zip(every, pictures, strict=True)):
        axes.imshow(picture.astype(np.uint8), interpolation="nearest")
        colour = INK if hits is None else GREEN if hits[place] else VERMILION
        axes.set_title(titles[place] if titles else "", fontsize=9, color=colour, pad=3)
        for line, boxes in sets.items():
            _frame(axes, boxes[place] - 0.5, line, dashed=line == BLUE)
    return figure


def box_numbers(image: ArrayLike, box: ArrayLike) -> Picture:
    """One picture twice: a box by its corners in pixels, and by (x, y, w, h) in fractions.

    Args:
        image: (H, W, 3), values from 0 to 255.
        box: x0, y0, x1, y1 in pixels.

    Raises:
        BadInputError: they are not of these shapes.
    """
    picture = numbers("box_numbers, image", image, (3,))
    ((x0, y0, x1, y1),) = _boxes("box_numbers, box", [box], 1)
    height, width = picture.shape[:2]
    figure = Picture(PAGE_WIDTH, 3.9)
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        axes.imshow(picture.astype(np.uint8), interpolation="nearest", extent=(0, width, height, 0))
        _frame(axes, np.array([x0, y0, x1, y1]), ORANGE)
        axes.tick_params(labelsize=8, colors=INK)
        for side in axes.spines.values():
            side.set(color=FAINT, linewidth=0.6)
    left.set_title("corners, in pixels", fontsize=10, color=INK)
    left.set(xticks=[0, x0, x1, width], yticks=[0, y0, y1, height])
    _dot(left, x0, y0, f"({x0:g}, {y0:g})", up=True)
    _dot(left, x1, y1, f"({x1:g}, {y1:g})", up=False)
    right.set_title("(x, y, w, h), in fractions of the sides", fontsize=10, color=INK)
    right.set(xticks=[0, width / 2, width], xticklabels=["0", "½", "1"])
    right.set(yticks=[0, height / 2, height], yticklabels=["0", "½", "1"])
    _dot(right, x0, y0, f"({x0 / width:.2f}, {y0 / height:.2f})", up=True)
    _span(right, (x0, y1 + 2.5), (x1, y1 + 2.5), f"w = {(x1 - x0) / width:.2f}")
    _span(right, (x1 + 2.5, y0), (x1 + 2.5, y1), f"h = {(y1 - y0) / height:.2f}")
    return figure


def overlaps(pairs: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Picture:
    """Two boxes a panel on squared paper, orange and blue, and in green what they share.

    Args:
        pairs: for each title two boxes x0, y0, x1, y1 with numbers from 0 up.

    Raises:
        BadInputError: there is no pair, or one is not two boxes.
    """
    if not pairs:
        refuse("overlaps, pairs", "none", "at least one", "Give them by title.")
    found = {title: _boxes(f"overlaps, {title}", pair, 2) for title, pair in pairs.items()}
    reach = np.max([boxes.max(0) for boxes in found.values()], axis=0)
    wide, high = float(max(reach[0], reach[2])), float(max(reach[1], reach[3]))
    width = min(PAGE_WIDTH / len(found), PANEL)
    figure = Picture(width * len(found), min(width * high / wide, TALLEST) + 0.5)
    row = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (title, (a, b)) in zip(row, found.items(), strict=True):
        _paper(axes, wide, high)
        axes.set_title(title, fontsize=9, color=INK)
        for box, colour in ((a, ORANGE), (b, BLUE)):
            _fill(axes, box, colour, 0.25)
        shared = np.concatenate([np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])])
        if (shared[2:] > shared[:2]).all():
            _fill(axes, shared, GREEN, 0.6)
        for box, colour in ((a, ORANGE), (b, BLUE)):
            _frame(axes, box, colour, dashed=colour == BLUE)
    return figure


def window_grid(image: ArrayLike, size: int, stride: int, cost: Mapping[str, float]) -> Picture:
    """The windows that slide over an image, and what it costs to classify them all.

    Args:
        image: (H, W, 3), values from 0 to 255.
        size: of a window, in pixels.
        stride: from one to the next.
        cost: multiply-adds by name.

    Raises:
        BadInputError: the image has another shape, no window fits, or there is no cost.
    """
    picture = numbers("window_grid, image", image, (3,))
    height, width = picture.shape[:2]
    size, stride = whole("window_grid, size", size, 1), whole("window_grid, stride", stride, 1)
    if size > min(height, width):
        refuse("window_grid, size", str(size), f"at most {min(height, width)}", "Take less.")
    if not cost:
        refuse("window_grid, cost", "none", "at least one", "Give them by name.")
    figure = Picture(PAGE_WIDTH, 2.9)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.9))
    left.imshow(picture.astype(np.uint8), interpolation="nearest", extent=(0, width, height, 0))
    left.set_axis_off()
    across, down = (np.arange(0, side - size + 1, stride) for side in (width, height))
    x, y = (axis.ravel() + size / 2 for axis in np.meshgrid(across, down))
    left.plot(x, y, ".", color=PAPER, markersize=3.4)
    left.plot(x, y, ".", color=INK, markersize=1.8)
    for corner, colour in ((0, ORANGE), (stride, BLUE)):
        box = np.array([corner, 0, corner + size, size])
        _frame(left, box, colour, dashed=colour == BLUE)
    left.set_title(f"{len(x)} windows (a dot: the middle of one)", fontsize=9, color=INK)
    _bars(right, cost)
    return figure


def two_heads(channels: int, height: int, width: int, num_classes: int) -> Picture:
    """A network with a head for the class and one for the box: what each is given and returns.

    Args:
        channels: of the backbone's maps.
        height: of the maps.
        width: of the maps.
        num_classes: how many scores there are.

    Raises:
        BadInputError: one of them is not a whole number from 1 up.
    """
    sizes = {"channels": channels, "height": height, "width": width, "num_classes": num_classes}
    for name, size in sizes.items():
        whole(f"two_heads, {name}", size, 1)
    figure = Picture(PAGE_WIDTH, 2.6)
    axes = figure.subplots()
    drawing(axes, 0, 100, 0, 27)
    maps = f"{channels} maps\n{height}×{width}"
    flat = f"flatten\n{channels * height * width:,} numbers"
    _part(axes, 5, 13.5, "image", PAPER)
    _part(axes, 20, 13.5, "backbone", tint(FAINT, 0.3))
    _part(axes, 36, 13.5, maps, PAPER)
    for y, first, head, out, colour in (
        (6, f"mean of each\n{channels} numbers", "class head", f"{num_classes} scores", BLUE),
        (21, flat, "box head", "sigmoid\nx, y, w, h", ORANGE),
    ):
        for x, text, fill in ((55, first, PAPER), (72, head, tint(colour, 0.4)), (89, out, PAPER)):
            _part(axes, x, y, text, fill)
        _arrow(axes, (42, 13.5), (48.4, y))
        _arrow(axes, (61.6, y), (66.4, y))
        _arrow(axes, (77.6, y), (82.4, y))
    _arrow(axes, (9, 13.5), (14.4, 13.5))
    _arrow(axes, (25.6, 13.5), (30.4, 13.5))
    return figure


def _part(axes: Axes, x: float, y: float, text: str, fill: Colour) -> None:
    style = {"boxstyle": "round,pad=0.45", "facecolor": fill, "edgecolor": FAINT}
    axes.text(x, y, text, ha="center", va="center", fontsize=9, color=INK, bbox=style)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1})


def _bars(axes: Axes, cost: Mapping[str, float]) -> None:
    places = np.arange(len(cost))
    axes.barh(places, list(cost.values()), color=[tint(BLUE, 0.75)] * len(cost), height=0.55)
    for place, (name, value) in enumerate(cost.items()):
        text = f"{name}: {value:,.0f}"
        note = axes.annotate(text, (0, place - 0.3), (4, 2), textcoords="offset points", fontsize=9)
        note.set_color(INK)
    axes.set(ylim=(len(cost) - 0.5, -0.7), xlim=(0, max(cost.values()) * 1.02), yticks=[])
    axes.set_xticks([])
    axes.set_title("multiply-adds", fontsize=9, color=INK)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_color(FAINT)


def _lines(titles: Sequence[str] | None) -> float:
    """How many lines the longest title has, at nine points."""
    return max((0.4 + 0.7 * (title.count("\n") + 1) for title in titles or ()), default=0)


def _boxes(where: str, given: Any, count: int) -> Floats:
    boxes = numbers(where, given, (2,))
    if boxes.shape != (count, 4):
        fix = "One box an image: x0, y0, x1, y1."
        refuse(where, f"shape {boxes.shape}", f"shape ({count}, 4)", fix)
    return np.nan_to_num(boxes)


def _frame(axes: Axes, box: Floats, colour: str, dashed: bool = False) -> None:
    """A frame, edged in white for dark pixels."""
    (x0, y0), (wide, high) = box[:2], box[2:] - box[:2]
    style: Any = (0, (3, 1.6)) if dashed else "-"
    for line, width, dash in ((PAPER, 3.6, "-"), (colour, 1.8, style)):
        frame = Rectangle((x0, y0), wide, high, fill=False, edgecolor=line, linewidth=width)
        frame.set(linestyle=dash)
        axes.add_patch(frame)


def _fill(axes: Axes, box: Floats, colour: str, strength: float) -> None:
    (x0, y0), (wide, high) = box[:2], box[2:] - box[:2]
    axes.add_patch(Rectangle((x0, y0), wide, high, facecolor=tint(colour, strength), linewidth=0))


def _paper(axes: Axes, wide: float, high: float) -> None:
    drawing(axes, -0.3, wide + 0.3, -0.3, high + 0.3)
    for x in np.arange(wide + 1):
        axes.plot([x, x], [0, high], color=tint(FAINT, 0.45), linewidth=0.6)
    for y in np.arange(high + 1):
        axes.plot([0, wide], [y, y], color=tint(FAINT, 0.45), linewidth=0.6)


def _dot(axes: Axes, x: float, y: float, text: str, *, up: bool) -> None:
    axes.plot(x, y, "o", color=ORANGE, markersize=7, markeredgecolor=PAPER, clip_on=False)
    place: dict[str, Any] = {"xytext": (0, 8 if up else -9), "va": "bottom" if up else "top"}
    note = axes.annotate(text, (x, y), textcoords="offset points", ha="center", fontsize=9, **place)
    note.set(color=INK, path_effects=[EDGE])


def _span(axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str) -> None:
    """A line with two heads and its name in the middle."""
    for style, colour, width in (("-", PAPER, 3.6), ("<->", INK, 1.2)):
        arrow = {"arrowstyle": style, "color": colour, "linewidth": width}
        axes.annotate("", start, end, arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})
    middle = np.mean([start, end], axis=0)
    upright = start[0] == end[0]
    offset, sides = ((5, 0), ("left", "center")) if upright else ((0, -4), ("center", "top"))
    note = axes.annotate(text, middle, offset, textcoords="offset points", fontsize=9)
    note.set(ha=sides[0], va=sides[1], color=INK, path_effects=[EDGE])
