"""Places in the open."""

from itertools import pairwise

from autograder.places.scenes.dice import Dice
from autograder.places.scenes.paints import (
    BLACK,
    BRIGHT,
    BROWN,
    FLAME,
    FOAM,
    LEAF,
    ORANGE,
    PINK,
    ROCKS,
    STRAW,
    WATER,
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
    mix,
    oval,
    poly,
    round_,
    shade,
    thin,
)


def beach(dice: Dice, dark: bool) -> Shapes:
    """A striped parasol over a towel, with a ball."""
    one, other = dice.pick(BRIGHT), WHITE
    towel = dice.pick(BRIGHT)
    yield poly(towel, (-0.5, 0.0), (0.26, 0.0), (0.36, 0.1), (-0.36, 0.1))
    yield poly(WHITE, (-0.3, 0.0), (-0.2, 0.0), (-0.09, 0.1), (-0.18, 0.1))
    yield box(-0.015, 0.04, 0.02, 0.9, WOOD)
    rim = [-0.5 + 0.2 * k for k in range(6)]
    for k, (left, right) in enumerate(pairwise(rim)):
        colour = (one, other)[k % 2]
        hem = list(arch((left + right) / 2, 0.58, 0.1, 0.05))
        yield poly(
            shade(colour, 104 - 8 * k), *hem, *_canopy(left), *reversed(list(_canopy(right)))
        )
    yield disc(0, 0.97, 0.025, one)
    yield disc(0.38, 0.09, 0.09, dice.pick(BRIGHT))
    yield oval(0.38, 0.09, 0.035, 0.09, WHITE)


def _canopy(x: float) -> list[tuple[float, float]]:
    """The seam of a parasol from its rim at ``x`` to the top."""
    return [(x, 0.58), (x * 0.93, 0.72), (x * 0.72, 0.85), (x * 0.38, 0.93), (0, 0.96)]


def campsite(dice: Dice, dark: bool) -> Shapes:
    """A tent with an open door, and a fire."""
    cloth = dice.pick(BRIGHT)
    yield poly(shade(cloth, 74), (-0.14, 0.78), (0.26, 0.72), (0.5, 0.05), (0.2, 0.0))
    yield poly(down(shade(cloth, 112), cloth), (-0.14, 0.78), (0.2, 0.0), (-0.48, 0.0))
    inside = light((255, 214, 120)) if dark else (58, 48, 52)
    yield poly(inside, (-0.14, 0.62), (-0.02, 0.0), (-0.28, 0.0))
    yield poly(shade(cloth, 84), (-0.14, 0.62), (-0.02, 0.0), (0.04, 0.0), (-0.1, 0.5))
    yield line(BROWN, 0.025, (-0.14, 0.72), (-0.14, 0.9))
    yield poly(dice.pick(BRIGHT), (-0.14, 0.98), (-0.14, 0.86), (0.02, 0.92))
    yield from _fire(-0.52 + 0.12 * dice.share())


def _fire(x: float) -> Shapes:
    yield line(BROWN, 0.045, (x - 0.1, 0.0), (x + 0.1, 0.06))
    yield line(BROWN, 0.045, (x - 0.1, 0.06), (x + 0.1, 0.0))
    yield poly(light(ORANGE), (x - 0.08, 0.05), (x + 0.08, 0.05), (x + 0.04, 0.16), (x, 0.27))
    yield poly(light(YELLOW), (x - 0.05, 0.05), (x + 0.04, 0.05), (x - 0.02, 0.19))


def desert(dice: Dice, dark: bool) -> Shapes:
    """A cactus with arms and a flower."""
    green = dice.pick(((70, 136, 84), (96, 148, 78), (58, 116, 96)))
    skin = round_(green, 66)
    left, right = dice.between(0.3, 0.5), dice.between(0.34, 0.56)
    for side, height in ((-1, left), (1, right)):
        elbow, top = 0.27 * side, height + dice.between(0.2, 0.3)
        yield box(0, height - 0.06, elbow, height + 0.06, shade(green, 90))
        yield disc(elbow, height, 0.075, shade(green, 92))
        yield box(elbow - 0.075, height, elbow + 0.075, top, skin)
        yield disc(elbow, top, 0.075, shade(green, 95))
    yield box(-0.12, 0, 0.12, 0.86, skin)
    yield oval(0, 0.86, 0.12, 0.12, skin)
    for x in (-0.06, 0.0, 0.06):
        yield box(x - 0.008, 0.02, x + 0.008, 0.92, shade(green, 60))
    flower = dice.pick((PINK, YELLOW, ORANGE, WHITE))
    for x in (-0.05, 0.05):
        yield disc(x, 0.98, 0.05, flower)
    yield disc(0, 1.0, 0.05, shade(flower, 85))


