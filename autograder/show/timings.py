"""Durations side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import BLUE, FAINT, INK, ORANGE, Picture, tint
from autograder.show.cells import number
from autograder.show.inputs import numbers, refuse

TICKS, FAR = 9, 100  # on the axis at most, and where there are only powers of ten on it


def bars(
    names: Sequence[str],
    values: ArrayLike,
    title: str = "",
    *,
    unit: str = "ms",
    reference: str | None = None,
) -> Picture:
    """One bar a name on a logarithmic axis: its value, and how much faster than the reference.

    Args:
        names: what was timed, from top to bottom.
        values: how long each took, above 0, in ``unit``.
        title: above the bars.
        unit: of ``values``.
        reference: the name that the others are faster or slower than; by default the fastest.

    Raises:
        BadInputError: the lists differ in length, a value is not above 0 and finite, or there
            is no such reference.
    """
    lengths = _checked(names, values, reference)
    one = int(lengths.argmin()) if reference is None else list(names).index(reference)
    figure = Picture(8, 0.42 * len(names) + (1.0 if title else 0.7))
    axes = figure.subplots()
    colours = [tint(ORANGE if i == one else BLUE, 0.75) for i in range(len(names))]
    drawn = axes.barh(range(len(names)), lengths, color=colours, height=0.62)
    ratios = [
        "the reference" if i == one else _ratio(v / lengths[one]) for i, v in enumerate(lengths)
    ]
    texts = [f"{number(v)} {unit}   {ratio}" for v, ratio in zip(lengths, ratios, strict=True)]
    axes.bar_label(drawn, texts, padding=5, fontsize=9, color=INK)
    _dress(axes, names, lengths)
    axes.set_xlabel(f"{unit}, logarithmic", fontsize=9, color=INK)
    axes.set_title(title, fontsize=11, color=INK)
    return figure


def _checked(names: Sequence[str], values: ArrayLike, reference: str | None) -> NDArray[np.float64]:
    lengths = numbers("bars, values", values, (1,))
    if len(names) != len(lengths):
        refuse("bars", f"{len(names)} names", f"{len(lengths)}, one a value", "Give as many.")
    if not np.all((lengths > 0) & np.isfinite(lengths)):
        refuse("bars, values", f"{lengths.tolist()}", "numbers above 0", "Measure again.")
    if reference is not None and reference not in names:
        expected = "one of " + ", ".join(names)
        refuse("bars, reference", repr(reference), expected, "Name one of them.")
    return lengths


def _dress(axes: Axes, names: Sequence[str], lengths: NDArray[np.float64]) -> None:
    axes.set_xscale("log")
    # A logarithmic axis has no zero: it begins at half the shortest bar, and leaves room for text.
    axes.set_xlim(lengths.min() / 2, lengths.max() * (lengths.max() / lengths.min() * 2) ** 0.35)
    steps = (1, 2, 5) if lengths.max() < FAR * lengths.min() else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=TICKS))
    axes.xaxis.set_major_formatter(lambda value, _: number(value))
    axes.minorticks_off()
    axes.set_yticks(range(len(names)), names, fontsize=10)
    axes.invert_yaxis()
    axes.tick_params(which="both", colors=INK, length=0)
    axes.grid(axis="x", color=FAINT, alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


def _ratio(share: float) -> str:
    """How a bar that is ``share`` times as long as the reference compares with it."""
    times = max(share, 1 / share)
    text = f"{times:.1f}" if times < 10 else number(round(times))
    return "as fast" if text == "1.0" else f"{text}× {'faster' if share < 1 else 'slower'}"
