import numpy as np
import pytest

from autograder.problem import BadInputError
from autograder.show import png
from autograder.show.canvas import VERMILION
from autograder.show.residual import fields, gradient_norms, loss_surfaces, residual_blocks

BASIC = ["conv 3×3", "batch norm", "ReLU", "conv 3×3", "batch norm"]


def test_a_block_has_its_layers_a_sum_and_a_last_relu(texts, named):
    figure = residual_blocks({"one": BASIC, "two": ["conv 1×1"]})
    first, second = figure.axes
    assert [axes.get_title() for axes in (first, second)] == ["one", "two"]
    written = [text.get_text() for text in first.texts]
    assert written == ["x", *BASIC, "+", "shortcut", "ReLU"]
    assert texts(figure).count("ReLU") == 3
    assert [line.get_color() for line in named(figure, "shortcut")] == [VERMILION] * 2
    assert png(figure)


def test_a_shortcut_leads_from_the_input_past_the_branch_to_the_sum(named):
    figure = residual_blocks({"": BASIC})
    (line,) = named(figure, "shortcut")
    (x0, x1, x2), (y0, y1, y2) = line.get_data()
    plus = next(text for text in figure.axes[0].texts if text.get_text() == "+")
    assert (x0, x1) == (0, x2) and y0 == y1 < y2 == plus.get_position()[1]


@pytest.mark.parametrize("blocks", [{}, {"a": []}])
def test_a_block_needs_layers(blocks):
    with pytest.raises(BadInputError, match="layers for each name"):
        residual_blocks(blocks)


PANELS = {
    "plain": {"3 layers, with shortcuts": [1.0, 2.0, 3.0], "2 layers, no shortcuts": [0.0, 0.0]},
    "normal": {"3 layers, with shortcuts": [0.1, 0.0, 0.2], "2 layers, no shortcuts": [5.0, 1.0]},
}


def test_gradient_norms_are_placed_by_their_share_of_the_depth():
    figure = gradient_norms(PANELS)
    left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ("plain", "normal")
    solid, crosses, dashed, zeros = left.lines
    assert solid.get_xydata().tolist() == [[0, 1], [0.5, 2], [1, 3]]
    assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    assert len(crosses.get_xdata()) == 0 and left.get_yscale() == "log"
    assert zeros.get_xdata().tolist() == [0, 1] and (zeros.get_ydata() < 1).all()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(PANELS["plain"])
    assert png(figure)


def test_a_norm_of_0_is_said_to_be_one():
    left, right = gradient_norms(PANELS).axes
    assert [text.get_text() for axes in (left, right) for text in axes.texts] == ["exactly 0"] * 2
    (axes,) = gradient_norms({"": {"a": [1.0, 2.0]}}).axes
    assert not axes.texts
    assert png(gradient_norms({"": {"a": [0.0, 0.0]}}))


@pytest.mark.parametrize("panels", [{}, {"a": {}}])
def test_gradient_norms_need_some(panels):
    with pytest.raises(BadInputError, match="norms by name"):
        gradient_norms(panels)


def test_surfaces_share_their_scale():
    grid = np.exp(np.linspace(-1, 1, 5)[:, None] ** 2 + np.zeros(5))
    figure = loss_surfaces({"flat": grid, "steep": grid**3})
    one, other = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["flat: the loss", "steep: the loss"]
    assert one.get_zlim() == other.get_zlim()
    assert one.collections[0].get_clim() == other.collections[0].get_clim()
    assert one.collections[0].get_clim() == pytest.approx((0, 3 * np.log10(np.e)))
    assert png(figure)


def test_a_surface_that_is_all_the_same_can_be_drawn():
    assert png(loss_surfaces({"": np.full((3, 3), 2.3)}))


@pytest.mark.parametrize("surface", [np.ones((2, 3)), np.zeros((3, 3))])
def test_surfaces_are_squares_above_0(surface):
    with pytest.raises(BadInputError, match="squares of losses above 0"):
        loss_surfaces({"": surface})


def test_fields_are_framed_where_they_end(named):
    grid = np.zeros((9, 9))
    grid[2:5, 3:8] = [[1, 2, 3, 2, 1]] * 3
    figure = fields({"here": grid, "everywhere": np.ones((4, 4))})
    assert [axes.get_title() for axes in figure.axes] == ["here: 3×5", "everywhere: 4×4"]
    frame, whole = named(figure, "field")
    assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == (2.5, 1.5, 5, 3)
    assert (whole.get_width(), whole.get_height()) == (4, 4)
    assert np.isnan(figure.axes[0].images[0].get_array().filled(np.nan)[0, 0])
    assert png(figure)


@pytest.mark.parametrize("maps", [{}, {"a": np.zeros((2, 2))}, {"a": -np.ones((2, 2))}])
def test_fields_are_maps_from_0_up(maps):
    with pytest.raises(BadInputError, match="numbers from 0 up"):
        fields(maps)
