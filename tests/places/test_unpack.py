import gzip
import random
import tarfile
import tracemalloc

import pytest

from autograder.places.manifest import Bounds
from autograder.places.unpack import unpack
from autograder.problem import BadInputError

BOUNDS = Bounds(files=10, file_bytes=5_000, bytes=20_000)


@pytest.fixture
def refused(tmp_path, tar_gz):
    """Unpacks members; returns the refusal, having seen that nothing was written outside."""

    def run(*members, data=None):
        archive = tmp_path / "a.tar.gz"
        archive.write_bytes(data or tar_gz(members))
        into = tmp_path / "x" / "into"
        into.mkdir(parents=True)
        with pytest.raises(BadInputError) as caught:
            unpack(archive, into, BOUNDS)
        outside = {path.name for path in tmp_path.iterdir()} | {
            path.name for path in into.parent.iterdir()
        }
        assert outside == {"a.tar.gz", "x", "into"}
        return str(caught.value)

    return run


def member(name, kind, **more):
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info


def test_files_and_folders_are_written(tmp_path, tar_gz):
    archive, into = tmp_path / "a.tar.gz", tmp_path / "into"
    into.mkdir()
    folder = member("images/empty", tarfile.DIRTYPE)
    archive.write_bytes(tar_gz([(folder, b""), ("./images/a/b.jpg", b"1"), ("c", b"2" * 5_000)]))
    assert unpack(archive, into, BOUNDS) == 2
    assert (into / "images/a/b.jpg").read_bytes() == b"1"
    assert (into / "c").read_bytes() == b"2" * 5_000
    assert (into / "images/empty").is_dir()


def test_what_is_written_has_ordinary_rights(tmp_path, tar_gz):
    archive, into = tmp_path / "a.tar.gz", tmp_path / "into"
    into.mkdir()
    archive.write_bytes(tar_gz([(member("f", tarfile.REGTYPE, mode=0o6777), b"1")]))
    unpack(archive, into, BOUNDS)
    assert (into / "f").stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize(
    "name", ["../x", "images/../../x", "/etc/x", "images/..", "..", "a\\..\\x", "C:x", "a\nb"]
)
def test_no_path_leads_out(refused, name):
    assert "/x" in (said := refused((name, b"1"))) or "name" in said or "path" in said


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "a symbolic link: 'l'"),
        (tarfile.LNKTYPE, "a hard link: 'l'"),
        (tarfile.CHRTYPE, "a device: 'l'"),
        (tarfile.BLKTYPE, "a device: 'l'"),
        (tarfile.FIFOTYPE, "a pipe: 'l'"),
        (tarfile.GNUTYPE_SPARSE, "sparse"),
    ],
)
def test_neither_links_nor_devices(refused, kind, said):
    assert said in refused((member("l", kind, linkname="/etc/passwd"), b""))


def test_tarfiles_own_filter_is_asked_as_well(refused, monkeypatch):
    def never(member, _):
        raise tarfile.SpecialFileError(member)

    monkeypatch.setattr(tarfile, "data_filter", never)
    assert "'f' is a special file" in refused(("f", b"1"))


def test_an_older_python_cannot(refused, monkeypatch):
    monkeypatch.delattr(tarfile, "data_filter")
    assert "expected Python 3.11.4 or newer" in refused(("f", b"1"))


def test_a_link_is_refused_before_anything_goes_through_it(refused, tmp_path):
    link = member("d", tarfile.SYMTYPE, linkname=str(tmp_path))
    assert "symbolic link" in refused((link, b""), ("d/x", b"1"))


def test_too_many_files(refused):
    assert "more than 10 files" in refused(*((f"f{k}", b"") for k in range(11)))


def test_too_large_a_file(refused):
    assert "a file of 5,001 bytes: 'f'" in refused(("f", b"1" * 5_001))


def test_too_much_in_all(refused):
    assert "more than 20,000 bytes in all" in refused(*((f"f{k}", b"1" * 5_000) for k in range(5)))


def test_a_size_that_is_only_claimed(refused):
    """Nothing is allocated for a file that says it is larger than the archive."""
    header = member("f", tarfile.REGTYPE, size=2**40).tobuf()
    assert "a file of 1,099,511,627,776 bytes" in refused(data=gzip.compress(header))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_would_fill_memory(refused, kind):
    header = member("x", kind, size=2**24).tobuf(tarfile.GNU_FORMAT)
    data = gzip.compress(header + b"0" * 2**24)
    tracemalloc.start()
    assert "found a header that is longer, expected at most 262,144 bytes" in refused(data=data)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_long_names_are_within_bounds(tmp_path, tar_gz):
    """Their extended headers are accepted, one after the other."""
    archive, into = tmp_path / "a.tar.gz", tmp_path / "into"
    into.mkdir()
    names = [f"{'folder/' * 30}{k}" for k in range(4)]
    archive.write_bytes(tar_gz([(name, b"1" * 4_000) for name in names]))
    assert unpack(archive, into, BOUNDS) == 4
    assert (into / names[3]).stat().st_size == 4_000


def test_a_name_twice(refused):
    assert "the name 'f' twice" in refused(("f", b"1"), ("f", b"2"))


def test_a_file_under_a_file(refused):
    assert "found " in refused(("f", b"1"), ("f/g", b"2"))


@pytest.mark.parametrize("keep", [0.02, 0.3, 0.6, 0.99])
def test_a_cut_archive(refused, tar_gz, keep):
    data = tar_gz([("f", random.Random(0).randbytes(4_000)), ("g", b"")])
    assert "a damaged archive" in refused(data=data[: int(keep * len(data))])


@pytest.mark.parametrize(
    "data",
    [b"<html>", b"PK\x03\x04" + bytes(600), gzip.compress(b"x" * 600)],
    ids=["a page", "zip", "gzip"],
)
def test_something_else(refused, data):
    assert "a damaged archive" in refused(data=data)


def test_no_end_after_the_end(refused):
    data = gzip.compress(bytes(2**21))
    assert "more than 1,048,576 bytes after the last file" in refused(data=data)


def test_flipped_bits(refused, tar_gz):
    data = bytearray(tar_gz([("f", bytes(range(256)) * 8)]))
    data[-6] ^= 1  # in the checksum of the gzip stream
    assert "a damaged archive" in refused(data=bytes(data))
