"""Sample submissions, kept as answers only, so that they can be reviewed as Python.

An answers file is percent text whose cells are marked ``solution="id"`` or ``essay="id"``; each
takes the place of the release's cell of that id. What a file does not answer is answered as in the
reference, so that a bug can stand alone; in the group ``partial`` it stays unanswered.
"""

import copy
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.authoring import build, notebook, percent, regions
from autograder.authoring.percent import Cell
from autograder.course import Course
from autograder.problem import BadInputError, Problem, line_of

# Written for every lesson, beside the samples of the folder.
REFERENCE, UNTOUCHED = "reference", "untouched"
PARTIAL = "partial"


def fill(release: NotebookNode, answers: str, name: str = "the answers") -> NotebookNode:
    """The release notebook with these answers (percent text) in it.

    Raises:
        BadInputError: the text ``name`` has another kind of cell, an id twice, or one that the
            release does not ask for.
    """
    cells = percent.read(answers, name)
    problems = [*_not_answers(cells, name), *_unasked(cells, release, name)]
    if problems:
        raise BadInputError(*problems)
    return overlay(release, {cell.marker.id: cell.source for cell in cells if cell.marker})


def overlay(release: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """The release notebook with answers, by id, in place of its cells."""
    filled = copy.deepcopy(release)
    for cell in filled.cells:
        cell.source = answers.get(_answer_id(cell) or "", cell.source)
    return filled


def reference_answers(source: NotebookNode) -> dict[str, str]:
    """The solutions of a source notebook, by id, without the delimiters around them."""
    return {
        identity: regions.without_delimiters(cell.source)
        for cell in source.cells
        if (identity := _answer_id(cell))
    }


@dataclass(frozen=True)
class Target:
    """The one lesson that samples answer, and the course that they are handed in to."""

    course: Course
    assignment: str
    lesson: str
    cells: list[Cell]
    into: Path

    @property
    def release(self) -> Path:
        """The notebook that students got."""
        return self.course.root / "release" / self.assignment / f"{self.lesson}.ipynb"

    def submission(self, student: str) -> Path:
        """Where this student's notebook belongs."""
        return self.into / "submitted" / student / self.assignment / f"{self.lesson}.ipynb"


def target(course: Course, assignment: str, into: Path) -> Target:
    """Where samples for this assignment go.

    Raises:
        BadInputError: it is absent, unsound, or of several notebooks.
    """
    (source,) = build.load(course, [assignment])
    if len(source.lessons) != 1:
        got = "several lessons: " + ", ".join(source.lessons)
        fix = "Sample submissions are for assignments of one notebook."
        raise BadInputError(Problem(f"source/{assignment}", got, "one", fix))
    ((lesson, cells),) = source.lessons.items()
    return Target(course, assignment, lesson, list(cells), into)


def write(folder: Path, target: Target) -> list[str]:
    """Hands in every sample of the folder, and two made here; returns their names.

    Raises:
        BadInputError: no samples, two of one name, or an answers file that cannot be used.
    """
    samples = _samples(folder)
    release = notebook.read(target.release)
    source = build.made(target.course, target.assignment, target.lesson, target.cells)
    reference = overlay(release, reference_answers(source))
    texts = {REFERENCE: notebook.dumps(reference)}
    for name, path in samples.items():
        if path.suffix == ".py":
            base = release if path.parent.name == PARTIAL else reference
            texts[name] = notebook.dumps(fill(base, path.read_text(encoding="utf-8"), str(path)))
    for name, text in texts.items():
        _place(target, name).write_text(text, encoding="utf-8", newline="\n")
    for name, path in [*samples.items(), (UNTOUCHED, target.release)]:
        if name not in texts:
            shutil.copyfile(path, _place(target, name))
    return sorted({*samples, *texts, UNTOUCHED})


def _place(target: Target, student: str) -> Path:
    path = target.submission(student)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _samples(folder: Path) -> dict[str, Path]:
    paths = sorted(path for kind in ("*.py", "*.ipynb") for path in folder.rglob(kind))
    found: dict[str, Path] = {}
    problems = []
    for path in paths:
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue  # checkpoints of an editor
        if path.stem in (REFERENCE, UNTOUCHED) or found.setdefault(path.stem, path) != path:
            where, got = str(path), f"the name {path.stem!r}, which another sample has"
            problems.append(Problem(where, got, "a name of its own", "Rename the file."))
    if not paths:
        where, expected = str(folder), "answers files: GROUP/NAME.py"
        problems.append(Problem(where, "no samples", expected, "Check the folder's name."))
    if problems:
        raise BadInputError(*problems)
    return found


def _answer_id(cell: NotebookNode) -> str | None:
    grading = cell.metadata.get("nbgrader", {})
    return str(grading["grade_id"]) if grading.get("solution") else None


def _not_answers(cells: list[Cell], name: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for cell in cells:
        where, line = line_of(name, cell.line), cell.text.split("\n")[0]
        if not cell.marker or cell.marker.role not in ("solution", "essay"):
            expected = 'only cells marked solution="id" or essay="id"'
            yield Problem(where, f"the cell {line!r}", expected, "Leave it out.")
        elif first.setdefault(cell.marker.id, cell.line) != cell.line:
            got = f"the id {cell.marker.id!r} again"
            yield Problem(where, got, "one answer to each question", "Join or remove one.")


def _unasked(cells: list[Cell], release: NotebookNode, name: str) -> Iterator[Problem]:
    asked = {(_answer_id(node), node.cell_type) for node in release.cells if _answer_id(node)}
    for cell in cells:
        if cell.marker and (cell.marker.id, cell.type) not in asked:
            where, got = line_of(name, cell.line), f"an answer to {cell.marker.id!r}"
            expected = "one of " + ", ".join(sorted(f"{id_} ({kind})" for id_, kind in asked))
            yield Problem(where, got, expected, "Check the spelling of the id.")
