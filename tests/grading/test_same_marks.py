"""The marks of samples are the same, whoever grades them and how many at a time."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import load
from autograder.grading import marks

ROOT = Path(__file__).parents[2]
ASSIGNMENT = "2-convolution"
GRADE = ("autograder.cli", "grade", ASSIGNMENT)
# Right in another style, noisy, wrong, unanswered, and not a notebook.
HANDED_IN = {"reference", "loops", "chatty", "upstream_changed", "untouched", "not_json"}
WAYS = {
    "one worker": (*GRADE, "--workers", "1"),
    "three workers": (*GRADE, "--workers", "3"),
    "nbgrader": ("nbgrader", "autograde", ASSIGNMENT),
}

pytestmark = pytest.mark.slow


def run(*command, cwd, ends=0):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == ends, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def ungraded(tmp_path_factory):
    """A course in which samples were handed in. The package is not in it, as in `make demo`."""
    course = tmp_path_factory.mktemp("ungraded") / "course"
    shutil.copytree(ROOT / "source" / ASSIGNMENT, course / "source" / ASSIGNMENT)
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, course)
    run("autograder.cli", "build", cwd=course)
    samples = ROOT / "tests/submissions" / ASSIGNMENT
    run("autograder.cli", "samples", str(samples), "--into", ".", cwd=course)
    for folder in (course / "submitted").iterdir():
        if folder.name not in HANDED_IN:
            shutil.rmtree(folder)
    return course


@pytest.fixture(scope="module")
def graded(ungraded, tmp_path_factory):
    """A course for each way, graded that way."""
    courses = {}
    for way, command in WAYS.items():
        courses[way] = tmp_path_factory.mktemp("ways") / "course"
        shutil.copytree(ungraded, courses[way])
        run(*command, cwd=courses[way], ends=1)  # 1: one sample is not a notebook
    return courses


def marks_of(folder):
    """Of those who could be graded: nbgrader by itself lists the others, too, with no mark."""
    return [row for row in marks.read(load(folder), ASSIGNMENT) if row.student != "not_json"]


def test_everybody_has_the_same_marks_whichever_way_they_were_graded(graded):
    first, *others = map(marks_of, graded.values())
    assert {row.student for row in first} == HANDED_IN - {"not_json"}
    assert {row.student: row.score for row in first}["reference"] == 65
    for found in others:
        assert found == first


def test_grading_again_from_scratch_changes_no_mark(graded):
    folder = graded["three workers"]
    before = marks_of(folder)
    said = run(*GRADE, "--fresh", "--student=loops", "--student=upstream_changed", cwd=folder)
    assert "graded: 2" in said
    assert marks_of(folder) == before


def test_grading_again_unchanged_grades_nobody(graded):
    said = run(*GRADE, cwd=graded["one worker"], ends=1)
    assert "graded: 0, problems: 1, unchanged: 5" in said
