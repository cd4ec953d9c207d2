"""Is everything there? Files on the disk against the label files."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path

from autograder.places.labels import read_categories, read_labels
from autograder.places.manifest import Contents
from autograder.problem import BadInputError, Problem

_SHOWN = 5
_FIX = "The archive is not miniPlaces' or is not all of it: fetch it from another mirror."


def verify(folder: Path, contents: Contents) -> dict[str, int]:
    """Counts what has been unpacked: how many images, and annotations, by what they are for.

    Raises:
        BadInputError: images are missing, listed by class; or annotations, or test images.
    """
    categories = read_categories(folder / contents.categories)
    images, objects = folder / contents.images, folder / contents.objects
    there = set(_files(images, ".jpg"))
    counts: dict[str, int] = {}
    problems: list[Problem] = []
    for name in contents.labels:
        labels = read_labels(folder / name)
        counts[name.removesuffix(".txt")] = len(labels)
        problems += _missing(folder / name, labels, there, categories)
    counts["test"] = sum(name.startswith("test/") for name in there)
    problems += _too_few(images / "test", counts["test"], contents.test_images, "images")
    for part, expected in contents.annotations.items():
        found = sum(1 for _ in _files(objects / part, ".xml"))
        counts[f"objects of {part}"] = found
        problems += _too_few(objects / part, found, expected, "annotations")
    if problems:
        raise BadInputError(*problems)
    return counts


def _files(folder: Path, ending: str) -> Iterator[str]:
    """Names of files below a folder, as label files write them."""
    for path in folder.rglob(f"*{ending}"):
        if path.stat().st_size:
            yield path.relative_to(folder).as_posix()


def _missing(
    file: Path, labels: Mapping[str, int], there: Set[str], categories: Mapping[str, int]
) -> Iterator[Problem]:
    absent = [name for name in labels if name not in there]
    if not absent:
        return
    classes = _by_class(absent, labels, categories)
    found = (
        f"{len(labels) - len(absent):,} of {len(labels):,} images ({classes}); {absent[0]} is not"
    )
    yield Problem(str(file), found, "all of them on the disk, none empty", _FIX)


def _by_class(
    absent: Iterable[str], labels: Mapping[str, int], categories: Mapping[str, int]
) -> str:
    """How many are missing of each class, the classes that miss most first."""
    names = {label: name for name, label in categories.items()}
    of_class = Counter(labels.values())
    rows = Counter(labels[name] for name in absent).most_common()
    shown = [
        f"{names.get(label, label)} has {of_class[label] - count} of {of_class[label]}"
        for label, count in rows[:_SHOWN]
    ]
    more = [f"and {len(rows) - _SHOWN} more classes"] if len(rows) > _SHOWN else []
    return ", ".join([*shown, *more])


def _too_few(folder: Path, found: int, expected: int, what: str) -> Iterator[Problem]:
    if found < expected:
        yield Problem(str(folder), f"{found:,} {what}", f"{expected:,}", _FIX)
