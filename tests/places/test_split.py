import stat
from collections import Counter

import pytest

from autograder.leaderboard.parse import parse, parse_labels
from autograder.leaderboard.score import score
from autograder.places.labels import read_images, read_labels
from autograder.places.split import read_seed, split, write
from autograder.problem import BadInputError

SEED = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def labels():
    """30 images of each of five classes, in no order."""
    return {f"val/{k:08d}.jpg": k * 7 % 5 for k in range(150)}


def test_every_class_gives_equally_many(labels):
    made = split(labels, 4, SEED)
    assert Counter(made.truth.values()) == dict.fromkeys(range(5), 4)
    assert Counter(made.rest.values()) == dict.fromkeys(range(5), 26)


def test_nothing_is_lost_and_nothing_is_in_both(labels):
    made = split(labels, 4, SEED)
    hidden = set(made.originals.values())
    assert hidden.isdisjoint(made.rest) and hidden | set(made.rest) == set(labels)
    assert list(made.rest) == [name for name in labels if name not in hidden]
    assert {new: labels[old] for new, old in made.originals.items()} == made.truth


def test_the_same_seed_gives_the_same(labels):
    assert split(labels, 4, SEED) == split(labels, 4, SEED)
    shuffled = dict(sorted(labels.items(), key=lambda row: row[::-1]))
    assert split(shuffled, 4, SEED).originals == split(labels, 4, SEED).originals


def test_it_is_the_same_for_ever():
    """On every machine and in every version: the first digits of HMAC-SHA256 decide."""
    made = split({f"val/{k}.jpg": k % 2 for k in range(8)}, 1, SEED)
    assert made.originals == {
        "hidden/00000001.jpg": "val/2.jpg",
        "hidden/00000002.jpg": "val/7.jpg",
    }


def test_another_seed_gives_another(labels):
    one, other = split(labels, 4, SEED), split(labels, 4, SEED + b"1")
    shared = set(one.originals.values()) & set(other.originals.values())
    assert len(shared) < 10


def test_new_names_say_nothing(labels):
    made = split({f"train/{name}": label for name, label in labels.items()}, 4, SEED)
    assert list(made.truth) == [f"hidden/{k:08d}.jpg" for k in range(1, 21)]
    assert list(made.truth.values()) != sorted(made.truth.values())  # not class by class


@pytest.mark.parametrize("per_class", [30, 31, 0])
def test_something_is_left_of_every_class(labels, per_class):
    with pytest.raises(BadInputError, match=r"found 30 images of class 0, expected more than"):
        split(labels, per_class, SEED)


def test_the_real_validation_images(miniplaces):
    labels = read_labels(miniplaces / "val.txt")
    made = split(labels, 50, SEED)
    assert Counter(made.truth.values()) == dict.fromkeys(range(100), 50)
    assert len(made.rest) == 5_000


@pytest.fixture
def written(labels, tmp_path):
    images = tmp_path / "images"
    (images / "val").mkdir(parents=True)
    for name in labels:
        (images / name).write_bytes(name.encode())
    (tmp_path / "categories.txt").write_text("/a 0\n")
    made = split(labels, 4, SEED)
    students, staff = tmp_path / "course", tmp_path / "secret"
    write(made, images, "val.txt", students, staff, [tmp_path / "categories.txt"])
    return made, students, staff


def test_what_students_get(written):
    made, students, _ = written
    assert read_labels(students / "val.txt") == made.rest
    assert list(read_images(students / "hidden.txt")) == list(made.truth)
    for new, old in made.originals.items():
        assert (students / "images" / new).read_bytes() == old.encode()
    files = {path.relative_to(students).as_posix() for path in students.rglob("*.*")}
    hidden = {f"images/{name}" for name in made.truth}
    assert files == {"val.txt", "hidden.txt", "categories.txt", *hidden}


def test_no_truth_in_what_students_get(written):
    made, students, _ = written
    texts = "".join(path.read_text() for path in students.glob("*.txt"))
    assert not any(old in texts for old in made.originals.values())
    assert "hidden" not in (students / "val.txt").read_text()
    assert all(" " not in line for line in (students / "hidden.txt").read_text().splitlines())
    times = {path.stat().st_mtime // 3600 for path in (students / "images/hidden").iterdir()}
    assert len(times) <= 2  # of copying, not of the original


def test_the_leaderboard_reads_the_truth(written):
    made, _, staff = written
    truth = parse_labels((staff / "truth.txt").read_bytes(), "truth.txt")
    assert truth == made.truth
    rows = "".join(f"{name} {label} 90 91 92 93\n" for name, label in truth.items())
    assert score(parse(rows.encode(), "mine.txt", truth), truth).top1 == 20


def test_staff_files_are_for_their_owner_alone(written):
    _, _, staff = written
    for path in (staff, staff / "truth.txt", staff / "originals.txt"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize(("students", "staff"), [("a", "a/b"), ("a/b", "a"), ("a", "a/../a")])
def test_truth_and_students_stay_apart(labels, tmp_path, students, staff):
    made = split(labels, 4, SEED)
    with pytest.raises(BadInputError, match="expected two folders apart"):
        write(made, tmp_path, "val.txt", tmp_path / students, tmp_path / staff)
    assert list(tmp_path.iterdir()) == []


def test_an_absent_image_leaves_nothing_that_looks_done(labels, tmp_path):
    with pytest.raises(BadInputError, match=r"found No such file .* --images"):
        write(split(labels, 4, SEED), tmp_path, "val.txt", tmp_path / "a", tmp_path / "b")
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_what_is_there_is_not_overwritten(labels, tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(BadInputError, match="found something"):
        write(split(labels, 4, SEED), tmp_path, "val.txt", tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("content", [None, b"", b"secret\n", b" " * 40])
def test_a_seed_that_could_be_guessed(tmp_path, content):
    if content is not None:
        (tmp_path / "seed").write_bytes(content)
    with pytest.raises(BadInputError, match=r"Make one: python -c 'import secrets"):
        read_seed(tmp_path / "seed")


def test_a_seed_is_read_without_its_line_break(tmp_path):
    (tmp_path / "seed").write_bytes(SEED + b"\r\n")
    assert read_seed(tmp_path / "seed") == SEED
