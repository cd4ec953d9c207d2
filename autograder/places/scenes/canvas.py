"""Paints shapes: sixteen samples a pixel, whole numbers as soon as it is known what lies inside.

A sample has a shape's colour or it has not; averaging 4×4 of them makes edges smooth. A shape
that lets something through takes only some of the samples. A sample is one 32-bit number, so that
painting is one assignment: red in bits 0 to 7, green from 8, blue from 16.

Only +, -, × and ÷ on float64 decide what is inside, which IEEE 754 defines to the last bit.
"""

from collections.abc import Callable
from functools import cache
from math import ceil
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from autograder.places.scenes.shapes import (
    OPAQUE,
    Box,
    Colour,
    Ellipse,
    Point,
    Polygon,
    Shape,
)

SAMPLES = 4  # a pixel and direction

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Unsigned = TypeVar("Unsigned", np.uint8, np.uint32)
Look = Callable[[Colour, bool], Colour]  # a colour, and whether it glows, as it is seen

# In this order a pixel's samples are given to a shape that is not opaque (Bayer's matrix).
_ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])


class _Region(NamedTuple):
    """The samples inside a shape; ``mask`` is None where all of the rectangle is."""

    rows: slice
    columns: slice
    mask: Mask | None


class Canvas:
    """A square picture while it is painted."""

    def __init__(self, size: int) -> None:
        self._side = size * SAMPLES
        self._samples = np.zeros((self._side, self._side), np.uint32)
        self._of_object = np.zeros((self._side, self._side), bool)
        self._centres, self._order = _grid(size)

    def paint(self, shape: Shape, look: Look, of_object: bool = False) -> None:
        """Adds a shape, given in the picture's unit square, y downwards.

        Args:
            shape: what to paint.
            look: colours as they are seen in this light and at this distance.
            of_object: whether its samples belong to the object that the mask shows; a later
                shape that does not belong to it hides it.
        """
        region = self._region(shape)
        if region is None:
            return
        here = region.rows, region.columns
        where = self._let_through(region, shape.fill.opacity)
        np.copyto(self._samples[here], self._colours(shape, region, look), where=where)
        if shape.fill.opacity == OPAQUE:
            np.copyto(self._of_object[here], of_object, where=where)

    def image(self) -> Pixels:
        """(size, size, 3): the means of the samples."""
        # A sum of sixteen bytes needs 12 bits, so red and blue are summed in one number.
        green = _sums(self._samples >> np.uint32(8) & np.uint32(0xFF))
        both = _sums(self._samples & np.uint32(0xFF00FF))
        channels = both & np.uint32(0xFFFF), green, both >> np.uint32(16)
        half = np.uint32(SAMPLES * SAMPLES // 2)
        return np.stack([(c + half) // np.uint32(SAMPLES**2) for c in channels], 2).astype(np.uint8)

    def mask(self) -> Mask:
        """(size, size): where at least half of a pixel shows the object."""
        return np.asarray(_sums(self._of_object.view(np.uint8)) >= SAMPLES**2 // 2)

    def _let_through(self, region: _Region, opacity: int) -> Mask | np.bool_:
        inside = np.True_ if region.mask is None else region.mask
        if opacity == OPAQUE:
            return inside
        return np.asarray(inside & (self._order[region.rows, region.columns] < opacity))

    def _colours(self, shape: Shape, region: _Region, look: Look) -> NDArray[np.uint32]:
        start = look(shape.fill.start, shape.fill.glows)
        if shape.fill.start == shape.fill.end:
            return np.asarray(_packed(*start), np.uint32)
        end = look(shape.fill.end, shape.fill.glows)
        low, high = _reach(shape, 0 if shape.fill.across else 1)
        part = region.columns if shape.fill.across else region.rows
        ramp = _ramp(start, end, part, self._first(low), self._first(high))
        return ramp if shape.fill.across else ramp[:, None]

    def _region(self, shape: Shape) -> _Region | None:
        columns, rows = (self._span(*_reach(shape, axis)) for axis in (0, 1))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            return None
        if isinstance(shape, Box):
            return _Region(rows, columns, None)
        inside = self._in_ellipse if isinstance(shape, Ellipse) else self._in_polygon
        return _Region(rows, columns, inside(shape, rows, columns))  # type: ignore[arg-type]

    def _span(self, low: float, high: float) -> slice:
        """The samples whose centres lie between two places of the unit square."""
        return slice(max(self._first(low), 0), min(self._first(high), self._side))

    def _first(self, place: float) -> int:
        """The first sample whose centre does not lie before a place."""
        return ceil(place * self._side - 0.5)

    def _in_ellipse(self, shape: Ellipse, rows: slice, columns: slice) -> Mask:
        x, y = (
            (self._centres[part] / self._side - centre) / radius
            for part, centre, radius in zip((columns, rows), shape.centre, shape.radii, strict=True)
        )
        distance = (y * y)[:, None] + x * x
        inside = distance <= 1
        return inside & (distance >= shape.hole * shape.hole) if shape.hole else inside

    def _in_polygon(self, shape: Polygon, rows: slice, columns: slice) -> Mask:
        """Each edge turns inside out what lies to the left of it."""
        inside = np.zeros((rows.stop - rows.start, columns.stop - columns.start), bool)
        x = self._centres[columns]
        for one, other in zip(shape.points, shape.points[1:] + shape.points[:1], strict=True):
            top, bottom = (one, other) if one[1] <= other[1] else (other, one)
            part = self._span(top[1], bottom[1])
            if part.start < part.stop:
                crossed = x < self._crossings(top, bottom, part)[:, None]
                inside[part.start - rows.start : part.stop - rows.start] ^= crossed
        return inside

    def _crossings(self, top: Point, bottom: Point, rows: slice) -> NDArray[np.float64]:
        """Where the rows of samples meet an edge."""
        slope = (bottom[0] - top[0]) / (bottom[1] - top[1])
        y = self._centres[rows] - top[1] * self._side
        return np.asarray(y * slope + top[0] * self._side)


@cache
def _grid(size: int) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """The samples' centres, and for each sample its turn among those of its pixel."""
    centres = np.arange(size * SAMPLES, dtype=np.float64) + 0.5
    return centres, np.tile(_ORDER, (size, size))


def _reach(shape: Shape, axis: int) -> tuple[float, float]:
    """The least and the largest coordinate of a shape."""
    if isinstance(shape, Ellipse):
        return shape.centre[axis] - shape.radii[axis], shape.centre[axis] + shape.radii[axis]
    points = (shape.corner, shape.opposite) if isinstance(shape, Box) else shape.points
    along = [point[axis] for point in points]
    return min(along), max(along)


def _packed(red: Any, green: Any, blue: Any) -> Any:
    """Three channels, numbers or arrays, in one."""
    return red | green << 8 | blue << 16


def _ramp(start: Colour, end: Colour, part: slice, low: int, high: int) -> NDArray[np.uint32]:
    """The colours of ``part`` of a gradient that goes from ``low`` to ``high``."""
    steps = np.arange(part.start, part.stop, dtype=np.int64) - low
    share = (2 * steps + 1) * 128 // (high - low)
    red, green, blue = (
        (a * (256 - share) + b * share) // 256 for a, b in zip(start, end, strict=True)
    )
    return np.asarray(_packed(red, green, blue), np.uint32)


def _sums(samples: NDArray[Unsigned]) -> NDArray[Unsigned]:
    """The sum over each pixel's samples."""
    rows = samples[0::4] + samples[1::4] + samples[2::4] + samples[3::4]
    return np.asarray(rows[:, 0::4] + rows[:, 1::4] + rows[:, 2::4] + rows[:, 3::4])
