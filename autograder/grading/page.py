"""One HTML page for a batch: who got what where, a way to each feedback, and the leaderboard."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from autograder.course import Course
from autograder.grading.marks import CellMark, Marks

TEMPLATES = Environment(
    loader=PackageLoader("autograder.grading", "templates"), autoescape=True, trim_blocks=True
)


def render(
    course: Course,
    assignment: str,
    marks: Sequence[Marks],
    board: Sequence[Mapping[str, Any]],
    folder: Path,
) -> str:
    """The page as it is to stand in ``folder``.

    ``board`` holds rows as ``autograder leaderboard board --json`` writes them.
    """
    return TEMPLATES.get_template("page.html").render(
        course=course,
        assignment=assignment,
        cells=[cell.cell for cell in marks[0].cells] if marks else [],
        rows=[(row, _feedback(course, assignment, row.student, folder)) for row in marks],
        board=board,
        state=_state,
    )


def _state(mark: CellMark) -> str:
    if mark.needs_grading:
        return "wait"
    return "full" if mark.score == mark.max_score else "part" if mark.score else "none"


def _feedback(course: Course, assignment: str, student: str, folder: Path) -> str:
    """The way from ``folder`` to the first page of feedback, or '' where there is none."""
    pages = sorted((course.root / "feedback" / student / assignment).glob("*.html"))
    return Path(os.path.relpath(pages[0], folder.resolve())).as_posix() if pages else ""
