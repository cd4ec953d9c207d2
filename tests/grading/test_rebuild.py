from dataclasses import replace

import nbformat
import pytest

from autograder.grading.match import grade_id
from autograder.grading.rebuild import DEMONSTRATION, demonstrations, original, rebuild
from autograder.problem import BadInputError


def test_tests_are_the_instructors_and_answers_the_students(course, hand_in):
    submitted = nbformat.read(hand_in("ada", "def double(x): ..."), as_version=4)
    for cell in submitted.cells:
        if "assert" in cell.source:
            cell.source = "pass"
    rebuilt, repairs = rebuild(original(course.root, "1-a", "lesson"), submitted)
    texts = {grade_id(cell): cell.source for cell in rebuilt.cells}
    assert "assert double(-3) == -6" in texts["double-numbers"]  # which students never see
    assert texts["double"] == "def double(x): ..."
    assert [str(repair) for repair in repairs] == [
        "double-numbers: it was changed; put back",
        "double-more: it was changed; put back",
    ]


@pytest.mark.parametrize("kind", ["release", "source"])
def test_a_lesson_that_was_not_built_is_named(course, kind):
    (course.root / kind / "1-a" / "lesson.ipynb").unlink()
    with pytest.raises(BadInputError, match=rf"{kind}/1-a/lesson.ipynb.*autograder build 1-a"):
        original(course.root, "1-a", "lesson")


def test_a_demonstration_of_the_courses_own_is_known_by_its_text(course, hand_in):
    lesson = original(course.root, "1-a", "lesson")
    shown = nbformat.v4.new_code_cell("print(math.pi)")
    lesson.release.cells.append(shown)
    lesson = replace(lesson, demonstrations=frozenset(demonstrations(lesson.release)))
    assert lesson.demonstrations == {"print(math.pi)"}  # double(21) needs an answer
    submitted = nbformat.read(hand_in("ada", "def double(x): ..."), as_version=4)
    submitted.cells += [shown, nbformat.v4.new_code_cell("print(math.e)")]
    rebuilt, _ = rebuild(lesson, submitted)
    marked = [cell.source for cell in rebuilt.cells if cell.metadata.get(DEMONSTRATION)]
    assert marked == ["print(math.pi)"]  # and not what the student added
