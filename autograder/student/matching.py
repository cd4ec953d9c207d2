"""Which cells of a notebook stand for which cells of the lesson, and what became of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.student.expected import ANSWERS, ESSAYS, TESTS, Expected, Lesson, kind_of
from autograder.student.names import defines
from autograder.student.notebook import Cell, Notebook

BLANK = re.compile(r"^[ \t]*raise (?:check\.)?NotWritten\b", re.MULTILINE)
FUNCTION = re.compile(r"^(?:async )?def |^class ", re.MULTILINE)
PLACE_OF_A_TEXT = "YOUR ANSWER HERE"


@dataclass(frozen=True)
class Found:
    """A cell of the lesson and the cells that stand for it.

    Attributes:
        expected: what the lesson has.
        cells: those that could be it; the last of them that says something counts.
        stripped: whether it was found although its nbgrader metadata are gone.
    """

    expected: Expected
    cells: Sequence[Cell] = ()
    stripped: bool = False

    @property
    def cell(self) -> Cell | None:
        """The cell that counts."""
        written = [cell for cell in self.cells if not blank(self.expected, cell)]
        return next(reversed(written or self.cells), None)

    @property
    def state(self) -> str:
        """In a few words, how it stands: of a test, how its visible part ended."""
        if self.cell is None:
            return "deleted"
        if self.expected.kind == TESTS:
            return _ran(self.cell)
        return blank(self.expected, self.cell) or "answered"

    @property
    def flags(self) -> list[str]:
        """What happened to the cell, other than being answered and run."""
        what = {
            "deleted": not self.cells,
            "duplicated": len(self.cells) > 1,
            "retyped": self.cell is not None and self.cell.kind != self.expected.type,
            "stripped": self.stripped,
            "edited": self.expected.kind == TESTS and self._differs,
        }
        return [flag for flag, holds in what.items() if holds]

    @property
    def _differs(self) -> bool:
        released, cell = self.expected.source, self.cell
        return released is not None and cell is not None and _key(released) != _key(cell.source)


def match(notebook: Notebook, lesson: Lesson) -> dict[str, Found]:
    """The lesson's cells in their order, by id."""
    known = {cell.id for cell in lesson.cells}
    free = [cell for cell in notebook.cells if cell.grade_id not in known]
    return {cell.id: _found(cell, notebook, free) for cell in lesson.cells}


def strangers(notebook: Notebook, lesson: Lesson) -> list[Cell]:
    """Cells that say they are graded, under an id that the lesson does not have."""
    known = {cell.id for cell in lesson.cells}
    return [cell for cell in notebook.cells if kind_of(cell) and cell.grade_id not in known]


def blank(expected: Expected, cell: Cell) -> str:
    """'' for an answer that is written, else what it is."""
    if expected.kind == TESTS:
        return ""
    text = _key(cell.source)
    if not text or text == PLACE_OF_A_TEXT or text == _key(expected.source or ""):
        return "still empty"
    blanks = len(BLANK.findall(text)) if expected.kind == ANSWERS else 0
    functions = len(FUNCTION.findall(text))
    return "" if not blanks else "partly written" if blanks < functions else "still empty"


def _found(expected: Expected, notebook: Notebook, free: Sequence[Cell]) -> Found:
    own = [cell for cell in notebook.cells if cell.grade_id == expected.id]
    if own:
        return Found(expected, own)
    # Without its metadata: by the id that notebooks give it, or by what it says.
    bare = [cell for cell in free if not cell.grade_id]
    alike = [c for c in bare if c.id == expected.id] or [c for c in bare if _alike(expected, c)]
    return Found(expected, alike, stripped=bool(alike))


def _alike(expected: Expected, cell: Cell) -> bool:
    if expected.source is None or not _key(cell.source) or expected.kind == ESSAYS:
        return False
    asked = defines(expected.source) if expected.kind == ANSWERS else frozenset()
    same = _key(expected.source) == _key(cell.source)
    return same or (bool(asked) and asked <= defines(cell.source))


def _ran(test: Cell) -> str:
    if test.errors:
        return "failed"
    return "passed" if test.count is not None else "not run"


def _key(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))
