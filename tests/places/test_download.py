import http.client
import os

import pytest

from autograder.places import download as module
from autograder.places.download import MirrorError, UnreachableError, download
from autograder.problem import BadInputError

DATA = os.urandom(100_000)


@pytest.fixture
def to(tmp_path):
    return tmp_path / "file.bin"


def get(url, to, patience, max_bytes=1_000_000):
    download(url, to, max_bytes, patience)
    return to.read_bytes()


def left(to):
    return sorted(path.name for path in to.parent.iterdir())


def test_a_file_is_fetched_and_nothing_else_is_left(site, to, impatient):
    assert get(site.put("/f", DATA), to, impatient) == DATA
    assert left(to) == ["file.bin"]


def test_a_cut_connection_goes_on_where_it_ended(site, to, impatient):
    url = site.put("/f", DATA, cuts=[30_000, 20_000])
    assert get(url, to, impatient) == DATA
    assert site.ranges("/f") == [None, "bytes=30000-", "bytes=50000-"]


def test_as_long_as_something_comes_it_goes_on(site, to, impatient):
    url = site.put("/f", DATA, cuts=[1_000] * 8)
    assert get(url, to, impatient) == DATA
    assert len(site.requests) == 9 > impatient.attempts


def test_a_later_run_goes_on_where_the_last_one_ended(site, to, impatient):
    url = site.put("/f", DATA, cuts=[30_000, 0, 0, 0, 0])
    with pytest.raises(MirrorError, match=r"after 30,000 of 100,000 bytes; 30,000 bytes of it are"):
        get(url, to, impatient)
    assert not to.exists()
    site.pages["/f"].cuts.clear()
    assert get(url, to, impatient) == DATA
    assert site.ranges("/f")[-1] == "bytes=30000-"


def test_a_file_that_has_changed_is_fetched_anew(site, to, impatient):
    url = site.put("/f", DATA, cuts=[30_000, 0, 0, 0, 0])
    with pytest.raises(MirrorError):
        get(url, to, impatient)
    other = os.urandom(100_000)
    site.put("/f", other, etag='"two"')
    assert get(url, to, impatient) == other


def test_a_date_serves_where_there_is_no_strong_tag(site, to, impatient):
    date = "Mon, 28 Aug 2017 10:00:00 GMT"
    url = site.put("/f", DATA, etag='W/"weak"', modified=date, cuts=[10])
    assert get(url, to, impatient) == DATA
    assert site.requests[-1][1]["If-Range"] == date


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_version_it_begins_again(site, to, impatient, etag):
    url = site.put("/f", DATA, etag=etag, cuts=[30_000])
    assert get(url, to, impatient) == DATA
    assert site.ranges("/f") == [None, None]


def test_a_server_that_ignores_ranges_is_read_from_the_start(site, to, impatient):
    url = site.put("/f", DATA, ranges=False, cuts=[30_000])
    assert get(url, to, impatient) == DATA
    assert site.ranges("/f") == [None, "bytes=30000-"]


def test_a_part_of_another_size_is_not_continued(site, to, impatient):
    url = site.put("/f", DATA, cuts=[30_000, 0, 0, 0, 0])
    with pytest.raises(MirrorError):
        get(url, to, impatient)
    site.put("/f", DATA + b"more")  # says that it is the same version
    assert get(url, to, impatient) == DATA + b"more"


def test_a_part_that_was_not_asked_for_is_not_appended(site, to, impatient):
    url = site.put("/f", DATA, cuts=[30_000], shift=10_000)
    assert get(url, to, impatient) == DATA
    assert site.ranges("/f") == [None, "bytes=30000-", None]


def test_a_file_that_became_shorter_is_fetched_anew(site, to, impatient):
    url = site.put("/f", DATA, cuts=[30_000, 0, 0, 0, 0])
    with pytest.raises(MirrorError):
        get(url, to, impatient)
    site.put("/f", DATA[:100])
    assert get(url, to, impatient) == DATA[:100]


def test_killed_between_the_last_byte_and_the_name(site, to, impatient, monkeypatch):
    url = site.put("/f", DATA)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module.Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            get(url, to, impatient)
    assert not to.exists()
    assert get(url, to, impatient) == DATA
    assert len(site.requests) == 1  # all of it was there


