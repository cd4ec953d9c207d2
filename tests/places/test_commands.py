import argparse

import pytest

from autograder.places import commands
from autograder.places.packed import Packed
from autograder.problem import BadInputError


def run(*argv):
    top = argparse.ArgumentParser(prog="autograder")
    commands.add_to(top.add_subparsers())
    arguments = top.parse_args(["places", *map(str, argv)])
    return arguments.run(arguments)


@pytest.mark.parametrize("command", ["fetch", "pack", "split", "weights"])
def test_help_is_for_eighty_columns(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "86")
    with pytest.raises(SystemExit) as ended:
        run(command, "--help")
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 86 and len(said) > 300


def test_fetch_pack_and_split(mini, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mini.manifest()
    assert run("fetch", "--manifest", "manifest.toml") == 0
    place = tmp_path / "data" / "miniplaces"
    lists = [place / name for name in ("train.txt", "test.txt")]
    assert run("pack", *lists, "--into", "packed", "--workers", 1) == 0
    assert Packed("packed/train").labels.tolist() == [0, 0, 1]
    assert Packed("packed/test").labels.tolist() == [-1]
    (tmp_path / "labels.txt").write_text("train/a/abbey/00000001.jpg 0\n" * 1)
    (tmp_path / "seed").write_text("5" * 32)
    options = ["--per-class", 1, "--seed-file", "seed", "--images", place / "images"]
    mine = place / "mine.txt"
    mine.write_text("".join(sorted((place / "train.txt").read_text().splitlines(True))[:2]))
    assert run("split", mine, *options, "--students", "students", "--staff", "staff") == 0
    assert len((tmp_path / "staff" / "truth.txt").read_text().splitlines()) == 1
    assert (tmp_path / "students" / "categories.txt").is_file()
    said = capsys.readouterr().out
    assert "packed/train: 3 images" in said
    assert "students: 1 labelled images, 1 hidden" in said


def test_a_mirror_of_ones_own_comes_first(mini, site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = mini.archive()
    mini.manifest(site.url("/none"), archive=data)
    own = site.put("/own", data)
    assert run("fetch", "--manifest", "manifest.toml", "--mirror", own) == 0
    assert "/none" not in [path for path, _ in site.requests]


def test_an_interrupt_is_no_traceback(mini, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "fetch", interrupted)
    assert run("fetch") == 1
    assert "Run it again: what has arrived is kept." in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["fetch", "--into", "file/mini"],
        ["pack", "val.txt", "--into", "file/packed"],
        ["weights", "imagenet", "--into", "file/w"],
    ],
)
def test_a_folder_that_cannot_be_is_no_traceback(command, mini, tmp_path, monkeypatch, make_jpeg):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images" / "val").mkdir(parents=True)
    (tmp_path / "images" / "val" / "1.jpg").write_bytes(make_jpeg())
    (tmp_path / "val.txt").write_text("val/1.jpg 1\n")
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match=r"file.* found (Not a directory|File exists)"):
        run(*command)


def test_two_label_files_of_one_name(tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "val.txt").write_text("val/1.jpg 1\n")
    paths = [tmp_path / folder / "val.txt" for folder in "ab"]
    with pytest.raises(BadInputError, match="two label files of one name"):
        run("pack", *paths, "--into", tmp_path / "packed")


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5"])
def test_a_number_of_workers(number, capsys):
    with pytest.raises(SystemExit):
        run("pack", "x", "--into", "y", "--workers", number)
    assert "is not a number from 1 on" in capsys.readouterr().err


def test_weights_are_compared_with_the_network(site, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.zeros(1)}, tmp_path / "w")
    url = site.put("/w", (tmp_path / "w").read_bytes())
    with pytest.raises(BadInputError, match=r"missing: conv1\.weight"):
        run("weights", "places365", "--mirror", url, "--into", tmp_path / "data")
