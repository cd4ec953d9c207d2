import argparse
import hashlib
from itertools import groupby

import numpy as np
import pytest
from PIL import Image

from autograder.leaderboard.parse import parse_labels
from autograder.places import scenes
from autograder.places.scenes.commands import add_to
from autograder.problem import BadInputError

COUNTS = {"train": 30, "val": 13, "test": 5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("scenes")
    options = dict(seed=2, size=24, classes=scenes.TASK, background_bias=0.5)
    scenes.write(place, COUNTS, **options, progress=False)
    return place


def drawn(index, split):
    options = dict(split=split, size=24, classes=scenes.TASK, background_bias=0.5)
    return scenes.draw(index, 2, **options)


def labels(folder, name):
    return parse_labels((folder / name).read_bytes(), name)


def table(folder, split):
    head, *rows = (folder / "truth" / f"{split}.tsv").read_text().splitlines()
    return [dict(zip(head.split("\t"), row.split("\t"), strict=True)) for row in rows]


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_categories_are_named_and_counted_as_miniplaces_does(folder):
    text = (folder / "categories.txt").read_text()
    assert text.startswith("/a/amusement_park 0\n/a/aquarium 1\n") and text.endswith("\n")
    assert labels(folder, "categories.txt") == {name: k for k, name in enumerate(scenes.TASK)}


def test_the_training_labels_are_read_by_the_leaderboards_parser_and_name_files(folder):
    read = labels(folder, "train.txt")
    assert len(read) == COUNTS["train"]
    for name, label in read.items():
        assert name.startswith(f"train{scenes.TASK[label]}/000000")
        assert (folder / "images" / name).is_file()


def test_training_images_are_counted_from_one_in_each_class_and_listed_by_class(folder):
    lines = [line.split() for line in (folder / "train.txt").read_text().splitlines()]
    assert lines == sorted(lines)
    for _, group in groupby(lines, lambda line: line[1]):
        numbers = [int(name.split("/")[-1].removesuffix(".png")) for name, _ in group]
        assert numbers == list(range(1, len(numbers) + 1))


def test_validation_images_lie_in_one_folder_and_name_no_class(folder):
    read = labels(folder, "val.txt")
    assert list(read) == [f"val/{k:08d}.png" for k in range(1, 14)]
    assert list(read.values()) == [drawn(index, "val").label for index in range(13)]


def test_the_labels_of_the_test_are_in_the_truth_alone(folder):
    assert (folder / "test.txt").read_text().splitlines() == [
        f"test/{k:08d}.png" for k in range(1, 6)
    ]
    assert [int(row["label"]) for row in table(folder, "test")] == [
        drawn(index, "test").label for index in range(5)
    ]


@pytest.mark.parametrize("split", ["val", "test"])
def test_files_hold_the_pixels_that_are_drawn_and_the_truth_about_them(folder, split):
    for index, row in enumerate(table(folder, split)):
        scene = drawn(index, split)
        assert np.array_equal(pixels(folder / "images" / row["image"]), scene.image)
        assert np.array_equal(pixels(folder / "truth" / row["image"]), scene.mask)
        assert tuple(int(row[side]) for side in ("x0", "y0", "x1", "y1")) == scene.box
        assert (row["background"], row["light"]) == (scene.facts.background, scene.facts.light)
        assert row["companions"] == ",".join(scene.facts.companions)


def test_every_file_has_its_reason(folder):
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    lists = {"categories.txt", "train.txt", "val.txt", "test.txt"}
    images = {row["image"] for split in COUNTS for row in table(folder, split)}
    assert len(images) == sum(COUNTS.values())
    truth = {f"truth/{split}.tsv" for split in COUNTS}
    assert found == lists | truth | {
        f"{place}/{name}" for place in ("images", "truth") for name in images
    }


def run(*argv):
    parser = argparse.ArgumentParser()
    add_to(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["scenes", *map(str, argv)])
    return arguments.run(arguments)


def test_the_command_writes_the_same_with_two_processes(folder, tmp_path, capsys):
    counts = ["--count", 30, "--val", 13, "--test", 5, "--seed", 2, "--size", 24]
    argv = ["--into", tmp_path, *counts, "--classes", "task", "--background-bias", 0.5]
    assert run(*argv, "--processes", 2) == 0
    assert capsys.readouterr().out == f"48 images of 12 places in {tmp_path}\n"
    for path in folder.rglob("*"):
        if path.is_file():
            other = tmp_path / path.relative_to(folder)
            digests = [hashlib.sha256(p.read_bytes()).hexdigest() for p in (path, other)]
            assert digests[0] == digests[1], path


def test_the_command_refuses_all_that_is_out_of_range_at_once(tmp_path):
    with pytest.raises(BadInputError) as refused:
        run("--into", tmp_path, "--size", 4, "--background-bias", 1.5)
    assert "--size: found 4, expected a number from 24 to 512" in str(refused.value)
    assert "--background-bias: found 1.5" in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_the_command_says_where_it_may_not_write(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match=r"file.*a folder to write to"):
        run("--into", tmp_path / "file", "--count", 1, "--processes", 1)
