from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from autograder.problem import BadInputError
from autograder.show import png
from autograder.show.scenes import GAP, contact_sheet, located

RNG = np.random.default_rng(0)


def pictures(count=3, size=16):
    return RNG.integers(0, 256, (count, size, size, 3), np.uint8)


def drawn(figure):
    with Image.open(BytesIO(png(figure))) as image:
        return np.asarray(image.convert("RGB"))


def has(page, picture):
    """Whether a picture lies on a page, dot for pixel."""
    windows = np.lib.stride_tricks.sliding_window_view(page, picture.shape)
    return (windows == picture).all(axis=(-1, -2, -3)).any()


def test_a_sheet_shows_every_pixel_of_every_picture():
    rows = {name: pictures() for name in ("a/abbey", "b/bar", "c/coast", "d/dam", "e/edge")}
    page = drawn(contact_sheet(rows))
    for row in rows.values():
        assert all(has(page, picture) for picture in row)


def test_names_stand_before_their_rows_and_columns_are_read_downwards():
    rows = {name: pictures() for name in "abc"}
    figure = contact_sheet(rows, columns=2)
    places = [axes.get_position() for axes in figure.axes]
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["a", "b", "c"]
    assert all(axes.texts[0].get_position()[0] < 0 for axes in figure.axes)
    assert places[0].x0 == places[1].x0 < places[2].x0
    assert places[0].y0 > places[1].y0 and places[2].y0 == places[0].y0


def test_pictures_of_a_row_do_not_touch():
    (axes,) = contact_sheet({"a": pictures(2, 8)}).axes
    assert (axes.images[0].get_array()[:, 8 : 8 + GAP] == 255).all()


def one_mask():
    mask = np.zeros((1, 16, 16), bool)
    mask[0, 4:9, 3:7] = True
    mask[0, 6, 5] = False  # a hole
    return mask


def segments(axes):
    x, y = axes.lines[0].get_data()
    points = np.stack([x, y], 1).reshape(-1, 3, 2)
    assert np.isnan(points[:, 2]).all()
    return {tuple(map(tuple, sorted(pair.tolist()))) for pair in points[:, :2]}


def test_an_outline_is_every_side_between_inside_and_outside():
    (axes,) = located(pictures(1), one_mask()).axes
    found = segments(axes)
    assert len(found) == 2 * (5 + 4) + 4
    assert {((2.5, 3.5), (3.5, 3.5)), ((2.5, 3.5), (2.5, 4.5))} <= found  # the corner
    assert {((4.5, 5.5), (5.5, 5.5)), ((4.5, 5.5), (4.5, 6.5))} <= found  # the hole


def test_an_object_at_the_border_is_outlined_there_too():
    (axes,) = located(pictures(1), np.ones((1, 16, 16), bool)).axes
    assert len(segments(axes)) == 64


def test_boxes_are_corners_of_which_the_second_is_outside():
    (axes,) = located(pictures(1), boxes=[[3, 4, 7, 9]]).axes
    (frame,) = axes.patches
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((2.5, 3.5), 4, 5)
    assert not axes.lines


def test_titles_stand_above_and_rows_are_filled():
    figure = located(pictures(5), titles=list("abcde"), columns=3)
    assert [axes.get_title() for axes in figure.axes] == [*"abcde", ""]
    assert [len(axes.images) for axes in figure.axes] == [1] * 5 + [0]
    assert drawn(figure).size


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: contact_sheet({}), "found nothing"),
        (lambda: contact_sheet({"a": pictures(2), "b": pictures(3)}), "rows of one shape"),
        (lambda: contact_sheet({"a": pictures() / 255.0 - 0.5}), "values 0 to 255"),
        (lambda: located(np.zeros((2, 3, 8, 8))), r"\(N, H, W, 3\)"),
        (
            lambda: located(pictures(2), one_mask()),
            r"masks: found shape \(1, 16, 16\), expected shape \(2, 16, 16\)",
        ),
        (lambda: located(pictures(2), titles=["a"]), "titles: found 1"),
        (lambda: located(pictures(1), boxes=[[1, 2, 3, 4]], columns=0), "columns"),
        (lambda: located(pictures(1), boxes=[[1, 2, 3]]), "boxes"),
        (lambda: located(pictures(1), np.ones((1, 8, 8))), "masks"),
    ],
)
def test_what_cannot_be_shown_is_refused(call, message):
    with pytest.raises(BadInputError, match=message):
        call()
