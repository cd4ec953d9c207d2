import shutil
from pathlib import Path

import pytest

from autograder.places import fetch as module
from autograder.places import manifest
from autograder.places.fetch import MARKER, fetch, obtain
from autograder.problem import BadInputError


@pytest.fixture
def get(tmp_path, impatient):
    said = []

    def run(what, **options):
        fetch(what, tmp_path / "data" / "mini", say=said.append, patience=impatient, **options)
        return tmp_path / "data" / "mini"

    run.said = said
    return run


def refusal(get, what, **options):
    with pytest.raises(BadInputError) as caught:
        get(what, **options)
    return str(caught.value)


def test_all_of_it_is_there_afterwards(get, mini):
    place = get(mini.manifest())
    for name, data in mini.files.items():
        assert (place / name).read_bytes() == data
    assert (place / "train.txt").read_text() == mini.labels["train.txt"]
    assert (place / "test.txt").read_text() == "test/00000001.jpg\n"
    assert "3 train, 2 val, 1 test, 1 objects of train, 0 objects of val." in get.said[-2]


def test_the_next_time_there_is_nothing_to_do(get, mini, site):
    get(mini.manifest())
    before = len(site.requests)
    get(mini.manifest())
    assert len(site.requests) == before
    assert get.said[-1].endswith("complete already.")


def test_a_mirror_without_it_then_the_next(get, mini, site):
    good = site.put("/good", mini.archive())
    get(mini.manifest(site.url("/none"), good))
    assert "  HTTP 404 Not Found" in get.said


def test_a_wrong_file_is_set_aside_and_the_next_mirror_asked(get, mini, site):
    wrong, good = site.put("/wrong", b"wrong"), site.put("/good", mini.archive())
    place = get(mini.manifest(wrong, good))
    assert (place / MARKER).is_file()
    (aside,) = (place.parent / "downloads").glob("data.tar.gz.bad-*")
    assert aside.read_bytes() == b"wrong"
    (line,) = [line for line in get.said if "Now in" in line]
    assert "found md5 2bda2998d9b0ee197da142a0447f6725 (5 bytes), expected md5 " in line
    assert str(aside) in line


def test_only_wrong_files(get, mini, site):
    said = refusal(get, mini.manifest(site.put("/wrong", b"wrong")))
    assert "found no mirror that gave the right file" in said
    assert f"{site.url('/wrong')}: md5 2bda2998d9b0ee197da142a0447f6725 (5 bytes) where" in said


def test_offline_says_so_with_each_mirrors_reason(get, mini, nowhere):
    what = mini.manifest(nowhere, nowhere.replace("data", "other"))
    said = refusal(get, what)
    assert said.startswith(
        "data.tar.gz: found no mirror that could be reached, expected one of 2 to"
    )
    assert said.count("Connection refused") == 2
    assert "downloads, or leave it where it is and say --archive FILE.\n  http" in said


def test_a_cut_download_is_resumed_by_the_next_fetch(get, mini, site):
    data = mini.archive()
    url = site.put("/a", data, cuts=[1_000, 0, 0, 0])
    assert "1,000 bytes of it are kept" in refusal(get, mini.manifest(url, archive=data))
    get(mini.manifest(url, archive=data))
    assert site.ranges("/a")[-1] == "bytes=1000-"


def test_beginnings_from_other_mirrors_go_in_the_end(get, mini, site):
    data = mini.archive()
    bad = site.put("/bad", data, cuts=[1_000, 0, 0, 0])
    place = get(mini.manifest(bad, site.put("/good", data), archive=data))
    assert not list((place.parent / "downloads").glob("*.part*"))


def test_an_archive_on_a_disk_is_used_where_it_is(get, mini, tmp_path, site):
    data = mini.archive()
    own = tmp_path / "drive" / "my data.tar.gz"
    own.parent.mkdir()
    own.write_bytes(data)
    what = mini.manifest(archive=data)
    for name, content in mini.labels.items():
        (own.parent / name).write_text(content)
    place = get(what, archive=own, labels=own.parent)
    assert (place / MARKER).is_file()
    assert site.requests == []
    assert own.read_bytes() == data


