"""miniPlaces' label files: which images there are, and what they show.

They are read by the same code that reads them for the leaderboard, and written so that it can.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.leaderboard.parse import NUM_CLASSES, parse_labels
from autograder.leaderboard.text import MAX_BYTES, read_lines
from autograder.problem import BadInputError, Problem

UNKNOWN = -1  # the label of an image that nobody tells us about

_SHOWN = 3  # problems of one kind

# What may be joined to a folder: no root, no drive, no way up, nothing that a terminal acts on.
_NAME = re.compile(r"(?!.*(^|/)\.\.?(/|$))[A-Za-z0-9_.+-]+(/[A-Za-z0-9_.+-]+)*")


def read_labels(path: Path, num_classes: int = NUM_CLASSES) -> dict[str, int]:
    """The labels of images by their names, as in ``train/b/bakery/shop/00000001.jpg 10``.

    Raises:
        BadInputError: the file cannot be read; or a line of it, with its number; or a name is not
            that of a file below the images' folder.
    """
    labels = parse_labels(_bytes(path), str(path), num_classes)
    _require_inside(path, labels)
    return labels


def read_images(path: Path, num_classes: int = NUM_CLASSES) -> dict[str, int]:
    """As `read_labels`; or a list of names alone, as of a test, whose labels are all `UNKNOWN`.

    Raises:
        BadInputError: as `read_labels`.
    """
    names = [line.text.strip() for line in read_lines(_bytes(path), str(path))]
    if any(len(name.split()) > 1 for name in names):
        return read_labels(path, num_classes)
    _require_inside(path, names)
    return dict.fromkeys(names, UNKNOWN)


def read_categories(path: Path, num_classes: int = NUM_CLASSES) -> dict[str, int]:
    """The labels of categories by their names, as in ``/b/bakery/shop 10``.

    Raises:
        BadInputError: the file cannot be read, or a line of it.
    """
    return parse_labels(_bytes(path), str(path), num_classes)


def category_of(image: str) -> str:
    """The category in a training image's name: all folders between the first and the file.

    Thirteen categories have a folder more than the others, as ``/b/bakery/shop`` has. Six of these
    are called ``outdoor`` and two ``indoor``: the parent folder's name alone makes 94 classes.
    """
    return "/" + "/".join(image.split("/")[1:-1])


def write_labels(path: Path, labels: Mapping[str, int]) -> None:
    """Writes a label file, in the order of ``labels``."""
    text = "".join(f"{name} {label}\n" for name, label in labels.items())
    path.write_text(text, encoding="ascii", newline="\n")


def write_names(path: Path, names: Iterable[str]) -> None:
    """Writes a list of images without labels."""
    path.write_text("".join(f"{name}\n" for name in names), encoding="ascii", newline="\n")


def _bytes(path: Path) -> bytes:
    """The file's bytes; of one that is too large, just enough for the parser to say so."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        got = error.strerror or str(error)
        fix = "Check the name; `autograder places fetch` gets miniPlaces' label files."
        raise BadInputError(Problem(str(path), got, "a label file", fix)) from error


def _require_inside(path: Path, names: Iterable[str]) -> None:
    problems = [_outside(path, name) for name in names if not _NAME.fullmatch(name)]
    if problems:
        raise BadInputError(*problems[:_SHOWN])


def _outside(path: Path, name: str) -> Problem:
    expected = "a path below the folder of images, such as train/a/abbey/00000001.jpg"
    return Problem(str(path), f"the image name {name[:60]!r}", expected, "Mend that line.")
