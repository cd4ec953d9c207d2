import numpy as np
import pytest

from autograder.problem import BadInputError
from autograder.show import error_map, png


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
