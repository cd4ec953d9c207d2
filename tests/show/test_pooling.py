import numpy as np
import pytest
from matplotlib.colors import to_hex

from autograder.problem import BadInputError
from autograder.show.canvas import PALETTE, png
from autograder.show.pooling import pooled, routed, shifted

X = np.array([[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
ROWS = [1, 0, 2, 0, 1], [0, 1, 0, 3, 0], [2, 0, 4, 0, 1], [0, 5, 0, 1, 0], [1, 0, 2, 0, 3]
WIDE = np.array(ROWS, float)


def colours(frames):
    return [to_hex(frame.get_edgecolor()).upper() for frame in frames]


def test_every_window_has_the_colour_of_its_number(named, texts):
    figure = pooled(X, [[6, 8], [3, 4]], kernel_size=2, stride=2)
    frames = named(figure, "frame")
    assert [frame.get_width() for frame in frames] == [2, 2, 2, 2, 1, 1, 1, 1]
    assert colours(frames) == [*PALETTE[:4], *PALETTE[:4]]
    assert {"x", "out", "K = 2, S = 2", "8"} <= set(texts(figure))
    assert png(figure)


def test_overlapping_windows_are_where_the_stride_puts_them(named):
    frames = named(pooled(WIDE, np.zeros((2, 2)), kernel_size=3, stride=2), "frame")[:4]
    assert [(round(f.get_x()), round(f.get_y())) for f in frames] == [
        (0, 0),
        (2, 0),
        (0, 2),
        (2, 2),
    ]


def test_a_place_of_dx_is_framed_once_for_each_window_that_it_wins(named):
    dx = np.zeros((5, 5))
    dx[2, 2], dx[3, 1] = 7, 3
    figure = routed(WIDE, [[1, 2], [3, 4]], dx, kernel_size=3, stride=2)
    by_dx = named(figure, "frame")[-4:]  # drawn last
    assert [(round(f.get_x() - by_dx[0].get_x()), round(f.get_y())) for f in by_dx] == [
        (0, 2), (0, 2), (-1, 3), (0, 2),
    ]  # fmt: skip
    assert len(named(figure, "dx marked")) == 2


def test_each_map_stands_above_its_pooled_self(texts, named):
    maps = np.zeros((3, 4, 4))
    maps[:, 1, 1] = 9
    figure = shifted(maps, np.full((3, 2, 2), 5))
    written = texts(figure)
    assert (written.count("9"), written.count("5"), written.count("↓")) == (3, 12, 3)
    assert len(named(figure, "frame")) == 3 * (1 + 4)
    assert figure.get_size_inches()[0] < 9.1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pooled(X, np.zeros((2, 3)), 2, 2), "windows inside of x"),
        (lambda: pooled(X, np.zeros((3, 3)), 2, 1), "9 windows"),
        (lambda: pooled(X, [[1]], 0, 2), "kernel_size"),
        (lambda: pooled(np.zeros((2, 40)), [[1]], 2, 2), "arrays that can be read"),
        (lambda: pooled(X[0], [[1]], 2, 2), "2 dimensions"),
        (lambda: routed(X, [[1]], np.zeros((2, 2)), 2, 2), r"x's, \(4, 4\)"),
        (lambda: shifted(np.zeros((2, 4, 4)), np.zeros((3, 2, 2))), "2, one a map"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(BadInputError, match=message):
        call()
