from itertools import combinations

import numpy as np
import pytest

from autograder.problem import BadInputError
from autograder.show.graphs import gate, graph

NEURON = {
    "s0": ("×", "w0", "x0"),
    "s1": ("×", "w1", "x1"),
    "s2": ("+", "s0", "s1"),
    "s3": ("+", "s2", "w2"),
    "L": ("σ", "s3"),
}
VALUES = dict(w0=2.0, x0=-1.0, w1=-3.0, x1=-2.0, w2=-3.0, s0=-2.0, s1=6.0, s2=4.0, s3=1.2, L=0.731)
GRADIENTS = dict(w0=-0.2, x0=0.39, w1=-0.41, x1=-0.59, w2=0.21, s1=0.3, s3=0.2, L=1.0)
BRANCH = {"s": ("+", "x", "y"), "m": ("max", "x", "y"), "f": ("×", "s", "m")}
BRANCH_VALUES = dict(x=3.0, y=-1.0, s=2.0, m=3.0, f=6.0)
BRANCH_GRADIENTS = {
    **dict(x=5.0, y=3.0, s=3.0, m=2.0, f=1.0),
    **{("x", "s"): 3.0, ("x", "m"): 2.0, ("y", "s"): 3.0, ("y", "m"): 0.0},
}


def at(figure, text):
    """Where a text stands, y growing downwards."""
    return next(t.get_position() for t in figure.axes[0].texts if t.get_text() == text)


def test_every_value_and_every_gradient_is_written(texts):
    written = texts(graph(NEURON, VALUES, GRADIENTS))
    assert {"w0", "x0", "w1", "x1", "w2", "L", "×", "+", "σ"} <= set(written)
    assert {"2", "−1", "6", "4", "0.731", "−0.2", "0.39", "−0.59", "0.21"} <= set(written)


def test_values_stand_above_gradients():
    figure = graph(NEURON, VALUES, GRADIENTS)
    for value, gradient in (("0.731", "1"), ("2", "−0.2"), ("6", "0.3")):
        assert at(figure, value)[1] < at(figure, gradient)[1]
    colours = {t.get_text(): t.get_color() for t in figure.axes[0].texts}
    assert colours["0.731"] != colours["0.39"]


def test_a_gate_for_each_step_and_an_arrow_for_each_edge(named):
    figure = graph(NEURON, VALUES)
    assert len(named(figure, "gate")) == 5
    assert len(named(figure, "edge")) == 9 + 1  # and the one that leads out


def test_gates_stand_to_the_right_of_what_they_use(named):
    centres = [circle.center[0] for circle in named(graph(NEURON, VALUES), "gate")]
    assert centres[0] == centres[1] < centres[2] < centres[3] < centres[4]


def test_a_branch_shows_each_way_and_the_sum(texts):
    written = texts(graph(BRANCH, BRANCH_VALUES, BRANCH_GRADIENTS))
    assert {"3 + 2 = 5", "3 + 0 = 3"} <= set(written)
    without = {name: g for name, g in BRANCH_GRADIENTS.items() if isinstance(name, str)}
    assert "3 + 2 = 5" not in texts(graph(BRANCH, BRANCH_VALUES, without))


@pytest.mark.parametrize(
    "given",
    [(NEURON, VALUES, GRADIENTS), (BRANCH, BRANCH_VALUES, BRANCH_GRADIENTS)],
    ids=["neuron", "branch"],
)
def test_no_two_texts_touch(given):
    figure = graph(*given)
    figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in figure.axes[0].texts]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


def test_gates_of_one_column_do_not_meet(named):
    first, second, _ = (c.center for c in named(graph(BRANCH, BRANCH_VALUES), "gate"))
    assert first[0] == second[0] and abs(first[1] - second[1]) > 2


def test_it_fits_a_page():
    chain = {f"a{i}": ("σ", f"a{i - 1}" if i else "x") for i in range(20)}
    figure = graph(chain, dict.fromkeys(["x", *chain], 0.5))
    assert figure.get_size_inches()[0] <= 9.01


def test_one_gate_names_the_three_gradients(texts):
    written = texts(gate())
    assert {"upstream", "local", "down- stream"} <= set(written)
    assert any(r"\partial L" in text for text in written)


@pytest.mark.parametrize(
    ("gates", "values", "gradients", "message"),
    [
        (NEURON, {**VALUES, "L": None}, {}, "graph, L: found None"),
        (NEURON, dict(w0=1.0), {}, "graph, values: found none for s0"),
        (NEURON, VALUES, dict(q=1.0), "graph, gradients: found one for 'q'"),
        (NEURON, VALUES, {("w0", "s1"): 1.0}, "graph, gradients: found one for"),
        (NEURON, {**VALUES, "s0": np.ones(2)}, {}, "graph, s0"),
        ({"b": ("σ", "a"), "a": ("σ", "x")}, dict(x=1.0), {}, "b uses a, which comes later"),
    ],
)
def test_graph_refuses(gates, values, gradients, message):
    with pytest.raises(BadInputError, match=message.replace("(", r"\(")):
        graph(gates, values, gradients)
