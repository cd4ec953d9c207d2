import numpy as np
import pytest

from autograder.problem import BadInputError
from autograder.show.inputs import numbers, pair, whole


class _NeedsGrad:
    """Refuses to become an array, as a tensor does that still carries its gradient."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("call detach() first")


@pytest.mark.parametrize("value", [[[1, 2]], np.array([[True]]), np.ones((2, 2), np.float32)])
def test_numbers_become_float64(value):
    array = numbers("here", value, (2,))
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, value)


def test_numbers_are_a_copy():
    given = np.ones((2, 2))
    numbers("here", given, (2,))[:] = 0
    assert given.all()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, "None"),
        ([1, 2], "shape (2,)"),
        (np.zeros((0, 3)), "shape (0, 3)"),
        ([["a"]], "<U1"),
        ([[1j]], "complex128"),
        ([[1], [2, 3]], "a list that is not an array"),
        (_NeedsGrad(), "a _NeedsGrad that is not an array"),
    ],
)
def test_numbers_refuses(value, found):
    with pytest.raises(BadInputError) as caught:
        numbers("here", value, (2, 3))
    (problem,) = caught.value.problems
    assert problem.where == "here"
    assert found in problem.got
    assert problem.expected == "a real array with 2 or 3 dimensions"


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", True, None])
def test_whole_refuses(value):
    with pytest.raises(BadInputError, match="a whole number of at least 1"):
        whole("here", value, 1)


def test_pair_repeats_a_single_number():
    assert pair("here", np.int64(3), 1) == (3, 3)
    assert pair("here", (3, 2), 1) == (3, 2)
    with pytest.raises(BadInputError, match=r"\(1, 2, 3\)"):
        pair("here", (1, 2, 3), 1)
