"""Rebuilding a submission on the release: the student's answers and extra cells, nothing else.

Editors and students delete, copy, retag, retype, reorder, merge, split and strip cells. Nothing of
that can matter if the notebook that is graded is always the release, with the student's source put
where the answers go. What had to be guessed or put back is listed as a `Repair`.

A student's text is only ever searched, never parsed: a parser can be made to overflow.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

SIMILAR = 0.6  # of a locked or plain cell's words: still that cell, edited
TYPO = 0.85  # of an id's letters: still that id
NOTEBOOK = "notebook"  # what a repair is about that is about no cell
ELSEWHERE = "# Answered in another cell."
LONGEST_ANSWER = 2**20  # characters in which a definition is looked for

DEFINED = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
ASSIGNED = re.compile(r"^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)
MAGIC = re.compile(r"%%(?!time\b|capture\b|prun\b)")  # of a cell that is no Python, or another file
MARK = re.compile(r"^# (?:%%|In\[[ \d]*\]:)(.*)$", re.MULTILINE)  # between the cells of a script
COMMENT = re.compile(r"^# ?", re.MULTILINE)
WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Repair:
    """What was done about one cell of the release, or about one that is not in it."""

    cell: str
    what: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.what}"


@dataclass(frozen=True)
class Likeness:
    """How far a notebook is a submission of a lesson.

    Attributes:
        share: of the lesson's cells, or of its answers, those that are there; 0 to 1.
        answered: the number of answers that are not as released.
    """

    share: float
    answered: int


@dataclass(frozen=True)
class _Found:
    """A submitted cell."""

    kind: str
    text: str
    grade_id: str
    id: str | None
    attachments: NotebookNode | None = None

    @cached_property
    def key(self) -> str:
        return self.text.strip()

    @cached_property
    def name(self) -> str:
        return _spelled(self.grade_id)

    @cached_property
    def defined(self) -> frozenset[str]:
        return _names(DEFINED, self.text)

    @cached_property
    def named(self) -> frozenset[str]:
        return self.defined | _names(ASSIGNED, self.text)

    @cached_property
    def words(self) -> Counter[str]:
        return Counter(WORD.findall(self.text))


@dataclass
class _Match:
    """Which of the submitted cells (by position) stands for which of the release's."""

    release: Sequence[NotebookNode]
    submitted: Sequence[_Found] = ()
    places: dict[int, int] = field(default_factory=dict)  # submitted -> release
    copies: set[int] = field(default_factory=set)  # submitted, in favour of another one
    repairs: list[Repair] = field(default_factory=list)

    @cached_property
    def asked(self) -> list[frozenset[str]]:
        """What each cell of the release leaves to the student to define."""
        return [
            _names(DEFINED, cell.source) if is_answer(cell) else frozenset()
            for cell in self.release
        ]

    @cached_property
    def keys(self) -> list[str]:
        """The texts of the release's cells."""
        return [cell.source.strip() for cell in self.release]

    @cached_property
    def blanks(self) -> frozenset[str]:
        """The texts of its empty answers."""
        return frozenset(
            key for key, cell in zip(self.keys, self.release, strict=True) if is_answer(cell)
        )

    @cached_property
    def given(self) -> frozenset[str]:
        """The texts that nobody needs to have written."""
        return frozenset(self.keys) | {""}

    @property
    def open_cells(self) -> list[int]:
        """The positions of release cells that nothing stands for yet."""
        taken = set(self.places.values())
        return [place for place in range(len(self.release)) if place not in taken]

    @property
    def open_answers(self) -> list[int]:
        """Those of them that are the student's to write."""
        return [place for place in self.open_cells if is_answer(self.release[place])]

    @property
    def free_cells(self) -> list[int]:
        """The positions of submitted cells that stand for nothing yet."""
        known = self.places.keys() | self.copies
        return [place for place in range(len(self.submitted)) if place not in known]

    def with_id(self, place: int) -> list[int]:
        """The free cells that carry the id of a cell of the release, maybe spelled otherwise."""
        name = _spelled(grade_id(self.release[place]))
        return [i for i in self.free_cells if name and self.submitted[i].name == name]

    def written(self, cells: Sequence[int]) -> list[int]:
        """Of these submitted cells, those that the student wrote."""
        return [i for i in cells if self.submitted[i].key not in self.given]

    def is_defined(self, names: frozenset[str]) -> bool:
        """Whether the submission, taken together, defines all of these names."""
        kept = (
            found.named
            for i, found in enumerate(self.submitted)
            if i not in self.copies and found.key not in self.blanks and found.kind == "code"
        )
        return bool(names) and names <= frozenset().union(*kept)

    def repaired(self, place: int, what: str) -> None:
        """Takes down what was done about a cell of the release."""
        self.repairs.append(Repair(grade_id(self.release[place]), what))


