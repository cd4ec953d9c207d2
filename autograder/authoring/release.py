"""Runs nbgrader's generate_assignment on a folder of source notebooks."""

from datetime import UTC
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment

from autograder import converters
from autograder.course import Course
from autograder.problem import BadInputError, Problem


def generate(course: Course, assignment: str, source: Path, release: Path, record: bool) -> None:
    """Makes ``release/<assignment>`` from ``source/<assignment>``, both outside the course.

    With ``record`` the cells go into the course's gradebook, as nbgrader does it; without, no
    gradebook is opened.

    Raises:
        BadInputError: nbgrader refuses, for instance because cells were added or removed after
            submissions came in.
    """
    settings = converters.settings(course)
    if not record:  # what nbgrader's flag --no-db means
        settings.SaveCells.enabled = False
        settings.GenerateAssignment.no_database = True
    folders = {
        "source_directory": source,
        "release_directory": release,
        "assignment_id": assignment,
    }
    try:
        converters.run(GenerateAssignment, settings, folders)
    except converters.RefusedError as error:
        where = str(course.root / "source" / assignment)
        raise BadInputError(_refusal(where, str(error))) from error
    if record:
        _set_deadline(course, assignment)


def _set_deadline(course: Course, assignment: str) -> None:
    """Tells the gradebook, if there is one, when the assignment is due."""
    due, path = course.assignment(assignment).due, course.root / "gradebook.db"
    if due is None or not path.exists():
        return
    with Gradebook(f"sqlite:///{path}", course.id) as gradebook:
        naive = due.astimezone(UTC).replace(tzinfo=None)  # as nbgrader keeps its times
        gradebook.update_or_create_assignment(assignment, duedate=naive)


def _refusal(where: str, reason: str) -> Problem:
    return Problem(
        where=where,
        got=f"nbgrader refuses it ({reason})",
        expected="a lesson that nbgrader can release",
        fix="The release stays as it was. After submissions came in, cells can be edited but not "
        "added, removed or renamed: undo that, or make it another assignment.",
    )
