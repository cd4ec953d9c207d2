"""The way back through a convolution: each number of dout is spread over a window of dx."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from autograder.show.canvas import BLUE, GREEN, INK, ORANGE, PINK, Picture, drawing
from autograder.show.cells import CELL, EDGE, Mark, Place, grid, holds, number, window, write
from autograder.show.inputs import Pair, numbers, pair, refuse

COLOURS = (BLUE, ORANGE, GREEN, PINK)  # one a place; more windows could not be told apart
GAP = 1.7  # cells between two grids, room for the sign
ABOVE, BELOW = 1.0, 1.2  # cells, room for the titles and for the text
WIDEST = 24  # cells: a picture no wider than the page
LEAST = 16.5  # cells, room for the legend

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Share:
    """What one number of dout adds to dx, and where."""

    dout: Array
    w: Array
    dx: Array
    place: tuple[int, int]
    stride: tuple[int, int]

    @property
    def window(self) -> list[Place]:
        (i, j), (down, across) = self.place, self.stride
        return window((i * down, j * across), self.w.shape)

    @property
    def width(self) -> float:
        return 2 * GAP + int(self.dout.shape[1] + self.w.shape[1] + self.dx.shape[1])

    @property
    def height(self) -> int:
        return max(len(self.dout), len(self.w), len(self.dx))

    def __str__(self) -> str:
        (top, left), (bottom, right) = self.window[0], self.window[-1]
        i, j = self.place
        return f"dx[{top} : {bottom + 1}, {left} : {right + 1}] += dout[{i}, {j}] · w"


def scatter(
    dout: ArrayLike,
    w: ArrayLike,
    dx: ArrayLike,
    at: Sequence[int] | Sequence[Sequence[int]] = (0, 0),
    *,
    stride: Pair = 1,
) -> Picture:
    """What one number of ``dout`` adds to ``dx``: itself times the filter, in one window.

    One channel, one filter and no padding. Several places are drawn one below the other; where
    their windows meet, the cells of ``dx`` are hatched. ``dx`` is drawn as it is given and never
    added to: zeros will do.

    Args:
        dout: (H', W'), the upstream gradient.
        w: (K_H, K_W), the filter.
        dx: (H, W), an array of the shape of x.
        at: (i, j), a place in ``dout``, or up to four of them.
        stride: S, or (S_H, S_W).

    Raises:
        BadInputError: an array is not 2-D or too large to be read, or at one of the places there
            is no number in ``dout`` or the window reaches past ``dx``.
    """
    given = (("dout", dout), ("w", w), ("dx", dx))
    upstream, kernel, total = (numbers(f"scatter, {name}", a, (2,)) for name, a in given)
    steps = pair("scatter, stride", stride, 1)
    shares = [_checked(_Share(upstream, kernel, total, place, steps)) for place in _places(at)]
    first = shares[0]
    if first.width > WIDEST:
        found, wanted = f"{first.dout.shape} and {first.dx.shape}", "arrays that can be read"
        refuse("scatter, dout and dx", found, wanted, "Show a smaller example.")
    figure, panels = _sheet(first.width, first.height + ABOVE + BELOW, len(shares))
    for i, axes in enumerate(panels):
        _draw(axes, shares[: i + 1])
    figure.supxlabel(_legend(shares), fontsize=9, color=INK)
    return figure


def _places(at: Any) -> list[tuple[int, int]]:
    """``at`` as a list of pairs, whether it is one or several."""
    if not isinstance(at, Sequence) or not at:
        refuse("scatter, at", repr(at), "a place (i, j) or several", "Give at=(0, 0).")
    several = at if isinstance(at[0], Sequence) else [at]
    if len(several) > len(COLOURS):
        refuse("scatter, at", f"{len(several)} places", f"at most {len(COLOURS)}", "Show fewer.")
    return [pair("scatter, at", place, 0) for place in several]


def _checked(share: _Share) -> _Share:
    where = f"scatter, at {share.place}"
    if not holds(share.dout, share.place):
        found = f"no such number in dout of shape {share.dout.shape}"
        refuse(where, found, "a place in dout", "Count rows and columns from 0.")
    if not holds(share.dx, share.window[-1]):
        refuse(
            where,
            f"a window up to {share.window[-1]} that reaches past dx of shape {share.dx.shape}",
            "a dx that has the shape of x",
            "Make it as np.zeros_like(x); look at the stride.",
        )
    return share


def _sheet(width: float, height: float, count: int) -> tuple[Picture, Sequence[Axes]]:
    figure = Picture(CELL * max(width, LEAST), CELL * height * count + 0.5)
    panels = list(figure.subplots(count, 1, squeeze=False).flat)
    for axes in panels:
        drawing(axes, -EDGE, width + EDGE, -ABOVE, height - ABOVE)
    return figure, panels


def _draw(axes: Axes, shares: Sequence[_Share]) -> None:
    """The last of the shares; in dx also the windows of those before it."""
    share = shares[-1]
    colour, value = COLOURS[len(shares) - 1], share.dout[share.place]
    all_of_w: Mark = (window((0, 0), share.w.shape), colour)
    windows: list[Mark] = [(s.window, c) for s, c in zip(shares, COLOURS, strict=False)]
    trio = (
        (share.dout, "dout", [([share.place], colour)], ""),
        (value * share.w, f"{number(value)} · w", [all_of_w], "· w ="),
        (share.dx, "dx", windows, "add →"),
    )
    left = 0.0
    for array, title, marks, sign in trio:
        top = (share.height - len(array)) / 2
        write(axes, left - GAP / 2, share.height / 2, sign)
        grid(axes, array, (left, top), title, marks)
        left += array.shape[1] + GAP
    _hatch(axes, (left - GAP - share.dx.shape[1], top), shares)
    write(axes, share.width / 2, share.height + 0.5, str(share))


def _shared(shares: Sequence[_Share]) -> list[Place]:
    """The cells of dx that more than one of the shares is added to."""
    every = [place for share in shares for place in share.window]
    return sorted({place for place in every if every.count(place) > 1})


def _hatch(axes: Axes, corner: tuple[float, float], shares: Sequence[_Share]) -> None:
    for row, column in _shared(shares):
        spot = Rectangle((corner[0] + column, corner[1] + row), 1, 1, fill=False, linewidth=0)
        spot.set(hatch="///", edgecolor=(*[0.4] * 3, 0.5), gid="added twice")
        axes.add_patch(spot)


def _legend(shares: Sequence[_Share]) -> str:
    down, across = shares[0].stride
    size = f"S = {down}" if down == across else f"S = {down} × {across}"
    lines = [f"dx[i·S : i·S + K_H, j·S : j·S + K_W] += dout[i, j] · w      {size}"]
    lines.append("dx has the shape of x: it is as large as what the windows moved over.")
    if _shared(shares):
        often = "twice" if len(shares) == 2 else "more than once"
        lines.append(f"hatched: added {often}. With = instead of += only the last would stay.")
    return "\n".join(lines)
