import re
from datetime import timedelta
from pathlib import Path

import pytest

from autograder.course import load
from autograder.grading.job import limits_of
from autograder.problem import BadInputError

ROOT = Path(__file__).parents[1]


def test_deadlines_have_the_courses_time_zone():
    due = load(ROOT).assignment("2-convolution").due
    assert due.utcoffset() == timedelta(hours=-8)  # Los Angeles in February


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text.replace("[course]", "[curse]"),
            r"course.toml: found no setting 'course'",
        ),
        (lambda text: text.replace("id =", "id ="[:-1]), r"course.toml: found .*line 4"),
        (lambda text: text.replace('time_zone = "', 'time_zone = "Moon/'), "time zone"),
        (
            lambda text: text.replace("torch = false", 'torch = "no"'),
            r"\[assignments.1-backprop\]: found torch = 'no', expected true or false",
        ),
        (lambda text: text.replace("torch =", "torhc ="), "found the setting 'torhc'"),
        (
            lambda text: re.sub("due = .*", "due = 2027-02-16", text),
            "found due = 2027-02-16, expected a date and a time",
        ),
    ],
)
def test_a_broken_course_file_is_named_with_its_fault(tmp_path, change, message):
    (tmp_path / "course.toml").write_text(change((ROOT / "course.toml").read_text()))
    with pytest.raises(BadInputError, match=message):
        load(tmp_path)


def test_torch_is_there_only_if_the_assignment_says_so(tmp_path):
    text = (ROOT / "course.toml").read_text()
    for said, torch in (("torch = true", True), ("torch = false", False), ("", False)):
        (tmp_path / "course.toml").write_text(text.replace("torch = false", said))
        assert load(tmp_path).assignment("2-convolution").torch is torch


def test_the_limits_of_this_course_can_be_used():
    assert limits_of(load(ROOT)).cell_seconds == load(ROOT).grading["cell_seconds"]


def written(tmp_path, lines):
    """A course whose repository is set by other lines."""
    text = (ROOT / "course.toml").read_text()
    text, count = re.subn("^repository = .*", lambda _: lines, text, flags=re.MULTILINE)
    assert count == 1
    (tmp_path / "course.toml").write_text(text)
    return tmp_path


def test_without_a_repository_nothing_opens_in_colab(tmp_path):
    course = load(written(tmp_path, 'package = "p"'))
    assert (course.package, course.colab("2-convolution", "convolution")) == ("p", "")


def test_a_repository_says_where_notebooks_open_and_what_they_install(tmp_path):
    course = load(written(tmp_path, 'repository = "ada/course"'))
    assert course.package == "git+https://github.com/ada/course@main"
    assert course.colab("2-convolution", "convolution") == (
        "https://colab.research.google.com/github/ada/course"
        "/blob/main/release/2-convolution/convolution.ipynb"
    )


def test_branch_and_package_can_be_others(tmp_path):
    lines = 'repository = "ada/course"\nbranch = "2027/spring"\npackage = "p"'
    course = load(written(tmp_path, lines))
    assert course.package == "p"
    assert "/blob/2027/spring/release/1-a/a%20b.ipynb" in course.colab("1-a", "a b")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "no setting 'package'"),
        ('repository = ""', "no setting 'package'"),
        ('repository = "course"', "repository = 'course', expected OWNER/NAME"),
        ('repository = "https://github.com/ada/course"', "expected OWNER/NAME"),
        ('repository = "ada/course)"', "expected OWNER/NAME"),
        ("repository = 3", "repository = 3, expected OWNER/NAME"),
        ('repository = "ada/course"\nbranch = ""', "branch = '', expected the name of a branch"),
        ('repository = "ada/course"\nbranch = "a b"', "expected the name of a branch"),
    ],
)
def test_a_repository_that_is_none_is_refused(tmp_path, lines, message):
    with pytest.raises(BadInputError, match=message):
        load(written(tmp_path, lines))


def test_a_missing_course_file_says_what_to_do(tmp_path):
    with pytest.raises(BadInputError, match="--course FOLDER"):
        load(tmp_path)


def test_every_lesson_is_an_assignment_of_the_course():
    lessons = {path.parent.name for path in (ROOT / "source").glob("*/*.py")}
    assert lessons == set(load(ROOT).assignments)
