"""What every picture is made on: one figure class, one palette, one way out to PNG."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from PIL import Image

Colour = str | tuple[float, float, float]
Pixels = npt.NDArray[np.uint8]

# Okabe and Ito's palette, which stays apart in every common kind of colour blindness.
# https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PINK, YELLOW = "#56B4E9", "#CC79A7", "#F0E442"
PALETTE: Sequence[str] = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW)
INK, FAINT, PAPER = "#222222", "#9AA0A6", "#FFFFFF"

# Below zero, zero, above zero.
SIGNED = LinearSegmentedColormap.from_list("signed", ["#022B4A", BLUE, PAPER, VERMILION, "#5A2100"])

# In inches: 100 dots each, so a picture this wide fits a notebook's column unscaled.
PAGE_WIDTH = 9.0
LEVEL = 3
MARGIN = 0.08  # inches, around what is drawn


class Picture(Figure):
    """A figure that a notebook shows once, as the value of the cell that ends with it.

    pyplot never hears of it, so there is nothing to close, nothing is drawn a second time
    when the cell ends, and no window system is needed. In the middle of a cell, hand it to
    ``display``.
    """

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), dpi=100, layout="constrained", facecolor=PAPER)

    def _repr_png_(self) -> bytes:
        return png(self)


def png(figure: Figure, dpi: float = 100) -> bytes:
    """``figure``, without empty margins, as the bytes of a PNG file: the same for the same figure.

    It is drawn once and then cut; matplotlib's own ``bbox_inches="tight"`` draws it twice.
    """
    figure.set_dpi(dpi)
    canvas: Any = FigureCanvasAgg(figure)  # its methods publish no types
    canvas.draw()
    stream = BytesIO()
    Image.fromarray(_trimmed(np.asarray(canvas.buffer_rgba()), int(MARGIN * dpi))).save(
        stream, "png", dpi=(dpi, dpi), compress_level=LEVEL
    )
    return stream.getvalue()


def _trimmed(pixels: Pixels, margin: int) -> Pixels:
    """The part of ``pixels`` (height, width, 4) that differs from its corner, and a margin."""
    inked = (pixels != pixels[0, 0]).any(axis=2)
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if not rows.size:
        return pixels
    return pixels[
        max(rows[0] - margin, 0) : rows[-1] + margin + 1,
        max(columns[0] - margin, 0) : columns[-1] + margin + 1,
    ]


def tint(colour: Colour, strength: float = 0.3) -> tuple[float, float, float]:
    """``colour`` mixed with white: 0 is white, 1 is the colour itself."""
    red, green, blue = (1 - strength * (1 - channel) for channel in to_rgb(colour))
    return red, green, blue


def drawing(axes: Axes, left: float, right: float, top: float, bottom: float) -> None:
    """Makes ``axes`` a sheet with square units and no frame; y grows downwards if top < bottom."""
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    axes.set_axis_off()
