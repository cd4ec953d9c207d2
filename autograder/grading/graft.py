"""Rebuilding a submission on the release: the student's answers and extra cells, nothing else.

Editors and students delete, copy, retag, retype, reorder and strip cells. Nothing of that can
matter if the notebook that is graded is always the release, with the student's source put where
the answers go. What had to be guessed or put back is listed as a `Repair`.
"""

import ast
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

SIMILAR = 0.6  # of a locked or plain cell's text: still that cell, edited


@dataclass(frozen=True)
class Repair:
    """What was done about one cell of the release, or about one that is not in it."""

    cell: str
    what: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.what}"


@dataclass
class _Match:
    """Which of the submitted cells (by position) stands for which of the release's."""

    release: Sequence[NotebookNode]
    submitted: Sequence[NotebookNode]
    places: dict[int, int] = field(default_factory=dict)  # submitted -> release
    copies: set[int] = field(default_factory=set)  # submitted, in favour of another one
    repairs: list[Repair] = field(default_factory=list)

    @property
    def open_cells(self) -> list[int]:
        """The positions of release cells that nothing stands for yet."""
        taken = set(self.places.values())
        return [place for place in range(len(self.release)) if place not in taken]

    @property
    def free_cells(self) -> list[int]:
        """The positions of submitted cells that stand for nothing yet."""
        known = self.places.keys() | self.copies
        return [place for place in range(len(self.submitted)) if place not in known]

    @property
    def names(self) -> frozenset[str]:
        """Everything that the submission defines."""
        return frozenset().union(*map(_defined, self.submitted))

    def repaired(self, cell: NotebookNode, what: str) -> None:
        """Takes down what was done about a cell of the release."""
        self.repairs.append(Repair(grade_id(cell), what))


def graft(release: NotebookNode, submitted: NotebookNode) -> tuple[NotebookNode, list[Repair]]:
    """The release with the answers and the extra cells of a submission.

    An answer is found by its ``grade_id``; among copies, the last that is not the empty answer
    counts. Where no cell has the id, the one that defines the same names is taken (code), or the
    one that stands in its place (text). Extra cells follow the cell that they stood behind.
    """
    match = _Match(release.cells, submitted.cells)
    _by_grade_id(match)
    _by_cell_id(match)
    _by_equal_text(match)
    _by_names(match)
    _by_neighbours(match)
    _by_similar_text(match)
    grafted = deepcopy(release)
    grafted.cells = list(_assembled(match))
    return grafted, match.repairs


def grade_id(cell: NotebookNode) -> str:
    """The cell's nbgrader id, or '' if it has none that could be one."""
    about = cell.metadata.get("nbgrader", {})
    found = about.get("grade_id", "") if isinstance(about, dict) else ""
    return found if isinstance(found, str) else ""


