"""Eight landscapes, each what is far away and the ground before it.

Both are drawn on a sheet whose y = 0 is the horizon and whose x goes from 0 to 1: what is far
stands above, the ground lies below, down to -0.7.
"""

from collections.abc import Callable
from typing import NamedTuple

from autograder.places.scenes.dice import Dice
from autograder.places.scenes.paints import (
    BRIGHT,
    FOAM,
    GRASS,
    LAMP,
    LEAF,
    PINE,
    ROOFS,
    STRAW,
    WALLS,
    WHITE,
)
from autograder.places.scenes.shapes import (
    Colour,
    Fill,
    Shapes,
    box,
    disc,
    down,
    light,
    line,
    mix,
    oval,
    poly,
    shade,
)

_DEEP = -0.8  # below every picture


def _ground(far: Colour, near: Colour) -> Shapes:
    yield box(0, 0, 1, _DEEP, down(far, near))


def _hills(dice: Dice, colour: Colour, low: float, high: float) -> Shapes:
    for k in range(3):
        rise = dice.between(low, high)
        at = k * 0.4 + dice.between(-0.1, 0.3)
        yield oval(at, 0, dice.between(0.25, 0.45), rise, shade(colour, 88 + dice.below(20)))


def _fir(x: float, y: float, high: float, colour: Colour) -> Shapes:
    for low, wide in ((0.1, 0.24), (0.4, 0.18), (0.66, 0.12)):
        tip = (x, y + high * min(low + 0.45, 1))
        yield poly(
            colour, (x - wide * high, y + low * high), (x + wide * high, y + low * high), tip
        )


def _specks(dice: Dice, count: int, colours: tuple[Colour, ...], size: float = 0.012) -> Shapes:
    """Flowers, stones, shells: larger when nearer."""
    for _ in range(count):
        y = dice.between(0.05, 0.6)
        r = size * (0.5 + 1.5 * y)
        yield oval(dice.share(), -y, r, r * 0.7, dice.pick(colours))


def meadow_far(dice: Dice, dark: bool) -> Shapes:
    """Green hills."""
    yield from _hills(dice, (118, 172, 104), 0.06, 0.16)
    for _ in range(3):
        x = dice.share()
        yield disc(x, 0.02, 0.03, (70, 130, 72))


def meadow(dice: Dice, dark: bool) -> Shapes:
    """Grass and flowers."""
    yield from _ground(GRASS, (82, 146, 62))
    for _ in range(10):
        x, y = dice.share(), dice.between(0.05, 0.6)
        yield poly((66, 126, 56), (x - 0.015, -y), (x + 0.015, -y), (x + 0.005, -y + 0.03))
    yield from _specks(dice, 10, (WHITE, *BRIGHT), 0.011)


def shore_far(dice: Dice, dark: bool) -> Shapes:
    """A sail on the sea."""
    x = dice.between(0.05, 0.9)
    yield poly(WHITE, (x, 0.01), (x + 0.05, 0.01), (x, 0.1))
    yield poly(
        (150, 80, 60), (x - 0.03, 0.01), (x + 0.06, 0.01), (x + 0.04, -0.005), (x - 0.02, -0.005)
    )


def shore(dice: Dice, dark: bool) -> Shapes:
    """Sea, surf and sand."""
    yield from _ground((52, 132, 182), (90, 180, 200))
    for _ in range(5):
        x, y = dice.share(), dice.between(0.01, 0.06)
        yield box(x, -y, x + 0.08, -y - 0.006, FOAM)
    for k in range(6):
        yield oval(0.2 * k, -0.1, 0.13, 0.025, FOAM)
    yield box(0, -0.1, 1, _DEEP, down((238, 216, 162), (220, 188, 128)))
    yield from _specks(dice, 9, (WHITE, (240, 170, 150), (180, 146, 100)), 0.01)


def snow_far(dice: Dice, dark: bool) -> Shapes:
    """White hills with firs."""
    yield from _hills(dice, (214, 226, 240), 0.06, 0.15)
    for _ in range(6):
        yield from _fir(dice.share(), 0, dice.between(0.08, 0.15), (84, 122, 116))


def snow(dice: Dice, dark: bool) -> Shapes:
    """Snow with tracks."""
    yield from _ground((226, 234, 244), (242, 246, 250))
    for _ in range(5):
        x, y = dice.share(), dice.between(0.08, 0.5)
        yield oval(x, -y, 0.16, 0.022, (208, 220, 236))
    x = dice.between(0.1, 0.7)
    for k in range(7):
        yield oval(x + 0.02 * k + 0.015 * (k % 2), -0.06 - 0.08 * k, 0.008, 0.011, (176, 194, 220))


def dunes_far(dice: Dice, dark: bool) -> Shapes:
    """Table mountains."""
    for _ in range(2):
        x, high, half = dice.share(), dice.between(0.08, 0.18), dice.between(0.07, 0.13)
        rock = (206, 128, 92)
        yield poly(
            rock, (x - half - 0.05, 0), (x - half, high), (x + half, high), (x + half + 0.05, 0)
        )
        yield box(x - half - 0.02, high * 0.5, x + half + 0.02, high * 0.62, shade(rock, 84))


def dunes(dice: Dice, dark: bool) -> Shapes:
    """Waves of sand."""
    yield from _ground((236, 190, 120), (214, 150, 84))
    for _ in range(6):
        x, y, wide = dice.share(), dice.between(0.06, 0.55), dice.between(0.2, 0.45)
        yield oval(x, -y, wide, 0.035, (244, 202, 136))
        yield oval(x + 0.03, -y - 0.018, wide, 0.03, (224, 170, 100))
    yield from _specks(dice, 6, ((150, 104, 70), (186, 132, 90)), 0.012)


