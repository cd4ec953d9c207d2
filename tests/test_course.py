from datetime import timedelta
from pathlib import Path

import pytest

from autograder.course import load
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
    ],
)
def test_a_broken_course_file_is_named_with_its_fault(tmp_path, change, message):
    (tmp_path / "course.toml").write_text(change((ROOT / "course.toml").read_text()))
    with pytest.raises(BadInputError, match=message):
        load(tmp_path)


def test_a_missing_course_file_says_what_to_do(tmp_path):
    with pytest.raises(BadInputError, match="--course FOLDER"):
        load(tmp_path)


def test_every_lesson_is_an_assignment_of_the_course():
    lessons = {path.parent.name for path in (ROOT / "source").glob("*/*.py")}
    assert lessons == set(load(ROOT).assignments)
