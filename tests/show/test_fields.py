import pytest
import torch

from autograder.problem import BadInputError
from autograder.show import receptive_field

CONES = [
    [(1, 1)],
    [(3, 1)],
    [(3, 1)] * 3,
    [(3, 2)] * 4,
    [(3, 1), (2, 2), (3, 1), (3, 2)],
    [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
    [(2, 3, 2), (4, 1)],
    [(2, 3), (1, 2)],
    [(7, 2), (3, 2), (3, 1), (3, 1)],
]


def dependencies(layers):
    """How many cells of the input, and of each layer's output, one output cell needs: by autograd.

    Weights of one and positive inputs: a gradient is above zero exactly where there is a path.
    """
    cells = [torch.ones(1, 1, 300, dtype=torch.float64, requires_grad=True)]
    for kernel_size, stride, *dilation in layers:
        weight = torch.ones(1, 1, kernel_size, dtype=torch.float64)
        cells.append(
            torch.nn.functional.conv1d(
                cells[-1], weight, stride=stride, dilation=dilation[0] if dilation else 1
            )
        )
    middle = cells[-1][0, 0, 1]
    gradients = torch.autograd.grad(middle, cells)
    return [gradient.flatten().nonzero().flatten().tolist() for gradient in gradients]


@pytest.mark.parametrize("layers", CONES, ids=str)
def test_the_highlighted_cells_are_those_that_autograd_finds(layers, named, texts):
    figure = receptive_field(layers)
    expected = dependencies(layers)
    assert [len(named(figure, f"row {i} seen")) for i in range(len(layers) + 1)] == [
        len(cells) for cells in expected
    ]
    left = sorted(square.get_x() + 0.42 for square in named(figure, "row 0 seen"))
    assert left == pytest.approx(expected[0])  # the input's cell i is drawn around i
    span = expected[0][-1] - expected[0][0] + 1
    assert (f"{span} wide" if span > 1 else "1 cell") in texts(figure)


@pytest.mark.parametrize("layers", CONES, ids=str)
def test_every_connection_is_a_line(layers):
    (axes,) = receptive_field(layers).axes
    lines = sum(len(collection.get_segments()) for collection in axes.collections)
    cone = dependencies(layers)
    assert lines == sum(len(cone[i + 1]) * layer[0] for i, layer in enumerate(layers))


def test_cells_outside_the_cone_are_drawn_too(named):
    figure = receptive_field([(3, 1), (3, 1)])
    assert [len(named(figure, f"row {i}")) for i in range(3)] == [2, 2, 2]


def test_rows_say_what_their_layer_is(texts):
    written = texts(receptive_field([(3, 1), (3, 2, 4)]))
    assert {"input", "layer 1 K = 3, S = 1", "layer 2 K = 3, S = 2, D = 4"} <= set(written)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "no layer"),
        ([(3, 1), (3,)], r"layers\[1\]: found \(3,\)"),
        ([3], r"layers\[0\]: found 3"),
        ([(3, 0)], r"layers\[0\]: found 0"),
        ([(3, 2)] * 9, "at most 400"),
        ([(2, 1, 1000)], "at most 400"),
    ],
)
def test_receptive_field_refuses(layers, message):
    with pytest.raises(BadInputError, match=message):
        receptive_field(layers)