def field(dice: Dice, dark: bool) -> Shapes:
    """A scarecrow between ears of wheat."""
    shirt, patch = dice.shuffled(BRIGHT)[:2]
    yield line(BROWN, 0.05, (0, 0), (0, 0.8))
    for side in (-1, 1):
        yield line(BROWN, 0.04, (0, 0.56), (0.5 * side, 0.6))
        yield from (
            line(STRAW, 0.02, (0.42 * side, 0.59), (0.55 * side, y)) for y in (0.5, 0.58, 0.68)
        )
        yield poly(shirt, (0, 0.66), (0, 0.5), (0.4 * side, 0.5), (0.43 * side, 0.67))
    yield poly(shirt, (-0.16, 0.66), (0.16, 0.66), (0.19, 0.24), (-0.19, 0.24))
    yield box(-0.1, 0.36, 0.02, 0.47, patch)
    yield from (line(STRAW, 0.022, (x, 0.27), (1.3 * x, 0.14)) for x in (-0.16, -0.05, 0.06, 0.16))
    yield oval(0, 0.76, 0.115, 0.12, (232, 206, 158))
    yield from (disc(x, 0.78, 0.022, BLACK) for x in (-0.045, 0.045))
    yield box(-0.05, 0.7, 0.05, 0.715, BLACK)
    hat = dice.pick((BROWN, (70, 66, 84), STRAW, (150, 92, 50)))
    yield poly(hat, (-0.13, 0.84), (0.13, 0.84), (0.07, 1.0), (-0.05, 1.0))
    yield oval(0, 0.85, 0.2, 0.035, shade(hat, 86))
    for k in range(7):
        yield from _wheat(-0.45 + 0.15 * k, dice.between(0.16, 0.28))


def _wheat(x: float, high: float) -> Shapes:
    yield line((186, 158, 70), 0.018, (x, 0), (x + 0.02, high))
    yield oval(x + 0.02, high, 0.025, 0.06, STRAW)


def igloo(dice: Dice, dark: bool) -> Shapes:
    """A dome of blocks of snow with an arched way in."""
    snow = dice.pick(((222, 236, 248), (232, 240, 244), (206, 226, 246)))
    joint = shade(snow, 74)
    yield poly(round_(snow, 78), *arch(0.06, 0, 0.44, 0.68))
    for k, y in enumerate((0.17, 0.34, 0.5)):
        half = 0.44 * (0.97, 0.87, 0.68)[k]
        yield box(0.06 - half, y - 0.01, 0.06 + half, y + 0.01, joint)
        for x in (-0.75, -0.25, 0.25, 0.75):
            at = 0.06 + half * (x + 0.25 * (k % 2)) * 0.9
            yield box(at - 0.01, y, at + 0.01, y + 0.16, joint)
    yield poly(shade(snow, 104), *arch(-0.24, 0, 0.25, 0.4))
    yield poly(joint, *arch(-0.26, 0, 0.19, 0.31))
    yield poly(light((255, 206, 120)) if dark else (58, 74, 104), *arch(-0.26, 0, 0.16, 0.27))


