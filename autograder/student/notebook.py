"""A notebook file as plain data: what its cells say, whose they are, and when they were run.

Read as JSON, so that it works where nbformat is not installed. What is malformed is taken for
absent: the grader repairs a good deal more (see `autograder.grading.reading`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.problem import BadInputError, Problem, line_of

MOST_BYTES = 64 * 2**20  # as much as the grader reads


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        number: its place in the notebook, from 1.
        kind: code, markdown, or what else the file says.
        source: its text.
        grade_id: nbgrader's id of it, or ''.
        id: the notebook format's id of it, or ''.
        about: nbgrader's metadata of it.
        count: the number that Jupyter shows as ``[7]``, if it was run.
        errors: the names of the exceptions among its outputs.
        has_outputs: whether there are outputs.
    """

    number: int
    kind: str
    source: str
    grade_id: str = ""
    id: str = ""
    about: Mapping[str, Any] | None = None
    count: int | None = None
    errors: tuple[str, ...] = ()
    has_outputs: bool = False

    @property
    def name(self) -> str:
        """What to call it."""
        return self.grade_id or f"cell {self.number}"


@dataclass(frozen=True)
class Notebook:
    """The cells of a notebook, and the metadata at its top."""

    path: Path
    cells: Sequence[Cell]
    metadata: Mapping[str, Any]

    @property
    def code(self) -> list[Cell]:
        """Its code cells."""
        return [cell for cell in self.cells if cell.kind == "code"]


def read(path: Path) -> Notebook:
    """The notebook in a file.

    Raises:
        BadInputError: there is none, or something else in it.
    """
    content = _json(path)
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise BadInputError(_problem(path, "JSON without a list of cells"))
    found = [_cell(number, cell) for number, cell in enumerate(cells, 1) if isinstance(cell, dict)]
    return Notebook(path, found, _dict(content.get("metadata")))


def _json(path: Path) -> Any:
    try:
        return json.loads(_bytes(path))
    except json.JSONDecodeError as error:
        got = f"text that is not JSON ({error.msg})"
        raise BadInputError(_problem(line_of(path, error.lineno), got)) from None
    except UnicodeDecodeError:
        raise BadInputError(_problem(path, "bytes that are no text")) from None
    except RecursionError:
        raise BadInputError(_problem(path, "lists nested too deeply")) from None


def _bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise BadInputError(_problem(path, "a folder", "Name the .ipynb file in it."))
        if path.exists() and not path.is_file():
            raise BadInputError(_problem(path, "something else than a file"))
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        got = "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise BadInputError(_problem(path, got, "Check its name and folder.")) from error
    if len(data) > MOST_BYTES:
        fix = "Clear its outputs (Edit, Clear Outputs of All Cells), save, and try again."
        raise BadInputError(_problem(path, f"more than {MOST_BYTES:,} bytes", fix))
    return data


def _problem(where: Path | str, got: str, fix: str = "") -> Problem:
    fix = fix or "Save the notebook again (Colab: File, Download, Download .ipynb)."
    return Problem(str(where), got, "a Jupyter notebook", fix)


def _cell(number: int, found: Mapping[str, Any]) -> Cell:
    metadata = _dict(found.get("metadata"))
    about, outputs = _dict(metadata.get("nbgrader")), found.get("outputs")
    outputs = [_dict(output) for output in outputs] if isinstance(outputs, list) else []
    count = found.get("execution_count")
    return Cell(
        number=number,
        kind=_word(found.get("cell_type")),
        source=_source(found.get("source")),
        grade_id=_word(about.get("grade_id")),
        id=_text(found.get("id")) or _text(metadata.get("id")),  # where Colab keeps it
        about=about,
        count=count if type(count) is int else None,
        errors=tuple(_word(o.get("ename")) for o in outputs if o.get("output_type") == "error"),
        has_outputs=bool(outputs),
    )


def _source(given: Any) -> str:
    text = "".join(map(_text, given)) if isinstance(given, list) else _text(given)
    return text.replace("\r\n", "\n")


def _dict(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""


def _word(given: Any) -> str:
    """A text that is going to be printed: without what a terminal would act on."""
    text = _text(given)
    return text if text.isprintable() else ascii(text)
