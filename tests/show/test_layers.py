import numpy as np
import pytest
from matplotlib.colors import to_hex

from autograder.problem import BadInputError
from autograder.show import volumes

LECTURE = ((3, 32, 32), (6, 3, 5, 5), (6, 28, 28))


def fronts(figure):
    """Left, bottom, width and height of the faces that look at us."""
    boxes = [face.get_xy()[:4] for face in figure.findobj(lambda a: a.get_gid() == "face")]
    flat = [box for box in boxes if box[0][1] == box[1][1] and box[1][0] == box[2][0]]
    return [(*box[0], *(box[2] - box[0])) for box in flat]


def test_the_lectures_layer_says_its_sizes(texts):
    written = texts(volumes(*LECTURE))
    assert "3 × 32 × 32 input" in written
    assert "6 filters, each 3 × 5 × 5" in written
    assert "6 × 28 × 28 output" in written
    assert {"3", "32", "6", "28"} <= set(written)


def test_a_slab_for_each_channel_and_a_box_for_each_filter(named):
    assert len(fronts(volumes(*LECTURE))) == 3 + 6 + 6


def test_a_filter_has_the_colour_of_the_slab_it_makes(named):
    faces = named(volumes(*LECTURE), "face")
    colours = [to_hex(face.get_facecolor()) for face in faces[::3]]
    filters, slabs = colours[3:9], colours[9:]
    assert filters == slabs[::-1]  # slabs are drawn from the back
    assert len(set(filters)) == 6


def test_sides_are_to_scale():
    boxes = fronts(volumes((1, 40, 20), (1, 1, 10, 5), (1, 31, 16)))
    sides = np.array([(height, width) for *_, width, height in boxes])
    np.testing.assert_allclose(sides / sides[0, 1] * 20, [(40, 20), (10, 5), (31, 16)])


def test_the_largest_side_is_the_same_in_every_picture():
    small, large = (
        max(height for *_, height in fronts(volumes((3, n, n), (2, 3, 3, 3), (2, n, n))))
        for n in (8, 512)
    )
    assert small == pytest.approx(large)


def test_captions_of_narrow_boxes_do_not_touch():
    figure = volumes((3, 48, 6), (2, 3, 20, 4), (2, 29, 3))
    figure.draw_without_rendering()
    words = ("input", "filters", "output")
    written = [t for t in figure.axes[0].texts if any(word in t.get_text() for word in words)]
    left, middle, right = (text.get_window_extent() for text in written)
    assert left.x1 < middle.x0 < middle.x1 < right.x0
    assert figure.get_size_inches()[1] < 7


def test_more_filters_than_there_is_room_for_are_dots(texts):
    figure = volumes((64, 56, 56), (512, 64, 1, 1), (512, 56, 56))
    assert "⋮" in texts(figure)
    assert len(fronts(figure)) < 10
    assert "⋮" not in texts(volumes(*LECTURE))


@pytest.mark.parametrize(
    "shapes",
    [
        LECTURE,
        ((3, 8, 32), (2, 3, 5, 1), (2, 4, 32)),
        ((9, 48, 8), (1, 9, 3, 3), (1, 46, 6)),
        ((12, 5, 40), (2, 12, 5, 40), (2, 1, 1)),
    ],
)
def test_input_filters_and_output_stand_side_by_side(shapes, named):
    corners = [face.get_xy()[:, 0] for face in named(volumes(*shapes), "face")]
    channels, filters = 3 * shapes[0][0], 3 * shapes[1][0]  # faces
    parts = corners[:channels], corners[channels:-filters], corners[-filters:]
    (_, x_end), (w_start, w_end), (y_start, _) = [(np.min(p), np.max(p)) for p in parts]
    assert x_end < w_start < w_end < y_start


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((32, 32), (6, 3, 5, 5), (6, 28, 28)), r"volumes, x: found \(32, 32\), expected 3 sizes"),
        (((3, 32, 32), (6, 3, 5), (6, 28, 28)), "volumes, w"),
        (((3, 32, 32), (6, 3, 5, 5), (6, 28.0, 28)), "volumes, y: found 28.0"),
        (((3, 32, 32), (6, 3, 5, 5), None), "volumes, y: found None"),
    ],
)
def test_volumes_refuses(shapes, message):
    with pytest.raises(BadInputError, match=message):
        volumes(*shapes)
