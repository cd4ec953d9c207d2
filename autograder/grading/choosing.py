"""Which notebook of a submission is meant for a lesson: names change, contents tell."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.grading.folder import entries
from autograder.grading.graft import Likeness, likeness
from autograder.grading.reading import copied_from, read
from autograder.problem import BadInputError, Problem

LIKE = 0.3  # of a lesson's cells or answers: a notebook with that much is a submission of it
MOST = 30  # notebooks of a submission that are read
NOTEBOOK = re.compile(r"\.ipynb(\.\w+)?$", re.IGNORECASE)  # browsers add .txt or .json


@dataclass(frozen=True)
class Choice:
    """The notebook that counts.

    Attributes:
        name: of its file, from the submission's folder on.
        notebook: as `reading.read` returned it.
        repairs: what was done to find it and to read it.
    """

    name: str
    notebook: NotebookNode
    repairs: list[str]


@dataclass(frozen=True)
class _Candidate:
    name: str
    notebook: NotebookNode
    repairs: list[str]
    lesson: NotebookNode

    @property
    def origin(self) -> str:
        """The name of the file that this one was copied from, or ''."""
        return copied_from(self.notebook)

    @cached_property
    def likeness(self) -> Likeness:
        return likeness(self.lesson, self.notebook)

    @property
    def answered(self) -> int:
        return self.likeness.answered if self.likeness.share >= LIKE else 0

    @property
    def rank(self) -> tuple[int, list[str | int]]:
        """More answers count more; of equals, "lesson (10)" is newer than "lesson (9)"."""
        parts = re.split(r"(\d+)", self.name)
        return self.answered, [int(part) if i % 2 else part for i, part in enumerate(parts)]


def choose(folder: Path, lesson: Path) -> Choice:
    """The notebook under the lesson's name, unless only one under another name has answers.

    Args:
        folder: the submission.
        lesson: the notebook as released.

    Raises:
        BadInputError: there is none, or none that can be read.
    """
    release = nbformat.read(lesson, as_version=4)
    own, problems = _read(folder, lesson.name, release)
    others = list(_others(folder, lesson.name, release))
    if own and own.origin in [written_down(other.name) for other in others]:
        own = None  # our copy; if something newer was handed in, it was under the other name
    written = [other for other in others if other.answered]
    if own and (not written or own.answered):
        return Choice(own.name, own.notebook, _why_own(own, written) + own.repairs)
    if best := max(written or others, key=lambda other: other.rank, default=None):
        why = _why_other(best, len(written), lesson.name, own, problems)
        return Choice(best.name, best.notebook, [why, *best.repairs])
    raise BadInputError(*problems)


def written_down(name: str) -> str:
    """A file's name as any text file can hold it."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _others(folder: Path, name: str, release: NotebookNode) -> Iterator[_Candidate]:
    """The notebooks under other names that have enough of the lesson's cells."""
    found, _ = entries(folder)
    names = [entry.name for entry in found if NOTEBOOK.search(entry.name) and entry.name != name]
    for other in names[:MOST]:
        candidate, _ = _read(folder, other, release)
        if candidate and candidate.likeness.share >= LIKE:
            yield candidate


def _read(
    folder: Path, name: str, release: NotebookNode
) -> tuple[_Candidate | None, Sequence[Problem]]:
    if not os.path.lexists(folder / name):
        return None, [_missing(folder, name)]
    try:
        notebook, repairs = read(folder / name)
    except BadInputError as bad:
        return None, bad.problems
    return _Candidate(name, notebook, repairs, release), []


def _missing(folder: Path, name: str) -> Problem:
    there = ascii(sorted(entry.name for entry in entries(folder)[0])[:10])[1:-1]
    fix = f"Ask for {name}."
    return Problem(str(folder / name), there or "an empty folder", f"the notebook {name}", fix)


def _why_own(own: _Candidate, written: list[_Candidate]) -> list[str]:
    if own.origin:
        return [f"it was called {own.origin!a}"]
    names = ", ".join(ascii(other.name) for other in written)
    return [f"{names} held answers too; {own.name} has the right name and counts"] if names else []


def _why_other(
    best: _Candidate,
    written: int,
    name: str,
    own: _Candidate | None,
    problems: Sequence[Problem],
) -> str:
    why = f"it was called {best.name!a}"
    if own:
        why = f"{name} held no answers; {best.name!a} counts"
    elif problems and not problems[0].expected.endswith(name):
        why = f"{name} was {problems[0].got}; {best.name!a} counts"
    return f"{why}, of {written} such notebooks the one with most answers" if written > 1 else why