def graft(release: NotebookNode, submitted: NotebookNode) -> tuple[NotebookNode, list[Repair]]:
    """The release with the answers and the extra cells of a submission.

    An answer is found by its ``grade_id``; among copies, the last that is not the empty answer
    counts. Where no cell has the id, or the one that has it is empty, the one that defines the
    same names is taken (code), or the one that stands in its place (text). Extra cells follow the
    cell that they stood behind. What reading the file had to repair (`submission.load` leaves it
    in the metadata) is listed first.
    """
    match = _matched(release, submitted)
    grafted = deepcopy(release)
    grafted.cells = list(_assembled(match))
    return grafted, [*map(_of_notebook, submitted.metadata.get("repairs", [])), *match.repairs]


def likeness(release: NotebookNode, submitted: NotebookNode) -> Likeness:
    """How far a notebook, under whatever name, is a submission of this lesson."""
    match = _matched(release, submitted)
    answers = {place for place, cell in enumerate(release.cells) if is_answer(cell)}
    there = set(match.places.values())
    shares = [
        len(there & part) / len(part) for part in (answers, {*range(len(match.keys))}) if part
    ]
    rebuilt = {grade_id(cell): cell.source for cell in _assembled(match)}
    answered = sum(rebuilt[grade_id(release.cells[i])] != release.cells[i].source for i in answers)
    return Likeness(max(shares, default=0.0), answered)


def grade_id(cell: NotebookNode) -> str:
    """The cell's nbgrader id, or '' if it has none that could be one."""
    about = cell.metadata.get("nbgrader", {})
    found = about.get("grade_id", "") if isinstance(about, dict) else ""
    return found if isinstance(found, str) else ""


def is_answer(cell: NotebookNode) -> bool:
    """Whether the release leaves this cell to the student."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _matched(release: NotebookNode, submitted: NotebookNode) -> _Match:
    match = _Match(release.cells)
    found = map(_found, submitted.cells)
    match.submitted = [part for cell in found for part in _taken_apart(match, cell)]
    # The surest first; each step sees only what the steps before it have left.
    for step in (
        _answers_by_grade_id,
        _answers_by_names,
        _answers_by_id_alone,
        _answers_by_similar_id,
        _merged_answers,
        _empty_answers,
        _locked_by_grade_id,
        _plain_by_cell_id,
        _by_equal_text,
        _exact_copies,
        _by_similar_text,
        _answers_by_neighbours,
        _answers_by_elimination,
    ):
        step(match)
    return match


def _of_notebook(what: str) -> Repair:
    return Repair(NOTEBOOK, what)


def _found(cell: NotebookNode) -> _Found:
    return _Found(
        cell.cell_type, cell.source, grade_id(cell), cell.get("id"), cell.get("attachments")
    )


def _names(pattern: re.Pattern[str], text: str) -> frozenset[str]:
    if len(text) > LONGEST_ANSWER or MAGIC.match(text):
        return frozenset()
    return frozenset(pattern.findall(text))


def _spelled(name: str) -> str:
    """An id as it would be written by who does not care for case or for kinds of dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _taken_apart(match: _Match, cell: _Found) -> Iterator[_Found]:
    """A cell without the tests that were merged into it, and a script as the cells it was."""
    answers = sum(bool(names) and names <= cell.defined for names in match.asked)
    if answers > 1 and MARK.search(cell.text):
        match.repairs.append(_of_notebook("a cell held several that a script marks; taken apart"))
        yield from (part for piece in _pieces(cell) for part in _taken_apart(match, piece))
    elif answers or (cell.grade_id and cell.defined):
        yield _without_tests(match, cell, answers)
    else:
        yield cell


def _pieces(cell: _Found) -> Iterator[_Found]:
    first, *rest = MARK.split(cell.text)
    yield replace(cell, text=first)
    for mark, text in zip(rest[::2], rest[1::2], strict=True):
        markdown = mark.lstrip().startswith("[markdown]")
        text = COMMENT.sub("", text) if markdown else text
        kind = "markdown" if markdown else "code"
        yield _Found(kind, text.strip("\n"), "", None)


