"""Rebuilding a submission on the release: the student's answers and extra cells, nothing else.

Editors and students delete, copy, retag, retype, reorder, merge, split and strip cells. Nothing of
that can matter if the notebook that is graded is always the release, with the student's source put
where the answers go. What had to be guessed or put back is listed as a `Repair`.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.grading.finding import matched
from autograder.grading.match import NOTEBOOK, Found, Match, Repair, grade_id, is_answer

ELSEWHERE = "# Answered in another cell."


@dataclass(frozen=True)
class Likeness:
    """How far a notebook is a submission of a lesson.

    Attributes:
        share: of the lesson's cells, or of its answers, those that are there; 0 to 1.
        answered: the number of answers that are not as released.
    """

    share: float
    answered: int


def graft(release: NotebookNode, submitted: NotebookNode) -> tuple[NotebookNode, list[Repair]]:
    """The release with the answers and the extra cells of a submission.

    An answer is found by its ``grade_id``; among copies, the last that is not the empty answer
    counts. Where no cell has the id, or the one that has it is empty, the one that defines the
    same names is taken (code), or the one that stands in its place (text). Extra cells follow the
    cell that they stood behind. What reading the file had to repair (`submission.load` leaves it
    in the metadata) is listed first.
    """
    match = matched(release, submitted)
    grafted = deepcopy(release)
    grafted.cells = list(_assembled(match))
    on_reading = (Repair(NOTEBOOK, what) for what in submitted.metadata.get("repairs", []))
    return grafted, [*on_reading, *match.repairs]


def likeness(release: NotebookNode, submitted: NotebookNode) -> Likeness:
    """How far a notebook, under whatever name, is a submission of this lesson."""
    match = matched(release, submitted)
    answers = {place for place, cell in enumerate(release.cells) if is_answer(cell)}
    there = set(match.places.values())
    shares = [
        len(there & part) / len(part) for part in (answers, {*range(len(match.keys))}) if part
    ]
    rebuilt = {grade_id(cell): cell.source for cell in _assembled(match)}
    answered = sum(rebuilt[grade_id(release.cells[i])] != release.cells[i].source for i in answers)
    return Likeness(max(shares, default=0.0), answered)


def _assembled(match: Match) -> Iterator[NotebookNode]:
    """The release's cells in their order, each with the extra cells that stood behind it."""
    found = {place: match.submitted[i] for i, place in match.places.items()}
    extras = _extras(match)
    yield from extras.get(-1, ())
    for place in range(len(match.release)):
        yield _rebuilt(match, place, found.get(place))
        yield from extras.get(place, ())


def _rebuilt(match: Match, place: int, found: Found | None) -> NotebookNode:
    """A cell of the release, with the student's text if it is theirs to write."""
    cell = deepcopy(match.release[place])
    if is_answer(cell):
        _put_answer(match, place, cell, found)
    elif grade_id(cell):
        if found is None or found.key != match.keys[place]:
            how = "gone" if found is None else "changed"
            match.repaired(place, f"it was {how}; put back")
    elif found is not None:
        cell.source = found.text
    return cell


def _put_answer(match: Match, place: int, cell: NotebookNode, found: Found | None) -> None:
    if found is not None:
        cell.source = found.text
        if found.kind != cell.cell_type:
            match.repaired(place, f"it was a {found.kind} cell; it is {cell.cell_type} again")
        elif found.attachments:
            cell["attachments"] = found.attachments
    elif match.is_defined(match.asked[place]):
        cell.source = ELSEWHERE  # the empty answer would undo that one
        match.repaired(place, "it was gone; what it asks for is defined in another cell")
    else:
        match.repaired(place, "there was no answer")


def _extras(match: Match) -> dict[int, list[NotebookNode]]:
    """The student's own cells by the place in the release that they stood behind, or -1."""
    extras: dict[int, list[NotebookNode]] = {}
    behind = -1
    for i, found in enumerate(match.submitted):
        if i in match.places:
            behind = match.places[i]
        elif i not in match.copies and found.key:
            extras.setdefault(behind, []).append(_extra(i, found))
    return extras


def _extra(i: int, found: Found) -> NotebookNode:
    if found.kind == "code":
        return new_code_cell(found.text, id=f"extra-{i}")
    cell = new_markdown_cell(found.text, id=f"extra-{i}")
    if found.attachments:
        cell["attachments"] = found.attachments
    return cell
