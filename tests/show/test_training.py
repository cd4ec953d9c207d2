import numpy as np
import pytest
from matplotlib.colors import to_rgb

from autograder.problem import BadInputError
from autograder.show import png
from autograder.show.architecture import network, shares
from autograder.show.canvas import GREEN, SIGNED, VERMILION
from autograder.show.training import confusion, curves, descent, history, tiles, verdicts

RUN = {"loss": np.linspace(2.3, 0, 200), "accuracy": [0.1, 0.8, 0.9]}


def lines(axes):
    return [np.column_stack(line.get_data()) for line in axes.lines]


def test_curves_start_where_they_are_told():
    figure = curves({"a": [3, 2, 1], "b": [1, 1, 4]}, start=0, log=True)
    (axes,) = figure.axes
    assert [line.tolist() for line in lines(axes)] == [
        [[0, 3], [1, 2], [2, 1]],
        [[0, 1], [1, 1], [2, 4]],
    ]
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    assert lines(curves({"a": [5]}).axes[0])[0].tolist() == [[1, 5]]


def test_history_shows_every_loss_its_mean_and_every_accuracy():
    left, right = history(RUN).axes
    raw, smooth = lines(left)
    np.testing.assert_array_equal(raw[:, 1], RUN["loss"])
    assert smooth[0].tolist() == [20, pytest.approx(RUN["loss"][:20].mean())]
    assert smooth[-1].tolist() == [200, pytest.approx(RUN["loss"][-20:].mean())]
    assert lines(right)[0].tolist() == [[1, 0.1], [2, 0.8], [3, 0.9]]
    assert right.get_legend() is None


def test_runs_are_told_apart_by_name():
    left, right = history({"one": RUN, "other": {"loss": [1], "accuracy": [0]}}).axes
    assert len(left.lines) == 4
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["one", "other"]


def test_five_runs_differ_in_more_than_colour_and_none_hides_another():
    runs = {name: {"loss": np.ones(50), "accuracy": [0.1, 0.2]} for name in "abcde"}
    left, right = history(runs).axes
    raw, means = left.lines[::2], left.lines[1::2]
    assert max(line.get_zorder() for line in raw) < min(line.get_zorder() for line in means)
    looks = [(line.get_color(), line.get_marker(), line.get_linestyle()) for line in right.lines]
    assert all(len(set(look)) == 5 for look in list(zip(*looks, strict=True))[:2])
    assert looks[0][2] != looks[4][2]  # blue and light blue
    assert right.get_legend().get_bbox_to_anchor().x0 >= right.get_window_extent().x1 - 1


def test_descent_draws_each_path_in_the_same_valley():
    paths = {"slow": [[-9, 1], [-5, 0]], "fast": [[-9, 1], [1, -1]]}
    figure = descent(paths)
    assert [lines(axes)[0].tolist() for axes in figure.axes] == [*paths.values()]
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert [axes.get_title() for axes in figure.axes] == ["slow", "fast"]


def test_tiles_are_alike_or_each_on_its_own_scale():
    maps = np.array([[[0.0, 1.0]], [[0.0, 4.0]], [[2.0, 3.0]]])
    together = tiles(maps, columns=2).axes
    assert [axes.axison for axes in together] == [True, True, True, False]
    assert [axes.images[0].get_clim() for axes in together[:3]] == [(0, 4)] * 3
    apart = tiles(maps, alike=False, titles=["a", "b", "c"]).axes
    assert [axes.images[0].get_clim() for axes in apart] == [(0, 1), (0, 4), (0, 3)]
    assert [axes.get_title() for axes in apart] == ["a", "b", "c"]


def test_tiles_with_negative_numbers_have_zero_in_the_middle():
    (image,) = (axes.images[0] for axes in tiles([[[-3.0, 1.0]]]).axes)
    assert (image.cmap, image.get_clim()) == (SIGNED, (-3, 3))
    assert png(tiles(np.full((2, 3, 3), np.nan)))  # without a warning
    assert png(tiles(np.zeros((2, 3, 3))))


