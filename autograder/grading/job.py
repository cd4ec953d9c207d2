"""From a notebook that is ready to run to what the rooms are asked to do."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution

from autograder.check import seed
from autograder.course import Course
from autograder.grading import submission
from autograder.grading.rebuild import DEMONSTRATION
from autograder.problem import BadInputError, Problem
from autograder.rooms.job import MIB, Cell, Job, Limits, Place

OUTPUT_LINES = "output_lines"  # a limit of what is shown, which nbgrader keeps, not the rooms


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that a job runs, in order: a result's outputs are theirs, one by one."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def place_of(cell: NotebookNode) -> Place:
    """Where a code cell of a rebuilt notebook runs."""
    if is_grade(cell) and not is_solution(cell):
        return Place.EXAMINER
    if cell.metadata.get(Place.HOME.value):
        return Place.HOME
    if cell.metadata.get(DEMONSTRATION):
        return Place.COURSE
    return Place.BOTH if is_locked(cell) else Place.STUDENT


def job_of(
    notebook: NotebookNode, torch: bool, files: Mapping[str, bytes], number: int, limits: Limits
) -> Job:
    """The job that runs a notebook.

    Args:
        notebook: rebuilt on the release, with the instructor's tests; its metadata is believed.
        torch: whether the student's room has torch.
        files: what else was handed in, by relative POSIX path.
        number: the submission's seed.
        limits: of this course.
    """
    cells = tuple(
        Cell(_name(cell, position), place_of(cell), cell.source)
        for position, cell in enumerate(code_cells(notebook), 1)
    )
    return Job(cells, files, number, torch, limits)


def job_for(
    course: Course, assignment: str, student: str, notebook: NotebookNode
) -> tuple[Job, list[str]]:
    """The job that runs a student's rebuilt notebook with what else they handed in.

    Returns:
        the job; and, in words, what they handed in that is not given to it.
    """
    limits = limits_of(course)
    folder = course.root / "submitted" / student / assignment
    files, left_out = submission.files(
        folder, limits.disk_bytes // 2
    )  # leave room for what it writes
    number = seed.for_submission(assignment, student)
    torch = course.assignment(assignment).torch
    return job_of(notebook, torch, files, number, limits), left_out


def limits_of(course: Course) -> Limits:
    """The limits under ``[grading]`` in course.toml; what is not said there is as in `Limits`.

    Raises:
        BadInputError: a setting is unknown, or is not a number above 0.
    """
    known = {_setting(field.name): field for field in fields(Limits)}
    found, problems = {}, []
    for name, value in course.grading.items():
        field = known.get(name)
        if field is None and name != OUTPUT_LINES:
            problems.append(
                _problem(course, f"the setting {name!r}", sorted([*known, OUTPUT_LINES]))
            )
        elif not _fits(value, field.type if field else int):
            kind = "a number" if field and field.type is float else "a whole number"
            problems.append(_problem(course, f"{name} = {value!r}", [f"{kind} above 0"]))
        elif field:
            found[field.name] = value * MIB if name.endswith("_mb") else value
    if problems:
        raise BadInputError(*problems)
    return Limits(**found)


def _name(cell: NotebookNode, position: int) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id") or f"code cell {position}")


def _setting(limit: str) -> str:
    """What an instructor calls it: memory is counted in MiB, characters one by one."""
    whole = limit.endswith("_bytes") and limit != "output_bytes"
    return f"{limit.removesuffix('_bytes')}_mb" if whole else limit


def _fits(value: Any, kind: Any) -> bool:
    number = isinstance(value, int | float) if kind is float else isinstance(value, int)
    return number and not isinstance(value, bool) and 0 < value < float("inf")


def _problem(course: Course, got: str, expected: list[str]) -> Problem:
    where = f"{course.root / 'course.toml'}, [grading]"
    return Problem(where, got, " or ".join(expected), "Mend that line; see docs/instructor.md.")
