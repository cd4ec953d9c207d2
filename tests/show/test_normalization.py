import numpy as np
import pytest

from autograder.problem import BadInputError
from autograder.show.canvas import png
from autograder.show.normalization import (
    averaged_axes,
    batch_norm_graph,
    features,
    leftover,
    points,
)

RNG = np.random.default_rng(0)


def test_each_feature_has_its_points_mean_and_spread():
    x = RNG.standard_normal((30, 3)) * [1, 2, 3] + [0, 5, 9]
    figure = features({"before": x, "after": x - x.mean(0)})
    before, after = figure.axes
    assert [axes.get_title() for axes in (before, after)] == ["before", "after"]
    assert [len(dots.get_offsets()) for dots in before.collections[::2]] == [30, 30, 30]
    marks = [bar.lines[0].get_ydata()[0] for bar in before.containers]
    np.testing.assert_allclose(marks, x.mean(0))
    assert before.get_ylim() == after.get_ylim()
    assert png(figure) == png(features({"before": x, "after": x - x.mean(0)}))


def test_points_have_the_colour_of_their_kind_and_all_at_one_place_are_said_to_be(texts):
    x, kinds = RNG.standard_normal((10, 2)), np.arange(10) % 2
    figure = points({"apart": x, "together": np.zeros((10, 2))}, kinds)
    apart, together = figure.axes
    assert [len(dots.get_offsets()) for dots in apart.collections] == [5, 5]
    assert [text.get_text() for text in together.texts] == ["all 10 points"]
    assert not apart.texts


def test_the_graph_has_every_gate_and_local_gradient(named, texts):
    figure = batch_norm_graph()
    assert len(named(figure, "gate")) == 7
    assert {"μ", "σ²", "x̂ = c / s", "−c / s²", "1 / 2s", "2c / N", "γ"} <= set(texts(figure))


def test_no_two_gates_of_the_graph_overlap(named):
    figure = batch_norm_graph()
    figure.draw_without_rendering()
    boxes = [gate.get_window_extent() for gate in named(figure, "gate")]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_what_is_left_over_ends_on_the_line():
    x = RNG.standard_normal(8)
    x = (x - x.mean()) / x.std()
    dout = RNG.standard_normal(8)
    rest = dout - dout.mean() - x * (dout * x).mean()
    figure = leftover(x, dout, rest)
    (axes,) = figure.axes
    (strokes,) = [c for c in axes.collections if c.get_gid() == "rest"]
    line = axes.lines[0]
    for (across, end), (_, start) in strokes.get_segments():
        assert end == pytest.approx(np.interp(across, line.get_xdata(), line.get_ydata()))
        assert start in dout


@pytest.mark.parametrize(
    ("panel", "front", "top", "side"),
    # of 4 images × 5 pixels, 4 images × 6 channels, 5 pixels × 6 channels
    [(0, 20, 4, 5), (1, 5, 6, 30), (2, 5, 1, 5), (3, 5, 3, 15)],
    ids=["batch", "layer", "instance", "group"],
)
def test_the_blue_cells_are_those_that_share_a_mean(panel, front, top, side):
    axes = averaged_axes().axes[panel]
    shared = [tile for tile in axes.patches if tile.get_gid() == "shared"]
    assert len(shared) == front + top + side
    assert len(axes.patches) == 4 * 5 + 4 * 6 + 5 * 6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: features({}), "at least one panel"),
        (lambda: features({"x": [1, 2]}), "features, x"),
        (lambda: points({"x": np.zeros((3, 3))}, [0, 1, 0]), r"\(3, 2\), a point a label"),
        (lambda: leftover([1, 2], [1, 2], [1]), "as many of each"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(BadInputError, match=message):
        call()
