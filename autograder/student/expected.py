"""What should be in a notebook: the graded cells of its lesson, and where that is known from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.problem import BadInputError, Problem
from autograder.student.notebook import Cell, Notebook

MANIFEST = "receptive_field"  # the key in a notebook's metadata; `autograder build` writes it
ANSWERS, TESTS, ESSAYS = "solution", "test", "essay"
KINDS = (ANSWERS, TESTS, ESSAYS)  # the others (locked, home) count for nothing


@dataclass(frozen=True)
class Expected:
    """A cell that a lesson gives to its students; ``source`` as it was released, if known."""

    id: str
    kind: str
    points: float = 0
    source: str | None = None

    @property
    def type(self) -> str:
        """Of what type a notebook says that it is."""
        return "markdown" if self.kind == ESSAYS else "code"


@dataclass(frozen=True)
class Lesson:
    """The cells that count.

    Attributes:
        assignment: what it is called, or ''.
        cells: in their order.
        origin: what this was read from: "release", "manifest", or "notebook", which cannot tell
            what was deleted.
    """

    assignment: str
    cells: Sequence[Expected]
    origin: str

    @property
    def points(self) -> float:
        """What there is to earn."""
        return sum(cell.points for cell in self.cells)


def lesson_of(notebook: Notebook, release: Notebook | None = None) -> Lesson:
    """What a notebook should hold, by the surest source there is.

    Raises:
        BadInputError: ``release`` has no graded cells.
    """
    if release is not None:
        cells = _marked(release)
        if not any(cell.kind != ANSWERS for cell in cells):
            fix = "Name the notebook as it was handed out."
            where, got = str(release.path), "a notebook without graded cells"
            raise BadInputError(Problem(where, got, "the released notebook", fix))
        return Lesson(_assignment(release) or _assignment(notebook), cells, "release")
    listed = _manifest(notebook)
    origin = "manifest" if listed else "notebook"
    return Lesson(_assignment(notebook), listed or _marked(notebook, sources=False), origin)


def _about(notebook: Notebook) -> Mapping[str, Any]:
    found = notebook.metadata.get(MANIFEST)
    return found if isinstance(found, dict) else {}


def _assignment(notebook: Notebook) -> str:
    found = _about(notebook).get("assignment")
    return found if isinstance(found, str) and found.isprintable() else ""


def _manifest(notebook: Notebook) -> list[Expected]:
    """The graded cells that the notebook lists; none where the list is not as it was written."""
    rows = _about(notebook).get("cells")
    if not isinstance(rows, list) or not all(map(_is_row, rows)):
        return []
    return [
        Expected(row["id"], row["kind"], row.get("points") or 0)
        for row in rows
        if row["kind"] in KINDS
    ]


def _is_row(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    words = [row.get("id"), row.get("kind")]
    texts = all(isinstance(word, str) and word.isprintable() for word in words)
    return texts and isinstance(row.get("points"), int | float | None)


def _marked(notebook: Notebook, sources: bool = True) -> list[Expected]:
    """The graded cells by nbgrader's metadata, each id once."""
    found: dict[str, Expected] = {}
    for cell in notebook.cells:
        kind = kind_of(cell)
        if cell.grade_id and kind:
            points = (cell.about or {}).get("points")
            worth = points if isinstance(points, int | float) and kind != ANSWERS else 0
            source = cell.source if sources else None
            found.setdefault(cell.grade_id, Expected(cell.grade_id, kind, worth, source))
    return list(found.values())


def kind_of(cell: Cell) -> str:
    """What nbgrader's metadata make of a cell: one of `KINDS`, or ''."""
    about = cell.about or {}
    if about.get("solution"):
        return ESSAYS if about.get("grade") else ANSWERS
    return TESTS if about.get("grade") else ""
