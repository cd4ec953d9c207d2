"""The 24 places: names as in miniPlaces, what defines each, and what each is at home with."""

from collections.abc import Callable
from typing import NamedTuple

from autograder.places.scenes import companions
from autograder.places.scenes.dice import Dice
from autograder.places.scenes.indoors import ROOMS
from autograder.places.scenes.objects import city, indoor, nature
from autograder.places.scenes.outdoors import LANDSCAPES
from autograder.places.scenes.shapes import Shapes

CATEGORIES = ("nature", "city", "indoor")
BACKGROUNDS = (*LANDSCAPES, *ROOMS)
COMPANIONS = tuple(companions.COMPANIONS)


class Place(NamedTuple):
    """A class: its category, the function that draws its object, and whether it is for the task.

    Attributes:
        category: nature, city or indoor.
        draw: yields the object that defines the class.
        high: how high the object stands, as a share of most objects' height.
        task: whether the class belongs to the course's task, or to pretraining.
        background: where a biased data set shows it.
        companion: what a biased data set puts beside it.
    """

    category: str
    draw: Callable[[Dice, bool], Shapes]
    high: float
    task: bool
    background: str
    companion: str

    @property
    def indoors(self) -> bool:
        """Whether it is shown in rooms."""
        return self.category == "indoor"

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """Where it may be shown; all classes of one kind, indoors or not, share these."""
        return tuple(ROOMS if self.indoors else LANDSCAPES)

    @property
    def companions(self) -> tuple[str, ...]:
        """What may stand by."""
        return tuple(companions.INDOORS if self.indoors else companions.OUTDOORS)


PLACES: dict[str, Place] = {
    "/a/amusement_park": Place("city", city.amusement_park, 1.0, True, "street", "balloon"),
    "/a/aquarium": Place("indoor", indoor.aquarium, 0.9, True, "parlour", "lamp"),
    "/b/bathroom": Place("indoor", indoor.bathroom, 0.95, True, "washroom", "plant"),
    "/b/beach": Place("nature", nature.beach, 0.95, True, "shore", "kite"),
    "/b/bedroom": Place("indoor", indoor.bedroom, 0.95, True, "salon", "teddy"),
    "/c/campsite": Place("nature", nature.campsite, 0.85, False, "forest", "dog"),
    "/c/church/outdoor": Place("city", city.church, 1.0, True, "meadow", "bench"),
    "/c/classroom": Place("indoor", indoor.classroom, 0.95, False, "loft", "plant"),
    "/d/desert/vegetation": Place("nature", nature.desert, 0.95, False, "dunes", "kite"),
    "/f/field/cultivated": Place("nature", nature.field, 0.95, True, "dunes", "person"),
    "/f/fountain": Place("city", city.fountain, 0.9, False, "street", "bench"),
    "/i/igloo": Place("nature", nature.igloo, 0.9, True, "snow", "dog"),
    "/k/kitchen": Place("indoor", indoor.kitchen, 1.0, False, "washroom", "cat"),
    "/l/library/indoor": Place("indoor", indoor.library, 0.95, True, "loft", "cat"),
    "/l/lighthouse": Place("city", city.lighthouse, 1.05, True, "quay", "car"),
    "/l/living_room": Place("indoor", indoor.living_room, 0.95, False, "parlour", "lamp"),
    "/m/music_studio": Place("indoor", indoor.music_studio, 0.95, False, "salon", "teddy"),
    "/p/phone_booth": Place("city", city.phone_booth, 0.95, False, "quay", "person"),
    "/r/railroad_track": Place("city", city.railroad, 0.9, False, "meadow", "car"),
    "/r/rock_arch": Place("nature", nature.rock_arch, 0.9, False, "shore", "balloon"),
    "/t/temple/east_asia": Place("city", city.temple, 1.0, False, "snow", "tree"),
    "/v/volcano": Place("nature", nature.volcano, 0.95, True, "peaks", "tree"),
    "/w/waterfall": Place("nature", nature.waterfall, 0.95, False, "peaks", "sheep"),
    "/w/windmill": Place("city", city.windmill, 1.0, True, "forest", "sheep"),
}
CLASSES = tuple(PLACES)
TASK = tuple(name for name, place in PLACES.items() if place.task)
PRETRAINING = tuple(name for name, place in PLACES.items() if not place.task)
