"""What people have built."""

from autograder.places.scenes.dice import Dice
from autograder.places.scenes.paints import (
    BLACK,
    BLUE,
    BRIGHT,
    BROWN,
    CREAM,
    FOAM,
    GLASS,
    GREEN,
    LAMP,
    MAROON,
    ORANGE,
    RED,
    ROOFS,
    SLATE,
    STEEL,
    STONE,
    TAN,
    TEAL,
    WALLS,
    WATER,
    WHITE,
    WOOD,
    YELLOW,
)
from autograder.places.scenes.shapes import (
    Colour,
    Fill,
    Point,
    Shapes,
    arch,
    box,
    direction,
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
    tower,
    turned,
)


def _pane(dark: bool, day: Colour = (70, 92, 116)) -> Fill | Colour:
    """A window from outside."""
    return light(LAMP) if dark else day


def amusement_park(dice: Dice, dark: bool) -> Shapes:
    """A Ferris wheel."""
    steel, hub, turn = dice.pick((*BRIGHT, WHITE)), (0.0, 0.55), dice.below(4)
    for x in (-0.3, 0.3):
        yield line(shade(steel, 66), 0.05, (x, 0), hub)
    yield box(-0.36, 0, 0.36, 0.05, shade(steel, 50))
    spokes = [direction(4 * k + turn) for k in range(8)]
    for x, y in spokes:
        yield line(shade(steel, 86), 0.02, hub, (0.42 * x, 0.55 + 0.42 * y))
    yield ring(*hub, 0.44, 0.045, steel)
    yield ring(*hub, 0.26, 0.025, shade(steel, 86))
    yield disc(*hub, 0.06, shade(steel, 60))
    colours = dice.shuffled(BRIGHT)
    for (x, y), colour in zip(spokes, colours, strict=True):
        cabin = light(shade(colour, 120)) if dark else colour
        yield disc(0.42 * x, 0.52 + 0.42 * y, 0.078, cabin)
        yield box(0.42 * x - 0.05, 0.52 + 0.42 * y, 0.42 * x + 0.05, 0.555 + 0.42 * y, WHITE)


def church(dice: Dice, dark: bool) -> Shapes:
    """A nave and a steeple with a cross."""
    wall, roof = dice.pick(WALLS), dice.pick(ROOFS)
    yield box(-0.1, 0, 0.5, 0.36, round_(wall, 84))
    yield poly(roof, (-0.1, 0.36), (0.53, 0.36), (0.42, 0.58), (-0.1, 0.58))
    for x in (0.1, 0.24, 0.38):
        yield box(x - 0.035, 0.1, x + 0.035, 0.22, _pane(dark))
        yield disc(x, 0.22, 0.035, _pane(dark))
    yield box(-0.38, 0, -0.06, 0.56, round_(shade(wall, 104), 80))
    yield poly(shade(roof, 86), (-0.42, 0.55), (-0.02, 0.55), (-0.22, 0.88))
    yield line(YELLOW, 0.026, (-0.22, 0.86), (-0.22, 1.02))
    yield line(YELLOW, 0.026, (-0.28, 0.96), (-0.16, 0.96))
    yield disc(-0.22, 0.44, 0.065, _pane(dark))
    yield from (line(wall, 0.015, a, b) for a, b in _crossbars(-0.22, 0.44, 0.065))
    yield box(-0.285, 0, -0.155, 0.17, BROWN)
    yield disc(-0.22, 0.17, 0.065, BROWN)


def _crossbars(x: float, y: float, r: float) -> list[tuple[Point, Point]]:
    return [((x - r, y), (x + r, y)), ((x, y - r), (x, y + r))]


def fountain(dice: Dice, dark: bool) -> Shapes:
    """Water that falls from a bowl into a basin."""
    stone = dice.pick((STONE, (206, 200, 188), (150, 156, 168), (188, 150, 122)))
    yield box(-0.5, 0.0, 0.5, 0.14, round_(stone, 66))
    yield oval(0, 0.14, 0.5, 0.075, shade(stone, 112))
    yield oval(0, 0.14, 0.44, 0.055, WATER)
    yield tower(0.13, 0.5, 0.09, 0.05, round_(stone, 60))
    yield poly(round_(stone, 60), *arch(0, 0.52, 0.29, 0.14, 16, 32))
    yield oval(0, 0.52, 0.29, 0.04, WATER)
    yield tower(0.5, 0.72, 0.035, 0.03, stone)
    for side in (-1, 1):
        for reach, top in ((0.38, 0.62), (0.19, 0.95)):
            drops = [(side * reach * (1 - x) / 2, y) for x, y in arch(0, 0, 1, 1, 0, 16)]
            start = 0.72 if top > 0.7 else 0.52
            jet = [(x, _falls(y, start, top, k)) for k, (x, y) in enumerate(drops[2::2])]
            yield from lines(FOAM, 0.034, jet)
    yield from (oval(x, 0.15, 0.08, 0.022, FOAM) for x in (-0.36, -0.17, 0.17, 0.36))


