"""A course of one short lesson, with every marker in it."""

import argparse
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy

from autograder.authoring import commands
from autograder.problem import BadInputError

ROOT = Path(__file__).parents[2]

SETTINGS = """
[course]
id = "tiny"
title = "Tiny"
term = "Spring 2027"
time_zone = "Etc/GMT+1"
package = "git+https://example.org/tiny.git"

[assignments.1-sums]
due = 2027-02-16T23:59:00
"""

# Writing a gradebook takes a second: only the tests that are about it have one.
NO_GRADEBOOK = """
c.SaveCells.enabled = False
c.GenerateAssignment.no_database = True
"""

LESSON = '''# A comment before the first cell.

# %% [markdown]
# # Sums
#
# Add $a$ and $b$: see `BEGIN`.

# %% locked="setup"
import math

# %pip install --quiet "{{package}}"

# %% [markdown] locked="rules"
# Do not import `operator`.

# %%
print("play here")

# %%
print("play here")


# %% solution="add"
def add(a, b):
    """The sum."""
    ### BEGIN SOLUTION
    total_of_both = a + b
    return total_of_both
    ### END SOLUTION


# %% solution="whole"
whole_secret_cell = 42

# %% test="add-small" points=2
assert add(1, 2) == 3
### BEGIN HIDDEN TESTS
assert add(1000, 2000) == 3000
### END HIDDEN TESTS

# %% test="add-half" points=1.5
assert add(0.5, 0.25) == 0.75

# %% [markdown] essay="why" points=3
# Because addition is commutative, of course.

# %% home="long"
for_hours = add(1, 1)
'''


@pytest.fixture(scope="session")
def lesson_text():
    return LESSON


def _write_course(root):
    grading = (ROOT / "course.toml").read_text().partition("[grading]")
    (root / "course.toml").write_text(SETTINGS + "".join(grading[1:]))
    settings = (ROOT / "nbgrader_config.py").read_text()
    (root / "nbgrader_config.py").write_text(settings + NO_GRADEBOOK)
    folder = root / "source" / "1-sums"
    folder.mkdir(parents=True)
    (folder / "sums.py").write_text(LESSON)
    (folder / "numbers.csv").write_text("1,2\n")


@pytest.fixture(scope="session")
def run():
    """Runs a command line of this part, with a course; returns its status as `main` would."""
    parser = argparse.ArgumentParser()
    commands.add_to(parser.add_subparsers(required=True))

    def run(course, *argv):
        arguments = parser.parse_args([*map(str, argv), "--course", str(course)])
        try:
            return arguments.run(arguments)
        except BadInputError as error:
            print(error)
            return 2

    return run


@pytest.fixture(scope="session")
def _built(tmp_path_factory, run):
    root = tmp_path_factory.mktemp("built")
    _write_course(root)
    assert run(root, "build") == 0
    return root


@pytest.fixture
def course(_built, tmp_path):
    """A built course: where its parts are."""
    root = tmp_path / "course"
    shutil.copytree(_built, root)
    return SimpleNamespace(
        root=root,
        lesson=root / "source/1-sums/sums.py",
        source=root / "source/1-sums/sums.ipynb",
        folder=root / "release/1-sums",
        release=root / "release/1-sums/sums.ipynb",
    )


@pytest.fixture
def with_gradebook(course):
    """The same course, with the gradebook that courses have; returns its address."""
    shutil.copy(ROOT / "nbgrader_config.py", course.root)
    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", _do_not_wait_for_the_disk)
    yield f"sqlite:///{course.root}/gradebook.db"
    sqlalchemy.event.remove(sqlalchemy.Engine, "connect", _do_not_wait_for_the_disk)


def _do_not_wait_for_the_disk(connection, _):
    connection.execute("PRAGMA synchronous=OFF")
