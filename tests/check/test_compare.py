import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.check.compare import FLOOR, TOLERANCE, difference, settled

WANT = np.array([[1.0, -2.0, 300.0], [0.0, 5.0, 1e-8]])


def test_what_single_precision_explains_is_no_difference():
    assert difference(WANT.astype(np.float32), WANT) is None
    assert difference(WANT * (1 + TOLERANCE / 2), WANT) is None
    assert difference(WANT.tolist(), WANT) is None


@given(st.integers(0, 5), st.floats(3e-5, 10.0), st.sampled_from([1, -1]))
def test_one_number_off_by_more_is_found_where_it_is(index, relative, sign):
    got = WANT.copy()
    got.flat[index] += sign * relative * max(abs(got.flat[index]), 300 * FLOOR)
    found = difference(got, WANT)
    assert found.message == "wrong values"
    assert str(list(map(int, np.unravel_index(index, WANT.shape)))) in found.where
    assert "1 of 6" in found.where


def test_a_number_is_as_exact_as_the_largest_of_its_array():
    transform = np.array([1.0, 1e-17])
    assert difference(transform, np.array([1.0, 0.0]), magnitude=np.array([1.0, 0.0])) is None
    assert difference([1.0, 1e-6], np.array([1.0, 0.0])) is not None


def test_errors_are_measured_against_the_terms_that_were_added():
    cancelled = np.array([1e-9])
    assert difference(np.array([1e-6]), cancelled, magnitude=np.array([1.0])) is None
    assert difference(np.array([1e-6]), cancelled) is not None


@pytest.mark.parametrize(
    ("got", "message", "text"),
    [
        (None, "did not return numbers", "None"),
        ("7", "did not return numbers", "a str"),
        (object(), "did not return numbers", "a object"),
        (WANT.astype(complex), "did not return numbers", "an array of complex128"),
        (WANT.astype(object), "did not return numbers", "an array of object"),
        ([[1.0], [1.0, 2.0]], "did not return numbers", "a list"),
        (WANT.T, "wrong shape", "an array of shape (3, 2)"),
        (3.0, "wrong shape", "a number"),
        (np.where(WANT > 100, np.inf, WANT), "not finite", "inf"),
    ],
)
def test_unusable_answers_are_described(got, message, text):
    found = difference(got, WANT)
    assert (found.message, found.got[: len(text)]) == (message, text)


def test_whole_numbers_may_be_floats_and_must_be_exact_enough():
    assert difference(760.0, np.array(760.0)) is None
    assert difference(np.int64(760), np.array(760.0)) is None
    assert difference(761, np.array(760.0)) is not None
    assert difference(7 / 3, np.array(2.0)) is not None


class Fading:
    """A sequence that is fine once; looked at again, it raises."""

    def __init__(self, looks):
        self.looks = looks

    def __len__(self):
        self.looks -= 1
        if self.looks < 0:
            raise RuntimeError("enough")
        return 2

    def __getitem__(self, place):
        return [1.0, 2.0][place]


@pytest.mark.parametrize("looks", range(8))
def test_an_answer_that_cannot_be_looked_at_twice_is_a_wrong_answer_at_worst(looks):
    found = difference(settled(Fading(looks)), np.array([1.0, 2.0]))
    assert found is None or found.message == "did not return numbers"


@pytest.mark.parametrize("value", [None, "text", object(), [[1], [1, 2]], {"a": 1}])
def test_what_is_no_number_is_told_by_its_kind(value):
    found = difference(settled(value), np.array([1.0, 2.0]))
    told = "None" if value is None else f"a {type(value).__name__}"
    assert (found.message, found.got) == ("did not return numbers", told)
