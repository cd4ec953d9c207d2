"""Runs nbgrader's generate_assignment on a folder of source notebooks."""

from pathlib import Path

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


def _refusal(where: str, reason: str) -> Problem:
    return Problem(
        where=where,
        got=f"nbgrader refuses it ({reason})",
        expected="a lesson that nbgrader can release",
        fix="The release stays as it was. After submissions came in, cells can be edited but not "
        "added, removed or renamed: undo that, or make it another assignment.",
    )
