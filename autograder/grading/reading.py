"""Reading a notebook file that editors, services and students have had their hands on.

Whatever can be read becomes a new notebook, made from each cell's kind, text, id and ``grade_id``
and nothing else: what is not copied cannot be malformed. Nothing here runs or imports a student's
code, and nothing but a regular file is ever opened.
"""

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.problem import BadInputError, Problem, line_of

MOST_BYTES = 64 * 2**20
MOST_CELLS = 2_000
# A list, an object or a text costs tens of bytes of memory however short it is in the file.
MOST_NESTED = 1_000_000
MOST_TEXTS = 4_000_000
ASK_AGAIN = "Ask for the notebook again (Colab: File, Download, Download .ipynb)."

PADDING = " \t\r\n\0\x1a\ufeff"  # what editors and file systems leave before and behind a text
KINDS = {"heading": "markdown", "html": "markdown", "text": "markdown"}  # of older formats
KINDS |= {kind: kind for kind in ("code", "markdown", "raw")}
ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
HALF = re.compile(r"[\ud800-\udfff]")  # of a pair; no text file can hold it
PICTURE = re.compile(r"image/(png|jpe?g|gif|webp)")
BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}")
COPY = "copy_of"


def read(path: Path) -> tuple[NotebookNode, list[str]]:
    """The notebook in a file, and what had to be repaired to read it.

    Returns:
        a valid notebook of format 4.5 without outputs. Of metadata it has only each cell's
        ``nbgrader.grade_id`` and, at the top, what `copied_from` reads.

    Raises:
        BadInputError: the file is none, or no notebook can be told from what is in it.
    """
    content, repairs = _content(path)
    found = _cells(content)
    if found is None:
        raise BadInputError(_problem(path, "JSON without a list of cells"))
    if len(found) > MOST_CELLS:
        raise BadInputError(_problem(path, f"{len(found):,} cells", f"at most {MOST_CELLS:,}"))
    if "cells" not in content:
        repairs.append("it was in a format of before 2015; converted")
    cells = [_cell(cell, repairs, f"cell {i}") for i, cell in enumerate(found, 1)]
    kept = [cell for cell in cells if cell is not None]
    _number(kept)
    return _notebook(kept, copied_from(content)), repairs


def copied_from(content: dict[str, Any]) -> str:
    """The name of the file that a notebook was copied from by us; '' if it was not."""
    about = _dict(_dict(content.get("metadata")).get("autograder"))
    name = about.get(COPY)
    return HALF.sub("", name) if isinstance(name, str) else ""


def marked_copy(notebook: NotebookNode, name: str) -> NotebookNode:
    """The notebook, with a note of which file it was copied from."""
    return _notebook(notebook.cells, name)


def regular_bytes(path: Path, most: int) -> bytes:
    """The content of a regular file; links are not followed and nothing is waited for.

    Raises:
        BadInputError: it is none, cannot be opened, or has more than ``most`` bytes.
    """
    try:
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            return _bytes(path, most)
    except OSError as error:
        raise BadInputError(_problem(path, _why(error), "a file")) from error
    raise BadInputError(_problem(path, kind_of(mode), "a file"))


def kind_of(mode: int) -> str:
    """What something in a folder is, in words."""
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFREG: "a file",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")


def _bytes(path: Path, most: int) -> bytes:
    # It may have become something else since it was looked at.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise BadInputError(_problem(path, kind_of(mode), "a file"))
        content = file.read(most + 1)
    if len(content) > most:
        raise BadInputError(_problem(path, f"more than {most:,} bytes", "a smaller file"))
    return content


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return f"what cannot be opened ({error.strerror})"


def _problem(path: Path, got: str, expected: str = "a notebook") -> Problem:
    return Problem(str(path), got, expected, ASK_AGAIN)


def _content(path: Path) -> tuple[dict[str, Any], list[str]]:
    text, repairs = _text(regular_bytes(path, MOST_BYTES))
    if text.count("{") + text.count("[") > MOST_NESTED or text.count('"') > 2 * MOST_TEXTS:
        raise BadInputError(_problem(path, "millions of lists, objects or texts"))
    body = text.lstrip(PADDING)
    try:
        content, end = DECODER.raw_decode(body)
    except json.JSONDecodeError as error:
        if repairs:  # of a text that is none at all, the first strange byte says more
            raise BadInputError(_problem(path, f"bytes that are no text ({repairs[0]})")) from None
        where = line_of(path, text.count("\n", 0, len(text) - len(body)) + error.lineno)
        got = f"text that is not JSON ({error.msg})"
        raise BadInputError(Problem(where, got, "a notebook", ASK_AGAIN)) from None
    except RecursionError:
        raise BadInputError(_problem(path, "lists nested too deeply")) from None
    repairs += _behind(path, body[end:].strip(PADDING), content)
    return _dict(content), repairs


def _text(raw: bytes) -> tuple[str, list[str]]:
    """Decodes UTF-8, -16 or -32, with a byte order mark or without."""
    encoding = json.detect_encoding(raw)
    try:
        return raw.decode(encoding), []
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        what = f"byte {error.start:,} is not {name}; what could not be read became \ufffd"
        return raw.decode(encoding, errors="replace"), [what]