def peaks_far(dice: Dice, dark: bool) -> Shapes:
    """Mountains with snow on top."""
    for k in range(4):
        x, high = 0.3 * k + dice.between(-0.1, 0.15), dice.between(0.18, 0.36)
        half, rock = high * dice.between(0.6, 0.9), shade((134, 144, 166), 86 + dice.below(24))
        yield poly(rock, (x - half, 0), (x, high), (x + half, 0))
        cap = [(x - half * 0.3, high * 0.7), (x, high), (x + half * 0.3, high * 0.7)]
        yield poly(
            WHITE,
            *cap,
            (x + half * 0.1, high * 0.78),
            (x, high * 0.66),
            (x - half * 0.12, high * 0.8),
        )


def peaks(dice: Dice, dark: bool) -> Shapes:
    """A stony pasture."""
    yield from _ground((150, 168, 118), (122, 140, 92))
    yield from _specks(dice, 14, ((156, 156, 160), (122, 122, 130), (190, 188, 184)), 0.024)


def quay_far(dice: Dice, dark: bool) -> Shapes:
    """Houses beyond the water."""
    yield from _houses(dice, dark, 0.05, 0.12)


def quay(dice: Dice, dark: bool) -> Shapes:
    """Water with a boat, and paving before it."""
    yield from _ground((88, 128, 160), (58, 104, 140))
    for _ in range(6):
        x, y = dice.share(), dice.between(0.02, 0.1)
        yield box(x, -y, x + 0.07, -y - 0.006, (150, 184, 206))
    x, hull = dice.between(0.1, 0.8), dice.pick(BRIGHT)
    yield line((90, 64, 50), 0.01, (x, -0.05), (x, 0.12))
    yield poly(WHITE, (x + 0.01, -0.03), (x + 0.09, -0.03), (x + 0.01, 0.11))
    yield poly(hull, (x - 0.1, -0.04), (x + 0.12, -0.04), (x + 0.08, -0.085), (x - 0.07, -0.085))
    yield box(0, -0.12, 1, _DEEP, down((176, 170, 164), (148, 140, 134)))
    for k, y in enumerate((0.16, 0.23, 0.33, 0.46)):
        yield box(0, -y, 1, -y - 0.007, (122, 114, 110))
        yield from (
            box(c / 5 + 0.1 * (k % 2), -y, c / 5 + 0.1 * (k % 2) + 0.008, -y - 0.1, (122, 114, 110))
            for c in range(5)
        )


def street_far(dice: Dice, dark: bool) -> Shapes:
    """A row of houses."""
    yield from _houses(dice, dark, 0.14, 0.34)


def _houses(dice: Dice, dark: bool, low: float, high: float) -> Shapes:
    x = -0.05
    while x < 1:
        wide, rise = dice.between(0.1, 0.18), dice.between(low, high)
        wall, roof = dice.pick(WALLS), dice.pick(ROOFS)
        yield box(x, 0, x + wide, rise, wall)
        yield poly(
            roof, (x - 0.01, rise), (x + wide + 0.01, rise), (x + wide / 2, rise + wide * 0.5)
        )
        rows = max(1, int(rise / 0.075))
        for k in range(2 * rows):
            left, top = x + wide * (0.18 + 0.4 * (k % 2)), rise - 0.02 - 0.075 * (k // 2)
            lit = dark and dice.chance(0.6)
            pane: Fill | Colour = light(LAMP) if lit else (92, 108, 126)
            yield box(left, top, left + wide * 0.24, max(top - 0.04, 0), pane)
        x += wide


def street(dice: Dice, dark: bool) -> Shapes:
    """A pavement, and a road with a line."""
    yield from _ground((190, 184, 178), (176, 170, 166))
    yield box(0, -0.07, 1, _DEEP, down((112, 114, 120), (90, 92, 98)))
    yield box(0, -0.07, 1, -0.08, (222, 218, 210))
    start = dice.between(-0.2, 0)
    yield from (
        box(start + 0.26 * k, -0.2, start + 0.26 * k + 0.14, -0.22, WHITE) for k in range(5)
    )


def forest_far(dice: Dice, dark: bool) -> Shapes:
    """A wall of firs."""
    yield box(0, 0, 1, 0.1, shade(PINE, 84))
    for k in range(11):
        colour = shade(PINE, 84 + dice.below(44))
        yield from _fir(0.1 * k + dice.between(-0.04, 0.04), -0.02, dice.between(0.2, 0.4), colour)


def forest(dice: Dice, dark: bool) -> Shapes:
    """Moss, leaves and mushrooms."""
    yield from _ground((88, 122, 72), (72, 98, 56))
    yield from _specks(dice, 10, ((118, 92, 58), LEAF, STRAW, (60, 84, 48)), 0.014)
    for _ in range(3):
        x, y = dice.share(), dice.between(0.1, 0.5)
        yield box(x - 0.008, -y - 0.03, x + 0.008, -y, WHITE)
        yield oval(x, -y, 0.026, 0.018, mix((208, 58, 52), WHITE, 5))


class Landscape(NamedTuple):
    """What draws the distance, and what the ground before it."""

    far: Callable[[Dice, bool], Shapes]
    ground: Callable[[Dice, bool], Shapes]


LANDSCAPES: dict[str, Landscape] = {
    "meadow": Landscape(meadow_far, meadow),
    "shore": Landscape(shore_far, shore),
    "snow": Landscape(snow_far, snow),
    "dunes": Landscape(dunes_far, dunes),
    "peaks": Landscape(peaks_far, peaks),
    "quay": Landscape(quay_far, quay),
    "street": Landscape(street_far, street),
    "forest": Landscape(forest_far, forest),
}
