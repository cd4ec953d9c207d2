"""Lessons as text: the percent format with five short markers in the cell headers.

    # %% locked="setup"                           read only
    # %% solution="conv-forward"                  the student writes here
    # %% test="conv-forward-stride" points=3      graded by running it
    # %% [markdown] essay="why-share" points=3    graded by a person
    # %% home="training"                          read only, and not run when grading

A cell without a marker is plain. jupytext turns text into cells and back (comments of text cells,
magics); what is added here is that every cell knows its line and that nothing is guessed: a
header that is not written exactly so is refused.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import jupytext
import nbformat
from nbformat import NotebookNode

from autograder.problem import BadInputError, Problem, line_of


@dataclass(frozen=True)
class Role:
    """What a marker means: the cells it may stand on, and nbgrader's three switches."""

    types: tuple[str, ...]
    grade: bool
    locked: bool
    solution: bool


ROLES = {
    "locked": Role(("code", "markdown"), grade=False, locked=True, solution=False),
    "solution": Role(("code",), grade=False, locked=False, solution=True),
    "test": Role(("code",), grade=True, locked=True, solution=False),
    "essay": Role(("markdown",), grade=True, locked=False, solution=True),
    "home": Role(("code",), grade=False, locked=True, solution=False),
}


@dataclass(frozen=True)
class Marker:
    """The marker of a cell: its role (a key of `ROLES`), its id, its points if it is graded."""

    role: str
    id: str
    points: float | None = None


@dataclass(frozen=True)
class Cell:
    """One cell, its source without trailing blanks, which percent format does not keep.

    Two are equal when they say the same, wherever and however they were written.
    """

    type: str
    source: str
    marker: Marker | None = None
    line: int = field(default=0, compare=False)
    text: str = field(default="", compare=False)


# A valid id for nbgrader and, as the id of a notebook cell, for nbformat.
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What jupytext takes for the start of a cell, and how we say it should look.
_ANY_HEADER = re.compile(r"\s*#\s*(?:%%%*\s.*|(?:%%|<codecell>|In\[[0-9 ]*\]:?)\s*)")
_FORM = (
    "`# %%`, then [markdown] for text, then nothing or "
    'locked, home, solution, test or essay="its-id"'
)
# jupytext takes some comments for commented magics: of these, only what is meant as one.
_MAGIC = re.compile(r"\s*(?:#|%%?[a-z]|![A-Za-z])")


def read(text: str, name: str) -> list[Cell]:
    """The cells of a percent text, every header checked.

    Raises:
        BadInputError: with every problem of the file ``name``, by line.
    """
    preamble, chunks = _split(text)
    cells = [_cell(line, chunk) for line, chunk in chunks]
    problems = [*_code_before_the_first(preamble, name)]
    for cell in cells:
        problems += [*_header(cell, name), *_accidental_magics(cell, name)]
    _refuse(problems or [*_cut_short(cells, name)])
    return cells


def write(cells: Iterable[Cell], like: str = "") -> str:
    """The percent text of these cells; cells that the text ``like`` has keep their very wording.

    Raises:
        BadInputError: a cell that this format cannot hold.
    """
    preamble, chunks = _split(like)
    before = [_cell(line, chunk) for line, chunk in chunks]
    known = {cell: cell.text for cell in before}
    # An edited cell keeps the empty lines after it: formatters want two after a function.
    gaps = {cell.marker.id: cell.text[len(cell.text.rstrip()) :] for cell in before if cell.marker}
    texts = [
        known.get(cell) or _text(cell) + gaps.get(cell.marker.id if cell.marker else "", "\n\n")
        for cell in cells
    ]
    return (preamble + "".join(texts)).rstrip("\n") + "\n"


def header(cell: Cell) -> str:
    """The one way to write the header of this cell."""
    parts = ["# %%"]
    if cell.type != "code":
        parts.append(f"[{cell.type}]")
    if cell.marker:
        parts.append(f'{cell.marker.role}="{cell.marker.id}"')
        if cell.marker.points is not None:
            parts.append(f"points={cell.marker.points}")
    return " ".join(parts)


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise BadInputError(*problems)


