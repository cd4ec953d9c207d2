"""What must never reach a student: solutions, hidden tests, files that nobody meant to send."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.authoring import regions
from autograder.authoring.percent import Cell
from autograder.problem import Problem

# What a lesson may bring along beside its notebook.
DATA = frozenset(
    {".gif", ".jpeg", ".jpg", ".pdf", ".png", ".svg", ".webp"}
    | {".csv", ".json", ".md", ".npy", ".npz", ".tsv", ".txt"}
)
# A shorter line (`else:`, `)`) gives nothing away and turns up anywhere.
_TELLING = 5
# What nbgrader writes where a solution was.
_STUBS = "# YOUR CODE HERE\nraise check.NotWritten\nYOUR ANSWER HERE"


@dataclass(frozen=True)
class Secret:
    """A line that students must not see, what it is and the cell it is from."""

    line: str
    kind: str
    cell: str


def secrets(cells: Sequence[Cell]) -> list[Secret]:
    """The telling secret lines of a lesson, but for those that stand in it openly too."""
    public = "\n".join([_STUBS, *(line for cell in cells for line in _public(cell))])
    return [secret for secret in _secret(cells) if secret.line not in public]


def leaks(folder: Path, secrets: Iterable[Secret], notebooks: Iterable[str]) -> list[Problem]:
    """Everything in one assignment's release folder that students must not get.

    ``notebooks`` are the names of the notebooks that belong there.
    """
    secrets, notebooks = list(secrets), set(notebooks)
    found: list[Problem] = []
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        name = path.relative_to(folder).as_posix()
        where = f"release/{folder.name}/{name}"
        if name not in notebooks and not _is_data(path, folder):
            found.append(_unexpected(where))
        found += _told(_text(path), secrets, where)
    return found


def _public(cell: Cell) -> list[str]:
    return [] if _all_secret(cell) else regions.split(cell.source)[0]


def _secret(cells: Iterable[Cell]) -> Iterator[Secret]:
    for cell in cells:
        if not cell.marker:
            continue
        kind = "hidden test" if cell.marker.role == "test" else "solution"
        lines = cell.source.split("\n") if _all_secret(cell) else regions.split(cell.source)[1]
        for line in dict.fromkeys(line.strip() for line in lines):
            if len(re.findall(r"\w", line)) >= _TELLING:
                yield Secret(line, kind, cell.marker.id)


def _all_secret(cell: Cell) -> bool:
    # nbgrader replaces the whole of an answer cell in which no region is marked.
    answer = cell.marker is not None and cell.marker.role in ("solution", "essay")
    return answer and not regions.split(cell.source)[1]


def _is_data(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    hidden = any(part.startswith((".", "__")) for part in parts)
    return not hidden and not path.is_symlink() and path.suffix.lower() in DATA


def _unexpected(where: str) -> Problem:
    return Problem(
        where=where,
        got="an unexpected file",
        expected="the lesson's notebooks and data (" + " ".join(sorted(DATA)) + ")",
        fix="Delete it, and whatever put it there.",
    )


def _told(text: str, secrets: Iterable[Secret], where: str) -> Iterator[Problem]:
    for secret in secrets:
        if secret.line in text:
            yield Problem(
                where=where,
                got=f"a {secret.kind} line of cell {secret.cell!r}: {secret.line}",
                expected="nothing that students must not see",
                fix="Find what tells it; if the release is only stale, run `autograder build`.",
            )


def _text(path: Path) -> str:
    """All that a file says; of a notebook also outputs and metadata, without JSON's escapes."""
    text = path.read_bytes().decode("utf-8", errors="replace")
    if path.suffix != ".ipynb":
        return text
    try:
        return "\n".join(_strings(json.loads(text)))
    except json.JSONDecodeError:
        return text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        # nbformat stores a text as a list of its lines.
        yield from (string for item in value for string in _strings(item))
    elif isinstance(value, dict):
        yield from (string for item in value.values() for string in _strings(item))
