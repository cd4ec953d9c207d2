"""What is graded: the release with a student's answers, and the instructor's tests in full."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked

from autograder.grading.graft import graft
from autograder.grading.match import Repair, grade_id
from autograder.problem import BadInputError, Problem
from autograder.rooms import names
from autograder.rooms.job import Place

DEMONSTRATION = "demonstration"  # in a rebuilt cell's metadata: it shows everybody the same


@dataclass(frozen=True)
class Original:
    """A notebook as students got it.

    Attributes:
        release: the notebook.
        locked: the text of its locked cells, hidden tests included, by their ids.
        demonstrations: the text of its cells that need no answer and that no answer needs.
    """

    release: NotebookNode
    locked: dict[str, str]
    demonstrations: frozenset[str]


def original(root: Path, assignment: str, notebook: str) -> Original:
    """The original of a course's notebook.

    Raises:
        BadInputError: the release or the source is not there.
    """
    release, source = (_read(root / kind / assignment, notebook) for kind in ("release", "source"))
    locked = {grade_id(cell): cell.source for cell in source.cells if is_locked(cell)}
    return Original(release, locked, frozenset(demonstrations(release)))


def rebuild(original: Original, submitted: NotebookNode) -> tuple[NotebookNode, list[Repair]]:
    """The notebook to run, and what had to be repaired in the submission.

    nbgrader's OverwriteCells, which takes the tests from the gradebook, finds nothing to do then:
    so the same job can be made without a gradebook.
    """
    grafted, repairs = graft(original.release, submitted)
    for cell in grafted.cells:
        if is_locked(cell):
            cell.source = original.locked.get(grade_id(cell), cell.source)
        elif _is_plain(cell) and cell.source in original.demonstrations:
            cell.metadata[DEMONSTRATION] = True
    return grafted, repairs


def demonstrations(release: NotebookNode) -> Iterator[str]:
    """The text of the plain cells that need nothing but what locked cells define."""
    setup = [c.source for c in release.cells if is_locked(c) and not (is_grade(c) or _is_home(c))]
    common = names.common_names(setup)
    for cell in release.cells:
        if _is_plain(cell) and names.demonstrates(cell.source, common):
            yield cell.source


def _is_home(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get(Place.HOME.value))


def _is_plain(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code" and not grade_id(cell))


def _read(folder: Path, notebook: str) -> NotebookNode:
    path = folder / f"{notebook}.ipynb"
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        fix = f"Run: autograder build {folder.name}"
        raise BadInputError(Problem(str(path), "no such file", "a built lesson", fix)) from None
