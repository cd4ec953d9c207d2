from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from autograder.problem import BadInputError
from autograder.show import images, photograph, png
from autograder.show.canvas import SIGNED


def shown(figure):
    return [axes.images[0] for axes in figure.axes]


def test_a_map_without_negative_values_is_gray_from_0_to_1_or_its_largest():
    low, high = shown(images([np.full((2, 3), 0.25), np.array([[0.0, 12.0]])]))
    assert (low.cmap.name, low.get_clim()) == ("gray", (0, 1))
    assert (high.cmap.name, high.get_clim()) == ("gray", (0, 12))


def test_a_signed_map_has_zero_in_the_middle():
    (image,) = shown(images([np.array([[-4.0, 0.0, 1.0]])]))
    assert image.cmap is SIGNED
    assert image.get_clim() == (-4, 4)


def test_what_is_not_finite_does_not_set_the_limits():
    nothing = np.full((2, 2), np.nan)
    figure = images([np.array([[-2, np.nan, np.inf, 1e308]]), nothing, np.stack([nothing] * 3)])
    assert png(figure)  # without a warning
    signed, empty, colour = shown(figure)
    assert not np.asarray(colour.get_array()).any()
    assert (signed.get_clim(), empty.get_clim()) == ((-2, 2), (0, 1))
    assert np.ma.getmaskarray(signed.get_array()).tolist() == [[False, True, True, True]]


def test_colour_goes_last_and_is_clipped():
    bright = photograph() * 3 - 1
    (image,) = shown(images([bright]))
    np.testing.assert_array_equal(image.get_array(), np.clip(bright, 0, 1).transpose(1, 2, 0))


def test_titles_and_boxes_stand_on_their_panels():
    figure = images([np.ones((8, 9)), np.ones((8, 9))], ["a", "b"], boxes=[None, (2, 3, 4, 5)])
    left, right = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    assert not left.patches
    (box,) = right.patches
    assert (box.get_xy(), box.get_height(), box.get_width()) == ((2.5, 1.5), 4, 5)


@pytest.mark.parametrize("shade", [0.0, 0.5, 1.0])
def test_a_small_box_on_a_large_map_is_seen(shade):
    """On any gray, also in a row of three: its orange and its white edge change many dots."""
    maps, boxes = [np.full((160, 240), shade)] * 3, [None, (70, 90, 5, 5), None]
    plain, boxed = (
        np.asarray(Image.open(BytesIO(png(images(maps, boxes=given)))).convert("RGB"), int)
        for given in (None, boxes)
    )
    changed = np.abs(boxed - plain).max(axis=-1) > 60
    assert changed.sum() > 50
    assert np.ptp(changed.nonzero(), axis=1).min() >= 8


def test_panels_of_different_aspect_have_one_height():
    figure = images([np.ones((10, 30)), np.ones((7, 7))])
    assert figure.get_size_inches() == pytest.approx([9, 9 / 4 + 0.45])
    figure.draw_without_rendering()
    heights = [axes.get_window_extent().height for axes in figure.axes]
    assert heights[0] == pytest.approx(heights[1], rel=0.03)


def test_a_single_square_does_not_fill_the_page():
    assert max(images([np.ones((9, 9))]).get_size_inches()) < 4.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "at least one"),
        (([np.ones((2, 4, 4))],), r"shape \(2, 4, 4\).*\(H, W\) or \(3, H, W\)"),
        (([np.ones((4, 4)), None],), r"arrays\[1\]: found None"),
        (([np.ones((4, 4))], ["a", "b"]), "titles: found 2, expected 1"),
    ],
)
def test_images_refuses(arguments, message):
    with pytest.raises(BadInputError, match=message):
        images(*arguments)
