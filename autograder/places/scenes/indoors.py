"""Four rooms, each a wall and a floor, with a window or a picture.

They are drawn on a sheet whose y = 0 is where the wall meets the floor and whose x goes from 0
to 1.
"""

from itertools import pairwise

from autograder.places.scenes.air import Air
from autograder.places.scenes.dice import Dice
from autograder.places.scenes.paints import BRIGHT, BROWN, CREAM, LEAF, WHITE, WOOD
from autograder.places.scenes.shapes import (
    Colour,
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
    thin,
)

_HIGH, _DEEP = 0.9, -0.7
_PASTELS: tuple[Colour, ...] = (
    *((206, 222, 204), (232, 208, 196), (204, 214, 230), (238, 226, 190)),
    *((222, 204, 222), (190, 212, 212)),
)


def parlour(dice: Dice) -> Shapes:
    """Striped wallpaper over boards."""
    paper, boards = dice.pick(_PASTELS), dice.pick((WOOD, (188, 140, 92), (134, 92, 60)))
    yield box(0, 0, 1, _HIGH, paper)
    yield from (box(k / 8, 0, k / 8 + 0.055, _HIGH, shade(paper, 93)) for k in range(8))
    yield from _boards(boards)
    yield box(0, 0, 1, 0.035, WHITE)


def _boards(wood: Colour) -> Shapes:
    yield box(0, 0, 1, _DEEP, down(shade(wood, 92), shade(wood, 110)))
    for k in range(-6, 7):
        yield line(shade(wood, 76), 0.007, (0.5 + 0.09 * k, 0), (0.5 + 0.2 * k, _DEEP))


def washroom(dice: Dice) -> Shapes:
    """Tiles on the wall and a chequered floor."""
    tile, floor = dice.pick((*_PASTELS, WHITE)), dice.pick((*BRIGHT, (70, 74, 84)))
    yield box(0, 0, 1, _HIGH, tile)
    joint = shade(tile, 84)
    yield from (box(k / 9, 0, k / 9 + 0.008, _HIGH, joint) for k in range(10))
    yield from (box(0, k / 9, 1, k / 9 + 0.008, joint) for k in range(1, 8))
    yield box(0, 0, 1, _DEEP, WHITE)
    rows = (0.0, -0.06, -0.14, -0.25, -0.4, -0.6)
    for k, (far, near) in enumerate(pairwise(rows)):
        for column in range(-6, 6, 2):
            at = column + k % 2
            spots = (at, far), (at + 1, far), (at + 1, near), (at, near)
            yield poly(mix(floor, WHITE, 30), *((0.5 + x * (0.13 - 0.2 * y), y) for x, y in spots))


def loft(dice: Dice) -> Shapes:
    """Bricks over concrete."""
    brick = dice.pick(((178, 96, 74), (156, 88, 74), (196, 124, 92), (168, 150, 140)))
    floor = dice.pick(((170, 168, 166), (146, 148, 154), (186, 178, 166)))
    yield box(0, 0, 1, _HIGH, shade(brick, 70))
    for row in range(13):
        for column in range(7):
            left = (column - 0.5 * (row % 2)) * 0.165
            colour = shade(brick, 92 + dice.below(18))
            yield box(left + 0.005, 0.065 * row, left + 0.158, 0.065 * row + 0.056, colour)
    yield box(0, 0, 1, _DEEP, down(shade(floor, 88), floor))


def salon(dice: Dice) -> Shapes:
    """Panels and a dotted wallpaper over a carpet."""
    paper, rug = dice.pick(_PASTELS), dice.pick(BRIGHT)
    panel = dice.pick((WHITE, CREAM, WOOD, (120, 140, 130)))
    yield box(0, 0, 1, _HIGH, paper)
    for k in range(30):
        yield disc(
            k % 6 / 6 + 0.08 * (k // 6 % 2) + 0.04, 0.3 + 0.12 * (k // 6), 0.016, shade(paper, 86)
        )
    yield box(0, 0, 1, 0.22, panel)
    yield from (box(0.02 + k / 5, 0.03, 0.18 + k / 5, 0.19, shade(panel, 90)) for k in range(5))
    yield box(0, 0.22, 1, 0.245, shade(panel, 80))
    yield box(0, 0, 1, _DEEP, down(mix(rug, BROWN, 55), mix(rug, BROWN, 35)))
    yield oval(0.5, -0.24, 0.6, 0.17, mix(rug, CREAM, 25))
    yield oval(0.5, -0.24, 0.5, 0.13, mix(rug, CREAM, 50))


ROOMS = {"parlour": parlour, "washroom": washroom, "loft": loft, "salon": salon}


def on_the_wall(dice: Dice, air: Air) -> Shapes:
    """A window through which the hour and the weather are seen, and a picture."""
    left, right = dice.shuffled((dice.between(0.04, 0.16), dice.between(0.62, 0.74)))
    yield from _window(dice, left, air)
    if dice.chance(0.6):
        yield from _painting(dice, right + 0.02)


def _window(dice: Dice, x: float, air: Air) -> Shapes:
    frame, low, high = dice.pick((WHITE, WOOD, (90, 94, 104))), 0.3, 0.56
    zenith, horizon = air.sky
    yield box(x, low, x + 0.24, high, frame)
    pane = x + 0.018, low + 0.018, x + 0.222, high - 0.018
    yield box(*pane, down(zenith, horizon)._replace(glows=True))
    if air.weather == "snow":
        yield from (
            disc(x + dice.between(0.03, 0.21), dice.between(0.33, 0.53), 0.008, light(WHITE))
            for _ in range(8)
        )
    elif air.weather == "rain":
        for _ in range(8):
            at = x + dice.between(0.03, 0.21), dice.between(0.36, 0.53)
            yield line(thin(WHITE, 10, glows=True), 0.007, at, (at[0] - 0.01, at[1] - 0.04))
    elif air.weather == "clear":
        bright = (255, 244, 170) if air.light == "day" else (250, 226, 170)
        yield disc(x + dice.between(0.06, 0.18), dice.between(0.42, 0.5), 0.025, light(bright))
    yield oval(x + 0.12, low + 0.018, 0.09, 0.03, shade(LEAF, 70))
    yield box(x + 0.112, low, x + 0.128, high, frame)
    yield box(x, 0.43, x + 0.24, 0.445, frame)
    yield box(x - 0.015, low - 0.02, x + 0.255, low + 0.005, shade(frame, 86))


def _painting(dice: Dice, x: float) -> Shapes:
    low, tone = dice.between(0.34, 0.42), dice.pick(BRIGHT)
    yield box(x, low, x + 0.17, low + 0.15, dice.pick((BROWN, (214, 176, 84), (60, 60, 66))))
    yield box(x + 0.018, low + 0.018, x + 0.152, low + 0.132, mix(tone, WHITE, 60))
    yield poly(tone, (x + 0.02, low + 0.018), (x + 0.15, low + 0.018), (x + 0.09, low + 0.1))
    yield disc(x + 0.125, low + 0.1, 0.015, dice.pick(BRIGHT))
