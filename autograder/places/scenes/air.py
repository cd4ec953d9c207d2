"""Light and weather: the sky, what they do to colours, and what falls from above."""

from typing import NamedTuple

from autograder.places.scenes.canvas import Look
from autograder.places.scenes.dice import Dice
from autograder.places.scenes.paints import WHITE
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
    thin,
)

LIGHTS = ("day", "dusk", "night")
WEATHERS = ("clear", "cloudy", "rain", "snow", "fog")
NEAR, GROUND, FAR = range(3)  # depths

# From the zenith to the horizon.
_SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((84, 158, 226), (206, 230, 246)),
    "dusk": ((86, 78, 146), (252, 168, 112)),
    "night": ((14, 18, 52), (62, 72, 124)),
}
_OVERCAST: dict[str, tuple[Colour, Colour]] = {
    "day": ((142, 154, 170), (204, 210, 216)),
    "dusk": ((104, 92, 124), (206, 156, 140)),
    "night": ((28, 32, 54), (70, 76, 106)),
}
# What lamps indoors and the sky outdoors leave of red, green and blue, in percent.
_OUTDOORS: dict[str, Colour] = {"day": (100, 100, 100), "dusk": (96, 78, 74), "night": (54, 60, 86)}
_INDOORS: dict[str, Colour] = {"day": (100, 100, 100), "dusk": (96, 86, 76), "night": (78, 66, 56)}
_DULL = 88  # percent of light under clouds
# Percent of haze at these depths.
_CLEAR, _RAIN, _FOG = (0, 4, 16), (6, 16, 40), (24, 46, 76)


class Air(NamedTuple):
    """What lies between a thing and the eye."""

    light: str
    weather: str
    indoors: bool

    @property
    def dark(self) -> bool:
        """Whether lamps are lit."""
        return self.light != "day"

    @property
    def sky(self) -> tuple[Colour, Colour]:
        """The colours of the zenith and the horizon."""
        return (_SKIES if self.weather == "clear" else _OVERCAST)[self.light]

    def look(self, depth: int) -> Look:
        """How colours look at a depth."""
        red, green, blue = self._tint()
        haze, percent = mix(self.sky[1], WHITE, 15), self._haze(depth)

        def seen(colour: Colour, glows: bool) -> Colour:
            if glows:
                return mix(colour, haze, percent // 2)
            lit = colour[0] * red // 100, colour[1] * green // 100, colour[2] * blue // 100
            return mix(lit, haze, percent) if percent else lit

        return seen

    def _tint(self) -> Colour:
        tint = (_INDOORS if self.indoors else _OUTDOORS)[self.light]
        if self.indoors or self.weather == "clear":
            return tint
        red, green, blue = (channel * _DULL // 100 for channel in tint)
        return red, green, blue

    def _haze(self, depth: int) -> int:
        if self.indoors:
            return 0
        return {"fog": _FOG, "rain": _RAIN, "snow": _RAIN}.get(self.weather, _CLEAR)[depth]


def sky(dice: Dice, air: Air) -> Shapes:
    """The sky over the whole of a sheet whose y grows from 0 to 1 upwards; all of it glows."""
    zenith, horizon = air.sky
    yield box(0, 0, 1, 1, down(zenith, horizon)._replace(glows=True))
    if air.weather == "clear":
        yield from {"day": _sun, "dusk": _low_sun, "night": _moon}[air.light](dice)
    if air.weather != "fog":
        cover = 1 + dice.below(3) if air.weather == "clear" else 4 + dice.below(3)
        pale = mix(horizon, WHITE, 55 if air.light == "day" else 12)
        for _ in range(cover):
            yield from _cloud(dice, pale)


def _sun(dice: Dice) -> Shapes:
    x, y = dice.between(0.1, 0.9), dice.between(0.7, 0.92)
    yield disc(x, y, 0.085, thin((255, 246, 190), 8, glows=True))
    yield disc(x, y, 0.055, light((255, 244, 170)))


def _low_sun(dice: Dice) -> Shapes:
    x, y = dice.between(0.1, 0.9), dice.between(0.1, 0.35)
    yield disc(x, y, 0.15, thin((255, 190, 110), 6, glows=True))
    yield disc(x, y, 0.09, light((255, 214, 130)))


def _moon(dice: Dice) -> Shapes:
    for _ in range(14):
        yield disc(dice.share(), dice.between(0.2, 1), dice.between(0.004, 0.01), light(WHITE))
    x, y = dice.between(0.1, 0.9), dice.between(0.7, 0.92)
    yield disc(x, y, 0.06, light((250, 244, 214)))
    yield disc(x + 0.028, y + 0.014, 0.05, light(_SKIES["night"][0]))


def _cloud(dice: Dice, colour: Colour) -> Shapes:
    x, y, r = dice.share(), dice.between(0.35, 1), dice.between(0.05, 0.09)
    fluff = thin(colour, 13, glows=True)
    for part, size in ((-1.3, 0.7), (0.0, 1.0), (1.3, 0.75)):
        yield oval(x + part * r, y + 0.2 * size * r, 1.2 * r * size, r * 0.7 * size, fluff)
    yield oval(x, y - 0.2 * r, 2.2 * r, 0.4 * r, fluff)


def falling(dice: Dice, air: Air) -> Shapes:
    """Rain or snow over the whole picture, whose y grows downwards."""
    if air.indoors or air.weather not in {"rain", "snow"}:
        return
    for _ in range(34):
        x, y = dice.share(), dice.share()
        if air.weather == "rain":
            drop = thin((214, 226, 240), 9, glows=air.light != "night")
            yield line(drop, 0.009, (x, y), (x - 0.02, y + dice.between(0.05, 0.1)))
        else:
            yield disc(x, y, dice.between(0.007, 0.015), thin(WHITE, 14, glows=True))