def _split(text: str) -> tuple[str, list[tuple[int, str]]]:
    """What stands before the first header, and the text of each cell with its line number."""
    lines = text.rstrip("\n").split("\n") if text.strip() else []
    starts = [i for i, line in enumerate(lines) if _ANY_HEADER.fullmatch(line)]
    preamble = "".join(line + "\n" for line in lines[: min(starts, default=len(lines))])
    lines.append("")  # so that the last cell is followed by an empty line, like all others
    chunks = [
        (start + 1, "".join(line + "\n" for line in lines[start:end]))
        for start, end in pairwise([*starts, len(lines)])
    ]
    return preamble, chunks


def _jupytext(text: str) -> list[NotebookNode]:
    cells: list[NotebookNode] = jupytext.reads(text, fmt="py:percent").cells
    return cells


def _cell(line: int, chunk: str) -> Cell:
    node = _jupytext(chunk)[0]
    found = dict(node.metadata)
    role = next((role for role in ROLES if role in found), None)
    marker = Marker(role, str(found[role]), found.get("points")) if role else None
    return Cell(node.cell_type, node.source.rstrip(), marker, line, chunk)


def _text(cell: Cell) -> str:
    """The cell in our own wording; read again, because this format cannot hold every text."""
    node = getattr(nbformat.v4, f"new_{cell.type}_cell")(cell.source)
    filters = {"notebook_metadata_filter": "-all", "cell_metadata_filter": "-all"}
    notebook = nbformat.v4.new_notebook(cells=[node], metadata={"jupytext": filters})
    body = jupytext.writes(notebook, fmt="py:percent").rstrip("\n").split("\n")[1:]
    text = "\n".join([header(cell), *body]).rstrip()
    _, chunks = _split(text)
    if [_cell(*chunk) for chunk in chunks] != [cell]:
        raise BadInputError(_unwritable(cell))
    return text


def _unwritable(cell: Cell) -> Problem:
    start = cell.source.strip().split("\n")[0]
    return Problem(
        where=f"the {cell.type} cell that starts {start!r}",
        got="a text that percent format cannot hold",
        expected="no line that looks like a cell header (`# %%`), no cell magic of another "
        "language (`%%bash`), no control characters",
        fix="Change that cell in the notebook.",
    )


def _code_before_the_first(preamble: str, name: str) -> Iterator[Problem]:
    for number, line in enumerate(preamble.split("\n"), start=1):
        if line.strip() and not line.startswith("#"):
            expected = "only comments before the first `# %%`"
            yield Problem(line_of(name, number), repr(line), expected, "Give it a cell of its own.")
            return


def _header(cell: Cell, name: str) -> Iterator[Problem]:
    where, line = line_of(name, cell.line), cell.text.split("\n")[0]
    if line != header(cell):
        meant = f"If that is what is meant, write: {header(cell)}"
        fix = meant if cell.marker else "Correct the header."
        yield Problem(where, f"the header {line!r}", _FORM, fix)
    elif cell.marker and not ID.fullmatch(cell.marker.id):
        expected = "an id of 1 to 64 letters, digits, - and _"
        yield Problem(where, f"the id {cell.marker.id!r}", expected, "Rename it.")
    elif cell.marker and cell.type not in ROLES[cell.marker.role].types:
        types = " or ".join(ROLES[cell.marker.role].types)
        expected = f"{cell.marker.role} only on a {types} cell"
        yield Problem(where, f"{cell.marker.role} on a {cell.type} cell", expected, "Change one.")


def _accidental_magics(cell: Cell, name: str) -> Iterator[Problem]:
    if cell.type != "code":
        return
    pairs = zip(cell.text.split("\n")[1:], cell.source.split("\n"), strict=False)
    for offset, (before, after) in enumerate(pairs, start=1):
        if before != after and not _MAGIC.match(after):
            got = f"the comment {before.strip()!r}, which jupytext makes a command"
            fix = "Reword it: not one word with `?`, nor a shell command's name first."
            yield Problem(line_of(name, cell.line + offset), got, "an ordinary comment", fix)


def _cut_short(cells: Sequence[Cell], name: str) -> Iterator[Problem]:
    """A line like a header inside a string or a fenced block: jupytext, reading all, goes on."""
    text = "".join(cell.text for cell in cells)
    whole = [(node.cell_type, node.source.rstrip()) for node in _jupytext(text)]
    for cell, found in zip(cells, whole, strict=False):
        if (cell.type, cell.source) != found:
            yield Problem(
                where=line_of(name, cell.line + cell.text.rstrip("\n").count("\n") + 1),
                got="a line that looks like a cell header but stands in a string or a code block",
                expected="`# %%` only where a cell starts",
                fix='Write it otherwise, for instance as "# " + "%%".',
            )
            return
