import numpy as np
import pytest
import torch

from autograder.problem import BadInputError
from autograder.show import scatter
from autograder.show.cells import number

DOUT = np.array([[1.0, -2, 3], [4, 5, 6]])
W = np.array([[1.0, 2], [-3, 4], [5, 0.5]])


def spread(dout, w, place, stride):
    """What one number of dout adds to dx, by torch."""
    one = torch.zeros(1, 1, *dout.shape, dtype=torch.float64)
    one[0, 0][place] = dout[place]
    kernel = torch.from_numpy(w)[None, None]
    return torch.nn.functional.conv_transpose2d(one, kernel, stride=stride)[0, 0].numpy()


def places(squares, whole):
    """(row, column) of cells within the grid that the ``whole`` of the cells makes up."""
    top, left = min(s.get_y() for s in whole), min(s.get_x() for s in whole)
    return {(round(s.get_y() - top), round(s.get_x() - left)) for s in squares}


def marked(figure, named, name):
    """The marked places of a grid, one set a panel."""
    sets = []
    for axes in figure.axes:
        hit, rest = (named(axes, gid) for gid in (f"{name} marked", name))
        sets.append(places(hit, hit + rest))
    return sets


@pytest.mark.parametrize("stride", [1, 2, (2, 1)])
@pytest.mark.parametrize("place", [(0, 0), (0, 2), (1, 1)])
def test_one_number_times_the_filter_goes_to_one_window(place, stride, named, texts):
    added = spread(DOUT, W, place, stride)
    figure = scatter(DOUT, W, np.full(added.shape, 77.0), at=place, stride=stride)
    assert marked(figure, named, "dout") == [{place}]
    (window,) = marked(figure, named, "dx")
    assert {tuple(at) for at in np.argwhere(added).tolist()} == window
    written = texts(figure)
    product = f"{number(DOUT[place])} · w"
    assert product in written
    shown = sorted(number(value) for value in (DOUT[place] * W).flat)
    inside = [square.get_xy() for square in named(figure, f"{product} marked")]
    numbers = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert sorted(numbers[x + 0.5, y + 0.5] for x, y in inside) == shown
    (top, left), (bottom, right) = min(window), max(window)
    slices = f"dx[{top} : {bottom + 1}, {left} : {right + 1}]"
    assert f"{slices} += dout[{place[0]}, {place[1]}] · w" in written


def test_dx_is_drawn_as_it_is_given(texts):
    dx = 1000 + np.arange(16.0).reshape(4, 4)
    written = texts(scatter(DOUT, W, dx, at=(1, 2)))
    assert {f"{value:.0f}" for value in dx.flat} <= set(written)


@pytest.mark.parametrize(("stride", "hatched"), [(1, 3), (2, 0)])
def test_cells_that_are_added_to_twice_are_hatched(stride, hatched, named, texts):
    at = [(0, 0), (0, 1)]
    figure = scatter(DOUT, W, np.zeros((7, 7)), at=at, stride=stride)
    first, last = figure.axes
    assert not named(first, "added twice")
    shares = [spread(DOUT, W, place, stride) != 0 for place in at]
    expected = {tuple(place) for place in np.argwhere(shares[0] & shares[1]).tolist()}
    assert len(expected) == hatched
    grid = named(last, "dx") + named(last, "dx marked")
    assert places(named(last, "added twice"), grid) == expected
    legend = " ".join(texts(figure))
    assert ("added twice" in legend) == bool(hatched)
    assert "dx[i·S : i·S + K_H, j·S : j·S + K_W] += dout[i, j] · w" in legend
    assert f"S = {stride}" in legend
    union = {tuple(place) for place in np.argwhere(shares[0] | shares[1]).tolist()}
    assert marked(figure, named, "dx")[1] == union


def test_three_windows_are_added_more_than_once(texts):
    written = texts(scatter(DOUT, W, np.zeros((4, 4)), at=[(0, 0), (0, 1), (1, 0)]))
    assert any("added more than once" in text for text in written)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((DOUT, W, None), {}, "scatter, dx: found None"),
        ((DOUT[None], W, W), {}, r"scatter, dout: found shape \(1, 2, 3\)"),
        ((DOUT, W, np.zeros((3, 4))), {"at": (1, 0)}, r"reaches past dx.*the shape of x"),
        ((DOUT, W, np.zeros((4, 4))), {"at": (0, 1), "stride": 3}, r"window up to \(2, 4\)"),
        ((DOUT, W, np.zeros((9, 9))), {"at": (2, 0)}, r"no such number in dout of shape \(2, 3\)"),
        ((DOUT, W, np.zeros((4, 4))), {"at": (-1, 0)}, "scatter, at: found -1"),
        ((DOUT, W, np.zeros((4, 4))), {"at": 1}, "scatter, at: found 1"),
        ((DOUT, W, np.zeros((4, 4))), {"at": []}, r"scatter, at: found \[\]"),
        ((DOUT, W, np.zeros((4, 4))), {"at": (1,)}, r"scatter, at: found \(1,\)"),
        ((DOUT, W, np.zeros((4, 4))), {"at": [(0, 0)] * 5}, "5 places, expected at most 4"),
        ((DOUT, W, np.zeros((4, 4))), {"stride": 0}, "scatter, stride: found 0"),
        ((DOUT, W, np.zeros((30, 30))), {}, "Show a smaller example"),
    ],
)
def test_scatter_refuses(arguments, options, message):
    with pytest.raises(BadInputError, match=message):
        scatter(*arguments, **options)
