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

_LONGEST = 60  # characters quoted from a file
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
    """Why bytes are not the text that was expected, and in which line."""

    got: str
    fix: str
    line: int = 1


def read_lines(data: bytes, name: str) -> list[Line]:
    """The lines of UTF-8 text; a byte-order mark, CRLF and blank lines are let pass.

    Raises:
        BadInputError: ``data`` is empty, too large, packed, UTF-16 or not text at all.
    """
    expected = "UTF-8 text with one line for each image"
    text = read_text(data, name, expected, MAX_BYTES)
    if max(data.count(b"\n"), data.count(b"\r")) > MAX_LINES:
        got = f"more than the {MAX_LINES:,} lines a label file may have"
        fix = "Hand in one line for each image and nothing else."
        raise BadInputError(Problem(line_of(name, 1), got, expected, fix))
    lines = io.StringIO(text, newline=None)
    return [Line(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def read_text(data: bytes, name: str, expected: str, max_bytes: int) -> str:
    """UTF-8 text, without its byte-order mark.

    Args:
        data: the file's bytes.
        name: what messages call the file.
        expected: what it should have been, in words.
        max_bytes: what it may have.

    Raises:
        BadInputError: as `read_lines`.
    """
    strange = (
        _oversized(data, expected, max_bytes)
        or _packed(data)
        or _utf16(data)
        or _not_text(data)
        or _empty(data)
    )
    if strange:
        where = line_of(name, strange.line)
        raise BadInputError(Problem(where, strange.got, expected, strange.fix))
    return data.decode("utf-8-sig")


def quoted(text: str) -> str:
    """In quotes, cut short, and with nothing in it that a terminal would act on."""
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "...")


def _oversized(data: bytes, expected: str, max_bytes: int) -> _Strange | None:
    if len(data) <= max_bytes:
        return None
    got = f"more than the {max_bytes:,} bytes such a file may have"
    return _Strange(got, f"Hand in {expected} and nothing else.")


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
