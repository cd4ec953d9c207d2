"""What is in a scene, before anything is drawn: its class, and what the class does not decide."""

from collections.abc import Sequence
from typing import NamedTuple

from autograder.places.scenes.air import LIGHTS, WEATHERS, Air
from autograder.places.scenes.classes import CLASSES, PLACES, Place
from autograder.places.scenes.dice import Dice
from autograder.problem import BadInputError, Problem

SPLITS = ("train", "val", "test")

# Streams of random numbers: what is planned must not change when more is drawn.
_ORDER, _PLAN, _PICTURE = range(3)


class Facts(NamedTuple):
    """What is in a scene besides its class, and, unless asked for, says nothing about that.

    Attributes:
        background: a landscape, or for classes indoors a room.
        companions: up to two things that stand by.
        light: day, dusk or night.
        weather: clear, cloudy, rain, snow or fog; indoors it is seen through the window.
        mirrored: whether the object is.
    """

    background: str
    companions: tuple[str, ...]
    light: str
    weather: str
    mirrored: bool


class Plan(NamedTuple):
    """A scene's label and facts, its class, and the key of the dice that draw the rest."""

    label: int
    place: Place
    facts: Facts
    key: tuple[int, ...]

    @property
    def air(self) -> Air:
        """The light and the weather."""
        return Air(self.facts.light, self.facts.weather, self.place.indoors)


def plan(
    index: int,
    seed: int = 0,
    *,
    split: str = "train",
    classes: Sequence[str] = CLASSES,
    background_bias: float = 0.0,
    companion_bias: float = 0.0,
) -> Plan:
    """What `draw` draws for the same arguments; quickly.

    Raises:
        BadInputError: there is no such split or class.
    """
    _require_known(split, classes)
    key = seed, SPLITS.index(split), index
    label = _label(index, len(classes), seed, split)
    place = PLACES[classes[label]]
    dice = Dice(*key, _PLAN)
    facts = Facts(
        light=dice.pick(("day", *LIGHTS)),
        weather=dice.pick(("clear", "clear", *WEATHERS)),
        mirrored=dice.chance(0.5),
        background=_background(dice, place, background_bias),
        companions=_companions(dice, place, companion_bias),
    )
    return Plan(label, place, facts, (*key, _PICTURE))


def _label(index: int, count: int, seed: int, split: str) -> int:
    """One of each class in every round of ``count`` scenes, in an order of its own."""
    around, place = divmod(index, count)
    return Dice(seed, SPLITS.index(split), around, _ORDER).shuffled(range(count))[place]


def _background(dice: Dice, place: Place, bias: float) -> str:
    anywhere, at_home = dice.pick(place.backgrounds), dice.chance(bias)
    return place.background if at_home else anywhere


def _companions(dice: Dice, place: Place, bias: float) -> tuple[str, ...]:
    """Up to two; in a biased scene the class's own and no other."""
    anyone, own = dice.shuffled(place.companions)[: dice.below(3)], dice.chance(bias)
    return (place.companion,) if own else tuple(anyone)


def _require_known(split: str, classes: Sequence[str]) -> None:
    problems = [
        Problem("scenes, classes", repr(name), "names like '/l/lighthouse'", "See scenes.CLASSES.")
        for name in classes
        if name not in PLACES
    ]
    if split not in SPLITS:
        problems.append(Problem("scenes, split", repr(split), "train, val or test", "Name one."))
    if not len(classes):
        problems.append(Problem("scenes, classes", "none", "at least one", "Name some."))
    if problems:
        raise BadInputError(*problems)
