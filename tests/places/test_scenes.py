import ast
import hashlib
import os
import subprocess
import sys
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from autograder.places import scenes
from autograder.places.scenes import CLASSES, PLACES, PRETRAINING, TASK
from autograder.places.scenes.draw import layers
from autograder.problem import BadInputError

PACKAGE = Path(scenes.__file__).parent
# Of two scenes of each class. Whoever changes what is drawn changes every picture in every
# lesson, every network trained on them, and then these.
PIXELS = "56c6c8bfc86280811f010a69d128f55944d4ec60fae76dd98436e957108c59ee"
SMALL_AND_BIASED = "ac776541cc0e89dd9682f69c068d73142a92ecacdc095c632a4d80cd9addb445"

DIGEST = """
import hashlib
from autograder.places import scenes
drawn = [scenes.draw(i) for i in range(12)]
print(hashlib.sha256(b"".join(s.image.tobytes() + s.mask.tobytes() for s in drawn)).hexdigest())
"""


def digest(drawn):
    whole = hashlib.sha256()
    for scene in drawn:
        whole.update(scene.image.tobytes() + scene.mask.tobytes())
        whole.update(repr((scene.label, scene.box, tuple(scene.facts))).encode())
    return whole.hexdigest()


@pytest.fixture(scope="module")
def several():
    """Six scenes of each class."""
    return [scenes.draw(index) for index in range(6 * len(CLASSES))]


def test_every_machine_draws_the_same_pixels(several):
    assert digest(several[:48]) == PIXELS
    options = dict(split="val", size=37, classes=TASK, background_bias=0.9, companion_bias=0.5)
    assert digest(scenes.draw(i, 3, **options) for i in range(24)) == SMALL_AND_BIASED


