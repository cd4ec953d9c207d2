"""One scene: what is where, and the picture of it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from autograder.places.scenes.air import FAR, GROUND, NEAR, Air, falling, sky
from autograder.places.scenes.canvas import Canvas, Mask, Pixels
from autograder.places.scenes.classes import CLASSES, Place
from autograder.places.scenes.companions import COMPANIONS, Companion
from autograder.places.scenes.dice import Dice
from autograder.places.scenes.indoors import ROOMS, on_the_wall
from autograder.places.scenes.outdoors import LANDSCAPES
from autograder.places.scenes.plan import Facts, Plan, plan
from autograder.places.scenes.shapes import Frame, Shapes, oval, thin
from autograder.problem import BadInputError, Problem

SIZE = 64
SMALLEST = 24  # in fewer pixels there are objects none of which they fill by half

_PICTURE = Frame(0, 0, 1, -1)  # y grows downwards, as in the picture
_HORIZONS = 0.34, 0.58  # from the top
# Small enough that no single place in the picture is on most of the objects.
_HEIGHTS = 0.3, 0.62  # of an object, as shares of the picture's
_SHADOW = thin((20, 22, 40), 5)

Box = tuple[int, int, int, int]


class Scene(NamedTuple):
    """A picture, and the truth about it.

    Attributes:
        image: (size, size, 3) uint8.
        label: the class's number among the classes that were asked for.
        mask: (size, size) bool: where the object that defines the class is seen.
        box: the mask's (x0, y0, x1, y1) in pixels; x1 and y1 are the first ones outside.
        facts: what else there is.
    """

    image: Pixels
    label: int
    mask: Mask
    box: Box
    facts: Facts


class Layer(NamedTuple):
    """Shapes on one sheet, where that lies, and how far away."""

    depth: int
    frame: Frame
    shapes: Shapes
    is_object: bool = False


def draw(
    index: int,
    seed: int = 0,
    *,
    split: str = "train",
    size: int = SIZE,
    classes: Sequence[str] = CLASSES,
    background_bias: float = 0.0,
    companion_bias: float = 0.0,
) -> Scene:
    """The scene with this number: the same for the same arguments, on every machine.

    Any run of ``len(classes)`` scenes that starts at a multiple of it has one of each class.

    Args:
        index: its number, from 0.
        seed: another seed, other scenes.
        split: train, val or test: other scenes in each.
        size: height and width in pixels, at least `SMALLEST`.
        classes: names from `CLASSES`; a label is a place in this list.
        background_bias: how often the background is the one that the class is at home with;
            otherwise every background is as likely as any other. At 0 it says nothing about
            the class but whether that is indoors.
        companion_bias: the same for the thing that stands by.

    Raises:
        BadInputError: there is no such split or class, or a picture of this size shows nothing.
    """
    if size < SMALLEST:
        fix = "Draw larger ones."
        raise BadInputError(Problem("scenes, size", str(size), f"at least {SMALLEST}", fix))
    scene = plan(
        index,
        seed,
        split=split,
        classes=classes,
        background_bias=background_bias,
        companion_bias=companion_bias,
    )
    canvas = Canvas(size)
    for layer in layers(scene):
        look = scene.air.look(layer.depth)
        for shape in layer.shapes:
            canvas.paint(layer.frame.shape(shape), look, layer.is_object)
    mask = canvas.mask()
    return Scene(canvas.image(), scene.label, mask, box_of(mask), scene.facts)


def box_of(mask: Mask) -> Box:
    """The smallest (x0, y0, x1, y1) that holds all of a mask; x1 and y1 are outside."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def layers(scene: Plan) -> Iterator[Layer]:
    """All of a scene from behind."""
    dice, air = Dice(*scene.key), scene.air
    horizon = dice.between(*_HORIZONS)
    yield from _background(dice, air, scene.facts.background, horizon)
    yield from _things(dice, scene, horizon)
    yield Layer(NEAR, _PICTURE, falling(dice, air))


def _background(dice: Dice, air: Air, name: str, horizon: float) -> Iterator[Layer]:
    frame = Frame(0, horizon, 1, 1)
    if air.indoors:
        yield Layer(FAR, frame, ROOMS[name](dice))
        yield Layer(FAR, frame._replace(y=horizon + 0.08), on_the_wall(dice, air))
        return
    yield Layer(FAR, Frame(0, horizon, 1, horizon), sky(dice, air))
    yield Layer(FAR, frame, LANDSCAPES[name].far(dice, air.dark))
    yield Layer(GROUND, frame, LANDSCAPES[name].ground(dice, air.dark))


def _things(dice: Dice, scene: Plan, horizon: float) -> Iterator[Layer]:
    """The object and its companions, what is nearer later."""
    dark = scene.air.dark
    middle = _in_the_middle(dice, scene.place, horizon, scene.facts.mirrored)
    around = [
        (_beside(dice, COMPANIONS[name], middle, horizon), COMPANIONS[name])
        for name in scene.facts.companions
    ]
    around.sort(key=lambda stand: stand[0].y)
    behind, before = ([s for s in around if (s[0].y < middle.y) is far] for far in (True, False))
    for frame, companion in behind:
        yield from _standing(frame, companion.draw(dice, dark), shadow=not companion.flies)
    yield from _standing(middle, scene.place.draw(dice, dark), is_object=True)
    for frame, companion in before:
        yield from _standing(frame, companion.draw(dice, dark), shadow=not companion.flies)


def _standing(
    frame: Frame, shapes: Shapes, shadow: bool = True, is_object: bool = False
) -> Iterator[Layer]:
    if shadow:
        yield Layer(NEAR, frame, iter([oval(0.05, 0.0, 0.5, 0.05, _SHADOW)]))
    yield Layer(NEAR, frame, shapes, is_object)


def _in_the_middle(dice: Dice, place: Place, horizon: float, mirrored: bool) -> Frame:
    """Where the object stands: all of its height in the picture, and most of its width."""
    high = dice.between(*_HEIGHTS) * place.high
    wide = high * dice.between(0.9, 1.12)
    foot = dice.between(max(horizon + 0.12, high), 0.97)
    x = dice.between(0.3 * wide, 1 - 0.3 * wide)
    return Frame(x, foot, -wide if mirrored else wide, high)


def _beside(dice: Dice, companion: Companion, middle: Frame, horizon: float) -> Frame:
    """Where a companion stands: anywhere behind the object, or before it at one of its sides."""
    nearness = dice.between(0.2, 1)
    high = companion.high * (0.5 + 0.6 * nearness)
    wide = dice.pick((-high, high))
    if companion.flies:
        return Frame(dice.between(0.1, 0.9), dice.between(high, horizon), wide, high)
    foot = horizon + 0.08 + nearness * (0.9 - horizon)
    side = dice.pick((-1, 1)) * (abs(middle.wide) * 0.4 + high * 0.35 + dice.between(0, 0.15))
    x = middle.x + side if foot >= middle.y else dice.between(0.05, 0.95)
    return Frame(x, foot, wide, high)
