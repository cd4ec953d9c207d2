"""What a lesson's tests may use, found out before students are graded by them."""

import pytest

from autograder.authoring import build, lesson, rehearsal
from autograder.course import load
from autograder.rooms.house import House

LESSON = """# %% locked="setup"
import numpy as np
from autograder import check

# %% solution="double"
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


class Box:
    ### BEGIN SOLUTION
    def __init__(self):
        self.w = np.ones(2)
    ### END SOLUTION

# %%
y = double(4)

# %% test="double-right" points=1
x = 3
check.that(double, x).returns(6)

# %% test="double-again" points=1
TEST

# %%
PLAIN
"""


@pytest.fixture(scope="module")
def house():
    with House(unsafe=True) as house:
        yield house


@pytest.fixture
def found(house):
    def run(test="assert double(x) == 6", plain="print(y)"):
        cells = lesson.read(LESSON.replace("TEST", test).replace("PLAIN", plain), "lesson.py")
        return [str(p) for p in rehearsal.problems(cells, "lesson.py", False, house.run)]

    return run


def test_a_sound_lesson_has_no_problems(found):
    assert found() == []


def test_a_test_must_not_use_what_a_student_may_set(found):
    (problem,) = found(test="check.that(double, y).returns(16)")
    assert "test double-again" in problem and "'y'" in problem


def test_a_name_that_is_nowhere_defined_is_found(found):
    (problem,) = found(test="assert duoble(2) == 4")
    assert "'duoble'" in problem


def test_a_plain_cell_must_not_use_what_only_a_test_defines(found):
    (problem,) = found(plain="print(x)")
    assert "'print(x)'" in problem and "'x'" in problem


@pytest.mark.parametrize(
    ("test", "what"),
    [
        ("double(object())", "cannot cross between the rooms"),
        ("Box().w[:] = 0", "read-only"),
        ("assert Box() + 1 == 3", "unsupported operand"),
        ("import inspect; inspect.getsource(double)", "TypeError"),
        ("assert double(2) == 5", "AssertionError"),
    ],
)
def test_what_does_not_work_in_two_rooms_is_refused(found, test, what):
    (problem,) = found(test=test)
    assert "double-again" in problem and what in problem


class Shut(House):
    """A house that runs nothing."""

    def run(self, job):
        raise AssertionError("it was run again")


def test_a_lesson_that_passed_is_not_run_again_until_it_changes(course, monkeypatch):
    known = load(course.root)
    monkeypatch.setattr(rehearsal, "House", Shut)
    assert rehearsal.of_course(known, build.load(known)) == []
    course.lesson.write_text(course.lesson.read_text().replace("a + b\n", "b + a\n"))
    with pytest.raises(AssertionError, match="it was run again"):
        rehearsal.of_course(known, build.load(known))
