"""Places in a house."""

from autograder.places.scenes.dice import Dice
from autograder.places.scenes.paints import (
    BLACK,
    BLUE,
    BRIGHT,
    BROWN,
    CREAM,
    FOAM,
    GREEN,
    LAMP,
    LEAF,
    MAROON,
    ORANGE,
    PINK,
    RED,
    SLATE,
    STEEL,
    STRAW,
    TAN,
    TEAL,
    WHITE,
    WOOD,
    YELLOW,
)
from autograder.places.scenes.shapes import (
    Colour,
    Shapes,
    arch,
    box,
    disc,
    down,
    light,
    line,
    lines,
    oval,
    poly,
    ring,
    round_,
    shade,
    thin,
)

_FURNITURE: tuple[Colour, ...] = (WOOD, BROWN, (196, 150, 98), WHITE, SLATE, (120, 62, 44))
_ENAMEL: tuple[Colour, ...] = (WHITE, CREAM, (206, 226, 226), PINK, (150, 190, 206), SLATE, MAROON)


def aquarium(dice: Dice, dark: bool) -> Shapes:
    """A tank with fish on a cabinet."""
    cabinet = dice.pick(_FURNITURE)
    yield box(-0.46, 0, 0.46, 0.3, round_(cabinet, 74))
    yield box(-0.01, 0.04, 0.01, 0.27, shade(cabinet, 60))
    yield from (disc(x, 0.16, 0.022, YELLOW) for x in (-0.05, 0.05))
    deep = dice.pick(((40, 110, 190), (30, 140, 160), (60, 90, 180)))
    water = down(shade(deep, 150), deep)._replace(glows=dark)
    yield box(-0.5, 0.3, 0.5, 0.9, water)
    yield box(-0.5, 0.3, 0.5, 0.36, STRAW)
    for x in dice.shuffled((-0.42, -0.3, 0.0, 0.3, 0.42))[:3]:
        yield from _weed(x, dice.between(0.18, 0.36))
    colours = dice.shuffled((ORANGE, YELLOW, RED, PINK, WHITE, GREEN))
    for k, colour in enumerate(colours[: 3 + dice.below(3)]):
        x, y = -0.32 + 0.3 * (k % 3) + dice.between(-0.06, 0.06), 0.52 + 0.2 * (k // 3)
        yield from _fish(x, y + dice.between(-0.04, 0.06), dice.pick((-1, 1)), colour)
    yield from (ring(0.36, 0.5 + 0.1 * k, 0.03, 0.012, FOAM) for k in range(4))
    yield box(-0.5, 0.9, 0.5, 0.97, BLACK)
    yield from (box(x - 0.015, 0.3, x + 0.015, 0.92, BLACK) for x in (-0.49, 0.49))
    yield line(thin(WHITE, 6), 0.04, (-0.4, 0.6), (-0.25, 0.86))


def _fish(x: float, y: float, faces: int, colour: Colour) -> Shapes:
    yield poly(
        shade(colour, 82), (x, y), (x - 0.15 * faces, y + 0.07), (x - 0.15 * faces, y - 0.07)
    )
    yield oval(x, y, 0.1, 0.06, colour)
    yield box(x - 0.012, y - 0.055, x + 0.012, y + 0.055, WHITE)
    yield disc(x + 0.06 * faces, y + 0.015, 0.016, BLACK)


def _weed(x: float, high: float) -> Shapes:
    bends = [
        (x, 0.34),
        (x + 0.03, 0.34 + high / 3),
        (x - 0.03, 0.34 + high / 1.5),
        (x, 0.34 + high),
    ]
    yield from lines(LEAF, 0.035, bends)


def bathroom(dice: Dice, dark: bool) -> Shapes:
    """A bathtub on feet, full of foam, with a rubber duck."""
    tub, metal = dice.pick(_ENAMEL), dice.pick((STEEL, (206, 168, 90)))
    yield from lines(metal, 0.045, [(0.44, 0.3), (0.44, 0.8), (0.3, 0.84), (0.24, 0.72)])
    yield disc(0.24, 0.71, 0.05, metal)
    yield from (
        line((150, 200, 230), 0.014, (0.2 + d, 0.64), (0.18 + d, 0.52)) for d in (0, 0.045, 0.09)
    )
    yield from (oval(x, 0.04, 0.05, 0.045, metal) for x in (-0.3, 0.3))
    for x, y, r in ((-0.3, 0.47, 0.09), (-0.16, 0.5, 0.1), (0.0, 0.5, 0.11), (0.15, 0.48, 0.09)):
        yield disc(x + dice.between(-0.02, 0.02), y, r, shade(FOAM, 97))
    yield from _duck(dice.between(-0.2, 0.05), 0.6)
    yield from (disc(x, 0.46, 0.075, WHITE) for x in (-0.38, -0.22, -0.06, 0.1, 0.26, 0.37))
    yield poly(
        round_(tub, 74),
        (-0.48, 0.44),
        (0.48, 0.44),
        (0.4, 0.12),
        (0.3, 0.06),
        (-0.3, 0.06),
        (-0.4, 0.12),
    )
    yield box(-0.52, 0.4, 0.52, 0.46, shade(tub, 92))


def _duck(x: float, y: float) -> Shapes:
    yield oval(x, y, 0.1, 0.07, YELLOW)
    yield disc(x - 0.07, y + 0.09, 0.06, YELLOW)
    yield poly(ORANGE, (x - 0.12, y + 0.11), (x - 0.12, y + 0.06), (x - 0.19, y + 0.08))
    yield disc(x - 0.085, y + 0.105, 0.014, BLACK)


def bedroom(dice: Dice, dark: bool) -> Shapes:
    """A bed with two pillows, seen from its foot."""
    wood, quilt, spot = dice.pick(_FURNITURE), *dice.shuffled(BRIGHT)[:2]
    yield box(-0.46, 0, 0.46, 0.68, round_(wood, 80))
    yield poly(wood, *arch(0, 0.66, 0.46, 0.16))
    yield box(-0.4, 0.3, 0.4, 0.6, shade(wood, 78))
    for x in (-0.21, 0.21):
        yield oval(x, 0.53, 0.19, 0.1, WHITE)
        yield oval(x, 0.51, 0.13, 0.05, (222, 226, 234))
    yield poly(
        down(shade(quilt, 114), quilt), (-0.43, 0.48), (0.43, 0.48), (0.5, 0.12), (-0.5, 0.12)
    )
    yield poly(WHITE, (-0.42, 0.5), (0.42, 0.5), (0.435, 0.43), (-0.435, 0.43))
    for k in range(8):
        x, y = -0.33 + 0.22 * (k % 4) + 0.06 * (k // 4), 0.35 - 0.12 * (k // 4)
        yield oval(x, y, 0.045, 0.03, spot)
    yield box(-0.5, 0.06, 0.5, 0.16, round_(wood, 66))
    yield from (box(x - 0.04, 0, x + 0.04, 0.2, shade(wood, 74)) for x in (-0.47, 0.47))


def classroom(dice: Dice, dark: bool) -> Shapes:
    """A blackboard on legs, with chalk on it."""
    board, frame = (
        dice.pick(((38, 84, 66), (46, 52, 58), (40, 66, 92))),
        dice.pick((WOOD, BROWN, TAN)),
    )
    for x in (-0.34, 0.34):
        yield line(shade(frame, 74), 0.05, (x * 1.2, 0), (x, 0.36))
    yield box(-0.5, 0.3, 0.5, 0.98, frame)
    yield box(-0.455, 0.35, 0.455, 0.935, board)
    yield from dice.pick((_smile, _house, _curve))(dice)
    for k in range(3):
        y = 0.84 - 0.1 * k
        yield box(-0.4, y, -0.4 + dice.between(0.16, 0.34), y + 0.028, (226, 230, 222))
    yield box(-0.48, 0.28, 0.48, 0.325, shade(frame, 84))
    yield from (
        box(x, 0.325, x + 0.07, 0.35, c) for x, c in ((-0.3, WHITE), (-0.1, YELLOW), (0.2, PINK))
    )


_CHALK: Colour = (240, 240, 228)


def _smile(dice: Dice) -> Shapes:
    """A face."""
    yield ring(0.22, 0.6, 0.19, 0.028, _CHALK)
    yield from (disc(x, 0.66, 0.03, _CHALK) for x in (0.15, 0.29))
    yield from lines(_CHALK, 0.026, [(0.13, 0.55), (0.18, 0.5), (0.26, 0.5), (0.31, 0.55)])


def _house(dice: Dice) -> Shapes:
    walls = [
        (0.08, 0.62),
        (0.08, 0.42),
        (0.36, 0.42),
        (0.36, 0.62),
        (0.08, 0.62),
        (0.22, 0.78),
        (0.36, 0.62),
    ]
    yield from lines(_CHALK, 0.028, walls)
    yield ring(0.4, 0.84, 0.06, 0.022, YELLOW)


def _curve(dice: Dice) -> Shapes:
    yield from lines(_CHALK, 0.022, [(0.02, 0.82), (0.02, 0.42), (0.43, 0.42)])
    yield from lines(
        PINK, 0.03, [(0.04, 0.8), (0.09, 0.6), (0.17, 0.52), (0.28, 0.47), (0.42, 0.46)]
    )


def kitchen(dice: Dice, dark: bool) -> Shapes:
    """A stove with pots under a hood."""
    body, metal = dice.pick(_ENAMEL), dice.pick((STEEL, SLATE, (200, 140, 90)))
    yield box(-0.1, 0.86, 0.1, 1.0, round_(metal, 66))
    yield poly(round_(metal, 66), (-0.12, 0.9), (0.12, 0.9), (0.36, 0.76), (-0.36, 0.76))
    yield box(-0.38, 0.72, 0.38, 0.765, shade(metal, 76))
    yield box(-0.4, 0, 0.4, 0.44, round_(body, 84))
    yield box(-0.3, 0.06, 0.3, 0.29, shade(body, 62))
    yield box(-0.25, 0.09, 0.25, 0.24, light((255, 160, 70)) if dice.chance(0.4) else (52, 48, 56))
    yield box(-0.27, 0.255, 0.27, 0.28, STEEL)
    yield from (disc(x, 0.37, 0.032, BLACK) for x in (-0.27, -0.09, 0.09, 0.27))
    yield box(-0.42, 0.43, 0.42, 0.47, BLACK)
    pot, pan = dice.shuffled((RED, STEEL, BLUE, ORANGE, TEAL))[:2]
    yield box(-0.33, 0.47, -0.07, 0.61, round_(pot, 66))
    yield box(-0.36, 0.6, -0.04, 0.63, shade(pot, 84))
    yield disc(-0.2, 0.645, 0.022, BLACK)
    yield poly(round_(pan, 66), (0.06, 0.53), (0.32, 0.53), (0.29, 0.47), (0.09, 0.47))
    yield line(BLACK, 0.03, (0.31, 0.52), (0.48, 0.57))
    yield from (disc(-0.2 + 0.03 * k, 0.68 + 0.04 * k, 0.04, thin(WHITE, 5)) for k in range(2))


def library(dice: Dice, dark: bool) -> Shapes:
    """Shelves full of books."""
    wood = dice.pick(_FURNITURE)
    yield box(-0.4, 0, 0.4, 1, round_(wood, 78))
    for shelf in range(4):
        low = 0.05 + 0.235 * shelf
        yield box(-0.355, low, 0.355, low + 0.205, shade(wood, 42))
        yield from _books(dice, low)


_COVERS = (*BRIGHT, MAROON, SLATE, CREAM, TAN)


def _books(dice: Dice, low: float) -> Shapes:
    x = -0.345
    while x < 0.28:
        wide, high = dice.between(0.045, 0.085), dice.between(0.13, 0.195)
        colour = dice.pick(_COVERS)
        if not dice.chance(0.1):  # a gap, now and then
            yield box(x, low, x + wide - 0.008, low + high, round_(colour, 84))
            yield box(x, low + high * 0.7, x + wide - 0.008, low + high * 0.8, shade(colour, 60))
        x += wide


def living_room(dice: Dice, dark: bool) -> Shapes:
    """A sofa with cushions."""
    cloth, one, other = dice.shuffled(BRIGHT)[:3]
    yield from (box(x - 0.03, 0, x + 0.03, 0.1, BROWN) for x in (-0.42, 0.42))
    yield box(-0.42, 0.2, 0.42, 0.62, shade(cloth, 88))
    yield oval(0, 0.62, 0.42, 0.06, shade(cloth, 92))
    yield box(-0.008, 0.3, 0.008, 0.66, shade(cloth, 62))
    yield box(-0.42, 0.08, 0.42, 0.24, shade(cloth, 76))
    for x in (-0.2, 0.2):
        yield box(x - 0.19, 0.22, x + 0.19, 0.34, down(shade(cloth, 116), shade(cloth, 96)))
    for x, colour in ((-0.25, one), (0.25, other))[: 1 + dice.below(2)]:
        yield poly(colour, (x - 0.13, 0.37), (x + 0.05, 0.33), (x + 0.12, 0.52), (x - 0.08, 0.56))
    for x in (-0.44, 0.44):
        yield box(x - 0.075, 0.08, x + 0.075, 0.42, cloth)
        yield disc(x, 0.42, 0.075, shade(cloth, 108))
        yield disc(x, 0.42, 0.04, shade(cloth, 88))


def music_studio(dice: Dice, dark: bool) -> Shapes:
    """A grand piano with its lid up, and a stool."""
    body = dice.pick((BLACK, (60, 44, 40), (120, 50, 40), WHITE, (52, 60, 92)))
    edge = shade(body, 70) if body != BLACK else (70, 68, 76)
    yield line(STRAW, 0.022, (0.2, 0.5), (0.34, 0.78))
    lid = ((-0.26, 0.54), (-0.12, 0.98), (0.12, 0.92), (0.3, 0.76), (0.5, 0.7), (0.5, 0.54))
    yield poly(edge, *lid)
    yield poly(body, *((x * 0.95, y - 0.025) for x, y in lid))
    yield from (
        poly(edge, (x - 0.04, 0.36), (x + 0.04, 0.36), (x + 0.02, 0), (x - 0.02, 0))
        for x in (-0.28, 0.02, 0.42)
    )
    yield box(-0.36, 0.36, 0.5, 0.55, round_(body, 66) if body != BLACK else down(edge, BLACK))
    yield box(-0.5, 0.36, -0.3, 0.44, body)
    yield box(-0.52, 0.44, -0.26, 0.475, WHITE)
    yield from (box(-0.5 + 0.05 * k, 0.455, -0.475 + 0.05 * k, 0.49, BLACK) for k in range(5))
    yield poly(CREAM, (-0.3, 0.55), (-0.24, 0.74), (-0.1, 0.74), (-0.16, 0.55))
    yield box(-0.62, 0.22, -0.38, 0.27, MAROON)
    yield from (line(BROWN, 0.03, (x, 0), (x, 0.22)) for x in (-0.58, -0.42))
    yield box(-0.36, 0.36, 0.5, 0.385, YELLOW)
    if dark:
        yield disc(-0.32, 0.62, 0.035, light(LAMP))
