"""From the bytes of somebody's file to its lines, or a plain word on why they are not text."""

import codecs
import io
import re
import zlib
from typing import NamedTuple

from autograder.problem import BadInputError, Problem, line_of

# Ten times the official 10,000-line submission and more than the 100,000-line train.txt:
# whatever is larger is no label file, and need not be held in memory to be refused.
MAX_BYTES = 4 * 2**20
MAX_LINES = 200_000

_GZIP = b"\x1f\x8b"
_PACKED = {
    b"PK\x03\x04": "a zip archive (.xlsx, .npz and .pt files are zips as well)",
    b"PK\x05\x06": "an empty zip archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x93NUMPY": "a NumPy .npy array",
}
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Line(NamedTuple):
    """One line that is not blank, with its number as an editor counts (from 1)."""

    number: int
    text: str


class _Strange(NamedTuple):
    """Why bytes are not the text of a label file."""

    got: str
    fix: str
    line: int = 1


def read_lines(data: bytes, name: str) -> list[Line]:
    """The lines of UTF-8 text; a byte-order mark, CRLF and blank lines are let pass.

    Raises:
        BadInputError: ``data`` is empty, too large, packed, UTF-16 or not text at all.
    """
    strange = _oversized(data) or _packed(data) or _utf16(data) or _not_text(data) or _empty(data)
    if strange:
        where = line_of(name, strange.line)
        expected = "UTF-8 text with one line for each image"
        raise BadInputError(Problem(where, strange.got, expected, strange.fix))
    lines = io.StringIO(data.decode("utf-8-sig"), newline=None)
    return [Line(number, text) for number, text in enumerate(lines, 1) if text.strip()]


def _oversized(data: bytes) -> _Strange | None:
    fix = "Hand in one line for each image and nothing else."
    if len(data) > MAX_BYTES:
        return _Strange(f"more than the {MAX_BYTES:,} bytes a label file may have", fix)
    if max(data.count(b"\n"), data.count(b"\r")) > MAX_LINES:
        return _Strange(f"more than the {MAX_LINES:,} lines a label file may have", fix)
    return None


def _packed(data: bytes) -> _Strange | None:
    if data.startswith(_GZIP):
        return _gzip(data)
    for signature, got in _PACKED.items():
        if data.startswith(signature):
            return _Strange(got, "Hand in the text file itself, unpacked.")
    return None


def _gzip(data: bytes) -> _Strange:
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        unpacker.decompress(data, MAX_BYTES)  # never more, however much a bomb would unpack to
    except zlib.error:
        damaged = True
    else:
        damaged = not unpacker.eof and not unpacker.unconsumed_tail
    if damaged:
        return _Strange("a damaged gzip archive", "Hand in the text file it was made from.")
    return _Strange("a gzip archive", "Unpack it first (gunzip FILE.gz) and hand in the text file.")


def _utf16(data: bytes) -> _Strange | None:
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not _utf16_ascii(data):
        return None
    return _Strange(
        "UTF-16 text",
        "Save it as UTF-8; PowerShell's > writes UTF-16, Out-File -Encoding utf8 does not.",
    )


def _utf16_ascii(data: bytes) -> bool:
    """Whether the bytes are ASCII text with a zero beside every character."""
    sample = data[:1000]
    readings = (sample.decode(code, "ignore") for code in ("utf-16-le", "utf-16-be"))
    return any(b"\0" in sample and "\0" not in text and text.isascii() for text in readings)


def _not_text(data: bytes) -> _Strange | None:
    fix = "Save it as plain UTF-8 text; image names and labels need no other characters."
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        got = f"the byte 0x{data[error.start]:02x}, which is not UTF-8 text"
        return _Strange(got, fix, _line_at(data, error.start))
    control = _CONTROL.search(data)
    if control:
        got = f"the control character {control[0]!r}, as in a binary file"
        return _Strange(got, fix, _line_at(data, control.start()))
    return None


def _empty(data: bytes) -> _Strange | None:
    if data.decode("utf-8-sig").strip():
        return None
    return _Strange(
        "an empty file", "Check that your program closed the file, and hand it in again."
    )


def _line_at(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1
