import json

import pytest

from autograder.course import load
from autograder.grading import submission
from autograder.problem import BadInputError

COURSE = """
[course]
id = "c"
title = "C"
term = "T"
time_zone = "UTC"
package = "p"
[assignments.1-a]
[grading]
"""


@pytest.fixture
def course(tmp_path):
    (tmp_path / "course.toml").write_text(COURSE)
    release = tmp_path / "release" / "1-a"
    release.mkdir(parents=True)
    (release / "lesson.ipynb").write_text("{}")
    return load(tmp_path)


def hand_in(course, content, name="lesson.ipynb", student="ada"):
    folder = course.root / "submitted" / student / "1-a"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def test_a_notebook_has_no_problems_with_a_byte_order_mark_or_without(course):
    for mark in (b"", b"\xef\xbb\xbf"):
        hand_in(course, mark + json.dumps({"cells": []}).encode())
        assert submission.problems(course, "1-a", "ada") == []


@pytest.mark.parametrize(
    ("content", "where", "got"),
    [
        (b'{"cells": [\n  oops', "lesson.ipynb, line 2", "text that is not JSON"),
        (b"", "lesson.ipynb, line 1", "text that is not JSON"),
        (b"\xff\xfe{\x00}\x00", "lesson.ipynb", "bytes that are not UTF-8"),
        (b"PK\x03\x04\xff\xff", "lesson.ipynb", "bytes that are not UTF-8"),
        (b"[1, 2]", "lesson.ipynb", "JSON without a list of cells"),
        (b'{"cells": 3}', "lesson.ipynb", "JSON without a list of cells"),
    ],
)
def test_what_is_not_a_notebook_is_described(course, content, where, got):
    hand_in(course, content)
    (problem,) = submission.problems(course, "1-a", "ada")
    assert problem.where.endswith(where)
    assert problem.got.startswith(got)
    assert "notebook" in problem.expected
    assert "Ask for the notebook again" in problem.fix


def test_a_missing_notebook_says_what_is_there_instead(course):
    hand_in(course, b"{}", name="Copy of lesson.ipynb")
    (problem,) = submission.problems(course, "1-a", "ada")
    assert problem.got == "Copy of lesson.ipynb"
    assert "lesson.ipynb" in problem.expected


def test_students_are_those_with_a_folder(course):
    hand_in(course, b"{}", student="bob")
    hand_in(course, b"{}", student="ada")
    assert submission.students(course, "1-a") == ["ada", "bob"]


def test_unknown_assignments_and_empty_batches_are_refused(course):
    with pytest.raises(BadInputError, match=r"no assignment '1-b'.*one of 1-a"):
        submission.students(course, "1-b")
    with pytest.raises(BadInputError, match="no submissions"):
        submission.students(course, "1-a")
