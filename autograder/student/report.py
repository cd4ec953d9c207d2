"""Everything there is to say about a notebook before it is handed in, as plain data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.student import order
from autograder.student.expected import ANSWERS, TESTS, Lesson
from autograder.student.matching import Found, match, strangers
from autograder.student.notebook import Notebook

NOTEBOOK = "notebook"  # what a finding is about that is about no single cell
FINE = ("answered", "passed")
RESTART = "Restart the kernel and run all cells, then save."


@dataclass(frozen=True)
class Finding:
    """Something to look at: the cell, a word for what it is, what happened and what to do."""

    cell: str
    flag: str
    says: str


@dataclass(frozen=True)
class Row:
    """One cell of the lesson.

    Attributes:
        id, kind, points: as in `Expected`.
        state: as in `Found`.
        flags: the words of the findings about it.
        needs: the answers that a test depends on.
    """

    id: str
    kind: str
    points: float
    state: str
    flags: Sequence[str] = ()
    needs: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """What `validate` finds out."""

    lesson: Lesson
    rows: Sequence[Row] = ()
    findings: Sequence[Finding] = ()

    @property
    def fine(self) -> bool:
        """Whether there is nothing to look at."""
        return not self.findings


def inspect(notebook: Notebook, lesson: Lesson) -> Report:
    """What would be graded, in what state that is, and what is wrong with it."""
    found = match(notebook, lesson)
    findings = [*_of_notebook(notebook, lesson), *_of_cells(notebook, found)]
    rows = [_row(item, notebook, found, findings) for item in found.values()]
    return Report(lesson, rows, findings)


def _row(
    item: Found, notebook: Notebook, found: Mapping[str, Found], findings: Sequence[Finding]
) -> Row:
    expected = item.expected
    flags = [finding.flag for finding in findings if finding.cell == expected.id]
    needed = _answers(item, notebook, found) if expected.kind == TESTS else []
    return Row(expected.id, expected.kind, expected.points, item.state, flags, needed)


def _answers(item: Found, notebook: Notebook, found: Mapping[str, Found]) -> list[str]:
    """The ids of the answers that a test depends on, in their order in the lesson."""
    if item.cell is None:
        return []
    homes = order.needs(item.cell, notebook.code).values()
    numbers = {home.number for home in homes if home is not None}
    answers = (other for other in found.values() if other.expected.kind == ANSWERS)
    return [a.expected.id for a in answers if numbers & {cell.number for cell in a.cells}]


def _of_cells(notebook: Notebook, found: Mapping[str, Found]) -> Iterator[Finding]:
    for name, item in found.items():
        for flag in item.flags:
            yield Finding(name, flag, _SAYS[flag](item))
        why = order.stale(item.cell, notebook.code) if item.cell and _is_test(item) else ""
        if why:
            yield Finding(name, "stale", f"it {why}. Run it again.")
        elif item.state not in (*FINE, "deleted"):
            yield Finding(name, item.state, _STATES[item.state](item))


def _of_notebook(notebook: Notebook, lesson: Lesson) -> Iterator[Finding]:
    if not lesson.cells:
        says = "no graded cell is in it, and it does not list any. Is this the right notebook?"
        yield Finding(NOTEBOOK, "nothing graded", says)
        return
    for cell in strangers(notebook, lesson):
        says = f"cell {cell.number} has the id {cell.grade_id!r}, which the lesson does not have."
        yield Finding(NOTEBOOK, "unknown id", says)
    for says in order.disorder(notebook.code):
        yield Finding(NOTEBOOK, "order", f"{says}. {RESTART}")


def _is_test(item: Found) -> bool:
    return item.expected.kind == TESTS


def _deleted(item: Found) -> str:
    if _is_test(item):
        return "it is gone. It is graded all the same, but you cannot see how it ends."
    return "it is gone, and worth nothing without it. Put it back from the notebook you were given."


def _duplicated(item: Found) -> str:
    numbers = ", ".join(str(cell.number) for cell in item.cells)
    what = "Delete the copies." if _is_test(item) else "The last that is written counts."
    return f"it is there {len(item.cells)} times (cells {numbers}). {what}"


def _retyped(item: Found) -> str:
    was = item.cell.kind if item.cell else ""
    return f"it has become a {was or 'strange'} cell. Make it a {item.expected.type} cell again."


def _stripped(item: Found) -> str:
    what = "text" if _is_test(item) else "id or the names it defines"
    return f"its nbgrader metadata are gone; it was known by its {what}, and will be when graded."


def _edited(item: Found) -> str:
    return "it was changed. It is graded as it was handed out, which may end otherwise."


def _failed(item: Found) -> str:
    names = ", ".join(item.cell.errors) if item.cell else ""
    return f"it ended with {names}."


def _not_run(_: Found) -> str:
    return "it was not run."


def _empty(_: Found) -> str:
    return "nothing is written there yet."


def _partly(_: Found) -> str:
    return "one of its functions is not written yet."


_SAYS = {
    "deleted": _deleted,
    "duplicated": _duplicated,
    "retyped": _retyped,
    "stripped": _stripped,
    "edited": _edited,
}
_STATES = {
    "failed": _failed,
    "not run": _not_run,
    "still empty": _empty,
    "partly written": _partly,
}
