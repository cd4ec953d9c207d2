"""A notebook's way to the leaderboard: writes predictions with their manifest, and checks both."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from autograder.leaderboard import machine
from autograder.leaderboard.check import File, Report, check, tried
from autograder.leaderboard.manifest import build, images_digest, sha256, to_json
from autograder.leaderboard.parse import NUM_CLASSES, parse_images
from autograder.leaderboard.text import MAX_BYTES
from autograder.problem import BadInputError, Problem

PREDICTIONS, MANIFEST = "predictions.txt", "run.json"


class Written(NamedTuple):
    """The two files of a run."""

    predictions: Path
    manifest: Path


def write(
    folder: Path | str,
    names: Iterable[str],
    lines: str,
    *,
    labels: Mapping[str, int] | Path | str,
    classes: int = NUM_CLASSES,
    **facts: Any,
) -> Written:
    """Writes ``predictions.txt`` and ``run.json`` into a folder, if both are fit to be handed in.

    Args:
        folder: made if it is not there.
        names: of the images that are predicted.
        lines: the prediction file's text.
        labels: of the images that the net learned from: their label file, or labels by name.
        classes: how many there are.
        facts: the fields of a `Manifest`: ``split``, ``net``, ``recipe``, ``data``, ``epochs``,
            ``batch_size``, ``learning_rate`` and ``seed``; ``seconds``, ``top1``, ``top5`` and
            ``settings`` if you like. Versions, device, time and digests are found out.

    Raises:
        BadInputError: a fact or a line is wrong; one problem for each. Nothing is written.
    """
    images = tuple(dict.fromkeys(names))
    predictions = File(PREDICTIONS, _encoded(lines))
    computed = {
        "predictions_sha256": sha256(predictions.data),
        "images": len(images),
        "images_sha256": images_digest(images),
        "classes": _plain(classes),
        "data_sha256": sha256(_label_file(labels)),
    }
    run, faults = tried(lambda: build(dict(**_given(facts), **computed), MANIFEST))
    manifest = File(MANIFEST, to_json(run).encode()) if run else None
    _, wrong = tried(lambda: check(predictions, images, manifest, classes))
    if manifest is None or wrong:
        raise BadInputError(*wrong, *faults)
    return Written(_saved(Path(folder), predictions), _saved(Path(folder), manifest))


def check_files(
    predictions: Path | str,
    images: Path | str | Iterable[str],
    manifest: Path | str | None = None,
    num_classes: int | None = None,
    categories: Mapping[str, int] | None = None,
) -> Report:
    """Whether the leaderboard would accept these files: print what comes back.

    Args:
        predictions: the prediction file.
        images: a file that names the images, one a line, with or without labels; or the names.
        manifest: the run's manifest, if there is one.
        num_classes: by default as many as the manifest says, without one miniPlaces' 100.
        categories: labels by category name, so that a refusal can translate a name.

    Raises:
        BadInputError: they are refused; one problem for each thing wrong with them.
    """
    names = _names(images, num_classes or NUM_CLASSES)
    run = file_of(manifest) if manifest is not None else None
    return check(file_of(predictions), names, run, num_classes, categories)


def file_of(path: Path | str) -> File:
    """A file's name and bytes.

    Raises:
        BadInputError: it cannot be read.
    """
    return File(printable(path), bytes_of(Path(path)))


def bytes_of(path: Path) -> bytes:
    """The file's bytes; of a file that is too large, just enough for a parser to say so."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        got = error.strerror or str(error)
        fix = "Check the file's name and folder, and that you may read it."
        raise BadInputError(Problem(printable(path), got, "a file to read", fix)) from error


def printable(name: Path | str) -> str:
    """A file may be called anything; escapes what a terminal would act on or could not show."""
    text = str(name)
    return text if text.isprintable() else ascii(text)


def _names(images: Path | str | Iterable[str], num_classes: int) -> tuple[str, ...]:
    if not isinstance(images, Path | str):
        return tuple(images)
    file = file_of(images)
    return parse_images(file.data, file.name, num_classes)


def _encoded(lines: Any) -> bytes:
    if not isinstance(lines, str):
        got, fix = f"a {type(lines).__name__}", "Join the lines, each with '\\n' at its end."
        raise BadInputError(Problem("the predictions", got, "one text of lines", fix))
    return lines.encode("utf-8", "surrogatepass")  # refused as the bytes that they become


def _given(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller says, and what the machine says unless the caller does."""
    said = {key: _plain(value) for key, value in facts.items() if value is not None}
    return machine.facts() | said


def _label_file(labels: Mapping[str, int] | Path | str) -> bytes:
    """A label file's bytes, or what they would be."""
    if isinstance(labels, Path | str):
        return bytes_of(Path(labels))
    return "".join(f"{name} {int(label)}\n" for name, label in labels.items()).encode()


def _plain(value: Any) -> Any:
    """A number of NumPy or torch as one of Python's, also inside of settings."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.item() if getattr(value, "ndim", None) == 0 else value


def _saved(folder: Path, file: File) -> Path:
    path = folder / file.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def cannot_write(path: Path, error: OSError) -> BadInputError:
    """The refusal of a file that cannot be written."""
    got = error.strerror or str(error)
    fix = "Name a file in a folder that exists and that you may write to."
    return BadInputError(Problem(printable(path), got, "a file to write", fix))
