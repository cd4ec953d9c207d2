"""Would the leaderboard accept this? The server's own parser, without the truth."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from autograder.leaderboard.manifest import Manifest, images_digest, parse_manifest, sha256
from autograder.leaderboard.parse import GUESSES, NUM_CLASSES, parse
from autograder.problem import BadInputError, Problem

T = TypeVar("T")


class File(NamedTuple):
    """What somebody hands in: its bytes, and what messages call it."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Report:
    """Files that the leaderboard accepts; ``str`` says so.

    Attributes:
        predictions: what the prediction file is called.
        images: how many images it predicts.
        classes: its labels are 0 to ``classes - 1``.
        warnings: what is odd but let pass.
        manifest: the run that it says it is from, if it came with one.
    """

    predictions: str
    images: int
    classes: int
    warnings: tuple[Problem, ...] = ()
    manifest: Manifest | None = None

    def __str__(self) -> str:
        lines = [
            f"{self.predictions}: valid, {self.images:,} images with {GUESSES} labels each, "
            f"from 0 to {self.classes - 1}",
            *(_about(self.manifest) if self.manifest else ()),
            *(f"warning: {warning}" for warning in self.warnings),
        ]
        return "\n".join(lines)


def check(
    predictions: File,
    images: Iterable[str],
    manifest: File | None = None,
    num_classes: int | None = None,
    categories: Mapping[str, int] | None = None,
) -> Report:
    """Reads predictions of ``images``, and a manifest that has to be about them.

    Args:
        predictions: the prediction file.
        images: the names that are to be predicted.
        manifest: the run's manifest, if there is one.
        num_classes: by default as many as the manifest says, without one miniPlaces' 100.
        categories: as for `parse`.

    Raises:
        BadInputError: one problem for each thing wrong with either, or between them.
    """
    names = dict.fromkeys(images)
    run, faults = tried(lambda: _manifest(manifest))
    classes = num_classes or (run.classes if run else NUM_CLASSES)
    found, wrong = tried(
        lambda: parse(predictions.data, predictions.name, names, classes, categories)
    )
    where = manifest.name if manifest else ""
    differences = _differences(run, where, predictions, names, num_classes) if run else ()
    problems = [*wrong, *faults, *differences]
    if found is None or problems:
        raise BadInputError(*problems)
    return Report(predictions.name, len(names), classes, found.warnings, run)


def tried(read: Callable[[], T]) -> tuple[T | None, tuple[Problem, ...]]:
    """The result, or the problems: so that those of several files can be told at once."""
    try:
        return read(), ()
    except BadInputError as error:
        return None, error.problems


def _manifest(file: File | None) -> Manifest | None:
    return parse_manifest(file.data, file.name) if file else None


def _differences(
    run: Manifest, where: str, predictions: File, names: Collection[str], num_classes: int | None
) -> Iterator[Problem]:
    """Where a manifest speaks of other predictions than these."""
    written = sha256(predictions.data)
    if run.predictions_sha256 != written:
        got, expected = f"{run.predictions_sha256[:12]}...", f"{written[:12]}..."
        fix = "One of the two has changed since they were written: write both again."
        yield Problem(
            f"{where}, predictions_sha256", got, f"{expected}, that of {predictions.name}", fix
        )
    if run.images_sha256 != images_digest(names):
        got = f"the digest of other names ({run.images:,})"
        fix = "Give the file of images that the manifest was written for, or write both again."
        yield Problem(f"{where}, images_sha256", got, f"that of the {len(names):,} images", fix)
    elif run.images != len(names):
        fix = "Write the manifest again."
        yield Problem(f"{where}, images", f"{run.images:,}", f"{len(names):,}", fix)
    if num_classes not in (None, run.classes):
        fix = "Ask for as many classes as there are, or write the manifest again."
        yield Problem(f"{where}, classes", str(run.classes), str(num_classes), fix)


def _about(run: Manifest) -> Iterator[str]:
    results = [("top-1", run.top1), ("top-5", run.top5)]
    shares = ", ".join(f"{name} {share:.1%}" for name, share in results if share is not None)
    yield "its manifest: valid"
    yield f"  {run.net}, {run.recipe}"
    yield f"  {run.data}; epochs {run.epochs}, batch size {run.batch_size}, seed {run.seed}"
    yield f"  {run.device}, {run.when}"
    if shares:
        yield f"  validation {shares}"
