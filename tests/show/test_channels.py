from itertools import pairwise

import pytest
import torch
from matplotlib.colors import to_hex

from autograder.problem import BadInputError
from autograder.show import groups
from autograder.show.channels import RADIUS

SETTINGS = [(4, 6, 1), (4, 6, 2), (4, 4, 4), (4, 8, 4), (6, 3, 3), (1, 1, 1), (16, 32, 16)]


def connections(c_in, c_out, groups):
    """(input, output) for every output channel that changes with an input channel, by torch."""
    layer = torch.nn.Conv1d(c_in, c_out, 1, groups=groups, bias=False)
    torch.nn.init.ones_(layer.weight)
    answers = layer(torch.eye(c_in)[..., None])  # one input channel at a time
    return {(i, o) for i, o, _ in answers.nonzero().tolist()}


def channels(figure, named, name):
    """Where the channels of a row stand, each with its number, and their colours."""
    numbers = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    circles = named(figure, name)
    places = {circle.center: int(numbers[circle.center]) for circle in circles}
    return places, {numbers[c.center]: to_hex(c.get_edgecolor()) for c in circles}


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_lines_are_the_connections_of_torch(setting, named):
    figure = groups(*setting)
    (below, _), (above, _) = (channels(figure, named, name) for name in ("in", "out"))
    assert sorted(below.values()) == list(range(setting[0]))
    assert sorted(above.values()) == list(range(setting[1]))
    drawn = [
        (below[tuple(line[0])], above[tuple(line[1])])
        for lines in named(figure, "connections")
        for line in lines.get_segments()
    ]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == connections(*setting)


def test_a_group_has_a_colour_of_its_own(named):
    figure = groups(4, 6, 2)
    _, below = channels(figure, named, "in")
    _, above = channels(figure, named, "out")
    lines = [to_hex(lines.get_color()[0]) for lines in named(figure, "connections")]
    assert list(below.values()) == [lines[0]] * 2 + [lines[1]] * 2
    assert list(above.values()) == [lines[0]] * 3 + [lines[1]] * 3
    assert lines[0] != lines[1]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_outputs_are_above_inputs_and_no_circles_touch(setting, named):
    figure = groups(*setting)
    low, high = figure.axes[0].get_ylim()
    assert low < high
    rows = [[circle.center for circle in named(figure, name)] for name in ("in", "out")]
    assert max(y for _, y in rows[0]) < min(y for _, y in rows[1])
    for row in rows:
        across = sorted(x for x, _ in row)
        assert all(b - a > 2 * RADIUS for a, b in pairwise(across))


def test_the_caption_says_what_a_group_is(texts):
    side_by_side = "groups = 2: 2 conv layers side by side, each sees 2 of 4 channels"
    assert f"{side_by_side} and makes 3 of 6" in texts(groups(4, 6, 2))
    assert "groups = 1: every output channel sees every input channel" in texts(groups(4, 6, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, 6, 0), "groups, groups: found 0"),
        ((0, 6, 1), "groups, c_in: found 0"),
        ((5, 6, 2), "groups, c_in: found 5, expected a multiple of groups, 2"),
        ((4, 7, 2), "groups, c_out: found 7, expected a multiple of groups, 2"),
        ((4, 33, 1), "groups, c_out: found 33, expected at most 32"),
        ((4, 6.0, 1), "groups, c_out: found 6.0"),
    ],
)
def test_groups_refuses(arguments, message):
    with pytest.raises(BadInputError, match=message):
        groups(*arguments)
