"""Finding out which of the submitted cells stands for which of the release's.

What cannot be known for certain is guessed, and every guess is listed as a `Repair`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from nbformat import NotebookNode

from autograder.grading.match import NOTEBOOK, Found, Match, Repair, grade_id, is_answer, spelled

SIMILAR = 0.6  # of a locked or plain cell's words: still that cell, edited
TYPO = 0.85  # of an id's letters: still that id

MARK = re.compile(r"^# (?:%%|In\[[ \d]*\]:)(.*)$", re.MULTILINE)  # between the cells of a script
COMMENT = re.compile(r"^# ?", re.MULTILINE)


def matched(release: NotebookNode, submitted: NotebookNode) -> Match:
    """Each submitted cell's place in the release, and what had to be guessed for that."""
    match = Match(release.cells)
    found = map(Found.of, submitted.cells)
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


def _taken_apart(match: Match, cell: Found) -> Iterator[Found]:
    """A cell without the tests that were merged into it, and a script as the cells it was."""
    answers = sum(bool(names) and names <= cell.defined for names in match.asked)
    if answers > 1 and MARK.search(cell.text):
        what = "a cell held several that a script marks; taken apart"
        match.repairs.append(Repair(NOTEBOOK, what))
        yield from (part for piece in _pieces(cell) for part in _taken_apart(match, piece))
    elif answers or (cell.grade_id and cell.defined):
        yield _without_tests(match, cell, answers)
    else:
        yield cell


def _pieces(cell: Found) -> Iterator[Found]:
    first, *rest = MARK.split(cell.text)
    yield replace(cell, text=first)
    for mark, text in zip(rest[::2], rest[1::2], strict=True):
        markdown = mark.lstrip().startswith("[markdown]")
        text = COMMENT.sub("", text) if markdown else text
        kind = "markdown" if markdown else "code"
        yield Found(kind, text.strip("\n"), "", None)


def _without_tests(match: Match, cell: Found, answers: int) -> Found:
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


def _answers_by_grade_id(match: Match) -> None:
    """An answer is the last cell with its id that defines what it asks for."""
    for place in match.open_answers:
        copies = match.with_id(place)
        written = match.written(copies)
        answers = [i for i in written if match.asked[place] <= match.submitted[i].named]
        if answers:
            _choose(match, place, answers[-1], copies)


def _choose(match: Match, place: int, chosen: int, copies: Sequence[int]) -> None:
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


def _answers_by_names(match: Match) -> None:
    """An answer that is not in its own cell is known by what it defines."""
    for place in match.open_answers:
        candidates = _candidates(match, match.asked[place])
        if candidates:
            own = match.with_id(place)
            match.places[candidates[-1]] = place
            why = "its own cell did not hold it" if own else "its id was gone"
            match.repaired(place, f"{why}; found by the names it defines")


def _candidates(match: Match, names: frozenset[str]) -> list[int]:
    """The cells that define all names, of the kind that does so best."""
    work = match.written(match.free_cells) if names else []
    cells = [(i, match.submitted[i]) for i in work]
    return (
        [i for i, found in cells if found.kind == "code" and names <= found.defined]
        or [i for i, found in cells if found.kind == "code" and names <= found.named]
        or [i for i, found in cells if names <= found.defined and "```" not in found.text]
    )


def _answers_by_id_alone(match: Match) -> None:
    """What is written in the cell for an answer is one, whatever it defines."""
    for place in match.open_answers:
        copies = match.with_id(place)
        if written := match.written(copies):
            _choose(match, place, written[-1], copies)


def _answers_by_similar_id(match: Match) -> None:
    known = {spelled(grade_id(cell)) for cell in match.release}
    for place in match.open_answers:
        ids = {match.submitted[i].name: i for i in match.written(match.free_cells)}
        strange = [name for name in ids if name not in known and len(name) <= 100]
        for name in get_close_matches(spelled(grade_id(match.release[place])), strange, 1, TYPO):
            _choose(match, place, ids[name], [ids[name]])


def _merged_answers(match: Match) -> None:
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


def _empty_answers(match: Match) -> None:
    """What was never written; but if it is written elsewhere, the empty one would undo that."""
    for place in match.open_answers:
        same = [i for i in match.free_cells if match.submitted[i].key == match.keys[place]]
        copies = match.with_id(place)
        if same and not match.is_defined(match.asked[place]):
            match.places[next((i for i in copies if i in same), same[0])] = place
    empty = [i for i in match.free_cells if match.submitted[i].key in match.blanks]
    match.copies.update(empty)


def _locked_by_grade_id(match: Match) -> None:
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


def _is_other_work(match: Match, place: int, i: int) -> bool:
    found = match.submitted[i]
    return bool(found.defined) and not _similar(Found.of(match.release[place]), found)


def _plain_by_cell_id(match: Match) -> None:
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


def _by_equal_text(match: Match) -> None:
    for i in match.free_cells:
        key = match.submitted[i].key
        place = next((place for place in match.open_cells if match.keys[place] == key), None)
        if place is not None:
            match.places[i] = place


def _exact_copies(match: Match) -> None:
    """Whoever pastes a notebook into itself has written nothing twice."""
    answers = {match.submitted[i].key for i, p in match.places.items() if match.asked[p]}
    texts = (match.given | answers) - {""}
    copies = [i for i in match.free_cells if match.submitted[i].key in texts]
    match.copies.update(copies)
    if copies:
        what = f"cells that say what another one says: {len(copies)}; left out"
        match.repairs.append(Repair(NOTEBOOK, what))


def _by_similar_text(match: Match) -> None:
    """A locked or plain cell that was edited is still that cell, not work of the student's own."""
    for place in match.open_cells:
        if is_answer(match.release[place]):
            continue
        original = Found.of(match.release[place])
        similar = (i for i in match.free_cells if _similar(original, match.submitted[i]))
        if (i := next(similar, None)) is not None:
            match.places[i] = place


def _similar(one: Found, other: Found) -> bool:
    """Whether two texts have most of their words in common, in whatever order."""
    # The most that could be common: a cell of megabytes is not even looked at.
    if 2 * min(len(one.key), len(other.key)) <= SIMILAR * (len(one.key) + len(other.key)):
        return False
    common = (one.words & other.words).total()
    return 2 * common > SIMILAR * (one.words.total() + other.words.total())


def _answers_by_neighbours(match: Match) -> None:
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


def _answers_by_elimination(match: Match) -> None:
    """Where as many texts are left as answers in words, they are those, in order."""
    work = match.written(match.free_cells)
    texts = [i for i in work if match.submitted[i].kind == "markdown"]
    places = [p for p in match.open_answers if match.release[p].cell_type == "markdown"]
    for i, place in zip(texts, places, strict=True) if len(texts) == len(places) else ():
        match.places[i] = place
        match.repaired(place, "its id was gone; taken to be the text that was left")