def _falls(rise: float, start: float, top: float, step: int) -> float:
    """The height of a drop that starts at ``start``, rises to ``top`` and falls to the basin."""
    low = start if step < 3 else 0.15
    return low + (top - low) * rise


def lighthouse(dice: Dice, dark: bool) -> Shapes:
    """A striped tower with a lamp."""
    paint, stripes = dice.pick((*BRIGHT, BLACK)), 2 + dice.below(2)
    if dark:
        beam = thin(LAMP, 5, glows=True)
        yield poly(beam, (0, 0.86), (-1.4, 1.1), (-1.4, 0.75))
        yield poly(beam, (0, 0.86), (1.4, 1.1), (1.4, 0.75))
    yield oval(0, 0.02, 0.34, 0.07, (110, 106, 104))
    yield tower(0.02, 0.78, 0.2, 0.125, round_(WHITE, 66))
    for k in range(stripes):
        low, high = (0.06 + 0.76 * (k + share) / stripes for share in (0.0, 0.5))
        yield tower(low, high, 0.2 - 0.1 * low, 0.2 - 0.1 * high, round_(paint, 58))
    yield box(-0.05, 0.02, 0.05, 0.15, BROWN)
    yield box(-0.17, 0.775, 0.17, 0.805, BLACK)
    yield box(-0.085, 0.805, 0.085, 0.91, light(LAMP) if dark else (206, 228, 236))
    yield from (box(x - 0.012, 0.8, x + 0.012, 0.91, BLACK) for x in (-0.08, 0, 0.08))
    yield poly(shade(paint, 84), (-0.12, 0.91), (0.12, 0.91), (0.02, 1.0), (-0.02, 1.0))


def phone_booth(dice: Dice, dark: bool) -> Shapes:
    """A booth of panes, with a telephone in it."""
    paint = dice.pick((RED, RED, BLUE, GREEN, MAROON, ORANGE, TEAL))
    yield box(-0.235, 0, 0.235, 0.9, round_(paint, 72))
    yield poly(round_(paint, 72), *arch(0, 0.9, 0.225, 0.1))
    yield box(-0.19, 0.81, 0.19, 0.88, light(WHITE) if dark else WHITE)
    yield from (box(x, 0.83, x + 0.05, 0.86, BLACK) for x in (-0.15, -0.065, 0.02, 0.105))
    yield box(-0.175, 0.17, 0.175, 0.77, _pane(dark, (178, 208, 218)))
    yield box(-0.04, 0.36, 0.09, 0.56, BLACK)
    yield line(STEEL, 0.035, (-0.08, 0.4), (-0.08, 0.54))
    for k in range(1, 5):
        yield box(-0.175, 0.17 + 0.12 * k - 0.011, 0.175, 0.17 + 0.12 * k + 0.011, paint)
    yield from (box(x - 0.011, 0.17, x + 0.011, 0.77, paint) for x in (-0.07, 0.07))
    yield box(-0.26, 0, 0.26, 0.05, shade(paint, 60))


