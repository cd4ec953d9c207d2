import numpy as np
import pytest

from autograder.problem import BadInputError
from autograder.show.scores import regions, softmax

NAMES = ["abbey", "beach", "forest"]
GIVEN = dict(scores=[2.0, 1.0, -0.5], probabilities=[0.7, 0.2, 0.1], gradient=[0.7, -0.8, 0.1])
POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [1.0, 2.0]])


def right_half(points):
    return points[:, 0] > 0.5


def test_three_panels_say_all_numbers(texts):
    written = texts(softmax(**GIVEN, names=NAMES, y=1))
    assert {"scores", "probabilities", "gradient", *NAMES} <= set(written)
    assert {"2", "−0.5", "0.7", "−0.8"} <= set(written)


def test_the_right_class_has_a_colour_of_its_own():
    for axes in softmax(**GIVEN, names=NAMES, y=1).axes:
        colours = [bar.get_facecolor() for bar in axes.patches]
        assert colours[0] == colours[2] != colours[1]


def test_bars_are_as_long_as_the_numbers():
    for axes, values in zip(softmax(**GIVEN, names=NAMES, y=0).axes, GIVEN.values(), strict=True):
        assert [bar.get_width() for bar in axes.patches] == values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(scores=[1.0]), "softmax, scores: found 1 numbers"),
        (dict(gradient=None), "softmax, gradient: found None"),
        (dict(y=3), "softmax, y: found 3"),
    ],
)
def test_softmax_refuses(change, message):
    with pytest.raises(BadInputError, match=message):
        softmax(**{**GIVEN, "names": NAMES, "y": 1, **change})


def test_a_point_has_the_colour_of_the_region_that_it_belongs_to():
    axes = regions(POINTS, [0, 1, 0, 1], right_half).axes[0]
    picture, dots = axes.images[0], axes.collections[0]
    answers = picture.get_array()
    assert (answers[:, 0] == 0).all() and (answers[:, -1] == 1).all()
    left, right, bottom, top = picture.get_extent()
    assert left < 0 < 1 < right and bottom < 0 < 2 < top
    assert picture.norm.vmax == dots.norm.vmax
    np.testing.assert_array_equal(dots.get_array(), [0, 1, 0, 1])


def test_up_is_up():
    axes = regions(POINTS, [0, 0, 1, 1], lambda points: points[:, 1] > 1).axes[0]
    assert axes.images[0].origin == "lower"
    assert (axes.images[0].get_array()[-1] == 1).all()


@pytest.mark.parametrize(
    ("points", "y", "classify", "message"),
    [
        (POINTS[:, :1], [0, 1, 0, 1], right_half, r"regions, points: found shape \(4, 1\)"),
        (POINTS, [0, 1], right_half, "regions, points"),
        (POINTS, [0, 1, 0, 9], right_half, "too many classes"),
        (POINTS, [0, 1, 0, 1], lambda points: points, "regions, classify"),
        (POINTS, [0, 1, 0, 1], lambda points: np.zeros(3), "found 3 classes"),
    ],
)
def test_regions_refuses(points, y, classify, message):
    with pytest.raises(BadInputError, match=message):
        regions(points, y, classify)
