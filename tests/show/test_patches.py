import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from autograder.problem import BadInputError
from autograder.show import columns
from autograder.show.canvas import VERMILION

X = np.arange(20.0).reshape(4, 5)
SETTINGS = [
    (X, 2, 1),
    (X, 3, 1),
    (X, (2, 3), (2, 1)),
    (X, (1, 2), 2),
    (X, (4, 5), 1),
    (X, (4, 3), (1, 2)),
]


def im2col(x, kernel_size, stride):
    image = torch.from_numpy(x)[None, None]
    return torch.nn.functional.unfold(image, kernel_size, stride=stride)[0].numpy()


def marked(figure, named, name):
    """The numbers in the tinted cells of an array."""
    written = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    corners = [cell.get_xy() for cell in named(figure, f"{name} marked")]
    return [float(written[x + 0.5, y + 0.5]) for x, y in corners]


def frames(figure, named):
    return [to_hex(frame.get_edgecolor()) for frame in named(figure, "frame")]


@pytest.mark.parametrize(("x", "kernel_size", "stride"), SETTINGS)
def test_the_first_two_windows_and_the_last_have_the_colours_of_their_columns(
    x, kernel_size, stride, named, texts
):
    matrix = im2col(x, kernel_size, stride)
    figure = columns(x, matrix, kernel_size, stride)
    shown = matrix[:, sorted({0, min(1, matrix.shape[1] - 1), matrix.shape[1] - 1})]
    assert sorted(marked(figure, named, "columns")) == sorted(shown.ravel())
    assert set(marked(figure, named, "x")) == set(shown.ravel())
    colours = frames(figure, named)
    half = len(colours) // 2
    assert colours[:half] == colours[half:]
    assert len(set(colours)) == shown.shape[1]
    assert sum("is the window" in text for text in texts(figure)) == shown.shape[1]
    assert not any("not" in text for text in texts(figure))


def test_frames_lie_around_their_windows_and_columns(named):
    figure = columns(X, im2col(X, (2, 3), 1), (2, 3))
    boxes = [frame.get_bbox().bounds for frame in named(figure, "frame")]
    expected = [(0, 0, 3, 2), (1, 0, 3, 2), (2, 2, 3, 2), *[(i, 0, 1, 6) for i in (8, 9, 16)]]
    for box, (left, top, width, height) in zip(boxes, expected, strict=True):
        assert box == pytest.approx((left, top, width, height), abs=0.2)


def test_cells_where_two_windows_meet_have_a_colour_of_their_own(named):
    figure = columns(X, im2col(X, 2, 1), 2)
    shades = {c.get_xy(): to_hex(c.get_facecolor()) for c in named(figure, "x marked")}
    first, both, second = (shades[column, 0] for column in range(3))
    assert len({first, both, second}) == 3
    assert shades[1, 1] == both


def test_rows_are_labelled_by_tap(texts):
    written = texts(columns(X, im2col(X, (2, 3), 1), (2, 3)))
    taps = [text for text in written if ", " in text and "column" not in text]
    assert taps == ["u, v", "0, 0", "0, 1", "0, 2", "1, 0", "1, 1", "1, 2"]


def test_every_number_of_the_students_matrix_is_written_and_none_is_made_up(texts):
    own = 100 + np.arange(4.0 * 12).reshape(4, 12)
    written = texts(columns(X, own, 2))
    assert {f"{value:.0f}" for value in own.flat} <= set(written)


def test_a_place_is_counted_in_windows_not_in_cells(texts):
    written = texts(columns(X, im2col(X, 2, (2, 1)), 2, (2, 1)))
    assert "column 7 is the window at place (1, 3)" in written


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda m: m[::-1], "column 0 is not the window at place (0, 0): its numbers in another"),
        (lambda m: m + (np.arange(12) == 11), "column 11 is not the window at place (2, 3): other"),
        (lambda m: m[:, ::-1], "column 1 is not the window at place (0, 1): other numbers"),
    ],
)
def test_a_wrong_column_is_told_in_vermilion(change, expected):
    figure = columns(X, change(im2col(X, 2, 1)), 2)
    told = [text for text in figure.axes[0].texts if expected in text.get_text()]
    assert [text.get_color() for text in told] == [VERMILION]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, None, 2), "columns, columns: found None"),
        ((X[None], np.ones((4, 12)), 2), r"columns, x: found shape \(1, 4, 5\)"),
        ((X, np.ones((12, 4)), 2), r"found shape \(12, 4\), expected a row for each of 2 × 2 taps"),
        ((X, np.ones((4, 12)), 2, 2), "a column for each of 4 places"),
        ((X, np.ones((6, 12)), (1, 6)), r"kernel_size: found 1 × 6, expected at most \(4, 5\)"),
        ((X, np.ones((4, 12)), 5), r"kernel_size: found 5 × 5, expected at most \(4, 5\)"),
        ((X, np.ones((4, 12)), 2, 0), "stride: found 0"),
        ((np.ones((7, 7)), np.ones((1, 49)), 1), "Show a smaller image"),
    ],
)
def test_columns_refuses(arguments, message):
    with pytest.raises(BadInputError, match=message):
        columns(*arguments)