def test_a_wrong_archive_on_a_disk_is_left_where_it_is(get, mini, tmp_path):
    own = tmp_path / "own.tar.gz"
    own.write_bytes(b"wrong")
    said = refusal(get, mini.manifest(), archive=own)
    assert f"{own}: found md5 2bda2998d9b0ee197da142a0447f6725 (5 bytes), expected md5" in said
    assert "--manifest COPY" in said
    assert own.read_bytes() == b"wrong"


def test_no_archive_where_it_should_be(get, mini, tmp_path, site):
    said = refusal(get, mini.manifest(), archive=tmp_path / "none.tar.gz")
    assert site.requests == []
    assert "found no such file" in said and "mount the drive" in said


def test_missing_images_are_counted_by_class(get, mini):
    del mini.files["images/train/a/abbey/00000002.jpg"], mini.files["images/val/00000002.jpg"]
    said = refusal(get, mini.manifest())
    assert (
        "train.txt: found 2 of 3 images (/a/abbey has 1 of 2); train/a/abbey/00000002.jpg is not,"
    ) in said
    assert "val.txt: found 1 of 2 images (/a/abbey has 0 of 1)" in said


def test_empty_files_count_as_missing(get, mini):
    mini.files["images/train/a/abbey/00000002.jpg"] = b""
    assert "found 2 of 3 images" in refusal(get, mini.manifest())


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("images/test/00000001.jpg", "images/test: found 0 images, expected 1"),
        ("objects/train/a/abbey/00000002.xml", "objects/train: found 0 annotations, expected 1"),
    ],
)
def test_tests_and_annotations_are_counted(get, mini, lost, said):
    del mini.files[lost]
    assert said in refusal(get, mini.manifest())


def test_what_was_refused_leaves_no_folder(get, mini, tmp_path):
    del mini.files["images/test/00000001.jpg"]
    refusal(get, mini.manifest())
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["downloads"]


def test_a_folder_that_fetch_did_not_make_is_not_touched(get, mini, tmp_path):
    own = tmp_path / "data" / "mini" / "my.txt"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    assert "found a folder not made by fetch" in refusal(get, mini.manifest())
    assert own.read_text() == "mine"


STEPS = [(module, "obtain"), (module, "unpack"), (module, "verify"), (module, "write_names")]


@pytest.mark.parametrize("step", [*STEPS, (module.json, "dumps"), (Path, "replace")])
def test_interrupted_at_any_step_it_does_not_look_done_and_then_ends_well(
    get, mini, tmp_path, monkeypatch, step
):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    what = mini.manifest()
    with monkeypatch.context() as patch:
        patch.setattr(*step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            get(what)
    assert not (tmp_path / "data" / "mini").exists()
    place = get(what)
    assert (place / "images/val/00000001.jpg").read_bytes() == mini.files["images/val/00000001.jpg"]
    assert not (tmp_path / "data" / "mini.partial").exists()


def test_a_download_that_was_damaged_later_is_fetched_again(get, mini, tmp_path, site):
    what = mini.manifest()
    shutil.rmtree(get(what))
    (tmp_path / "data" / "downloads" / "data.tar.gz").write_bytes(b"wrong")
    assert (get(what) / MARKER).is_file()


def test_without_a_published_checksum_the_first_file_counts(site, tmp_path, impatient):
    said = []
    item = manifest.Item("w.pth", [site.put("/w", b"first")], 100, {})
    path = obtain(item, tmp_path, said.append, impatient)
    assert "w.pth: no checksum is published; from now on it must be the same file." in said
    path.write_bytes(b"damaged")
    assert obtain(item, tmp_path, said.append, impatient).read_bytes() == b"first"
    site.put("/w", b"another")
    path.unlink()
    with pytest.raises(BadInputError, match="sha256"):
        obtain(item, tmp_path, said.append, impatient)
    assert not path.exists()
