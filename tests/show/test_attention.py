"""Maps over their images, and a matrix of what is taken for what."""

import numpy as np
import pytest

from autograder.problem import BadInputError
from autograder.show import png
from autograder.show.attention import attention, confused

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 16, 24, 3), np.uint8)
MASKS = np.zeros((3, 16, 24), bool)
MASKS[:, 4:9, 3:7] = True
COUNTS = [[5, 1, 0, 0], [0, 4, 0, 2], [0, 0, 6, 0], [1, 0, 0, 3]]
NAMES, KINDS = ["beach", "church", "lake", "street"], ["nature", "city", "nature", "city"]


def opacity(axes):
    return axes.images[1].get_array()[..., 3]


def cross(axes):
    return {tuple(np.concatenate(line.get_data()).tolist()) for line in axes.lines[:2]}


def test_the_map_is_enlarged_and_seen_where_it_is_positive():
    maps = np.array([[[1.0, -1.0]]] * 3)
    axes = attention(IMAGES, maps).axes[0]
    seen = opacity(axes)
    assert seen.shape == (16, 24)
    assert (seen[:, :12] > 0).all() and (seen[:, 12:] == 0).all()
    assert (np.diff(seen[0]) <= 0).all() and seen[0, 0] == seen.max()


def test_each_map_has_its_own_scale_and_the_highest_place_a_cross():
    maps = np.zeros((3, 2, 3))
    maps[0, 1, 2], maps[1, 0, 0] = 1e-3, 50
    first, second, empty = attention(IMAGES, maps).axes
    assert opacity(first).max() == opacity(second).max() > 0.5
    assert cross(first) == {(20, 12)} and cross(second) == {(0, 0)}
    assert not opacity(empty).any() and not empty.lines
    assert png(attention(IMAGES, -1 - maps, MASKS))


def test_the_mask_is_outlined_and_titles_stand_above():
    figure = attention(IMAGES, np.ones((3, 2, 2)), MASKS, ["a", "b", "c"], columns=2)
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c", ""]
    without = attention(IMAGES, np.ones((3, 2, 2))).axes[0]
    assert len(figure.axes[0].lines) == len(without.lines) + 2


def test_a_pixel_of_the_size_of_a_cell_has_its_value():
    maps = RNG.standard_normal((1, 16, 24))
    share = opacity(attention(IMAGES[:1], maps).axes[0])
    np.testing.assert_array_equal(share > 0, maps[0] > 0)


def test_classes_are_sorted_by_category_with_lines_between(texts):
    figure = confused(COUNTS, NAMES, KINDS)
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [
        "beach", "lake", "church", "street",
    ]  # fmt: skip
    assert [line.get_data()[0][0] for line in axes.lines if line.get_data()[0][0] > 0] == [1.5]
    written = {(t.get_position(), t.get_text()) for t in axes.texts}
    assert {((2, 0), "1"), ((3, 2), "2"), ((0, 3), "1"), ((1, 1), "6")} <= written
    said = "4 of 22 images are wrong: 50% of these within their category, 50% across"
    assert said in texts(figure)
    assert texts(figure).count("nature") == texts(figure).count("city") == 2
    assert png(figure)


def test_right_is_told_from_wrong_by_more_than_strength():
    shades = confused(COUNTS, NAMES, KINDS).axes[0].images[0].get_array()
    green, red, none = shades[1, 1], shades[2, 3], shades[0, 3]
    assert (none == 1).all() and green[1] > green[0] and red[0] > red[1]


def test_many_classes_are_named_by_their_categories_only(texts):
    counts = RNG.integers(0, 5, (100, 100))
    kinds = [("nature", "city", "indoor")[k % 3] for k in range(100)]
    figure = confused(counts, list(map(str, range(100))), kinds)
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["nature", "city", "indoor"]
    assert not axes.texts and len(axes.lines) == 4
    assert png(figure)


def test_no_mistake_is_said_too(texts):
    assert "8 images, no mistake" in texts(confused(2 * np.eye(4), NAMES, KINDS))


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: attention(IMAGES[..., 0], np.ones((3, 2, 2))), "4 dimensions"),
        (lambda: attention(IMAGES, np.ones((3, 1, 2, 2))), "3 dimensions"),
        (lambda: attention(IMAGES, np.ones((2, 2, 2))), "found 2, expected 3, one a picture"),
        (lambda: attention(IMAGES, np.ones((3, 2, 2)), MASKS[:, 1:]), "attention, masks"),
        (lambda: attention(IMAGES, np.ones((3, 2, 2)), titles=["a"]), "titles: found 1"),
        (lambda: attention(IMAGES, np.ones((3, 2, 2)), columns=0), "at least 1"),
        (lambda: confused(COUNTS, NAMES[1:], KINDS), "names: found 3, expected 4"),
        (lambda: confused(COUNTS, NAMES, KINDS[1:]), "categories: found 3"),
        (lambda: confused(COUNTS[:3], NAMES[:3], KINDS[:3]), "a square"),
        (lambda: confused(-np.eye(4), NAMES, KINDS), "from 0 up"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(BadInputError, match=message):
        draw()