@pytest.mark.parametrize("block", range(4))
def test_interrupted_anywhere_and_started_again(site, to, impatient, monkeypatch, block):
    url = site.put("/f", DATA)
    monkeypatch.setattr(module, "_BLOCK", 30_000)
    real, count = module._write, iter(range(100))

    def interrupted(file, data):
        real(file, data[: len(data) // 2])
        if next(count) == block:
            raise KeyboardInterrupt
        real(file, data[len(data) // 2 :])

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            get(url, to, impatient)
    assert not to.exists()
    assert get(url, to, impatient) == DATA
    assert site.ranges("/f")[1].startswith("bytes=")


def test_torn_notes_count_as_none(site, to, impatient):
    url = site.put("/f", DATA, cuts=[30_000, 0, 0, 0, 0])
    with pytest.raises(MirrorError):
        get(url, to, impatient)
    (notes,) = to.parent.glob("*.json")
    notes.write_text('{"url": ')
    assert get(url, to, impatient) == DATA
    assert site.ranges("/f")[-1] is None


def test_a_server_asking_for_patience_gets_it(site, to, impatient):
    assert get(site.put("/f", DATA, errors=[503, 429]), to, impatient) == DATA


def test_but_not_for_ever(site, to, impatient):
    with pytest.raises(MirrorError, match="HTTP 503"):
        get(site.put("/f", DATA, errors=[503] * 10), to, impatient)
    assert len(site.requests) == impatient.attempts


def test_what_is_not_there_is_asked_for_once(site, to, impatient):
    with pytest.raises(MirrorError, match="HTTP 404 Not Found"):
        get(site.url("/none"), to, impatient)
    assert len(site.requests) == 1


def test_a_redirection_is_followed(site, to, impatient):
    site.put("/f", DATA, cuts=[10])
    url = site.put("/old", redirect="/f")
    assert get(url, to, impatient) == DATA
    assert site.ranges("/f") == [None, "bytes=10-"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/f"])
def test_but_not_out_of_the_web(site, to, impatient, target):
    with pytest.raises(MirrorError, match=r"not allowed|unknown url type"):
        get(site.put("/old", redirect=target), to, impatient)


def test_a_page_for_people_is_not_the_file(site, to, impatient):
    page = b"<html><title>Google Drive - Quota exceeded</title>"
    url = site.put("/f", page, kind="text/html; charset=utf-8")
    with pytest.raises(MirrorError, match=r"web page \('Google Drive - Quota exceeded'\) instead"):
        get(url, to, impatient)
    assert left(to) == []


@pytest.mark.parametrize(
    ("length", "said"),
    [(True, "^100,000 bytes, more than the 1,000"), (False, "^more than the 1,000")],
)
def test_more_than_it_may_have(site, to, impatient, length, said):
    with pytest.raises(MirrorError, match=said):
        get(site.put("/f", DATA, length=length), to, impatient, max_bytes=1_000)
    assert sum(path.stat().st_size for path in to.parent.iterdir()) < 2_000


def test_an_answer_of_unknown_length_ends_when_it_ends(site, to, impatient):
    assert get(site.put("/f", DATA, length=False), to, impatient) == DATA


def test_nothing_listens(nowhere, to, impatient):
    with pytest.raises(UnreachableError, match="Connection refused"):
        get(nowhere, to, impatient)


def test_a_silent_server_is_left(site, to, impatient, monkeypatch):
    def silent(*_, **__):
        raise TimeoutError("timed out")

    monkeypatch.setattr(http.client.HTTPResponse, "read1", silent)
    with pytest.raises(MirrorError, match="the connection broke: timed out"):
        get(site.put("/f", DATA), to, impatient)


@pytest.mark.parametrize("when", ["write", "flush"])
def test_a_full_disk_is_not_the_mirrors_fault(when):
    class Full:
        name = "file.bin.part"

        def write(self, _):
            self.fail("write")

        def flush(self):
            self.fail("flush")

        def fail(self, now):
            if now == when:
                raise OSError(28, "No space left on device")

    with pytest.raises(BadInputError, match=r"found No space left on device.*--into"):
        module._write(Full(), b"x")