def is_answer(cell: NotebookNode) -> bool:
    """Whether the release leaves this cell to the student."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _by_grade_id(match: _Match) -> None:
    for place, cell in enumerate(match.release):
        name = grade_id(cell)
        copies = [i for i, found in enumerate(match.submitted) if name and grade_id(found) == name]
        if not copies:
            continue
        chosen = _chosen(match, cell, copies)
        match.places[chosen] = place
        match.copies.update(i for i in copies if i != chosen and _repeats(match, cell, i))
        if len(copies) > 1 and is_answer(cell):
            match.repaired(
                cell, f"{len(copies)} copies were there; the last that is written counts"
            )


def _chosen(match: _Match, cell: NotebookNode, copies: list[int]) -> int:
    """The last copy that answers the cell, or is at least not the empty answer, or is there."""
    written = [i for i in copies if match.submitted[i].source.strip() != cell.source.strip()]
    answers = [i for i in written if _defined(cell) <= _defined(match.submitted[i])]
    return (answers or written or copies)[-1]


def _repeats(match: _Match, cell: NotebookNode, copy: int) -> bool:
    """Whether a copy adds nothing: editors copy ids too, into cells that hold something else."""
    found = match.submitted[copy]
    return (
        not is_answer(cell)
        or found.source.strip() == cell.source.strip()
        or _defined(cell) <= _defined(found)
    )


def _by_cell_id(match: _Match) -> None:
    ids = {cell.get("id"): place for place, cell in enumerate(match.release)}
    for place in match.free_cells:
        found = ids.get(match.submitted[place].get("id"))
        if found is not None and found in match.open_cells and not grade_id(match.release[found]):
            match.places[place] = found


def _by_equal_text(match: _Match) -> None:
    for place in match.free_cells:
        text = match.submitted[place].source.strip()
        for found in match.open_cells:
            if match.release[found].source.strip() == text:
                match.places[place] = found
                break


def _by_names(match: _Match) -> None:
    """An answer without its id is known by the functions that it defines."""
    for found in match.open_cells:
        names = _defined(match.release[found])
        if not names or not is_answer(match.release[found]):
            continue
        candidates = [i for i in match.free_cells if names <= _defined(match.submitted[i])]
        if candidates:
            match.places[candidates[-1]] = found
            match.repaired(match.release[found], "its id was gone; found by the names it defines")


def _by_neighbours(match: _Match) -> None:
    """A text answer without its id is known by the cells before and behind it."""
    for found in match.open_cells:
        if not is_answer(match.release[found]) or match.release[found].cell_type != "markdown":
            continue
        for place in match.free_cells:
            before, after = match.places.get(place - 1), match.places.get(place + 1)
            if found - 1 == before or found + 1 == after:
                match.places[place] = found
                match.repaired(match.release[found], "its id was gone; found by its place")
                break


def _by_similar_text(match: _Match) -> None:
    """A locked or plain cell that was edited is still that cell, not work of the student's own."""
    for found in match.open_cells:
        if is_answer(match.release[found]):
            continue
        for place in match.free_cells:
            if _similar(match.release[found].source, match.submitted[place].source):
                match.places[place] = found
                break


def _similar(one: str, other: str) -> bool:
    # The longest that the ratio could be: a cell of megabytes is not even looked at.
    if 2 * min(len(one), len(other)) <= SIMILAR * (len(one) + len(other)):
        return False
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() > SIMILAR and matcher.ratio() > SIMILAR


def _defined(cell: NotebookNode) -> frozenset[str]:
    if cell.cell_type != "code":
        return frozenset()
    try:
        tree = ast.parse(cell.source)
    except (SyntaxError, ValueError):
        return frozenset()
    kinds = (ast.FunctionDef, ast.ClassDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def _assembled(match: _Match) -> Iterator[NotebookNode]:
    """The release's cells in their order, each with the extra cells that stood behind it."""
    found = {place: match.submitted[i] for i, place in match.places.items()}
    extras = _extras(match)
    yield from extras.get(-1, ())
    for place, cell in enumerate(match.release):
        yield _rebuilt(match, cell, found.get(place))
        yield from extras.get(place, ())


def _rebuilt(match: _Match, cell: NotebookNode, found: NotebookNode | None) -> NotebookNode:
    """A cell of the release, with the student's text if it is theirs to write."""
    rebuilt = deepcopy(cell)
    if is_answer(cell):
        if found is None and _defined(cell) and _defined(cell) <= match.names:
            rebuilt.source = "# Answered in another cell."  # the empty answer would undo that one
            match.repaired(cell, "it was gone; what it asks for is defined in another cell")
        elif found is None:
            match.repaired(cell, "there was no answer")
        elif found.cell_type != cell.cell_type:
            match.repaired(cell, f"it was a {found.cell_type} cell; it is {cell.cell_type} again")
    elif grade_id(cell) and (found is None or found.source.strip() != cell.source.strip()):
        match.repaired(
            cell, "it was gone; put back" if found is None else "it was changed; put back"
        )
    if found is not None and (is_answer(cell) or not grade_id(cell)):
        rebuilt.source = found.source
    return rebuilt


def _extras(match: _Match) -> dict[int, list[NotebookNode]]:
    """The student's own cells by the place in the release that they stood behind, or -1."""
    extras: dict[int, list[NotebookNode]] = {}
    behind = -1
    for i, cell in enumerate(match.submitted):
        if i in match.places:
            behind = match.places[i]
        elif i not in match.copies and cell.source.strip():
            make = new_code_cell if cell.cell_type == "code" else new_markdown_cell
            extras.setdefault(behind, []).append(make(cell.source, id=f"extra-{i}"))
    return extras
