"""Unpacks an archive that somebody else made.

Nothing leaves the folder, only plain files and folders are written, each name once, and neither one
header nor all files together can fill memory or disk. `tarfile`'s own ``data`` filter (PEP 706) is
asked about every member as well.
"""

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tqdm import tqdm

from autograder.places.manifest import Bounds
from autograder.problem import BadInputError, Problem

_BLOCK = 2**16
_LONGEST_HEADER = 2**18  # all headers of one member, and what tarfile reads ahead
_LONGEST_NAME = 300
_LONGEST_PADDING = 2**20  # tar rounds up to 10,240 bytes
_STRANGE = re.compile(r"[\x00-\x1f\x7f\\:]")
_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
_FIX = "This is not an archive to unpack: get it from somewhere else."


class _HeaderError(Exception):
    """A header that would be read into memory, however long."""


class _Metered(io.BufferedIOBase):
    """Lets `tarfile` read the member that was accepted, and after it no more than headers need.

    It reads extended headers (PAX, GNU long names) whole, whatever length they claim.
    """

    def __init__(self, stream: gzip.GzipFile) -> None:
        self.stream, self.end = stream, _LONGEST_HEADER

    def accept(self, size: int) -> None:
        self.end = self.stream.tell() + size + _LONGEST_HEADER

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or self.stream.tell() + size > self.end:
            raise _HeaderError
        return self.stream.read(size)


def unpack(archive: Path, into: Path, bounds: Bounds) -> int:
    """Unpacks a ``.tar.gz`` into a folder that is empty; returns the number of files.

    Raises:
        BadInputError: the archive is damaged, or has something in it that must not be written.
    """
    if not hasattr(tarfile, "data_filter"):
        expected, fix = "Python 3.11.4 or newer, which unpacks safely", "Update Python."
        raise BadInputError(Problem(str(archive), "an older Python", expected, fix))
    try:
        return _unpack(archive, into, bounds)
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
        fix = "Delete it and fetch it again."
        problem = Problem(str(archive), f"a damaged archive ({error})", "a whole .tar.gz", fix)
        raise BadInputError(problem) from error
    except _HeaderError as error:
        got, expected = "a header that is longer", f"at most {_LONGEST_HEADER:,} bytes"
        raise BadInputError(Problem(str(archive), got, expected, _FIX)) from error
    except OSError as error:
        fix = "Make room, or choose another folder with --into, and run it again."
        got = error.strerror or str(error)
        raise BadInputError(
            Problem(str(error.filename or into), got, "to write it", fix)
        ) from error


def _unpack(archive: Path, into: Path, bounds: Bounds) -> int:
    count = 0
    made: set[Path] = set()
    with (
        gzip.open(archive) as stream,
        # As a stream: nothing is ever read twice.
        tarfile.open(fileobj=(meter := _Metered(stream)), mode="r|") as tar,
        tqdm(unit=" files", desc=f"unpacking {archive.name}", disable=None) as bar,
    ):
        for member in _accepted(archive, tar, into, bounds):
            meter.accept(member.size)
            target = into / member.name
            folder = target if member.isdir() else target.parent
            if folder not in made:
                folder.mkdir(parents=True, exist_ok=True)
                made.add(folder)
            if member.isreg():
                _write(archive, tar.extractfile(member), target)
                count += 1
                bar.update()
        _require_end(archive, stream)
    return count


def _require_end(archive: Path, stream: gzip.GzipFile) -> None:
    """Reads the padding after the last member, for gzip's checksum stands behind it."""
    if len(stream.read(_LONGEST_PADDING)) == _LONGEST_PADDING:
        got = f"more than {_LONGEST_PADDING:,} bytes after the last file"
        raise BadInputError(Problem(str(archive), got, "the end", _FIX))


def _accepted(
    archive: Path, tar: tarfile.TarFile, into: Path, bounds: Bounds
) -> Iterator[tarfile.TarInfo]:
    members = size = 0
    for member in tar:
        members, size = members + 1, size + member.size
        got = _refusal(member, into) or _excess(member, bounds, members, size)
        if got:
            expected = "plain files and folders inside the archive's own folder, within bounds"
            raise BadInputError(Problem(str(archive), got, expected, _FIX))
        yield member


def _refusal(member: tarfile.TarInfo, into: Path) -> str:
    """What is wrong with a member, or nothing."""
    name = repr(member.name[:_LONGEST_NAME])
    if member.type in _KINDS or member.sparse is not None:
        return f"{_KINDS.get(member.type, 'a sparse file')}: {name}"
    if not member.isreg() and not member.isdir():
        return f"a member of the unknown type {member.type!r}: {name}"
    if len(member.name) > _LONGEST_NAME or _STRANGE.search(member.name):
        return f"the name {name}"
    if member.name.startswith("/") or ".." in member.name.split("/"):
        return f"a path that leads out of the archive: {name}"
    try:
        tarfile.data_filter(member, str(into))
    except tarfile.FilterError as error:
        return str(error)
    return ""


def _excess(member: tarfile.TarInfo, bounds: Bounds, members: int, size: int) -> str:
    if members > bounds.files:
        return f"more than {bounds.files:,} files"
    if member.size > bounds.file_bytes:
        return f"a file of {member.size:,} bytes: {member.name!r}"
    if size > bounds.bytes:
        return f"more than {bounds.bytes:,} bytes in all"
    return ""


def _write(archive: Path, source: IO[bytes] | None, target: Path) -> None:
    assert source is not None  # it is so for links only
    try:
        with target.open("xb") as file:
            while block := source.read(_BLOCK):
                file.write(block)
    except FileExistsError:
        got = f"the name {target.name!r} twice in one folder"
        raise BadInputError(Problem(str(archive), got, "each name once", _FIX)) from None
