"""A course of one small lesson, and a house whose rooms are this process."""

import contextlib
import io
import json
import shutil
import threading
from pathlib import Path

import nbformat
import pytest

from autograder.authoring import build
from autograder.course import load
from autograder.rooms.job import Result

ROOT = Path(__file__).parents[2]
COURSE = """
[course]
id = "c"
title = "C"
term = "T"
time_zone = "UTC"
package = "p"
[assignments.1-a]
due = 2027-02-16T23:59:00
[grading]
call_seconds = 5
"""
LESSON = """\
# %% locked="setup"
import math


# %% solution="double"
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %%
double(21)

# %% test="double-numbers" points=2
assert double(2) == 4
### BEGIN HIDDEN TESTS
assert double(-3) == -6
### END HIDDEN TESTS

# %% test="double-more" points=3
assert double(math.pi) > 6

# %% [markdown] essay="why" points=4
# ### BEGIN SOLUTION
# Because two is twice one.
# ### END SOLUTION
"""
RIGHT = "def double(x):\n    return 2 * x"


class Here:
    """Runs a job in this process and this thread: quick, and safe with our own code only.

    ``meanwhile`` is called with each job before it runs; ``events`` go with each result.
    """

    def __init__(self, meanwhile=lambda job: None, events=()):
        self.jobs, self.closed = [], False
        self._meanwhile, self._events, self._lock = meanwhile, events, threading.Lock()

    def run(self, job):
        self._meanwhile(job)
        with self._lock:  # what is printed is this process's
            self.jobs.append(job)
            space = {}
            return Result(tuple(tuple(outputs(c, space)) for c in job.cells), self._events)

    def close(self):
        self.closed = True


def outputs(cell, space):
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(cell.source, space)
    except Exception as error:
        name = type(error).__name__
        yield {"output_type": "error", "ename": name, "evalue": str(error), "traceback": [name]}
    if said.getvalue():
        yield {"output_type": "stream", "name": "stdout", "text": said.getvalue()}


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The course as an instructor has it before anybody hands in."""
    root = tmp_path_factory.mktemp("built")
    (root / "course.toml").write_text(COURSE)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (root / "source" / "1-a").mkdir(parents=True)
    (root / "source" / "1-a" / "lesson.py").write_text(LESSON)
    build.build(load(root))
    return root


@pytest.fixture
def course(built, tmp_path):
    """A copy of the course for one test."""
    shutil.copytree(built, tmp_path / "course")
    return load(tmp_path / "course")


@pytest.fixture
def house():
    """What makes houses; see `Here`."""
    return Here


@pytest.fixture
def hand_in(course):
    """Puts a submission where nbgrader collects it; returns its path."""

    def put(student, answer=RIGHT, essay="Because."):
        notebook = nbformat.read(course.root / "release/1-a/lesson.ipynb", as_version=4)
        answers = {"double": answer, "why": essay}
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(name, cell.source)
        path = course.root / "submitted" / student / "1-a" / "lesson.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return path

    return put