def test_no_operation_is_left_to_a_machine():
    """Sines, powers and sums of floating-point numbers differ in their last bits; +, -, ×, ÷ and
    the square root do not."""
    numpy, other = Counter(), set()
    for path in PACKAGE.rglob("*.py"):
        if path.name in {"pretrain.py", "resnet.py", "weights.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                numpy[node.attr] += node.value.id == "np"
            if isinstance(node, ast.ImportFrom) and node.module == "math":
                other |= {alias.name for alias in node.names}
            if isinstance(node, ast.Import):
                other |= {alias.name for alias in node.names} & {"math", "cmath", "random"}
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
                # Of whole numbers, which are exact.
                assert ast.unparse(node) in {"2 ** 53", "SAMPLES ** 2", "10 ** 6", "2 ** 63"}
    assert other == {"sqrt", "ceil"}
    types = {"uint8", "uint32", "uint64", "int64", "float64", "int_", "bool_", "True_"}
    data = {
        "arange",
        "array",
        "asarray",
        "copyto",
        "empty",
        "flatnonzero",
        "stack",
        "tile",
        "zeros",
    }
    assert {name for name, count in numpy.items() if count} <= types | data | {"random"}


@pytest.mark.parametrize("seed", ["0", "1"])
def test_another_process_draws_the_same(several, seed):
    environment = dict(os.environ, PYTHONHASHSEED=seed)
    done = subprocess.run(
        [sys.executable, "-c", DIGEST], capture_output=True, text=True, env=environment, check=True
    )
    drawn = b"".join(s.image.tobytes() + s.mask.tobytes() for s in several[:12])
    assert done.stdout.strip() == hashlib.sha256(drawn).hexdigest()


def test_drawing_one_scene_leaves_no_trace_in_the_next(several):
    again = [scenes.draw(index) for index in (7, 3, 7)]
    assert [digest([scene]) for scene in again] == [digest([several[i]]) for i in (7, 3, 7)]


def test_seeds_splits_and_numbers_are_other_scenes():
    given = [(0, 0, "train"), (1, 0, "train"), (0, 1, "train"), (0, 0, "val"), (0, 0, "test")]
    images = {scenes.draw(i, seed, split=split).image.tobytes() for i, seed, split in given}
    assert len(images) == len(given)


def test_splits_and_seeds_differ_in_all_but_the_classes():
    def facts(**options):
        return [scenes.plan(index, classes=TASK[:1], **options).facts for index in range(9)]

    lists = facts(), facts(split="val"), facts(split="test"), facts(seed=1)
    assert all(one != other for one, other in combinations(lists, 2))


def test_one_layer_is_the_object_and_stands_on_its_shadow():
    for index in range(24):
        all_layers = list(layers(scenes.plan(index)))
        (place,) = (k for k, layer in enumerate(all_layers) if layer.is_object)
        assert all_layers[place - 1].frame == all_layers[place].frame
        assert not all_layers[place - 1].is_object


def test_there_is_an_object_in_the_smallest_pictures_too():
    drawn = [scenes.draw(index, size=24) for index in range(10 * len(CLASSES))]
    assert min(scene.mask.sum() for scene in drawn) > 8


def test_two_processes_make_the_same_arrays_as_one():
    one, two = (scenes.dataset("val", 40, size=24, processes=n, progress=False) for n in (1, 2))
    assert all(map(np.array_equal, one[:4], two[:4]))
    assert one.facts == two.facts


def test_arrays_hold_what_is_drawn(several):
    data = scenes.dataset("train", 5, progress=False)
    assert (data.images.shape, data.images.dtype) == ((5, 64, 64, 3), np.uint8)
    assert (data.masks.shape, data.masks.dtype) == ((5, 64, 64), bool)
    assert (data.boxes.dtype, data.labels.dtype) == (np.int64, np.int64)
    for i, scene in enumerate(several[:5]):
        assert np.array_equal(data.images[i], scene.image)
        assert np.array_equal(data.masks[i], scene.mask)
        assert (data.labels[i], tuple(data.boxes[i])) == (scene.label, scene.box)
        assert data.facts[i] == scene.facts


def test_a_bar_shows_how_far_it_is(capsys):
    scenes.dataset("train", 2, size=24)
    assert "train: 100%" in capsys.readouterr().err


def test_a_box_holds_its_mask_and_nothing_more(several):
    for scene in several:
        x0, y0, x1, y1 = scene.box
        assert 0 <= x0 < x1 <= 64 and 0 <= y0 < y1 <= 64
        inside = scene.mask[y0:y1, x0:x1]
        assert inside.sum() == scene.mask.sum()
        assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()


def test_the_object_that_defines_the_class_is_seen(several):
    """Never under a fiftieth of the picture, never over a third; always a good part of its box."""
    for scene in several:
        x0, y0, x1, y1 = scene.box
        assert 0.02 < scene.mask.mean() < 0.35, (CLASSES[scene.label], scene.facts)
        assert scene.mask.sum() > 0.3 * (x1 - x0) * (y1 - y0), CLASSES[scene.label]
        assert y1 - y0 > 64 * 0.2


def test_no_place_in_the_picture_is_on_most_objects(several):
    """Else pointing there would find them, whatever is in the picture."""
    assert np.mean([scene.mask for scene in several], axis=0).max() < 0.45


def test_the_mask_is_where_the_object_is():
    """The same scene of another class: what differs lies in one of the masks, or is its light."""
    for index in range(40):
        names = [("/b/bedroom",), ("/l/living_room",)]
        one, other = (scenes.draw(index, classes=name) for name in names)
        if one.facts.companions:  # a sofa takes more dice than a bed, so theirs fall otherwise
            continue
        differs = (one.image != other.image).any(axis=2)
        assert differs.sum() > 100
        near = np.zeros((66, 66), bool)  # a pixel at the mask's edge shows less than half of it
        for down in range(3):
            for right in range(3):
                near[down : down + 64, right : right + 64] |= one.mask | other.mask
        assert not (differs & ~near[1:-1, 1:-1]).any()


def test_no_two_classes_look_alike():
    images = [scenes.draw(4, classes=(name,)).image.astype(int) for name in CLASSES]
    masks = [scenes.draw(4, classes=(name,)).mask for name in CLASSES]
    for i, name in enumerate(CLASSES):
        for j in range(i):
            changed = (np.abs(images[i] - images[j]).max(axis=2) > 20)[masks[i] | masks[j]]
            assert changed.mean() > 0.3, (name, CLASSES[j])


def test_there_are_four_for_the_task_and_four_for_pretraining_in_each_category():
    assert len(CLASSES) == 24
    assert sorted(TASK + PRETRAINING) == sorted(CLASSES)
    for names in (TASK, PRETRAINING):
        categories = Counter(PLACES[name].category for name in names)
        assert categories == dict.fromkeys(scenes.CATEGORIES, 4)


def test_names_are_like_those_of_miniplaces():
    assert list(CLASSES) == sorted(CLASSES)
    for name in CLASSES:
        _, letter, *words = name.split("/")
        assert letter == words[0][0] and 1 <= len(words) <= 2 and name.islower()
    assert sum(name.count("/") == 3 for name in CLASSES) >= 4


def test_a_home_tells_the_class_where_it_is_asked_to():
    """No two classes of the task, nor of pretraining, have one place or one thing in common."""
    for names in (TASK, PRETRAINING):
        for home in ("background", "companion"):
            homes = Counter(getattr(PLACES[name], home) for name in names)
            assert max(homes.values()) == 1, home
        for name in names:
            assert PLACES[name].background in PLACES[name].backgrounds
            assert PLACES[name].companion in PLACES[name].companions


def test_every_round_of_scenes_has_one_of_each_class_in_an_order_of_its_own():
    rounds = [[scenes.plan(12 * k + i, classes=TASK).label for i in range(12)] for k in range(5)]
    assert all(sorted(labels) == list(range(12)) for labels in rounds)
    assert len(set(map(tuple, rounds))) == 5


def planned(count, **options):
    return [scenes.plan(index, **options) for index in range(count)]


def outdoors(plans):
    return [p for p in plans if not p.place.indoors]


def chi_squared(pairs):
    """Over its degrees of freedom: near 1 when the two of a pair have nothing to do with it."""
    table = Counter(pairs)
    rows, columns = (Counter(pair[k] for pair in pairs) for k in (0, 1))
    total = len(pairs)
    expected = {(r, c): rows[r] * columns[c] / total for r in rows for c in columns}
    chi = sum((table[cell] - share) ** 2 / share for cell, share in expected.items())
    return chi / ((len(rows) - 1) * (len(columns) - 1))


@pytest.mark.parametrize("indoors", [False, True])
@pytest.mark.parametrize("fact", ["background", "companions", "light", "weather", "mirrored"])
def test_nothing_besides_the_object_tells_the_class(indoors, fact):
    plans = [p for p in planned(6000) if p.place.indoors is indoors]
    pairs = [(p.label, getattr(p.facts, fact)) for p in plans]
    if fact == "companions":
        pairs = [(label, who) for label, all_ in pairs for who in all_]
    assert chi_squared(pairs) < 1.5


def test_a_chi_squared_would_see_a_bias_of_a_tenth():
    plans = outdoors(planned(6000, background_bias=0.1))
    assert chi_squared([(p.label, p.facts.background) for p in plans]) > 2


@pytest.mark.parametrize("bias", [0.0, 0.5, 1.0])
def test_a_bias_is_how_often_a_class_is_at_home(bias):
    plans = outdoors(planned(3000, background_bias=bias, companion_bias=bias))
    at_home = np.mean([p.facts.background == p.place.background for p in plans])
    assert at_home == pytest.approx(bias + (1 - bias) / 8, abs=0.03)
    with_own = np.mean([p.facts.companions == (p.place.companion,) for p in plans])
    assert with_own == pytest.approx(bias + (1 - bias) / 24, abs=0.03)


def test_a_bias_changes_neither_labels_nor_the_rest():
    for one, other in zip(planned(50), planned(50, background_bias=1.0), strict=True):
        assert one.label == other.label
        assert one.facts._replace(background="") == other.facts._replace(background="")


def test_a_label_counts_in_the_list_that_was_asked_for():
    names = ("/w/windmill", "/a/aquarium")
    drawn = [scenes.draw(i, classes=names, size=24) for i in range(4)]
    assert sorted(scene.label for scene in drawn) == [0, 0, 1, 1]
    for scene in drawn:
        assert scene.facts.background in PLACES[names[scene.label]].backgrounds


def test_light_weather_and_background_are_seen():
    """The mean colour of scenes by day differs from that by night, and so on."""
    means = {}
    for index in range(72):
        scene = scenes.draw(index, classes=("/l/lighthouse",))
        means.setdefault(scene.facts.light, []).append(scene.image.mean())
    order = [np.mean(means[light]) for light in ("night", "dusk", "day")]
    assert all(later - earlier > 15 for earlier, later in pairwise(order))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(split="training"), "split: found 'training', expected train, val or test"),
        (dict(classes=("/a/abbey",)), "'/a/abbey'"),
        (dict(classes=()), "at least one"),
        (dict(size=23), "size: found 23, expected at least 24"),
    ],
)
def test_what_does_not_exist_cannot_be_drawn(options, message):
    with pytest.raises(BadInputError, match=message):
        scenes.draw(0, **options)


def test_neither_torch_nor_matplotlib_is_needed():
    code = "import sys; sys.modules.update(torch=None, matplotlib=None)\n" + DIGEST
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