def test_verdicts_colour_the_right_class_and_the_one_it_was_taken_for():
    probabilities = [[0.1, 0.7, 0.2], [0.2, 0.1, 0.7]]
    figure = verdicts(np.zeros((2, 4, 4)), probabilities, [2, 2])
    wrong, right, bars, sure = figure.axes
    assert (wrong.get_title(), right.get_title()) == ("is 2, taken for 1", "is 2")
    assert [patch.get_height() for patch in bars.patches] == probabilities[0]
    colours = [patch.get_facecolor()[:3] for patch in bars.patches]
    assert colours[1:] == [to_rgb(VERMILION), to_rgb(GREEN)]
    assert sure.patches[2].get_facecolor()[:3] == to_rgb(GREEN)


def test_no_more_verdicts_than_asked_for():
    figure = verdicts(np.zeros((9, 4, 4)), np.eye(9), np.arange(9), most=6)
    assert sum(axes.axison for axes in figure.axes) == 12
    assert len(figure.axes) == 20


def test_confusion_counts_rows_as_what_it_is(texts):
    figure = confusion([0, 0, 1, 2], [0, 2, 1, 2], classes=3)
    (axes,) = figure.axes
    written = {(t.get_position()[::-1], t.get_text()) for t in axes.texts}
    assert written == {((0, 0), "1"), ((0, 2), "1"), ((1, 1), "1"), ((2, 2), "1")}
    shades = axes.images[0].get_array()
    assert np.array_equal(shades[0, 0], shades[1, 1])
    assert not np.array_equal(shades[0, 0], shades[0, 2])
    assert (shades[1, 0] == 1).all()
    assert {"is", "taken for"} <= set(texts(figure))


def test_a_network_shows_each_shape(texts):
    figure = network([("input", (1, 28, 28)), ("pool", (20, 14, 14)), ("fc", (10,))])
    assert {"input", "1×28×28", "pool", "20×14×14", "fc", "10"} <= set(texts(figure))
    (axes,) = figure.axes
    assert len(axes.patches) == 9
    fronts = [np.ptp(axes.patches[i].get_xy(), axis=0) for i in (0, 3)]
    np.testing.assert_allclose(fronts[0], 2 * fronts[1])  # maps are to scale
    assert png(figure)


def test_shares_are_of_each_column(texts):
    figure = shares({"parameters": [1, 3], "work": [30, 10]}, ["a", "b"])
    (axes,) = figure.axes
    assert [patch.get_width() for patch in axes.patches] == [25, 75, 75, 25]
    assert {"1 (25.0%)", "3 (75.0%)", "30 (75.0%)", "10 (25.0%)"} <= set(texts(figure))


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: curves({}), "at least one"),
        (lambda: curves({"a": None}), "curves, a: found None"),
        (lambda: history({"one": [1, 2]}), "history, one.*'loss' and 'accuracy'"),
        (lambda: history({"loss": [1]}), "no 'accuracy'"),
        (lambda: descent({"a": [[1, 2, 3]]}), r"shapes \(steps, 2\)"),
        (lambda: descent({}), "descent, paths"),
        (lambda: tiles(np.ones((3, 4))), "3 dimensions"),
        (lambda: tiles(np.ones((3, 4, 4)), titles=["a"]), "found 1, expected 3"),
        (lambda: verdicts(np.ones((2, 3, 3)), np.ones((1, 4)), [0, 1]), "as many of each"),
        (lambda: confusion([0, 1], [0]), "1 predictions"),
        (lambda: confusion([0, 1], [0, 10]), "classes 0 to 9"),
        (lambda: network([]), "at least one"),
        (lambda: network([("a", (2, 3))]), r"\(C, H, W\) or \(D,\)"),
        (lambda: network([("a", (0,))]), "whole number of at least 1"),
        (lambda: shares({"a": [1, 2]}, ["x"]), "1 numbers from 0 up"),
        (lambda: shares({"a": [0, 0]}, ["x", "y"]), "from 0 up"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(BadInputError, match=message):
        draw()
