from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from autograder.problem import BadInputError
from autograder.show import error_map, png
from autograder.show.canvas import INK, PAPER, SIGNED
from autograder.show.cells import number


def panels(figure):
    return [axes.images[0] for axes in figure.axes[:3]]


@pytest.mark.parametrize(
    ("shape", "worst", "name"),
    [
        ((6,), (4,), "[:]"),
        ((4, 5), (3, 1), "[:, :]"),
        ((2, 4, 5), (1, 3, 1), "[1, :, :]"),
        ((2, 3, 4, 5), (1, 2, 0, 4), "[1, 2, :, :]"),
    ],
)
def test_the_slice_of_the_largest_error_is_shown_and_named(shape, worst, name, texts):
    want = np.random.default_rng(0).normal(size=shape)
    got = want.copy()
    got[0] += 0.25
    got[worst] += 2
    figure = error_map(got, want)

    error = got[worst] - want[worst]
    assert f"slice {name} largest error {error:.3g}, at {list(worst)}" in texts(figure)
    plane = worst[:-2]
    low, high = want[plane].min(), want[plane].max()
    expected = (np.clip(got[plane], low, high), want[plane], got[plane] - want[plane])
    for image, pixels in zip(panels(figure), expected, strict=True):
        np.testing.assert_allclose(image.get_array(), np.atleast_2d(pixels))
    (mark,) = figure.axes[2].patches
    row, column = (0, *worst)[-2:]
    assert mark.get_xy() == (column - 0.5, row - 0.5)


def test_got_and_expected_share_the_range_of_expected():
    got, want, difference = panels(error_map([[0, 900]], [[-1, 3]]))
    assert got.get_clim() == want.get_clim() == (-1, 3)
    assert difference.get_clim() == (-897, 897)


@pytest.mark.parametrize("shape", [(2, 2), (6, 8), (5,), (2, 3, 6, 4), (1, 1)])
def test_a_small_slice_has_its_numbers_inside_its_cells(shape):
    want = np.random.default_rng(1).normal(size=shape)
    got = want * (1 + 1e-5)
    got[(-1,) * len(shape)] = -12.3
    figure = error_map(got, want)
    figure.draw_without_rendering()
    plane = (-1,) * (len(shape) - 2)
    planes = [np.atleast_2d(array[plane]) for array in (got, want, got - want)]
    for axes, values in zip(figure.axes, planes, strict=True):
        written = {text.get_position(): text for text in axes.texts}
        assert len(written) == values.size
        for (row, column), value in np.ndenumerate(values):
            assert written[column, row].get_text() == number(value)
            box = written[column, row].get_window_extent().transformed(axes.transData.inverted())
            assert column - 0.5 < min(box.x0, box.x1) < max(box.x0, box.x1) < column + 0.5
            assert row - 0.5 < min(box.y0, box.y1) < max(box.y0, box.y1) < row + 0.5


@pytest.mark.parametrize("shape", [(7, 8), (6, 9), (1, 400)])
def test_a_larger_slice_has_only_colours(shape):
    figure = error_map(np.zeros(shape), np.ones(shape))
    assert not any(axes.texts for axes in figure.axes)


def test_numbers_are_light_on_dark_cells_and_dark_on_light_ones():
    got, want = np.array([[0.0, 1.0], [np.nan, -9.0]]), np.array([[0.0, 1.0], [1.0, -1.0]])
    figure = error_map(got, want)
    colours = [[text.get_color() for text in axes.texts] for axes in figure.axes]
    assert colours == [
        [PAPER, INK, INK, PAPER],  # viridis from dark to light; no number is gray
        [PAPER, INK, INK, PAPER],
        [INK, INK, INK, PAPER],  # white where there is no difference, dark blue at the worst
    ]


def test_what_was_clipped_for_the_colours_is_written_as_it_is():
    figure = error_map([[1e9, np.inf]], [[0, 1]])
    assert [text.get_text() for text in figure.axes[0].texts] == ["1e9", "inf"]


def test_the_outline_has_a_light_edge_for_dark_cells():
    (mark,) = error_map([[1, 2]], [[1, 5]]).axes[2].patches
    image = np.asarray(Image.open(BytesIO(png(error_map(np.full((2, 2), -9.0), np.ones((2, 2)))))))
    assert mark.get_path_effects()
    # All cells of the difference are the darkest blue: only the edge and the numbers are white.
    dark = np.all(image[..., :3] == np.round(255 * np.array(SIGNED(0.0)[:3])), axis=-1)
    rows, columns = np.nonzero(dark)
    inside = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1, :3]
    assert (inside.min(axis=-1) > 250).sum(axis=1).max() > 0.3 * inside.shape[1]


def test_an_unexpected_nan_is_worse_than_any_error(texts):
    want = np.ones((2, 2, 2))
    got = want.copy()
    got[0] = 1e300
    got[1, 0, 1] = np.nan
    figure = error_map(got, want)
    assert "slice [1, :, :] an error that is not finite, at [1, 0, 1]" in texts(figure)
    assert np.ma.getmaskarray(panels(figure)[2].get_array()).sum() == 1


def test_infinities_and_nan_in_the_same_places_are_no_error(texts):
    same = np.array([[np.inf, -np.inf, np.nan, 1.0]])
    figure = error_map(same, same)
    assert "no difference" in texts(figure)
    assert not figure.axes[2].patches


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (np.full((2, 2), np.inf), np.zeros((2, 2))),
        (np.full((2, 2), -1e308), np.full((2, 2), 1e308)),
        (np.array([[-1e308, 1e308]]), np.zeros((1, 2))),
        (np.full((2, 2), 1e299), np.array([[0, 1e-9], [0, 0]])),
        (np.zeros((3, 3), int), np.ones((3, 3), bool)),
        (np.zeros((1, 400)), np.ones((1, 400))),
    ],
)
def test_extreme_answers_are_drawn_without_a_warning(got, want):
    assert png(error_map(got, want))


def test_the_figure_is_small():
    figure = error_map(np.zeros((2, 3, 64, 64)), np.ones((2, 3, 64, 64)))
    assert tuple(figure.get_size_inches()) == (6, 2)
    assert len(png(figure)) < 40_000


def test_other_shapes_are_refused():
    with pytest.raises(BadInputError, match=r"found shape \(2, 3\), expected \(3, 2\)"):
        error_map(np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(BadInputError, match=r"got: found shape \(\)"):
        error_map(1.0, 1.0)
