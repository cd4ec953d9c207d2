import numpy as np
import pytest
from matplotlib.patches import Rectangle

from autograder.problem import BadInputError
from autograder.show import png
from autograder.show.boxes import box_numbers, boxed, overlaps, two_heads, window_grid
from autograder.show.canvas import BLUE, GREEN, ORANGE, VERMILION

RNG = np.random.default_rng(0)
COST = {"one by one": 900.0, "at once": 100.0}
BOXES = [[1, 2, 5, 9], [0, 0, 12, 4], [3.5, 1, 7, 2]]


def pictures(count=3, height=10, width=12):
    return RNG.integers(0, 256, (count, height, width, 3), np.uint8)


def frames(axes, colour):
    """Corners of the frames of a colour, where pixel (0, 0) starts at (0, 0)."""
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle) and not patch.fill]
    return [
        tuple(patch.get_bbox().extents) for patch in found if patch.get_edgecolor() == _rgba(colour)
    ]


def _rgba(colour):
    return Rectangle((0, 0), 1, 1, edgecolor=colour).get_edgecolor()


def test_boxes_lie_around_their_pixels():
    figure = boxed(pictures(), BOXES, np.array(BOXES) + 1)
    for axes, box in zip(figure.axes, np.array(BOXES), strict=False):
        assert np.add(frames(axes, ORANGE), 0.5).tolist() == [box.tolist()]
        assert np.add(frames(axes, BLUE), 0.5).tolist() == [(box + 1).tolist()]


def test_titles_say_what_is_right_and_what_is_wrong():
    figure = boxed(pictures(), BOXES, BOXES, ["a", "b", "c"], right=[True, False, True])
    titles = [(axes.get_title(), axes.title.get_color()) for axes in figure.axes]
    assert titles == [("a", GREEN), ("b", VERMILION), ("c", GREEN)]


def test_pictures_wrap_into_rows():
    figure = boxed(pictures(5), np.tile(BOXES[0], (5, 1)), columns=2)
    assert len(figure.axes) == 6
    assert sum(bool(axes.images) for axes in figure.axes) == 5


def test_a_box_by_its_numbers():
    figure = box_numbers(pictures(1, 20, 40)[0], [10, 5, 30, 15])
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert {"(10, 5)", "(30, 15)", "(0.25, 0.25)", "w = 0.50", "h = 0.50"} <= set(said)
    assert all(frames(axes, ORANGE) == [(10, 5, 30, 15)] for axes in figure.axes)


def test_what_two_boxes_share_is_filled():
    figure = overlaps({"some": ([0, 0, 5, 4], [2, 1, 7, 5]), "none": ([0, 0, 2, 2], [3, 3, 4, 5])})
    filled = [
        [tuple(patch.get_bbox().extents) for patch in axes.patches if patch.fill]
        for axes in figure.axes
    ]
    assert filled[0] == [(0, 0, 5, 4), (2, 1, 7, 5), (2, 1, 5, 4)]
    assert filled[1] == [(0, 0, 2, 2), (3, 3, 4, 5)]


def test_a_dot_for_every_window_and_a_bar_for_every_cost():
    left, right = window_grid(pictures(1)[0], 4, 3, COST).axes
    x, y = left.lines[0].get_data()
    assert sorted(set(x)) == [2, 5, 8] and sorted(set(y)) == [2, 5, 8]
    assert left.get_title().startswith("9 windows")
    assert [bar.get_width() for bar in right.patches] == [900, 100]
    assert frames(left, ORANGE) == [(0, 0, 4, 4)] and frames(left, BLUE) == [(3, 0, 7, 4)]


def test_two_heads_say_how_many_numbers_they_are_given():
    said = " ".join(text.get_text() for text in two_heads(6, 3, 2, 5).axes[0].texts)
    assert "36 numbers" in said and "6 numbers" in said and "5 scores" in said


@pytest.mark.parametrize(
    "figure",
    [
        lambda: boxed(pictures(), BOXES, BOXES, ["a"] * 3),
        lambda: box_numbers(pictures(1)[0], BOXES[0]),
        lambda: overlaps({"a": (BOXES[0], BOXES[1])}),
        lambda: window_grid(pictures(1)[0], 3, 2, COST),
        lambda: two_heads(4, 2, 2, 3),
    ],
)
def test_the_same_call_draws_the_same_bytes(figure, monkeypatch):
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(1))
    first = png(figure())
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(1))
    assert png(figure()) == first


@pytest.mark.parametrize(
    ("draw", "what"),
    [
        (lambda: boxed(pictures(), BOXES[:2]), "boxed, true"),
        (lambda: boxed(pictures(), BOXES, [[1, 2, 3]] * 3), "boxed, predicted"),
        (lambda: boxed(pictures(), BOXES, titles=["a"]), "boxed, titles"),
        (lambda: boxed(pictures()[0], BOXES), "boxed, images"),
        (lambda: box_numbers(pictures(), BOXES[0]), "box_numbers, image"),
        (lambda: overlaps({}), "overlaps, pairs"),
        (lambda: overlaps({"a": ([1, 2], [3, 4])}), "overlaps, a"),
        (lambda: window_grid(pictures(1)[0], 11, 1, COST), "window_grid, size"),
        (lambda: window_grid(pictures(1)[0], 4, 0, COST), "window_grid, stride"),
        (lambda: window_grid(pictures(1)[0], 4, 1, {}), "window_grid, cost"),
        (lambda: two_heads(4, 0, 2, 3), "two_heads, height"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(draw, what):
    with pytest.raises(BadInputError) as refused:
        draw()
    assert refused.value.problems[0].where == what
