"""The marks in a gradebook, as plain data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.utils import is_grade, is_solution

from autograder.course import Course
from autograder.rooms.results import grader_broke


@dataclass(frozen=True)
class CellMark:
    """What one graded cell earned; ``needs_grading`` while a person still has to read it."""

    cell: str
    score: float
    max_score: float
    needs_grading: bool


@dataclass(frozen=True)
class Marks:
    """One student's marks for one assignment.

    Attributes:
        student: who.
        cells: in the notebooks' order.
        grader_broke: tests in which a check was at fault, until a person has decided about them.
    """

    student: str
    cells: tuple[CellMark, ...]
    grader_broke: tuple[str, ...]

    @property
    def score(self) -> float:
        """Points so far."""
        return sum(cell.score for cell in self.cells)

    @property
    def max_score(self) -> float:
        """Points there are."""
        return sum(cell.max_score for cell in self.cells)

    @property
    def lost(self) -> tuple[str, ...]:
        """The automatically graded cells that did not earn all their points."""
        lost = (c for c in self.cells if not c.needs_grading and c.score < c.max_score)
        return tuple(cell.cell for cell in lost)

    @property
    def to_read(self) -> float:
        """Points that wait for a person."""
        return sum(cell.max_score for cell in self.cells if cell.needs_grading)


def read(course: Course, assignment: str) -> list[Marks]:
    """Everybody's marks for an assignment, by student; those never graded are left out."""
    order = _order(course.root / "release" / assignment)
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", course.id) as gradebook:
        try:
            submissions = gradebook.find_assignment(assignment).submissions
        except MissingEntry:
            return []
        return sorted(
            (_marks(course, assignment, submission, order) for submission in submissions),
            key=lambda marks: marks.student,
        )


def _marks(course: Course, assignment: str, submission: Any, order: list[str]) -> Marks:
    folder = course.root / "autograded" / submission.student.id / assignment
    cells = tuple(
        CellMark(grade.name, grade.score, grade.max_score, grade.needs_manual_grade)
        for notebook in submission.notebooks
        for grade in sorted(notebook.grades, key=lambda grade: order.index(grade.name))
    )
    waiting = {cell.cell for cell in cells if cell.needs_grading}
    broke = tuple(cell for cell in _grader_broke(folder) if cell in waiting)
    return Marks(submission.student.id, cells, broke)


def _order(release: Path) -> list[str]:
    """The ids of an assignment's graded cells as they follow each other."""
    return [
        cell.metadata.nbgrader.grade_id
        for path in sorted(release.glob("*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if is_grade(cell)
    ]


def _grader_broke(folder: Path) -> tuple[str, ...]:
    """The tests in which a check, not the student, was at fault."""
    return tuple(
        cell.metadata.nbgrader.grade_id
        for path in sorted(folder.glob("*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if is_grade(cell) and not is_solution(cell) and grader_broke(cell.get("outputs", []))
    )
