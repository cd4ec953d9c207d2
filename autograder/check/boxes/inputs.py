"""Boxes that are drawn anew for every check."""

import numpy as np

from autograder.check.inputs import Drawn
from autograder.check.record import Array


def pixel_boxes(count: int, height: int, width: int, beyond: int = 0) -> Drawn:
    """``count`` boxes (x0, y0, x1, y1) of whole pixels, none empty.

    Args:
        count: how many.
        height: of the image.
        width: of the image.
        beyond: how far they may reach out of it.
    """

    def draw(rng: np.random.Generator) -> Array:
        x, y = (_ends(rng, count, -beyond, side + beyond) for side in (width, height))
        return np.stack([x[0], y[0], x[1], y[1]], 1)

    text = f"pixel_boxes({count}, {height}, {width}{f', beyond={beyond}' if beyond else ''})"
    return Drawn(draw, text)


def fraction_boxes(count: int) -> Drawn:
    """``count`` boxes (x, y, w, h) inside of an image whose sides are 1."""

    def draw(rng: np.random.Generator) -> Array:
        size = rng.uniform(0.1, 0.7, (count, 2))
        return np.concatenate([rng.uniform(0, 1, (count, 2)) * (1 - size), size], 1)

    return Drawn(draw, f"fraction_boxes({count})")


def _ends(rng: np.random.Generator, count: int, low: int, high: int) -> Array:
    """(2, count): where intervals of whole length start and end."""
    both = np.array([rng.choice(np.arange(low, high + 1), 2, replace=False) for _ in range(count)])
    return np.sort(both, axis=1).T.astype(np.float64)
