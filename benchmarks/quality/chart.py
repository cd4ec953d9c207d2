"""The share of wrong mutants that each kind of check catches, as a picture."""

from collections.abc import Mapping

import numpy as np

from autograder.show.canvas import FAINT, GREEN, INK, PALETTE, Picture, png, tint

WIDTH = 0.8  # of a lesson's group of bars, of the distance to the next


def caught(shares: Mapping[str, Mapping[str, float]]) -> bytes:
    """A PNG file: for every lesson a group of bars, one for each kind of check.

    Args:
        shares: by lesson and kind of check, in percent; the first kind stands out.
    """
    kinds = list(dict.fromkeys(kind for of_lesson in shares.values() for kind in of_lesson))
    figure, places = Picture(8, 3.2), np.arange(len(shares))
    axes, width = figure.subplots(), WIDTH / max(1, len(kinds))
    for i, (kind, colour) in enumerate(zip(kinds, (GREEN, *PALETTE), strict=False)):
        heights = [of_lesson.get(kind, 0.0) for of_lesson in shares.values()]
        colour = tint(colour, 0.3 if i else 1)
        drawn = axes.bar(places + (i + 0.5) * width - WIDTH / 2, heights, width, color=colour)
        drawn.set_label(kind)
        axes.bar_label(drawn, fmt="{:g}", fontsize=7, color=INK)
    axes.set_xticks(places, list(shares), fontsize=9)
    axes.set_ylabel("wrong mutants caught, %", fontsize=9, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return png(figure, dpi=150)
