import numpy as np
import pytest
import torch

from autograder.problem import BadInputError
from autograder.show import window_positions

SETTINGS = [
    *[(7, 3, 1, 0), (7, 3, 2, 0), (7, 3, 3, 0), (7, 3, 1, 1), (6, 2, 3, 1), (5, 5, 4, 0)],
    *[(7, 3, 1, 0, 2), (9, 3, 2, 1, 2), (8, 2, 1, 0, 4), (10, 3, 3, 1, 3)],
]


def windows(size, kernel_size, stride, padding, dilation=1):
    """The padded positions under each window, by torch."""
    line = torch.arange(size + 2 * padding, dtype=torch.float64).reshape(1, 1, 1, -1)
    columns = torch.nn.functional.unfold(line, (1, kernel_size), (1, dilation), stride=(1, stride))
    return columns[0].T.numpy()


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_strip_has_a_bar_for_each_place_and_crosses_what_none_covers(setting, named):
    figure = window_positions(*setting)
    expected = windows(*setting)
    starts = [round(bar.get_x() - 0.06) for bar in named(figure, "place")]
    assert starts == expected[:, 0].tolist()
    covered = {square.get_x() for square in named(figure, "covered")}
    assert covered == set(expected.ravel().tolist())
    length = setting[0] + 2 * setting[3]
    assert len(named(figure, "left out")) == length - len(covered)
    filled = [(tap.get_x(), tap.get_y()) for tap in named(figure, "tap")]
    bars = [bar.get_y() for bar in named(figure, "place")]
    assert filled == [(tap, bar) for bar, taps in zip(bars, expected, strict=True) for tap in taps]
    widths = {round(bar.get_width() + 0.12, 9) for bar in named(figure, "place")}
    assert widths == {expected[0, -1] - expected[0, 0] + 1}


@pytest.mark.parametrize(("stride", "misfits"), [(1, 0), (2, 0), (3, 1)])
def test_stride_3_does_not_fit_the_lectures_7_pixels(stride, misfits, named, texts):
    figure = window_positions(7, 3, stride)
    assert len(named(figure, "misfit")) == misfits
    assert ("does not fit" in texts(figure)) == bool(misfits)
    assert any("never covered" in text for text in texts(figure)) == bool(misfits)


def test_gaps_between_windows_are_left_out_without_a_misfit(named):
    figure = window_positions(7, 1, 3)
    assert [square.get_x() for square in named(figure, "left out")] == [1, 2, 4, 5]
    assert not named(figure, "misfit")


def test_a_grid_has_a_dot_in_the_middle_of_each_place(named, texts):
    figure = window_positions((6, 9), (3, 2), stride=(2, 3), padding=(1, 0))
    down, across = windows(6, 3, 2, 1), windows(9, 2, 3, 0)
    expected = {(left.mean() + 0.5, top.mean() + 0.5) for top in down for left in across}
    assert {dot.center for dot in named(figure, "place")} == expected
    assert len(named(figure, "covered")) == np.unique(down).size * np.unique(across).size
    assert "H × W = 6 × 9, K = 3 × 2, S = 2 × 3, P = 1 × 0" in texts(figure)


def test_a_dilated_window_of_a_grid_is_filled_only_where_it_reads(named, texts):
    figure = window_positions((6, 9), 3, (1, 2), dilation=(2, 3))
    down, across = windows(6, 3, 1, 0, 2), windows(9, 3, 2, 0, 3)
    expected = [(left, top) for lefts in across[:2] for left in lefts for top in down[0]]
    assert [tap.get_xy() for tap in named(figure, "tap")] == expected
    frames = [(box.get_x(), box.get_width(), box.get_height()) for box in named(figure, "frame")]
    assert frames == [(0, 7, 5), (2, 7, 5)]
    middles = {(left.mean() + 0.5, top.mean() + 0.5) for top in down for left in across}
    assert {dot.center for dot in named(figure, "place")} == middles
    assert "H × W = 6 × 9, K = 3, S = 1 × 2, P = 0, D = 2 × 3" in texts(figure)


def test_no_dilation_goes_unsaid(texts):
    assert "W = 7, K = 3, S = 1, P = 0" in texts(window_positions(7, 3))
    assert "W = 7, K = 3, S = 1, P = 0, D = 2" in texts(window_positions(7, 3, dilation=2))


def test_padding_is_hatched(named):
    figure = window_positions((7, 5), 3, 1, padding=1)
    hatched = [square for square in named(figure, "covered") if square.get_hatch()]
    assert len(hatched) == 9 * 7 - 7 * 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, 3), "kernel_size: found 3, expected at most the padded size, 2"),
        (((7, 2), 3), "kernel_size of W: found 3"),
        ((7, 3, 0), "stride: found 0"),
        ((7, 3, 1, -1), "padding: found -1"),
        ((7, 3, 1, 0, 0), "dilation: found 0"),
        ((6, 3, 1, 0, 3), "kernel_size: found 7 from first to last tap, expected at most the pad"),
        ((7, (3, 3)), r"kernel_size: found \(3, 3\)"),
        ((100, 3), "found 100 cells"),
    ],
)
def test_window_positions_refuses(arguments, message):
    with pytest.raises(BadInputError, match=message):
        window_positions(*arguments)
