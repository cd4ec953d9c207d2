"""A hidden test of a course's own, taken out of images whose labels are known.

Which images are taken, and in which order they are numbered, follows from a secret seed by
HMAC-SHA256 (RFC 2104) of the images' names: the same on every machine and with every version of
Python, and nothing that can be guessed without the seed. Every class gives equally many.

The images get new names, since ``train/a/abbey/00000001.jpg`` says what it shows. What this cannot
do: miniPlaces is public, so whoever looks for an image's double there finds its label.
"""

import hmac
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.places.labels import write_labels, write_names
from autograder.problem import BadInputError, Problem

SHORTEST = 16  # bytes of a seed
FOLDER = "hidden"


@dataclass(frozen=True)
class Split:
    """What is left to learn from, and what is held out.

    Attributes:
        rest: labels of the images that stay, in their old order.
        originals: the names that hidden images have in miniPlaces, by their new names.
        truth: labels of hidden images by their new names.
    """

    rest: Mapping[str, int]
    originals: Mapping[str, str]
    truth: Mapping[str, int]


def split(labels: Mapping[str, int], per_class: int, seed: bytes) -> Split:
    """Holds out ``per_class`` images of every class.

    Raises:
        BadInputError: a class has not more than that.
    """
    names: dict[int, list[str]] = defaultdict(list)
    for name, label in labels.items():
        names[label].append(name)
    _require_enough(names, per_class)
    chosen = [
        name
        for members in names.values()
        for name in sorted(members, key=lambda name: _rank(seed, "choose", name))[:per_class]
    ]
    chosen.sort(key=lambda name: _rank(seed, "number", name))
    originals = {
        f"{FOLDER}/{k:08d}{PurePosixPath(name).suffix}": name for k, name in enumerate(chosen, 1)
    }
    held = set(chosen)
    return Split(
        rest={name: label for name, label in labels.items() if name not in held},
        originals=originals,
        truth={new: labels[old] for new, old in originals.items()},
    )


def read_seed(path: Path) -> bytes:
    """The secret in a file, without blanks around it.

    Raises:
        BadInputError: there is none, or it is short enough to be guessed.
    """
    make = f"Make one: python -c 'import secrets; print(secrets.token_hex(32))' > {path}"
    try:
        seed = path.read_bytes().strip()
    except OSError as error:
        got = error.strerror or str(error)
        raise BadInputError(Problem(str(path), got, "a secret seed", make)) from error
    if len(seed) < SHORTEST:
        expected = f"at least {SHORTEST}, drawn at random"
        raise BadInputError(Problem(str(path), f"{len(seed)} bytes", expected, make))
    return seed


def write(
    made: Split, images: Path, name: str, students: Path, staff: Path, others: Sequence[Path] = ()
) -> None:
    """Writes what students get and, elsewhere, what they must not get.

    ``students`` has the images that stay listed in ``name``, hidden images under their new names in
    ``images/hidden``, and a list of these in ``hidden.txt``. ``staff`` has ``truth.txt``, which
    ``autograder leaderboard`` reads, and ``originals.txt``; both readable by their owner alone.

    Args:
        made: the split.
        images: the folder of miniPlaces' images.
        name: of the label file that was split.
        students: a folder that does not exist yet.
        staff: another, not inside the first.
        others: files to copy for students, such as ``categories.txt``.

    Raises:
        BadInputError: a folder exists, one is in the other, or an image is absent.
    """
    _require_apart(students, staff)
    parts = {folder: folder.with_name(f"{folder.name}.partial") for folder in (students, staff)}
    for part in parts.values():
        shutil.rmtree(part, ignore_errors=True)
    _for_students(made, images, name, parts[students], others)
    _for_staff(made, parts[staff])
    for folder in (staff, students):  # never hidden images without their truth
        parts[folder].replace(folder)


def _rank(seed: bytes, purpose: str, name: str) -> bytes:
    return hmac.digest(seed, f"{purpose}:{name}".encode(), "sha256")


def _require_enough(names: Mapping[int, Sequence[str]], per_class: int) -> None:
    for label, members in sorted(names.items()):
        if not 0 < per_class < len(members):
            got = f"{len(members)} images of class {label}"
            expected = f"more than the {per_class} to hold out, and at least one of these"
            raise BadInputError(Problem("--per-class", got, expected, "Hold out fewer."))


def _require_apart(students: Path, staff: Path) -> None:
    inside, outside = staff.resolve(), students.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        expected = "two folders apart, for students must not get the truth"
        raise BadInputError(Problem("--staff", f"{staff} with {students}", expected, "Move one."))
    for folder in (students, staff):
        if folder.exists():
            fix = "Remove it, or name another folder."
            raise BadInputError(Problem(str(folder), "something", "nothing yet", fix))


def _for_students(made: Split, images: Path, name: str, part: Path, others: Sequence[Path]) -> None:
    (part / "images" / FOLDER).mkdir(parents=True)
    write_labels(part / name, made.rest)
    write_names(part / "hidden.txt", made.originals)
    for other in others:
        shutil.copyfile(other, part / other.name)
    for new, old in made.originals.items():
        _copy(images / old, part / "images" / new)


def _copy(source: Path, to: Path) -> None:
    try:
        shutil.copyfile(source, to)  # without its dates, which would tell
    except OSError as error:
        got, fix = error.strerror or str(error), "Name the folder of images with --images."
        raise BadInputError(Problem(str(source), got, "an image to copy", fix)) from error


def _for_staff(made: Split, part: Path) -> None:
    part.mkdir(parents=True, mode=0o700)
    truth, originals = part / "truth.txt", part / "originals.txt"
    for path in (truth, originals):
        path.touch(mode=0o600)
    write_labels(truth, made.truth)
    rows = (f"{new} {old}\n" for new, old in made.originals.items())
    originals.write_text("".join(rows), encoding="ascii")
