"""The oracle against the definition in the lecture, written out in plain Python."""

import itertools

import numpy as np
import pytest

from autograder.check import oracle

RNG = np.random.default_rng(1)


def test_corr2d_gives_the_lectures_numbers():
    arrays = {"X": np.arange(9).reshape(3, 3), "K": np.arange(4).reshape(2, 2)}
    assert oracle.evaluate(oracle.corr2d, arrays, {}).tolist() == [[19, 25], [37, 43]]


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_conv_is_the_sum_in_the_lecture(axes):
    sizes, kernel = (6, 5, 4)[:axes], (3, 2, 2)[:axes]
    x, w, b = RNG.standard_normal((2, 3, *sizes)), RNG.standard_normal((4, 3, *kernel)), np.ones(4)
    out = oracle.evaluate(oracle.conv, {"x": x, "w": w, "b": b}, {"stride": 2})
    for n, f, *place in np.ndindex(out.shape):
        taps = itertools.product(range(3), *map(range, kernel))
        total = sum(
            x[(n, c, *(2 * i + u for i, u in zip(place, tap, strict=True)))] * w[(f, c, *tap)]
            for c, *tap in taps
        )
        assert out[(n, f, *place)] == pytest.approx(total + 1)


def test_the_filter_matrix_is_the_lectures():
    matrix = oracle.evaluate(oracle.filter_matrix, {"w": np.array([1.0, 2, 3])}, {"size": 5})
    assert matrix[0].tolist() == [2, 3, 0, 0, 0]
    assert matrix[2].tolist() == [0, 1, 2, 3, 0]
    assert matrix[4].tolist() == [0, 0, 0, 1, 2]


def test_im2col_times_the_filters_is_the_convolution():
    x, w = RNG.standard_normal((2, 3, 5, 6)), RNG.standard_normal((4, 3, 3, 3))
    options = {"stride": 2, "padding": 1}
    columns = oracle.evaluate(oracle.im2col, {"x": x}, {"kernel_size": 3, **options})
    out = oracle.evaluate(oracle.conv, {"x": x, "w": w, "b": np.zeros(4)}, options)
    assert np.allclose(w.reshape(4, -1) @ columns, out.reshape(2, 4, -1))


def test_gradients_are_those_of_the_weighted_sum():
    arrays = {"X": RNG.standard_normal((4, 5)), "K": RNG.standard_normal((2, 2))}
    dout = RNG.standard_normal((3, 4))
    found = oracle.gradients(oracle.corr2d, arrays, {}, dout)
    moved = {**arrays, "K": arrays["K"] + np.array([[1e-6, 0], [0, 0]])}
    change = oracle.evaluate(oracle.corr2d, moved, {}) - oracle.evaluate(oracle.corr2d, arrays, {})
    assert found["dK"][0, 0] == pytest.approx((change * dout).sum() / 1e-6, rel=1e-5)
    assert found["dX"].shape == (4, 5)
