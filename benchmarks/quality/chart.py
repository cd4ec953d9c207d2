"""The share of wrong mutants that each kind of check catches, and what trainings come to."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from autograder.show.canvas import FAINT, GREEN, INK, ORANGE, PALETTE, Picture, png, tint
from benchmarks.quality.outcomes import Spread

WIDTH = 0.8  # of a lesson's group of bars, of the distance to the next
ROW, HEAD = 0.26, 0.75  # inches: of an answer's strip, and what is around those of an outcome


def caught(shares: Mapping[str, Mapping[str, float]]) -> bytes:
    """A PNG file: for every lesson a group of bars, one for each kind of check.

    Args:
        shares: by lesson and kind of check, in percent; the first kind stands out.
    """
    kinds = list(dict.fromkeys(kind for of_lesson in shares.values() for kind in of_lesson))
    figure, places = Picture(9, 3.4), np.arange(len(shares))
    axes, width = figure.subplots(), WIDTH / max(1, len(kinds))
    for i, (kind, colour) in enumerate(zip(kinds, (GREEN, *PALETTE), strict=False)):
        heights = [of_lesson.get(kind, 0.0) for of_lesson in shares.values()]
        colour = tint(colour, 0.3 if i else 1)
        drawn = axes.bar(places + (i + 0.5) * width - WIDTH / 2, heights, width, color=colour)
        drawn.set_label(kind)
        axes.bar_label(drawn, fmt="{:.0f}" if i else "{:g}", fontsize=6 if i else 7, color=INK)
    axes.set_xticks(places, [lesson.replace("-", "\n") for lesson in shares], fontsize=8)
    axes.set_ylabel("wrong mutants caught, %", fontsize=9, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return png(figure, dpi=150)


def outcomes(spreads: Sequence[Spread]) -> bytes:
    """A PNG file: a panel for every outcome, in it a strip for every answer, a dot a training.

    The line is the threshold: dots of the reference belong to its right, all others to its left.
    """
    panels = [list(rows) for _, rows in groupby(spreads, lambda spread: spread.outcome)]
    heights = [HEAD + ROW * len(rows) for rows in panels]
    figure = Picture(8, sum(heights))
    every = figure.subplots(len(panels), squeeze=False, height_ratios=heights)[:, 0]
    for axes, rows in zip(every, panels, strict=True):
        _strips(axes, rows)
    return png(figure, dpi=150)


def _strips(axes: Any, rows: Sequence[Spread]) -> None:
    for place, spread in enumerate(rows):
        colour = GREEN if spread.right else ORANGE
        y = place + 0.5 * (np.arange(len(spread.scores)) % 3 - 1) / 3  # dots side by side
        axes.scatter(spread.scores, y, 14, color=colour, alpha=0.7, linewidth=0)
    axes.axvline(rows[0].threshold, color=INK, linewidth=1)
    axes.set_yticks(range(len(rows)), [spread.answer for spread in rows], fontsize=8, color=INK)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_title(f"{rows[0].outcome}: at least {rows[0].threshold:g}", fontsize=9, color=INK)
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.tick_params(axis="x", labelsize=8, colors=INK)
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
