import numpy as np
import pytest

from autograder.problem import BadInputError
from autograder.show import sliding_window
from autograder.show.cells import number

X = np.arange(9).reshape(3, 3)
K = np.array([[0, 1], [2, 3]])
Y = np.array([[19, 25], [37, 43]])


def test_the_lectures_example_is_written_out(texts):
    written = texts(sliding_window(X, K, Y, at=[(0, 0), (0, 1), (1, 0), (1, 1)]))
    assert "Y[0, 0] = 0×0 + 1×1 + 3×2 + 4×3 = 19" in written
    assert "Y[1, 1] = 4×0 + 5×1 + 7×2 + 8×3 = 43" in written
    assert not any("but" in text for text in written)


def corner(squares):
    return np.min([(square.get_y(), square.get_x()) for square in squares], axis=0)


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_the_window_the_filter_and_the_output_are_highlighted(place, named):
    figure = sliding_window(X, K, Y, at=[place])
    assert len(named(figure, "X marked")) == K.size
    assert len(named(figure, "K marked")) == K.size
    assert len(named(figure, "Y marked")) == 1
    assert len(named(figure, "X")) == X.size - K.size
    for name in "XY":
        marked = corner(named(figure, f"{name} marked"))
        first = corner(named(figure, name) + named(figure, f"{name} marked"))
        assert marked - first == pytest.approx(place)


def test_sizes_that_are_all_different(named, texts):
    x, k = np.arange(20).reshape(4, 5), -np.ones((3, 2))
    y = -np.array([[x[i : i + 3, j : j + 2].sum() for j in range(4)] for i in range(2)])
    figure = sliding_window(x, k, y, at=[(1, 3)])
    assert "8×(−1) + 9×(−1) + 13×(−1)" in (written := " ".join(texts(figure)))
    assert f"= {number(y[1, 3])}" in written
    assert "but" not in written
    assert len(named(figure, "X marked")) == 6


def test_a_wrong_value_is_told(texts):
    wrong = Y.copy()
    wrong[0, 1] = 12
    written = texts(sliding_window(X, K, wrong, at=[(0, 0), (0, 1)]))
    assert "Y[0, 0] = 0×0 + 1×1 + 3×2 + 4×3 = 19" in written
    assert "Y[0, 1] = 1×0 + 2×1 + 4×2 + 5×3 = 25 but Y[0, 1] is 12" in written


@pytest.mark.parametrize(
    ("y", "at", "message"),
    [
        (None, [(0, 0)], "Y: found None"),
        (Y[:1], [(1, 0)], r"at \(1, 0\): found no such value in Y of shape \(1, 2\)"),
        (np.ones((3, 3)), [(2, 2)], r"at \(2, 2\).*reaches past X of shape \(3, 3\)"),
        (Y, [(-1, 0)], r"at \(-1, 0\)"),
        (Y, [], "no place"),
        (Y[None], [(0, 0)], r"Y: found shape \(1, 2, 2\)"),
    ],
)
def test_sliding_window_refuses(y, at, message):
    with pytest.raises(BadInputError, match=message):
        sliding_window(X, K, y, at=at)


def test_arrays_too_large_to_be_read_are_refused():
    with pytest.raises(BadInputError, match=r"Show a corner"):
        sliding_window(np.ones((30, 30)), K, np.ones((29, 29)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(3.0, "3"), (-0.25, "−0.25"), (1 / 3, "0.333"), (4310.0, "4310"), (np.nan, "nan")],
        *[(-0.0, "0"), (0.001, "0.001"), (-1e-4, "−1e−4"), (1.25e-10, "1.25e−10")],
        *[(123456.0, "123456"), (-1.2e6, "−1.2e6"), (1e300, "1e300"), (-np.inf, "−inf")],
    ],
)
def test_number(value, text):
    assert number(value) == text