def _without_tests(match: _Match, cell: _Found, answers: int) -> _Found:
    for place, key in enumerate(match.keys):
        name = grade_id(match.release[place])
        if not name or is_answer(match.release[place]) or not (answers or name == cell.grade_id):
            continue
        before, text, behind = f"\n{cell.text}\n".partition(f"\n{key}\n")
        if text and (before.strip() or behind.strip()):
            match.repaired(place, "it was merged with another cell; taken out of it")
            merged = f"{before}\n{behind}".strip("\n")
            grade_id_left = "" if cell.grade_id == name else cell.grade_id
            cell = replace(cell, text=merged, grade_id=grade_id_left)
    return cell


def _answers_by_grade_id(match: _Match) -> None:
    """An answer is the last cell with its id that defines what it asks for."""
    for place in match.open_answers:
        copies = match.with_id(place)
        written = match.written(copies)
        answers = [i for i in written if match.asked[place] <= match.submitted[i].named]
        if answers:
            _choose(match, place, answers[-1], copies)


def _choose(match: _Match, place: int, chosen: int, copies: Sequence[int]) -> None:
    match.places[chosen] = place
    name = match.submitted[chosen].grade_id
    if name != grade_id(match.release[place]):
        match.repaired(place, f"its id was written {name!r}")
    if len(copies) > 1:
        match.repaired(place, f"{len(copies)} copies were there; the last that is written counts")
    # Editors copy ids too, into cells that hold something else: those are kept.
    asked = match.asked[place]
    match.copies.update(
        i for i in copies if i != chosen and asked and asked <= match.submitted[i].defined
    )


def _answers_by_names(match: _Match) -> None:
    """An answer that is not in its own cell is known by what it defines."""
    for place in match.open_answers:
        candidates = _candidates(match, match.asked[place])
        if candidates:
            own = match.with_id(place)
            match.places[candidates[-1]] = place
            why = "its own cell did not hold it" if own else "its id was gone"
            match.repaired(place, f"{why}; found by the names it defines")


def _candidates(match: _Match, names: frozenset[str]) -> list[int]:
    """The cells that define all names, of the kind that does so best."""
    work = match.written(match.free_cells) if names else []
    cells = [(i, match.submitted[i]) for i in work]
    return (
        [i for i, found in cells if found.kind == "code" and names <= found.defined]
        or [i for i, found in cells if found.kind == "code" and names <= found.named]
        or [i for i, found in cells if names <= found.defined and "```" not in found.text]
    )


def _answers_by_id_alone(match: _Match) -> None:
    """What is written in the cell for an answer is one, whatever it defines."""
    for place in match.open_answers:
        copies = match.with_id(place)
        if written := match.written(copies):
            _choose(match, place, written[-1], copies)


def _answers_by_similar_id(match: _Match) -> None:
    known = {_spelled(grade_id(cell)) for cell in match.release}
    for place in match.open_answers:
        ids = {match.submitted[i].name: i for i in match.written(match.free_cells)}
        strange = [name for name in ids if name not in known and len(name) <= 100]
        for name in get_close_matches(_spelled(grade_id(match.release[place])), strange, 1, TYPO):
            _choose(match, place, ids[name], [ids[name]])


def _merged_answers(match: _Match) -> None:
    """A cell that holds several answers stands where the first of them is asked for."""
    for place in match.open_answers:
        names = match.asked[place]
        holding = [
            (later, i)
            for i, later in match.places.items()
            if later > place and names and names <= match.submitted[i].defined
        ]
        if holding:
            _, chosen = min(holding)
            match.places[chosen] = place
            match.repaired(place, "it was merged into a later answer, which stands here now")


def _empty_answers(match: _Match) -> None:
    """What was never written; but if it is written elsewhere, the empty one would undo that."""
    for place in match.open_answers:
        same = [i for i in match.free_cells if match.submitted[i].key == match.keys[place]]
        copies = match.with_id(place)
        if same and not match.is_defined(match.asked[place]):
            match.places[next((i for i in copies if i in same), same[0])] = place
    empty = [i for i in match.free_cells if match.submitted[i].key in match.blanks]
    match.copies.update(empty)


def _locked_by_grade_id(match: _Match) -> None:
    for place in match.open_cells:
        copies = [] if is_answer(match.release[place]) else match.with_id(place)
        # What was written over a locked cell is kept if something else may need it.
        kept = [i for i in copies if _is_other_work(match, place, i)]
        if kept:
            match.repaired(place, "something else stood in its cell; kept as a cell of its own")
        others = [i for i in copies if i not in kept]
        same = [i for i in others if match.submitted[i].key == match.keys[place]]
        if others:
            match.places[(same or others)[-1]] = place
            match.copies.update(i for i in others if i not in match.places)


