"""Noticing that a submission need not be graded again, and that it must.

When a student has been graded, a stamp says from what and to what. As long as every file and mark
that it speaks of is as it was, grading again would change nothing. Whatever else touches them, from
a student who hands in again to a process that is killed half-way, makes the stamp wrong.
"""

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)

from autograder.course import Course
from autograder.problem import BadInputError, Problem
from autograder.rooms.results import versions, write_atomically

MARKS = (
    SubmittedAssignment.student_id,
    SubmittedAssignment.timestamp,
    SubmittedAssignment.extension,
    SubmittedNotebook.late_submission_penalty,
    Notebook.name,
    BaseCell.name,
    Grade.auto_score,
    Grade.manual_score,
    Grade.extra_credit,
)
COMMENTS = (
    SubmittedAssignment.student_id,
    Notebook.name,
    BaseCell.name,
    Comment.manual_comment,
)


class ToDo(Enum):
    """What a student's submission needs."""

    GRADE = "grade"
    FEEDBACK = "feedback"  # a person has marked or commented since it was written
    NOTHING = "nothing"


@dataclass(frozen=True)
class Record:
    """What the gradebook holds of a student's submission, digested.

    Attributes:
        auto: what autograding decided, and what a late penalty follows from.
        manual: what people added: points and comments.
    """

    auto: str
    manual: str


@dataclass(frozen=True)
class Stamp(Record):
    """What a student's grading started from and came to, digested.

    Attributes:
        inputs: the submission, the lesson, the settings, and the code that graded.
        graded: the notebooks in ``autograded/``.
        feedback: the pages in ``feedback/``.
    """

    inputs: str
    graded: str
    feedback: str


class Stamps:
    """The stamps of an assignment's submissions.

    Args:
        course: the stamps are in its folder ``.autograder/stamps``.
        assignment: which one.
    """

    def __init__(self, course: Course, assignment: str) -> None:
        self._course, self._assignment = course, assignment
        self._folder = course.root / ".autograder" / "stamps" / assignment
        self._common = _common_digest(course, assignment)

    def read(self, student: str) -> str:
        """The stamp of the last time as it was written, or '' if there is none."""
        path = self._path(student)
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def write(self, student: str, inputs: str, record: Record) -> None:
        """Says that the student was graded, from these inputs."""
        write_atomically(self._path(student), _text(self._stamp(student, inputs, record)))

    def inputs(self, student: str) -> str:
        """The digest of everything that a grading of this student starts from."""
        submitted = _digest(self._course.root / "submitted" / student / self._assignment)
        return hashlib.sha256(f"{self._common} {submitted}".encode()).hexdigest()

    def to_do(self, student: str, inputs: str, record: Record | None) -> ToDo:
        """What is left to do for a student with these inputs and this record in the gradebook."""
        then = _parsed(self.read(student))
        if not then or record is None:
            return ToDo.GRADE
        now = asdict(self._stamp(student, inputs, record))
        if any(then.get(part) != now[part] for part in ("inputs", "auto", "graded")):
            return ToDo.GRADE
        return ToDo.NOTHING if then == now else ToDo.FEEDBACK

    def _stamp(self, student: str, inputs: str, record: Record) -> Stamp:
        root, folder = self._course.root, Path(student, self._assignment)
        return Stamp(
            auto=record.auto,
            manual=record.manual,
            inputs=inputs,
            graded=_digest(root / "autograded" / folder),
            feedback=_digest(root / "feedback" / folder),
        )

    def _path(self, student: str) -> Path:
        return self._folder / f"{student}.json"


def require_built(course: Course, assignment: str) -> None:
    """Raises `BadInputError` unless the gradebook knows the assignment's cells."""
    path = course.root / "gradebook.db"
    if path.is_file():
        with Gradebook(f"sqlite:///{path}", course.id) as gradebook:
            if any(known.name == assignment for known in gradebook.assignments):
                return
    got, expected = f"no assignment {assignment!r}", "the cells that there are points for"
    raise BadInputError(Problem(str(path), got, expected, "Run: autograder build"))


def records(course: Course, assignment: str, student: str = "") -> dict[str, Record]:
    """What the gradebook holds of an assignment's submissions, by student: all, or this one's."""
    path = course.root / "gradebook.db"
    if not path.is_file():
        return {}
    with Gradebook(f"sqlite:///{path}", course.id) as gradebook:
        try:
            due = gradebook.find_assignment(assignment).duedate
        except MissingEntry:
            return {}
        return _records(gradebook, assignment, student, due)


def _records(gradebook: Gradebook, assignment: str, student: str, due: object) -> dict[str, Record]:
    auto: dict[str, list[Any]] = {}
    manual: dict[str, list[Any]] = {}
    grades = _cells(gradebook, assignment, student, Grade, MARKS)
    for who, *submission, notebook, cell, score, points, extra in grades:
        auto.setdefault(who, [due]).append((*submission, notebook, cell, score))
        manual.setdefault(who, []).append((notebook, cell, points, extra))
    for who, *comment in _cells(gradebook, assignment, student, Comment, COMMENTS):
        manual.setdefault(who, []).append(comment)
    return {who: Record(_hash(auto[who]), _hash(manual[who])) for who in auto}


def _cells(
    gradebook: Gradebook, assignment: str, student: str, table: Any, columns: Sequence[Any]
) -> Any:
    """Rows of ``table`` for cells of submissions, in an order of their own."""
    rows = (
        gradebook.db.query(*columns)
        .select_from(table)
        .join(SubmittedNotebook, SubmittedNotebook.id == table.notebook_id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(BaseCell, BaseCell.id == table.cell_id)
        .filter(Assignment.name == assignment)
        .order_by(SubmittedAssignment.student_id, Notebook.name, BaseCell.name)
    )
    return rows.filter(SubmittedAssignment.student_id == student) if student else rows


def _common_digest(course: Course, assignment: str) -> str:
    """Of what all submissions of an assignment have in common."""
    parts = [str(versions())]
    parts += [_digest(course.root / kind / assignment) for kind in ("release", "source")]
    parts += [_file_digest(course.root / name) for name in ("course.toml", "nbgrader_config.py")]
    return _hash(parts)


def _digest(folder: Path) -> str:
    """Of the names and contents of everything in a folder, which need not be there."""
    return _hash([(str(path.relative_to(folder)), _file_digest(path)) for path in _files(folder)])


def _files(folder: Path) -> list[Path]:
    return sorted(
        Path(where, name)
        for where, folders, names in os.walk(folder)
        for name in [*names, *(f for f in folders if Path(where, f).is_symlink())]
    )


def _file_digest(path: Path) -> str:
    """Of a regular file's content; of anything else, only what it is: it could block or lie."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return f"cannot be opened: {error.errno}"
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            return f"not a file: {stat.S_IFMT(mode)}"
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode(errors="surrogatepass")).hexdigest()


def _text(stamp: Stamp) -> str:
    return json.dumps(asdict(stamp), indent=1)


def _parsed(text: str) -> dict[str, Any]:
    """A stamp's parts; none of them if it is damaged, which is as good as no stamp."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
