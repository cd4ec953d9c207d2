"""Residual networks: their blocks, their gradients by depth, and the loss around their weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PAGE_WIDTH,
    PALETTE,
    PAPER,
    SKY,
    VERMILION,
    Picture,
    drawing,
    tint,
)
from autograder.show.inputs import numbers, refuse

BOX, GAP = 0.34, 0.2  # heights of a box and of the arrow below it, in inches
WIDE = 1.5  # width of a box
SHORTCUT = 1.25  # how far the shortcut keeps from the middle
COLOURS = {"conv": BLUE, "batch": GREEN, "ReLU": ORANGE}  # by how a label begins
UNDERFLOW = 1e-45  # the smallest positive number in single precision is 1.4e-45
LEVELS = 14


def residual_blocks(blocks: Mapping[str, Sequence[str]]) -> Picture:
    """Blocks side by side: the layers of each branch, the shortcut past them, the sum and a ReLU.

    Args:
        blocks: for each name, what stands on the branch, in order.

    Raises:
        BadInputError: there is no block, or one has nothing on its branch.
    """
    if not blocks or not all(blocks.values()):
        refuse("residual_blocks", f"{dict(blocks)}", "layers for each name", "Name some layers.")
    most = max(map(len, blocks.values()))
    height = (most + 3) * (BOX + GAP)
    figure = Picture(3.2 * len(blocks), height + 0.4)
    for axes, (name, layers) in zip(
        figure.subplots(1, len(blocks), squeeze=False).flat, blocks.items(), strict=True
    ):
        drawing(axes, -1.6, 1.6, 0, height)
        axes.set_title(name, fontsize=11, color=INK)
        _block(axes, layers)
    return figure


def _block(axes: Axes, layers: Sequence[str]) -> None:
    step = BOX + GAP
    tops = [GAP + step * (place + 1) for place in range(len(layers))]
    axes.text(0, GAP, "x", ha="center", va="center", fontsize=12, style="italic", color=INK)
    _arrow(axes, (0, GAP + 0.12), (0, tops[0]))
    for top, label in zip(tops, layers, strict=True):
        _box(axes, label, top)
        _arrow(axes, (0, top + BOX), (0, top + step))
    plus = tops[-1] + step + BOX / 2
    axes.text(0, plus, "+", ha="center", va="center", fontsize=14, color=INK,
              bbox={"boxstyle": "circle", "facecolor": PAPER, "edgecolor": INK})  # fmt: skip
    _shortcut(axes, GAP + 0.25, plus)
    last = plus + BOX / 2 + GAP - 0.06
    _arrow(axes, (0, plus + 0.19), (0, last))
    _box(axes, "ReLU", last)


def _box(axes: Axes, label: str, top: float) -> None:
    colour = next((c for start, c in COLOURS.items() if label.startswith(start)), FAINT)
    axes.add_patch(
        FancyBboxPatch(
            (-WIDE / 2, top), WIDE, BOX, "round,pad=0,rounding_size=0.08",
            facecolor=tint(colour), edgecolor=colour,
        )
    )  # fmt: skip
    axes.text(0, top + BOX / 2, label, ha="center", va="center", fontsize=9, color=INK)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=9, color=INK, shrinkA=0, shrinkB=0
        )
    )


def _shortcut(axes: Axes, top: float, plus: float) -> None:
    """The line from x past the branch to the sum, in its own colour."""
    axes.plot([0, SHORTCUT, SHORTCUT], [top, top, plus], color=VERMILION, gid="shortcut")
    axes.add_patch(
        FancyArrowPatch(
            (SHORTCUT, plus), (0.19, plus), arrowstyle="-|>", mutation_scale=9,
            color=VERMILION, shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip
    axes.text(SHORTCUT - 0.1, (top + plus) / 2, "shortcut", rotation=90, ha="right", va="center",
              fontsize=9, color=VERMILION)  # fmt: skip


def gradient_norms(panels: Mapping[str, Mapping[str, ArrayLike]]) -> Picture:
    """Norms of gradients by layer, a panel for each kind of network and a line for each network.

    Layers are placed by their share of the depth, so that nets of different depths can be
    compared. Lines of shortcuts are solid (their name says "with"), others are dashed. A norm of
    exactly 0, which a logarithm cannot show, is a cross at the lower edge.

    Args:
        panels: for each title, for each name the norms, the first layer first.

    Raises:
        BadInputError: there is none, or one is not a list of numbers.
    """
    found = {
        title: {
            name: numbers(f"gradient_norms, {name}", line, (1,)) for name, line in lines.items()
        }
        for title, lines in panels.items()
    }
    if not found or not all(found.values()):
        refuse("gradient_norms", f"{dict(panels)}", "norms by name", "Measure some nets.")
    figure = Picture(PAGE_WIDTH, 3.6)
    row = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (title, lines) in zip(row, found.items(), strict=True):
        _norms(axes, lines)
        axes.set_title(title, fontsize=10, color=INK)
    row[0].set_ylabel("norm of the gradient", fontsize=9, color=INK)
    names, handles = {}, []
    for axes in row:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            if name not in names:
                names[name] = True
                handles.append(handle)
    figure.legend(handles, list(names), loc="outside lower center", ncols=3, fontsize=8.5,
                  frameon=False)  # fmt: skip
    return figure


def _norms(axes: Axes, lines: Mapping[str, NDArray[np.float64]]) -> None:
    solid = [name for name in lines if "with" in name]
    dashed = [name for name in lines if "with" not in name]
    positive = np.concatenate([line[line > 0] for line in lines.values()] or [np.ones(1)])
    floor = max(UNDERFLOW, positive.min(initial=1.0) / 30)
    for group, style in ((solid, "-"), (dashed, "--")):
        for name, colour in zip(group, PALETTE, strict=False):
            line = lines[name]
            places = np.linspace(0, 1, len(line)) if len(line) > 1 else np.zeros(1)
            shown = np.where(line > 0, line, np.nan)
            axes.plot(places, shown, style, color=colour, label=name, linewidth=1.6)
            zero = line <= 0
            axes.plot(places[zero], np.full(zero.sum(), floor), "x", color=colour, markersize=4)
    if any((line <= 0).any() for line in lines.values()):
        axes.annotate("exactly 0", (0.5, floor), (0, 5), textcoords="offset points", ha="center",
                      fontsize=8, color=INK)  # fmt: skip
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.set_xticks([0, 1], ["first layer", "last"])
    axes.tick_params(colors=INK, labelsize=8, length=0)
    axes.grid(color=FAINT, alpha=0.3, linewidth=0.6)
    axes.spines[:].set_visible(False)


def loss_surfaces(surfaces: Mapping[str, ArrayLike]) -> Picture:
    """The loss on a square grid around the weights of each network, as hills and from above.

    Args:
        surfaces: (steps, steps) each, the weights themselves in the middle.

    Raises:
        BadInputError: there is none, or one is not a square of numbers above 0.
    """
    found = {
        name: numbers(f"loss_surfaces, {name}", surface, (2,)) for name, surface in surfaces.items()
    }
    if not found or any(len(set(grid.shape)) > 1 or grid.min() <= 0 for grid in found.values()):
        shapes = {name: grid.shape for name, grid in found.items()}
        refuse("loss_surfaces", f"{shapes}", "squares of losses above 0", "Compute a grid.")
    low = min(grid.min() for grid in found.values())
    high = max(grid.max() for grid in found.values())
    figure = Picture(PAGE_WIDTH, 4.1)
    for place, (name, grid) in enumerate(found.items()):
        axes = figure.add_subplot(1, len(found), place + 1, projection="3d")
        _hills(axes, grid, low, max(high, 2 * low))
        axes.set_title(f"{name}: the loss", fontsize=10, color=INK)
    return figure


def _hills(axes: Any, grid: NDArray[np.float64], low: float, high: float) -> None:
    reach = np.linspace(-1, 1, len(grid))
    x, y = np.meshgrid(reach, reach)
    heights = np.log10(grid)
    bottom = np.log10(low) - 0.6 * (np.log10(high) - np.log10(low))
    levels = np.linspace(np.log10(low), np.log10(high), LEVELS)
    axes.plot_surface(x, y, heights, cmap="viridis", vmin=levels[0], vmax=levels[-1],
                      linewidth=0.15, edgecolor=tint(INK, 0.4), rcount=40, ccount=40)  # fmt: skip
    axes.contour(x, y, heights, levels, zdir="z", offset=bottom, cmap="viridis",
                 vmin=levels[0], vmax=levels[-1], linewidths=1)  # fmt: skip
    axes.plot([0], [0], [bottom], "*", color=VERMILION, markersize=9)
    ticks = [t for t in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 1000) if low <= t <= high]
    axes.set_zticks([np.log10(t) for t in ticks], [f"{t:g}" for t in ticks])
    axes.set_zlim(bottom, np.log10(high))
    axes.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    axes.tick_params(labelsize=8, colors=INK)
    axes.view_init(elev=22, azim=-58)


def fields(maps: Mapping[str, ArrayLike]) -> Picture:
    """How strongly one output depends on each pixel: dark is much, white is nothing at all.

    The shades are logarithmic over four powers of ten, and a frame marks the pixels on which it
    depends at all.

    Args:
        maps: (H, W) each, none below 0.

    Raises:
        BadInputError: there is none, or one is no such map.
    """
    found = {name: numbers(f"fields, {name}", value, (2,)) for name, value in maps.items()}
    if not found or any(grid.min() < 0 or grid.max() <= 0 for grid in found.values()):
        refuse("fields", f"{list(found)}", "maps of numbers from 0 up", "Take absolute values.")
    figure = Picture(PAGE_WIDTH, PAGE_WIDTH / len(found) + 0.5)
    row = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (name, grid) in zip(row, found.items(), strict=True):
        shade = LogNorm(grid.max() * 1e-4, grid.max(), clip=True)
        axes.imshow(np.where(grid > 0, grid, np.nan), cmap="Blues", norm=shade)
        rows, columns = np.flatnonzero(grid.any(axis=1)), np.flatnonzero(grid.any(axis=0))
        height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        axes.add_patch(
            FancyBboxPatch(
                (columns[0] - 0.5, rows[0] - 0.5), width, height, "square,pad=0", fill=False,
                edgecolor=VERMILION, gid="field", linewidth=1.2,
            )
        )  # fmt: skip
        axes.set_title(f"{name}: {height}×{width}", fontsize=10, color=INK)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color(tint(SKY, 0.4))
    return figure
