import numpy as np
import pytest

from autograder.problem import BadInputError
from autograder.show import matrix

W_HAT = np.array([[1, 2, 0, 3, 4, 0], [0, 1, 2, 0, 3, 4]])


def shades(figure):
    return np.asarray(figure.axes[0].images[0].get_array())[..., :3]


@pytest.mark.parametrize("values", [4, 7, 12, 30])
def test_a_colour_for_each_value_and_white_for_zero(values):
    entries = np.random.default_rng(0).permutation(np.arange(values + 1).repeat(2)).reshape(2, -1)
    pixels = shades(matrix(entries)).reshape(-1, 3)
    by_value = {
        value: np.unique(pixels[entries.ravel() == value], axis=0) for value in range(values + 1)
    }
    assert all(len(colours) == 1 for colours in by_value.values())
    assert len(np.unique(pixels, axis=0)) == values + 1
    np.testing.assert_array_equal(by_value[0], [[1, 1, 1]])


def test_numbers_are_written_but_zeros_are_not(texts):
    written = texts(matrix(W_HAT, "a title", xlabel="across", ylabel="down"))
    assert sorted(set(written)) == ["1", "2", "3", "4", "a title", "across", "down"]
    assert written.count("3") == 2


def test_zeros_that_are_data_are_written_and_coloured(texts):
    figure = matrix([[0, 1], [1, 0]], blank=None)
    assert texts(figure).count("0") == 2
    assert not (shades(figure) == 1).all(axis=-1).any()


def test_a_matrix_too_large_for_numbers_has_only_colours(texts):
    figure = matrix(np.tile(W_HAT, (20, 20)))
    assert texts(figure) == []
    assert shades(figure).shape == (40, 120, 3)


@pytest.mark.parametrize("shape", [(200, 3), (3, 200), (64, 64)])
def test_a_large_matrix_stays_on_the_page(shape):
    assert max(matrix(np.ones(shape)).get_size_inches()) < 10


def test_other_shapes_are_refused():
    with pytest.raises(BadInputError, match=r"matrix, M: found shape \(3,\)"):
        matrix([1, 2, 3])