def rock_arch(dice: Dice, dark: bool) -> Shapes:
    """A gate that wind has worn into rock."""
    rock = dice.pick(ROCKS)
    outer = [(x + dice.between(-0.025, 0.025), y * 0.98) for x, y in arch(0, 0, 0.5, 0.92)][1:-1]
    high, wide = dice.between(0.5, 0.62), dice.between(0.2, 0.27)
    inner = [(x + 0.03, y) for x, y in arch(0, 0, wide, high)]
    body = ((0.5, 0), *outer, (-0.52, 0), *reversed(inner))
    yield poly(round_(rock, 58), *body)
    for k in range(4):
        y, slip = 0.2 + 0.17 * k, dice.between(-0.03, 0.03)
        reach = (0.46, 0.42, 0.36, 0.24)[k]
        gap = (wide + 0.06) if y < high else 0.0
        colour = shade(rock, 78)
        yield line(colour, 0.028, (-reach, y), (-gap, y + slip))
        yield line(shade(rock, 60), 0.028, (max(gap, 0.02), y + slip), (reach, y))
    yield oval(-0.38, 0.03, 0.13, 0.08, shade(rock, 84))
    yield oval(0.42, 0.02, 0.12, 0.07, shade(rock, 56))


def volcano(dice: Dice, dark: bool) -> Shapes:
    """A mountain that smokes, with streams of lava."""
    rock = dice.pick(((98, 84, 88), (122, 92, 80), (86, 92, 106), (132, 106, 90)))
    for k in range(4):
        x, y = dice.between(-0.05, 0.05) + 0.05 * k, 0.76 + 0.075 * k
        yield disc(x, y, 0.07 + 0.022 * k, thin(mix((120, 110, 116), WHITE, 10 * k), 12))
    yield poly(
        round_(rock, 54),
        *((-0.52, 0), (-0.32, 0.2), (-0.18, 0.48), (-0.12, 0.74)),
        *((0.13, 0.74), (0.2, 0.46), (0.34, 0.2), (0.52, 0)),
    )
    yield oval(0, 0.74, 0.125, 0.035, (70, 34, 34))
    yield oval(0, 0.735, 0.09, 0.022, light(ORANGE))
    for x in dice.shuffled((-0.07, 0.0, 0.08))[: 2 + dice.below(2)]:
        end, low = x * 3.2 + dice.between(-0.08, 0.08), dice.between(0.05, 0.4)
        middle = (x * 1.7 + dice.between(-0.04, 0.04), (low + 0.74) / 2)
        yield from lines(light((240, 84, 34)), 0.06, [(x, 0.75), middle, (end, low)])
        yield disc(end, low, 0.032, light((240, 84, 34)))
        yield from lines(light(FLAME), 0.022, [(x, 0.75), middle])
    yield from (
        disc(*spark, 0.018, thin(FLAME, 15, glows=True)) for spark in ((-0.16, 0.86), (0.12, 0.92))
    )


def waterfall(dice: Dice, dark: bool) -> Shapes:
    """Water over a cliff into a pool."""
    rock, fall = dice.pick(ROCKS), dice.between(-0.1, 0.1)
    top = dice.between(0.86, 0.96)
    yield poly(
        round_(rock, 60),
        *((-0.5, 0), (-0.46, 0.5), (-0.4, top - 0.08), (-0.2, top), (0.2, top)),
        *((0.38, top - 0.06), (0.47, 0.45), (0.52, 0)),
    )
    for k in range(3):
        x, y = dice.between(-0.44, -0.3), 0.15 + 0.24 * k
        yield line(shade(rock, 70), 0.03, (x, y), (x + 0.14, y + 0.02))
        yield line(shade(rock, 50), 0.03, (0.26, y + 0.06), (0.42, y + 0.04))
    yield from _stream(fall, top, dice)
    for x in (-0.36, -0.24, 0.26, 0.38):
        yield disc(x, top - 0.06 + dice.between(0, 0.05), 0.085, shade(LEAF, 80 + dice.below(40)))
    yield oval(fall, 0.03, 0.44, 0.07, WATER)
    yield from (disc(fall + x, 0.07, 0.06, FOAM) for x in (-0.13, -0.05, 0.04, 0.12))


def _stream(x: float, top: float, dice: Dice) -> Shapes:
    blue: Colour = (150, 206, 236)
    yield poly(
        down(FOAM, blue), (x - 0.11, top), (x + 0.11, top), (x + 0.16, 0.04), (x - 0.16, 0.04)
    )
    for k in range(5):
        at, high = x - 0.1 + 0.05 * k, dice.between(0.4, top - 0.08)
        yield line(FOAM if k % 2 else shade(blue, 84), 0.018, (at, high), (at * 1.1, high - 0.3))
    yield oval(x, top, 0.11, 0.025, blue)