def _digit(text: str) -> int:
    """No number in a notebook matters but a heading's level; a long one takes long to convert."""
    return int(text) if len(text) == 1 else 0


# Control characters may stand in strings; numbers are not worth the memory of an object each.
DECODER = json.JSONDecoder(
    strict=False, parse_int=_digit, parse_float=lambda _: 0.0, parse_constant=lambda _: 0.0
)


def _behind(path: Path, rest: str, content: Any) -> list[str]:
    """Says that something stood behind the notebook; that must not be another notebook."""
    if not rest:
        return []
    try:
        second, _ = DECODER.raw_decode(rest)
        other = _cells(_dict(second)) is not None and second != content
    except (json.JSONDecodeError, RecursionError):
        other = False  # the end of an older, longer version, say
    if other:
        raise BadInputError(_problem(path, "two notebooks, one behind the other", "one"))
    return [f"{len(rest):,} characters stood behind its end; left out"]


def _cells(content: dict[str, Any]) -> list[Any] | None:
    """The cells of a notebook of any format."""
    cells, sheets = content.get("cells"), content.get("worksheets")
    if "cells" not in content and isinstance(sheets, list):
        parts = [_dict(sheet).get("cells") for sheet in sheets]
        return [cell for part in parts if isinstance(part, list) for cell in part]
    return cells if isinstance(cells, list) else None


def _cell(found: Any, repairs: list[str], where: str) -> NotebookNode | None:
    if not isinstance(found, dict):
        repairs.append(f"{where} was no cell; left out")
        return None
    metadata = _dict(found.get("metadata"))
    kind = _kind(found, repairs, where)
    cell = NotebookNode(
        cell_type=kind,
        id=_id(found.get("id")) or _id(metadata.get("id")),  # Colab keeps it in the metadata
        metadata=_metadata(_dict(metadata.get("nbgrader")).get("grade_id")),
        source=_heading(found) + _source(found, repairs, where),
    )
    if kind == "code":
        cell.update(outputs=[], execution_count=None)
    elif pictures := _pictures(found.get("attachments")):
        cell["attachments"] = pictures
    return cell


def _kind(found: dict[str, Any], repairs: list[str], where: str) -> str:
    given = found.get("cell_type")
    given = given if isinstance(given, str) else ""
    if given.lower() in KINDS:
        return KINDS[given.lower()]
    code = not {"outputs", "execution_count", "input"}.isdisjoint(found)
    kind = "code" if code else "markdown"
    repairs.append(f"{where} was of an unknown type, {given[:20]!a}; taken as {kind}")
    return kind


def _source(found: dict[str, Any], repairs: list[str], where: str) -> str:
    """A cell's text; formats before 4 call that of code its input."""
    given = found.get("source", found.get("input"))
    if given is None:
        given = ""
    elif _is_lines(given):
        endless = len(given) > 1 and not any(line.endswith(("\n", "\r")) for line in given[:-1])
        given = ("\n" if endless else "").join(given)
        if endless:
            repairs.append(f"{where} had lines without ends; put each on a line of its own")
    if not isinstance(given, str):
        repairs.append(f"{where} had something else than text in it; left out")
        return ""
    text, halves = HALF.subn("\ufffd", given)
    if halves:
        repairs.append(f"{where} had characters that no file can hold; they became \ufffd")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _heading(found: dict[str, Any]) -> str:
    if found.get("cell_type") != "heading":
        return ""
    level = found.get("level")
    return "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " "


def _id(given: Any) -> str:
    return given if isinstance(given, str) and ID.fullmatch(given) else ""


def _metadata(grade_id: Any) -> NotebookNode:
    if not isinstance(grade_id, str) or not 0 < len(grade_id) <= 200:
        return NotebookNode()
    return NotebookNode(nbgrader=NotebookNode(grade_id=HALF.sub("", grade_id)))


def _pictures(given: Any) -> NotebookNode:
    """What an answer in words may show; anything but a picture is left out."""
    found = ((name, dict(_picture(bundle))) for name, bundle in _dict(given).items())
    return NotebookNode({HALF.sub("", name): data for name, data in found if data})


def _picture(bundle: Any) -> Iterator[tuple[str, str]]:
    for kind, data in _dict(bundle).items():
        data = "".join(data) if _is_lines(data) else data
        if PICTURE.fullmatch(kind) and isinstance(data, str) and BASE64.fullmatch(data.strip()):
            yield kind, data.strip()


def _is_lines(data: Any) -> bool:
    return isinstance(data, list) and all(isinstance(line, str) for line in data)


def _dict(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _number(cells: list[NotebookNode]) -> None:
    """Gives an id to the cells that have none, or one that another has."""
    seen = {""}
    given = {cell.id for cell in cells}
    spare = (name for i in range(10**9) if (name := f"cell-{i}") not in given)
    for cell in cells:
        if cell.id in seen:
            cell["id"] = next(spare)
        seen.add(cell.id)


def _notebook(cells: list[NotebookNode], origin: str) -> NotebookNode:
    about = NotebookNode(autograder=NotebookNode({COPY: origin})) if origin else NotebookNode()
    return NotebookNode(nbformat=4, nbformat_minor=5, metadata=about, cells=cells)
