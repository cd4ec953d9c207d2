"""What a picture is made of: boxes, polygons and ellipses, their fills, and where they stand.

A shape is plain data. Whoever draws a thing yields its shapes from the back to the front, on a
sheet of its own: x to the right and y upwards, standing on y = 0 around x = 0, about 1 high. A
`Frame` then stands it into the picture.

Angles are numbers of 32nds of a turn, whose sines and cosines are made with square roots alone:
those are the same on every machine, which is more than can be said of ``math.sin``.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

Colour = tuple[int, int, int]
Point = tuple[float, float]

OPAQUE = 16  # sixteenths: as many as a pixel has samples


class Fill(NamedTuple):
    """One colour, or a gradient from ``start`` (top or left) to ``end``."""

    start: Colour
    end: Colour
    across: bool = False  # from left to right
    opacity: int = OPAQUE
    glows: bool = False  # keeps its colour at night


class Box(NamedTuple):
    """An upright rectangle between two corners."""

    corner: Point
    opposite: Point
    fill: Fill


class Polygon(NamedTuple):
    """Any polygon; where it crosses itself, the even-odd rule says what is inside."""

    points: tuple[Point, ...]
    fill: Fill


class Ellipse(NamedTuple):
    """An upright ellipse, or a ring: ``hole`` is the share of the radii that stays empty."""

    centre: Point
    radii: Point
    fill: Fill
    hole: float = 0.0


Shape = Box | Polygon | Ellipse
Shapes = Iterator[Shape]


class Frame(NamedTuple):
    """Where a thing's own sheet lies in the picture, whose y grows downwards from 0 to 1."""

    x: float
    y: float
    wide: float  # of one unit, in widths of the picture; below zero it is mirrored
    high: float  # below zero for a sheet whose y grows downwards

    def point(self, at: Point) -> Point:
        """A point of the sheet in the picture."""
        return self.x + self.wide * at[0], self.y - self.high * at[1]

    def shape(self, shape: Shape) -> Shape:
        """A shape of the sheet in the picture."""
        if isinstance(shape, Polygon):
            return shape._replace(points=tuple(map(self.point, shape.points)))
        if isinstance(shape, Ellipse):
            radii = abs(self.wide) * shape.radii[0], abs(self.high) * shape.radii[1]
            return shape._replace(centre=self.point(shape.centre), radii=radii)
        return shape._replace(corner=self.point(shape.corner), opposite=self.point(shape.opposite))


def plain(colour: Colour | Fill) -> Fill:
    """A colour as a fill; a fill stays what it is."""
    return colour if isinstance(colour, Fill) else Fill(colour, colour)


def down(top: Colour, bottom: Colour) -> Fill:
    """From one colour at the top to another at the bottom."""
    return Fill(top, bottom)


def round_(colour: Colour, dark: int = 62) -> Fill:
    """What makes a wall look like a tower: its right side lies in the shade."""
    return Fill(shade(colour, 106), shade(colour, dark), across=True)


def light(colour: Colour) -> Fill:
    """Shines at night."""
    return Fill(colour, colour, glows=True)


def thin(colour: Colour, opacity: int, glows: bool = False) -> Fill:
    """Lets through what is behind; such a shape is no part of an object's mask."""
    return Fill(colour, colour, opacity=opacity, glows=glows)


def shade(colour: Colour, percent: int) -> Colour:
    """``colour`` darker, or lighter above 100."""
    red, green, blue = (min(255, channel * percent // 100) for channel in colour)
    return red, green, blue


def mix(one: Colour, other: Colour, percent: int) -> Colour:
    """``percent`` of the other colour in the one."""
    red, green, blue = (
        (a * (100 - percent) + b * percent) // 100 for a, b in zip(one, other, strict=True)
    )
    return red, green, blue


def box(x0: float, y0: float, x1: float, y1: float, colour: Colour | Fill) -> Box:
    """A rectangle between two corners."""
    return Box((x0, y0), (x1, y1), plain(colour))


def poly(colour: Colour | Fill, *points: Point) -> Polygon:
    """A polygon."""
    return Polygon(points, plain(colour))


def oval(x: float, y: float, rx: float, ry: float, colour: Colour | Fill) -> Ellipse:
    """An ellipse."""
    return Ellipse((x, y), (rx, ry), plain(colour))


def disc(x: float, y: float, r: float, colour: Colour | Fill) -> Ellipse:
    """A circle."""
    return oval(x, y, r, r, colour)


def ring(x: float, y: float, r: float, width: float, colour: Colour | Fill) -> Ellipse:
    """A circle's line, ``width`` wide, inside of r."""
    return Ellipse((x, y), (r, r), plain(colour), 1 - width / r)


def line(colour: Colour | Fill, width: float, a: Point, b: Point) -> Polygon:
    """A straight line as a polygon."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = sqrt(dx * dx + dy * dy) or 1.0
    nx, ny = -dy / length * width / 2, dx / length * width / 2
    corners = (a[0] + nx, a[1] + ny), (b[0] + nx, b[1] + ny)
    return poly(colour, *corners, (b[0] - nx, b[1] - ny), (a[0] - nx, a[1] - ny))


def lines(colour: Colour | Fill, width: float, points: Iterable[Point]) -> Shapes:
    """Straight lines from each point to the next."""
    for a, b in pairwise(points):
        yield line(colour, width, a, b)


def arch(
    x: float, y: float, rx: float, ry: float, first: int = 0, last: int = 16
) -> Iterator[Point]:
    """Points on an ellipse from the angle ``first`` to ``last``; those of its upper half."""
    for angle in range(first, last + 1):
        cosine, sine = direction(angle)
        yield x + rx * cosine, y + ry * sine


def tower(low: float, high: float, bottom: float, top: float, colour: Colour | Fill) -> Polygon:
    """A wall between two heights, of half-width ``bottom`` below and ``top`` above."""
    return poly(colour, (-bottom, low), (bottom, low), (top, high), (-top, high))


def turned(point: Point, angle: int) -> Point:
    """A point turned about the origin, counterclockwise."""
    cosine, sine = direction(angle)
    return point[0] * cosine - point[1] * sine, point[0] * sine + point[1] * cosine


def direction(angle: int) -> Point:
    """Cosine and sine of an angle."""
    return _DIRECTIONS[angle % len(_DIRECTIONS)]


def _directions() -> list[Point]:
    """Three times halve a right angle, cos(φ/2)² = (1 + cos φ)/2; then go around by that step."""
    cosine = 0.0
    for _ in range(3):
        cosine = sqrt((1 + cosine) / 2)
    sine = sqrt(1 - cosine * cosine)
    quarter = [(1.0, 0.0)]
    for _ in range(7):
        x, y = quarter[-1]
        quarter.append((x * cosine - y * sine, x * sine + y * cosine))
    half = quarter + [(-y, x) for x, y in quarter]
    return half + [(-x, -y) for x, y in half]


_DIRECTIONS = _directions()
