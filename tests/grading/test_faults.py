"""A grader may be killed at any moment: the next run comes to the marks of an undisturbed one."""

import os
import random
import signal
import sys
from multiprocessing import get_context

import nbformat
import pytest

from autograder.course import load
from autograder.grading import grade as grading
from autograder.grading import marks

ANSWERS = ("return 2 * x", "return abs(2 * x)", "return x + 2")
POINTS = (5, 3, 0)
STUDENTS = ("ada", "bob", "eve")
# What Python tells its auditors when files and databases are touched; a clock would depend on how
# busy this machine is.
MOMENTS = {"open", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.mkdir", "sqlite3.connect"}
FORK = get_context("fork")


def grade(root, rooms):
    return grading.grade(load(root), "1-a", STUDENTS, workers=2, house=rooms, progress=False)


def killed(root, rooms, moment):
    """Grades in another process that is killed at that moment; returns how many there were."""
    moments = FORK.Value("i", 0)
    process = FORK.Process(target=_grade_until, args=(root, rooms, moment, moments))
    process.start()
    process.join()
    assert process.exitcode == (-signal.SIGKILL if moments.value >= moment else 0)
    return moments.value


def _grade_until(root, rooms, moment, moments):
    def count(event, _):
        if event in MOMENTS:
            moments.value += 1
            if moments.value >= moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    grade(root, rooms)


def turn(hand_in, round_):
    """Everybody hands in something else; returns what it is worth."""
    worth = {}
    for number, student in enumerate(STUDENTS, round_):
        hand_in(student, f"def double(x):\n    {ANSWERS[number % 3]}")
        worth[student] = POINTS[number % 3]
    return worth


@pytest.mark.parametrize("seed", range(2))
def test_a_run_after_a_kill_comes_to_the_same_marks(course, hand_in, house, seed):
    turn(hand_in, 0)
    whole = killed(course.root, house(), sys.maxsize)
    assert whole > 100
    choose = random.Random(seed)
    for round_ in range(1, 4):
        worth = turn(hand_in, round_)
        killed(course.root, house(), choose.randrange(1, whole))
        batch = grade(course.root, house())
        assert (batch.problems, batch.faults) == ([], [])
        assert sorted(batch.graded + batch.unchanged) == list(STUDENTS)
        assert {row.student: row.score for row in marks.read(course, "1-a")} == worth
        for student in STUDENTS:
            assert_whole(course.root, student, worth[student])
        assert grade(course.root, house()).unchanged == list(STUDENTS)


def assert_whole(root, student, points):
    """The notebook has its outputs, and the page says the mark that the gradebook has."""
    notebook = nbformat.read(root / f"autograded/{student}/1-a/lesson.ipynb", as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    page = (root / f"feedback/{student}/1-a/lesson.html").read_text()
    assert f"(Score: {points:.1f} / 9.0)" in page


def test_a_kill_before_the_marks_are_saved_is_noticed(course, hand_in, house, monkeypatch):
    """The notebook is there already, and the marks are still those of the last submission."""
    turn(hand_in, 0)
    grade(course.root, house())
    worth = turn(hand_in, 1)
    with monkeypatch.context() as patch:
        patch.setattr(grading.Recorder, "_result", lambda *about: os.kill(os.getpid(), 9))
        process = FORK.Process(target=grade, args=(course.root, house()))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    assert grade(course.root, house()).graded == list(STUDENTS)
    assert {row.student: row.score for row in marks.read(course, "1-a")} == worth