def railroad(dice: Dice, dark: bool) -> Shapes:
    """A steam engine on its rails."""
    paint, trim = dice.pick((*BRIGHT, SLATE)), dice.pick((YELLOW, RED, CREAM))
    for k in range(7):
        yield box(-0.56 + 0.18 * k, -0.02, -0.47 + 0.18 * k, 0.03, BROWN)
    yield box(-0.58, 0.03, 0.6, 0.055, STEEL)
    for k in range(3):
        at = (-0.36 + 0.1 * k, 0.86 + 0.08 * k)
        yield disc(*at, 0.07 + 0.025 * k, thin(WHITE, 12 - 2 * k))
    yield box(-0.44, 0.2, 0.5, 0.26, shade(trim, 84))
    yield box(-0.42, 0.26, 0.16, 0.54, Fill(shade(paint, 120), shade(paint, 55)))
    yield oval(-0.42, 0.4, 0.06, 0.14, shade(paint, 70))
    yield from (box(x, 0.26, x + 0.03, 0.54, trim) for x in (-0.28, -0.06))
    yield tower(0.54, 0.76, 0, 0, BLACK)
    yield poly(BLACK, (-0.37, 0.54), (-0.27, 0.54), (-0.24, 0.76), (-0.4, 0.76))
    yield poly(trim, *arch(-0.08, 0.54, 0.07, 0.09))
    yield box(0.14, 0.26, 0.5, 0.7, round_(paint, 70))
    yield box(0.1, 0.7, 0.54, 0.755, shade(trim, 80))
    yield box(0.22, 0.48, 0.42, 0.64, _pane(dark, GLASS))
    yield poly(shade(trim, 70), (-0.44, 0.24), (-0.44, 0.07), (-0.6, 0.07))
    for x, r in ((-0.3, 0.1), (-0.08, 0.1), (0.3, 0.15)):
        yield disc(x, 0.055 + r, r, BLACK)
        yield ring(x, 0.055 + r, r * 0.72, r * 0.2, trim)
    yield line(STEEL, 0.03, (-0.3, 0.13), (0.3, 0.16))
    yield disc(-0.46, 0.5, 0.045, light(LAMP) if dark else CREAM)


def temple(dice: Dice, dark: bool) -> Shapes:
    """A pagoda: roofs over roofs."""
    wall, roof = dice.pick((RED, (214, 96, 60), CREAM, TAN)), dice.pick((SLATE, TEAL, BROWN, GREEN))
    floors = 3 + dice.below(2)
    yield box(-0.42, 0, 0.42, 0.06, STONE)
    for k in range(floors):
        low, high = (0.06 + 0.8 * share / floors for share in (k, k + 1))
        half = 0.33 - 0.2 * k / floors
        eaves, sill = low + (high - low) * 0.55, half * 0.3
        yield box(-half, low, half, eaves, round_(wall, 70))
        yield from (box(x - 0.02, low, x + 0.02, eaves, MAROON) for x in (-half, -sill, sill, half))
        yield box(-sill + 0.03, low + 0.02, sill - 0.03, eaves - 0.02, _pane(dark, (86, 56, 44)))
        yield poly(roof, *_roof(half, eaves, high + 0.03))
        yield line(shade(roof, 60), 0.018, (-half - 0.1, eaves), (half + 0.1, eaves))
    yield line(YELLOW, 0.026, (0, 0.86), (0, 1.02))
    yield from (disc(0, y, 0.03, YELLOW) for y in (0.9, 0.95))


def _roof(half: float, low: float, high: float) -> list[Point]:
    """A roof whose corners point upwards."""
    lift = (high - low) * 0.35
    right = [(half + 0.1, low), (half + 0.17, low + lift), (half * 0.85, low + lift * 1.3)]
    right.append((half * 0.6, high))
    return right + [(-x, y) for x, y in reversed(right)]


def windmill(dice: Dice, dark: bool) -> Shapes:
    """A mill with four sails."""
    wall, roof, turn = dice.pick(WALLS), dice.pick(ROOFS), dice.below(8)
    yield tower(0, 0.56, 0.23, 0.15, round_(wall, 66))
    yield poly(roof, *arch(0, 0.55, 0.17, 0.15))
    yield box(-0.06, 0, 0.06, 0.16, BROWN)
    yield from (
        box(x - 0.035, y, x + 0.035, y + 0.09, _pane(dark)) for x, y in ((0, 0.24), (0, 0.4))
    )
    hub, sail = (0.0, 0.6), dice.pick((WHITE, CREAM, *BRIGHT))
    for quarter in range(4):
        angle = 8 * quarter + turn
        tip = _about(hub, (0.43, 0.0), angle)
        cloth = ((0.1, 0.015), (0.43, 0.015), (0.43, 0.125), (0.1, 0.125))
        yield poly(sail, *(_about(hub, corner, angle) for corner in cloth))
        for x in (0.18, 0.26, 0.345):
            yield line(WOOD, 0.014, _about(hub, (x, 0), angle), _about(hub, (x, 0.125), angle))
        yield line(BROWN, 0.032, hub, tip)
    yield disc(*hub, 0.045, BROWN)


def _about(hub: Point, point: Point, angle: int) -> Point:
    x, y = turned(point, angle)
    return hub[0] + x, hub[1] + y
