"""Images and masks that are drawn anew for every check."""

import numpy as np
import numpy.typing as npt

from autograder.check.inputs import Drawn

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


def pixels(count: int, height: int, width: int) -> Drawn:
    """``count`` colour images of random bytes: (count, height, width, 3) uint8."""

    def draw(rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        return rng.integers(0, 256, (count, height, width, 3), np.uint8)

    return Drawn(draw, f"pixels({count}, {height}, {width})")


def blobs(count: int, height: int, width: int) -> Drawn:
    """``count`` masks, each one connected region: (count, height, width) bool, none empty."""

    def draw(rng: np.random.Generator) -> Mask:
        row, column = rng.integers(height, size=count), rng.integers(width, size=count)
        # Two rectangles that share a pixel.
        return _rectangles(rng, row, column, shape) | _rectangles(rng, row, column, shape)

    shape = (height, width)
    return Drawn(draw, f"blobs({count}, {height}, {width})")


def _rectangles(
    rng: np.random.Generator, row: Places, column: Places, shape: tuple[int, int]
) -> Mask:
    """(N, height, width): one around each of the places (row, column)."""
    down, across = _around(rng, row, shape[0]), _around(rng, column, shape[1])
    return down[:, :, None] & across[:, None, :]


def _around(rng: np.random.Generator, place: Places, side: int) -> Mask:
    """(N, side): some before each place and some after it."""
    before, after = rng.integers(0, max(2, side // 2), (2, len(place)))
    every = np.arange(side)
    found: Mask = (every >= (place - before)[:, None]) & (every <= (place + after)[:, None])
    return found
