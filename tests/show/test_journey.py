import numpy as np
import pytest

from autograder.problem import BadInputError
from autograder.show import png
from autograder.show.journey import journey, mosaic


def test_maps_stand_together_each_on_its_own_scale():
    maps = np.stack([np.full((8, 6), 0.0), np.eye(8)[:, :6], 50 * np.eye(8)[:, :6]])
    page = mosaic(maps)
    assert page.shape == (17, 13)  # two rows of two, and a line between them
    assert np.array_equal(page[:8, 7:], page[9:, :6])
    assert np.isnan(page[8]).all() and np.isnan(page[:, 6]).all()
    assert (np.nanmin(page), np.nanmax(page)) == (0, 1)


def test_what_is_below_zero_is_darkest():
    assert mosaic(np.array([[[-1.0, 0, 3]]])).tolist() == [[0, 0.25, 1]]


def test_each_stage_says_its_name_and_shape(texts):
    stages = [("digit", np.ones((1, 8, 8))), ("maps", np.ones((5, 4, 4))), ("wide", np.ones(30)),
              ("scores", [0.1, 0.7, 0.2])]  # fmt: skip
    figure = journey(stages)
    assert {"digit 1×8×8", "maps 5×4×4", "wide 30", "scores 3"} <= set(texts(figure))
    assert [bar.get_width() for bar in figure.axes[3].patches] == [0.1, 0.7, 0.2]
    colours = {bar.get_facecolor() for bar in figure.axes[3].patches}
    assert len(colours) == 2  # the largest stands out
    assert png(figure)


@pytest.mark.parametrize(
    ("stages", "message"),
    [([], "at least one"), ([("a", None)], "journey, a"), ([("a", np.ones((2, 2)))], "shape")],
)
def test_what_cannot_be_drawn_is_refused(stages, message):
    with pytest.raises(BadInputError, match=message):
        journey(stages)
