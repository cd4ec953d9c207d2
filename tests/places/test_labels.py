import hashlib
from collections import Counter
from dataclasses import replace

import pytest

from autograder.leaderboard.parse import parse_labels
from autograder.places import manifest
from autograder.places.inventory import verify
from autograder.places.labels import (
    UNKNOWN,
    category_of,
    read_categories,
    read_images,
    read_labels,
    write_labels,
)
from autograder.problem import BadInputError


@pytest.fixture(scope="module")
def training(request):
    """The labels of the 100,000 training images, read once."""
    return read_labels(request.getfixturevalue("miniplaces") / "train.txt")


def test_every_training_images_path_leads_to_its_category(miniplaces, training):
    categories = read_categories(miniplaces / "categories.txt")
    assert {categories[category_of(name)] - label for name, label in training.items()} == {0}
    assert Counter(training.values()) == dict.fromkeys(range(100), 1000)


@pytest.mark.parametrize(
    ("image", "category"),
    [
        ("train/a/abbey/00000001.jpg", "/a/abbey"),
        ("train/b/bakery/shop/00000001.jpg", "/b/bakery/shop"),
    ],
)
def test_a_category_is_all_folders_but_the_first(image, category):
    assert category_of(image) == category


def test_thirteen_categories_are_nested_and_parents_alone_would_make_94(miniplaces, training):
    categories = read_categories(miniplaces / "categories.txt")
    assert sum(name.count("/") > 2 for name in categories) == 13
    assert len({name.split("/")[-2] for name in training}) == 94
    assert {category_of(name) for name in training} == set(categories)


def test_the_manifest_knows_the_real_label_files(miniplaces):
    for name, item in manifest.load().files.items():
        data = (miniplaces / name).read_bytes()
        assert item.digests == {"md5": hashlib.md5(data, usedforsecurity=False).hexdigest()}
        assert len(data) <= item.max_bytes


def test_what_the_real_label_files_ask_for(miniplaces, tmp_path):
    """Without images everything is missing, and said in a few lines."""
    for path in miniplaces.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(BadInputError) as caught:
        verify(tmp_path, replace(manifest.load().contents, labels=["val.txt"]))
    said = str(caught.value)
    assert "found 0 of 10,000 images (/p/palace has 0 of 100, " in said
    assert "and 95 more classes); val/00000001.jpg is not" in said
    assert "test: found 0 images, expected 10,000" in said
    assert "expected 3,502" in said and "expected 371" in said
    assert len(said.splitlines()) == 4


def test_written_labels_are_read_back(tmp_path):
    labels = {"val/00000002.jpg": 7, "val/00000001.jpg": 99}
    write_labels(tmp_path / "val.txt", labels)
    assert list(read_labels(tmp_path / "val.txt").items()) == list(labels.items())
    assert parse_labels((tmp_path / "val.txt").read_bytes(), "val.txt") == labels


def test_a_list_of_names_has_unknown_labels(tmp_path):
    (tmp_path / "test.txt").write_text("test/1.jpg\ntest/2.jpg\n")
    assert read_images(tmp_path / "test.txt") == {"test/1.jpg": UNKNOWN, "test/2.jpg": UNKNOWN}
    (tmp_path / "val.txt").write_text("val/1.jpg 3\n")
    assert read_images(tmp_path / "val.txt") == {"val/1.jpg": 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("val/1.jpg 3\nval/2.jpg 100\n", "line 2: found the label '100', expected a label from 0"),
        ("val/1.jpg 3\nval/2.jpg\n", "line 2: found 0 labels for 'val/2.jpg', expected exactly 1"),
        ("val/1.jpg 3\nval/1.jpg 4\n", "line 2: found 'val/1.jpg' a second time (first on line 1)"),
    ],
)
def test_errors_name_the_line(tmp_path, text, said):
    (tmp_path / "val.txt").write_text(text)
    with pytest.raises(BadInputError, match=r"line 2") as caught:
        read_images(tmp_path / "val.txt")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../x.jpg", "a/../../x.jpg", "/etc/x.jpg", "a//x.jpg", "a/./x", "a\\x.jpg", "C:x.jpg"]
)
@pytest.mark.parametrize("label", ["", " 3"])
def test_names_stay_below_the_folder_of_images(tmp_path, name, label):
    (tmp_path / "val.txt").write_text(f"{name}{label}\n")
    with pytest.raises(BadInputError, match=r"found the image name .*, expected a path below"):
        read_images(tmp_path / "val.txt")


def test_no_such_file(tmp_path):
    with pytest.raises(BadInputError, match=r"none.txt: found No such file .* places fetch"):
        read_labels(tmp_path / "none.txt")
