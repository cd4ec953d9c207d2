import numpy as np
import pytest

from autograder import check
from autograder.check.call import call
from autograder.check.record import Outcome


def spoil(X, times=2):
    X *= times
    return X.sum()


def test_an_argument_that_is_changed_is_named_as_the_student_named_it(judged):
    record = judged(check.that(spoil, np.ones(3)).returns, 6)
    assert record.message == "spoil changes its argument X"


def test_the_callers_arrays_stay_as_they_were():
    array = np.ones(3)
    assert call(spoil, {"X": array}, {}).changed == ("X",)
    assert array.tolist() == [1, 1, 1]


def test_a_hint_is_shown_with_a_wrong_answer_only(judged):
    assert judged(check.that(max, 3, 5).returns, 4, hint="the larger").hint == "the larger"
    assert judged(check.that(max, 3, 5).returns, 5, hint="the larger").hint == ""


def test_the_call_is_written_as_a_student_would(judged):
    def area(X, height, width=1):
        return height * width

    record = judged(check.that(area, np.ones((2, 3)), 4, width=5).returns, 20)
    assert (record.call, record.message) == ("area(2×3 array, 4, width=5)", "= 20")


@pytest.mark.parametrize("wrong", [True, None, "20", [20, 20], 20.5, float("nan")])
def test_what_is_not_the_number_fails(judged, wrong):
    record = judged(check.that(lambda: wrong).returns, 20)
    assert record.outcome is Outcome.FAILED


def test_a_large_count_is_counted_to_the_last(judged):
    assert judged(check.that(lambda: 768_001.0).returns, 768_000).outcome is Outcome.FAILED
    assert judged(check.that(lambda: 768_001.0).returns, 768_000.0).outcome is Outcome.PASSED


def test_an_exception_is_reported_with_its_message(judged):
    def broken(size):
        return size / 0

    record = judged(check.that(broken, 3).returns, 1)
    assert (record.message, record.got) == ("broken raised ZeroDivisionError", "division by zero")
    assert "return size / 0" in record.trace[-1]
