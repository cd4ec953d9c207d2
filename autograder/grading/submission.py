"""Looking at a submission before anything is done with it.

A submission is a folder that somebody else filled. Only regular files in it are ever opened, none
is changed or removed, and neither their number nor their size can hold up a batch.
"""

import os
import re
import stat
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import parse_utc

from autograder.course import Course
from autograder.grading.choosing import NOTEBOOK, choose, written_down
from autograder.grading.folder import Entry, entries, too_many_folders
from autograder.grading.reading import kind_of, marked_copy, regular_bytes
from autograder.problem import BadInputError, Problem
from autograder.rooms.results import write_atomically

TIMESTAMP = "timestamp.txt"  # nbgrader's own file: when it was handed in
MOST_FILES = 1_000
MOST_TOLD = 20  # lines about what was left out
ABSURD = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")  # in a file's name
NO_TIME = re.compile(r"\.\.| /|[^\w:.,+/ -]")  # in a date: a zone's name may name a file


def students(course: Course, assignment: str) -> list[str]:
    """Who handed in something for this assignment, in alphabetical order.

    Raises:
        BadInputError: there is no such assignment, or nobody did.
    """
    course.assignment(assignment)
    submitted = course.root / "submitted"
    found = sorted(path.parent.name for path in submitted.glob(f"*/{assignment}") if path.is_dir())
    if not found:
        where, expected = str(submitted), f"folders STUDENT/{assignment}"
        fix = "Collect submissions first."
        raise BadInputError(Problem(where, "no submissions", expected, fix))
    return found


def notebooks(course: Course, assignment: str) -> list[str]:
    """The file names of an assignment's notebooks, as released."""
    return sorted(path.name for path in (course.root / "release" / assignment).glob("*.ipynb"))


def problems(course: Course, assignment: str, student: str) -> list[Problem]:
    """Everything that keeps this submission from being graded; empty when it can be."""
    return _met(course, assignment, student, choose)


def prepare(course: Course, assignment: str, student: str) -> list[Problem]:
    """As `problems`, and puts a copy of a notebook that has another name under the right one.

    nbgrader finds notebooks by name only, and gives no points to one that it does not find.
    """
    return _met(course, assignment, student, _put_copy)


def _met(
    course: Course, assignment: str, student: str, step: Callable[[Path, Path], object]
) -> list[Problem]:
    """What is met when ``step`` is done for each notebook of the assignment."""
    folder = course.root / "submitted" / student / assignment
    found = too_many_folders(folder)
    for lesson in [] if found else _lessons(course, assignment):
        try:
            step(folder, lesson)
        except BadInputError as bad:
            found += bad.problems
    return found


def load(folder: Path, lesson: Path) -> NotebookNode:
    """A submission's notebook for a lesson, whatever it is called.

    Args:
        folder: the submission.
        lesson: the notebook as released.

    Returns:
        what `reading.read` makes of it. ``metadata.repairs`` lists what had to be done to find
        and to read it; `graft.graft` passes that on.

    Raises:
        BadInputError: there is none that can be read.
    """
    choice = choose(folder, lesson)
    choice.notebook.metadata["repairs"] = choice.repairs
    return choice.notebook


def files(folder: Path, most_bytes: int) -> tuple[dict[str, bytes], list[str]]:
    """What else was handed in, for the student's own code to read.

    Args:
        folder: the submission.
        most_bytes: in all files together.

    Returns:
        the content of regular files by relative POSIX path, without notebooks, nbgrader's
        timestamp and hidden files; and, in words, what was left out for being something else.
    """
    taken: dict[str, bytes] = {}
    left: list[str] = []
    room = most_bytes
    found, all_of_them = entries(folder)
    for entry in found:
        if NOTEBOOK.search(entry.name) or entry.name == TIMESTAMP:
            continue
        if why := _why_not(entry, room, len(taken)):
            left.append(f"{entry.name!a}: {why}; left out")
            continue
        try:
            taken[entry.name] = regular_bytes(folder / entry.name, room)
            room -= len(taken[entry.name])
        except BadInputError as bad:
            left.append(f"{entry.name!a}: {bad.problems[0].got}; left out")
    if not all_of_them:
        left.insert(0, "more files and folders than are looked at; the others were left out")
    more = [f"and {len(left) - MOST_TOLD:,} more"] if len(left) > MOST_TOLD else []
    return taken, left[:MOST_TOLD] + more


def handed_in(folder: Path) -> datetime | None:
    """When a submission was handed in, in UTC without a zone, as nbgrader has it.

    Raises:
        BadInputError: ``timestamp.txt`` is there but says no date.
    """
    path = folder / TIMESTAMP
    if not os.path.lexists(path):
        return None
    try:
        text = regular_bytes(path, 1_000).decode(errors="replace").strip()
    except BadInputError as bad:
        raise BadInputError(_no_date(path, bad.problems[0].got)) from bad
    when = None if NO_TIME.search(text) else _date(text)
    if when is None:
        raise BadInputError(_no_date(path, ascii(text[:40])))
    return when


def take_in(course: Course, *, notebooks: list[str], **about: str) -> None:
    """A hook that nbgrader calls before it converts a submission; bind ``course`` first.

    It prepares the submission, adds to ``notebooks`` (paths) what nbgrader did not know, and says
    what is wrong: nbgrader itself would only show where in its own code it could not go on.
    """
    folder = Path(notebooks[0]).parent
    student, assignment = folder.parent.name, folder.name
    found = prepare(course, assignment, student)
    names = [folder / lesson.name for lesson in _lessons(course, assignment)]
    notebooks += [
        str(path) for path in names if os.path.lexists(path) and str(path) not in notebooks
    ]
    try:
        if when := handed_in(folder):
            # From it nbgrader knows later which version was graded.
            graded = course.root / "autograded" / student / assignment
            write_atomically(graded / TIMESTAMP, f"{when} UTC\n")
    except BadInputError as bad:
        found += bad.problems
    for problem in found:
        print(problem, file=sys.stderr)


def _lessons(course: Course, assignment: str) -> list[Path]:
    return [course.root / "release" / assignment / name for name in notebooks(course, assignment)]


def _put_copy(folder: Path, lesson: Path) -> None:
    choice, path = choose(folder, lesson), folder / lesson.name
    if os.path.lexists(path):
        return
    try:
        # Replacing a name follows no link, whatever may have come there meanwhile.
        copy = marked_copy(choice.notebook, written_down(choice.name))
        write_atomically(path, nbformat.writes(copy))
    except OSError as error:
        got, fix = f"a folder that cannot be written to ({error.strerror})", "Let us write there."
        expected = f"room for a copy of {choice.name!a} under that name"
        raise BadInputError(Problem(str(path), got, expected, fix)) from error


def _why_not(entry: Entry, room: int, taken: int) -> str:
    """Why a file is not for the student's room, or ''."""
    if not stat.S_ISREG(entry.mode):
        return kind_of(entry.mode)
    if ABSURD.search(entry.name):
        return "a name that not every system has"
    if taken >= MOST_FILES:
        return f"more than {MOST_FILES:,} files"
    return "more than all files may hold together" if entry.size > room else ""


def _no_date(path: Path, got: str) -> Problem:
    fix = "Write down when it was handed in; as it is, it counts as in time."
    return Problem(str(path), got, "a date and a time", fix)


def _date(text: str) -> datetime | None:
    try:
        when: datetime = parse_utc(text)
    except (ValueError, OverflowError, TypeError):  # dateutil's ways to say that it is none
        return None
    return when
