"""Things that stand by and mean nothing: on sheets of their own, as the objects are."""

from collections.abc import Callable
from typing import NamedTuple

from autograder.places.scenes.dice import Dice
from autograder.places.scenes.paints import (
    BLACK,
    BRIGHT,
    BROWN,
    CREAM,
    DARK_SKIN,
    GLASS,
    LAMP,
    LEAF,
    PINK,
    SKIN,
    SLATE,
    STEEL,
    TAN,
    WHITE,
    WOOD,
)
from autograder.places.scenes.shapes import (
    Shapes,
    arch,
    box,
    disc,
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


def tree(dice: Dice, dark: bool) -> Shapes:
    """A tree with a round crown."""
    leaf = dice.pick((LEAF, (108, 158, 70), (58, 124, 78), (206, 128, 50), (236, 160, 178)))
    yield poly(BROWN, (-0.06, 0), (0.06, 0), (0.035, 0.5), (-0.035, 0.5))
    for x, y, r in ((-0.17, 0.55, 0.2), (0.17, 0.57, 0.2), (0, 0.76, 0.24), (0, 0.56, 0.2)):
        yield disc(x, y, r, shade(leaf, 82 + dice.below(30)))


def person(dice: Dice, dark: bool) -> Shapes:
    """Somebody in a coat."""
    coat, legs = dice.pick(BRIGHT), dice.pick((SLATE, BROWN, (52, 60, 92)))
    skin = dice.pick((SKIN, DARK_SKIN, (198, 150, 112)))
    yield from (line(legs, 0.11, (x, 0.34), (x * 1.3, 0)) for x in (-0.07, 0.07))
    yield poly(coat, (-0.13, 0.72), (0.13, 0.72), (0.19, 0.28), (-0.19, 0.28))
    swing = dice.between(0.3, 0.7)
    yield line(shade(coat, 84), 0.08, (-0.12, 0.68), (-0.27, 0.4))
    yield line(shade(coat, 84), 0.08, (0.12, 0.68), (0.28, swing))
    yield disc(0, 0.84, 0.12, skin)
    yield poly(dice.pick((BROWN, BLACK, TAN, *BRIGHT)), *arch(0, 0.86, 0.13, 0.13))


def car(dice: Dice, dark: bool) -> Shapes:
    """A small car."""
    paint = dice.pick((*BRIGHT, WHITE, STEEL))
    yield poly(shade(paint, 90), (-0.5, 0.34), (-0.3, 0.66), (0.3, 0.66), (0.5, 0.34))
    for x0, x1, top in ((-0.36, -0.03, -0.25), (0.03, 0.36, 0.25)):
        inner = x1 if top < 0 else x0
        outer = x0 if top < 0 else x1
        yield poly(GLASS, (outer, 0.38), (top, 0.6), (inner, 0.6), (inner, 0.38))
    yield box(-0.72, 0.12, 0.72, 0.38, paint)
    yield box(-0.72, 0.12, 0.72, 0.18, shade(paint, 66))
    for x in (-0.42, 0.42):
        yield disc(x, 0.13, 0.15, BLACK)
        yield disc(x, 0.13, 0.07, STEEL)
    yield disc(0.68, 0.3, 0.06, light(LAMP) if dark else CREAM)


def balloon(dice: Dice, dark: bool) -> Shapes:
    """A hot-air balloon."""
    one, other = dice.shuffled((*BRIGHT, WHITE))[:2]
    yield from (line(BROWN, 0.02, (x * 0.3, 0.12), (x, 0.46)) for x in (-0.22, 0.22))
    yield poly(one, (-0.3, 0.52), (0.3, 0.52), (0.08, 0.27), (-0.08, 0.27))
    yield oval(0, 0.66, 0.35, 0.34, one)
    yield oval(0, 0.66, 0.2, 0.34, other)
    yield oval(0, 0.66, 0.07, 0.34, one)
    yield box(-0.08, 0, 0.08, 0.13, WOOD)


def dog(dice: Dice, dark: bool) -> Shapes:
    """A dog with a collar."""
    coat = dice.pick((BROWN, TAN, BLACK, CREAM, (190, 120, 60)))
    yield from (box(x - 0.05, 0, x + 0.05, 0.4, shade(coat, 78)) for x in (-0.3, -0.16, 0.18, 0.3))
    yield oval(0, 0.44, 0.42, 0.17, coat)
    yield line(coat, 0.08, (-0.36, 0.48), (-0.56, 0.72))
    yield disc(0.42, 0.68, 0.2, coat)
    yield oval(0.58, 0.62, 0.12, 0.09, shade(coat, 108))
    yield oval(0.3, 0.66, 0.08, 0.17, shade(coat, 66))
    yield disc(0.67, 0.64, 0.04, BLACK)
    yield line(dice.pick(BRIGHT), 0.06, (0.24, 0.52), (0.46, 0.5))


def sheep(dice: Dice, dark: bool) -> Shapes:
    """A sheep."""
    wool = dice.pick((WHITE, CREAM, (92, 84, 84)))
    yield from (box(x - 0.04, 0, x + 0.04, 0.3, BLACK) for x in (-0.25, -0.1, 0.15, 0.28))
    for x, y in ((-0.3, 0.45), (-0.1, 0.55), (0.12, 0.56), (0.3, 0.46), (0.1, 0.38), (-0.15, 0.38)):
        yield disc(x, y, 0.19, wool)
    yield oval(0.48, 0.58, 0.14, 0.18, (60, 52, 54))
    yield disc(0.46, 0.74, 0.1, wool)


def bench(dice: Dice, dark: bool) -> Shapes:
    """A bench in a park."""
    wood = dice.pick((WOOD, (120, 150, 96), (170, 74, 60)))
    yield from (box(x - 0.04, 0, x + 0.04, 0.72, SLATE) for x in (-0.5, 0.5))
    yield from (box(-0.62, y, 0.62, y + 0.1, wood) for y in (0.44, 0.6))
    yield box(-0.62, 0.26, 0.62, 0.36, shade(wood, 84))


def kite(dice: Dice, dark: bool) -> Shapes:
    """A kite with a tail."""
    one, other = dice.shuffled(BRIGHT)[:2]
    yield from lines(other, 0.03, [(0.06, 0.42), (-0.02, 0.28), (0.1, 0.16), (0, 0)])
    yield poly(one, (0, 1), (0.28, 0.75), (0.06, 0.42), (-0.26, 0.72))
    yield poly(other, (0, 1), (0.28, 0.75), (0.01, 0.735))
    yield poly(other, (0.06, 0.42), (-0.26, 0.72), (0.01, 0.735))


def plant(dice: Dice, dark: bool) -> Shapes:
    """A plant in a pot."""
    pot, leaf = dice.pick((*BRIGHT, WHITE, (196, 110, 70))), dice.pick((LEAF, (58, 124, 78)))
    for x, y in ((-0.32, 0.72), (0.32, 0.7), (-0.18, 0.92), (0.2, 0.95), (0, 1.0)):
        yield line(shade(leaf, 74), 0.04, (0, 0.34), (x, y))
        yield oval(x, y, 0.13, 0.1, shade(leaf, 86 + dice.below(28)))
    yield poly(round_(pot, 70), (-0.2, 0.36), (0.2, 0.36), (0.14, 0), (-0.14, 0))


def cat(dice: Dice, dark: bool) -> Shapes:
    """A cat that sits."""
    fur = dice.pick((BLACK, (222, 140, 66), (150, 146, 150), CREAM, BROWN))
    yield from lines(fur, 0.09, [(0.2, 0.06), (0.46, 0.1), (0.5, 0.36)])
    yield oval(0, 0.28, 0.26, 0.3, fur)
    for x in (-0.14, 0.14):
        yield poly(fur, (x * 1.5, 0.72), (x * 1.55, 1.0), (x * 0.2, 0.8))
    yield oval(0, 0.68, 0.25, 0.2, fur)
    yield from (disc(x, 0.71, 0.045, (196, 224, 110)) for x in (-0.1, 0.1))
    yield disc(0, 0.63, 0.03, PINK)


def lamp(dice: Dice, dark: bool) -> Shapes:
    """A lamp on a stand."""
    cloth = dice.pick((CREAM, *BRIGHT))
    yield box(-0.02, 0.04, 0.02, 0.8, BROWN)
    yield oval(0, 0.03, 0.14, 0.035, BROWN)
    if dark:
        yield disc(0, 0.8, 0.4, thin(LAMP, 4, glows=True))
    lit = light(LAMP) if dark else cloth
    yield poly(lit, (-0.1, 1), (0.1, 1), (0.2, 0.7), (-0.2, 0.7))


def teddy(dice: Dice, dark: bool) -> Shapes:
    """A teddy bear."""
    fur = dice.pick((WOOD, TAN, (120, 84, 60), PINK))
    for x in (-0.24, 0.24):
        yield disc(x, 0.1, 0.14, shade(fur, 88))
        yield oval(x * 1.25, 0.4, 0.1, 0.15, shade(fur, 92))
        yield disc(x * 0.8, 0.94, 0.1, shade(fur, 86))
    yield oval(0, 0.32, 0.28, 0.3, fur)
    yield oval(0, 0.3, 0.17, 0.2, shade(fur, 118))
    yield disc(0, 0.74, 0.25, fur)
    yield oval(0, 0.67, 0.1, 0.08, shade(fur, 120))
    yield from (disc(x, 0.79, 0.03, BLACK) for x in (-0.09, 0.09))
    yield disc(0, 0.7, 0.03, BLACK)
    yield ring(0, 0.52, 0.08, 0.05, dice.pick(BRIGHT))


class Companion(NamedTuple):
    """What draws it, and its height in the foreground as a share of the picture's."""

    draw: Callable[[Dice, bool], Shapes]
    high: float
    flies: bool = False


OUTDOORS: dict[str, Companion] = {
    "tree": Companion(tree, 0.5),
    "person": Companion(person, 0.3),
    "car": Companion(car, 0.2),
    "balloon": Companion(balloon, 0.28, flies=True),
    "dog": Companion(dog, 0.16),
    "sheep": Companion(sheep, 0.18),
    "bench": Companion(bench, 0.18),
    "kite": Companion(kite, 0.22, flies=True),
}
INDOORS: dict[str, Companion] = {
    "plant": Companion(plant, 0.3),
    "cat": Companion(cat, 0.2),
    "lamp": Companion(lamp, 0.5),
    "teddy": Companion(teddy, 0.2),
}
COMPANIONS = OUTDOORS | INDOORS
