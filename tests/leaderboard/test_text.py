import gzip
import io
import zipfile

import numpy as np
import pytest

from autograder.leaderboard import text
from autograder.leaderboard.text import Line, read_lines
from autograder.problem import BadInputError

PLAIN = b"val/1.jpg 1 2 3 4 5\nval/2.jpg 5 4 3 2 1\n"
LINES = [Line(1, "val/1.jpg 1 2 3 4 5"), Line(2, "val/2.jpg 5 4 3 2 1")]


def stripped(lines):
    return [Line(number, line.strip()) for number, line in lines]


def zipped(data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("predictions.txt", data)
    return file.getvalue()


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PLAIN.rstrip(),
        PLAIN + b"\n\n",
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + PLAIN,
    ],
    ids=["LF", "no last LF", "blank lines after it", "CRLF", "CR", "byte-order mark"],
)
def test_harmless_ways_of_saving_text_are_read(data):
    assert stripped(read_lines(data, "team.txt")) == LINES


def test_lines_are_numbered_as_an_editor_does():
    lines = read_lines(b"\n" + PLAIN.replace(b"\n", b"\n\n"), "team.txt")
    assert [line.number for line in lines] == [2, 4]


GZIP = gzip.compress(PLAIN * 50, mtime=0)


@pytest.mark.parametrize(
    ("data", "line", "found", "fix"),
    [
        (b"", 1, "an empty file", "hand it in again"),
        (b" \r\n\n", 1, "an empty file", "hand it in again"),
        ("\xa0\n".encode(), 1, "an empty file", "hand it in again"),
        (GZIP, 1, "a gzip archive", "Unpack it first"),
        (GZIP[:-20], 1, "a damaged gzip archive", "the text file it was made from"),
        (GZIP[:40] + b"\xff" * 9 + GZIP[49:], 1, "a damaged gzip archive", "the text file"),
        (gzip.compress(bytes(10**7)), 1, "a gzip archive", "Unpack it first"),
        (zipped(PLAIN), 1, "a zip archive", "the text file itself, unpacked"),
        (saved(np.arange(5)), 1, "a NumPy .npy array", "the text file itself"),
        (PLAIN.decode().encode("utf-16"), 1, "UTF-16 text", "Save it as UTF-8"),
        (PLAIN.decode().encode("utf-16-le"), 1, "UTF-16 text", "Save it as UTF-8"),
        (PLAIN.decode().encode("utf-16-be"), 1, "UTF-16 text", "Save it as UTF-8"),
        (PLAIN + b"caf\xe9.jpg 1 2 3 4 5\n", 3, "the byte 0xe9", "plain UTF-8 text"),
        (PLAIN + b"\x00\x00", 3, r"the control character b'\x00'", "plain UTF-8 text"),
        (PLAIN + b"\x1b[2J", 3, r"the control character b'\x1b'", "plain UTF-8 text"),
        (bytes(100), 1, "the control character", "plain UTF-8 text"),
    ],
)
def test_what_is_not_a_text_file_is_refused(data, line, found, fix):
    with pytest.raises(BadInputError) as refusal:
        read_lines(data, "team.txt")
    (problem,) = refusal.value.problems
    assert problem.where == f"team.txt, line {line}"
    assert problem.got.startswith(found)
    assert problem.expected == "UTF-8 text with one line for each image"
    assert fix in problem.fix


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"1" * (text.MAX_BYTES + 1), "more than the 4,194,304 bytes"),
        (b"1\n" * (text.MAX_LINES + 1), "more than the 200,000 lines"),
        (b"1\r" * (text.MAX_LINES + 1), "more than the 200,000 lines"),
    ],
)
def test_a_file_is_bounded(data, found):
    with pytest.raises(BadInputError, match=found):
        read_lines(data, "team.txt")


def test_the_largest_file_is_read():
    assert len(read_lines(b"1\n" * text.MAX_LINES, "team.txt")) == text.MAX_LINES
    assert len(read_lines(b"1" * text.MAX_BYTES, "team.txt")) == 1