def _is_other_work(match: _Match, place: int, i: int) -> bool:
    found = match.submitted[i]
    return bool(found.defined) and not _similar(_found(match.release[place]), found)


def _plain_by_cell_id(match: _Match) -> None:
    """An explanation or demonstration is the student's to edit, but not to make the other."""
    ids = {
        (cell.get("id"), cell.cell_type): place
        for place, cell in enumerate(match.release)
        if not grade_id(cell)
    }
    for i in match.free_cells:
        place = ids.get((match.submitted[i].id, match.submitted[i].kind))
        if place is not None and place in match.open_cells:
            match.places[i] = place


def _by_equal_text(match: _Match) -> None:
    for i in match.free_cells:
        key = match.submitted[i].key
        place = next((place for place in match.open_cells if match.keys[place] == key), None)
        if place is not None:
            match.places[i] = place


def _exact_copies(match: _Match) -> None:
    """Whoever pastes a notebook into itself has written nothing twice."""
    answers = {match.submitted[i].key for i, p in match.places.items() if match.asked[p]}
    texts = (match.given | answers) - {""}
    copies = [i for i in match.free_cells if match.submitted[i].key in texts]
    match.copies.update(copies)
    if copies:
        what = f"cells that say what another one says: {len(copies)}; left out"
        match.repairs.append(_of_notebook(what))


def _by_similar_text(match: _Match) -> None:
    """A locked or plain cell that was edited is still that cell, not work of the student's own."""
    for place in match.open_cells:
        if is_answer(match.release[place]):
            continue
        original = _found(match.release[place])
        similar = (i for i in match.free_cells if _similar(original, match.submitted[i]))
        if (i := next(similar, None)) is not None:
            match.places[i] = place


def _similar(one: _Found, other: _Found) -> bool:
    """Whether two texts have most of their words in common, in whatever order."""
    # The most that could be common: a cell of megabytes is not even looked at.
    if 2 * min(len(one.key), len(other.key)) <= SIMILAR * (len(one.key) + len(other.key)):
        return False
    common = (one.words & other.words).total()
    return 2 * common > SIMILAR * (one.words.total() + other.words.total())


def _answers_by_neighbours(match: _Match) -> None:
    """A text answer without its id is known by the cells before and behind it."""
    for place in match.open_answers:
        if match.asked[place]:
            continue
        for i in match.free_cells:
            before, after = match.places.get(i - 1), match.places.get(i + 1)
            kind = match.submitted[i].kind == match.release[place].cell_type
            if kind and (place - 1 == before or place + 1 == after):
                match.places[i] = place
                match.repaired(place, "its id was gone; found by its place")
                break


def _answers_by_elimination(match: _Match) -> None:
    """Where as many texts are left as answers in words, they are those, in order."""
    work = match.written(match.free_cells)
    texts = [i for i in work if match.submitted[i].kind == "markdown"]
    places = [p for p in match.open_answers if match.release[p].cell_type == "markdown"]
    for i, place in zip(texts, places, strict=True) if len(texts) == len(places) else ():
        match.places[i] = place
        match.repaired(place, "its id was gone; taken to be the text that was left")


def _assembled(match: _Match) -> Iterator[NotebookNode]:
    """The release's cells in their order, each with the extra cells that stood behind it."""
    found = {place: match.submitted[i] for i, place in match.places.items()}
    extras = _extras(match)
    yield from extras.get(-1, ())
    for place in range(len(match.release)):
        yield _rebuilt(match, place, found.get(place))
        yield from extras.get(place, ())


def _rebuilt(match: _Match, place: int, found: _Found | None) -> NotebookNode:
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


def _put_answer(match: _Match, place: int, cell: NotebookNode, found: _Found | None) -> None:
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


def _extras(match: _Match) -> dict[int, list[NotebookNode]]:
    """The student's own cells by the place in the release that they stood behind, or -1."""
    extras: dict[int, list[NotebookNode]] = {}
    behind = -1
    for i, found in enumerate(match.submitted):
        if i in match.places:
            behind = match.places[i]
        elif i not in match.copies and found.key:
            extras.setdefault(behind, []).append(_extra(i, found))
    return extras


def _extra(i: int, found: _Found) -> NotebookNode:
    if found.kind == "code":
        return new_code_cell(found.text, id=f"extra-{i}")
    cell = new_markdown_cell(found.text, id=f"extra-{i}")
    if found.attachments:
        cell["attachments"] = found.attachments
    return cell
