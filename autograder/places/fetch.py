"""Gets miniPlaces: from its mirrors or an archive on a disk to a folder that is all there.

The folder appears under its name in one step, when everything in it has been verified; until then
it is ``NAME.partial``. So whatever interrupts a fetch, the next one goes on or begins again.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from autograder.places.checksum import difference, digests
from autograder.places.download import MirrorError, Patience, UnreachableError, download
from autograder.places.inventory import verify
from autograder.places.labels import write_names
from autograder.places.manifest import Item, Manifest
from autograder.places.unpack import unpack
from autograder.problem import BadInputError, Problem

MARKER = "complete.json"

Say = Callable[[str], None]
_PATIENCE = Patience()


def fetch(
    manifest: Manifest,
    into: Path,
    archive: Path | None = None,
    labels: Path | None = None,
    say: Say = print,
    patience: Patience = _PATIENCE,
) -> Mapping[str, int]:
    """Makes ``into`` hold all of miniPlaces; returns how many images and annotations it has.

    Args:
        manifest: what to get.
        into: the folder; downloads are kept in ``downloads`` beside it.
        archive: use this file instead of downloading it. It is read where it is.
        labels: use the label files in this folder instead of downloading them.
        say: told what is going on, a line at a time.
        patience: how long each mirror is tried.

    Raises:
        BadInputError: says what could not be had, or is not what it should be.
    """
    if (into / MARKER).is_file():
        say(f"{into} is complete already.")
        return _counts(into)
    if into.exists():
        fix = f"Move it away, or choose another folder with --into. Only {MARKER} says it is whole."
        raise BadInputError(Problem(str(into), "a folder not made by fetch", "none yet", fix))
    downloads = into.parent / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    own = _given(archive, manifest.archive) if archive else None
    beside = [_beside(item, labels, downloads, say, patience) for item in manifest.files.values()]
    packed = own or obtain(manifest.archive, downloads, say, patience, "--archive FILE")
    counts = _build(manifest, packed, beside, into)
    say(f"{into} is complete: " + ", ".join(f"{n:,} {name}" for name, n in counts.items()) + ".")
    if not own:
        say(f"{packed} is not needed any more.")
    return counts


def obtain(
    item: Item,
    folder: Path,
    say: Say = print,
    patience: Patience = _PATIENCE,
    option: str = "",
) -> Path:
    """A verified file in ``folder``: the one that is there, or one from the mirrors in turn.

    Args:
        item: what to get.
        folder: made where it is missing.
        say: told what is going on.
        patience: how long each mirror is tried.
        option: of the command line, that takes a file which somebody has already.

    Raises:
        BadInputError: no mirror gave it; with what each of them said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    to = folder / item.name
    if to.is_file() and not _wrong(to, item, say):
        return to
    failures: dict[str, MirrorError] = {}
    for url in item.mirrors:
        try:
            say(f"{item.name} from {url}")
            download(url, to, item.max_bytes, patience)
            problem = _wrong(to, item, say)
            if problem:
                raise MirrorError(f"{problem.got} where {problem.expected} was expected")
            _tidy(to)
            return to
        except MirrorError as error:
            failures[url] = error
            say(f"  {error}")
    raise BadInputError(_none_left(to, failures, option))


def _wrong(path: Path, item: Item, say: Say) -> Problem | None:
    """What is wrong with a downloaded file, which is then no longer where it was."""
    found = digests(path, "md5", "sha256")
    noted = path.with_name(path.name + ".sha256")
    if not item.digests and noted.is_file():
        item = replace(item, digests={"sha256": noted.read_text(encoding="ascii").split()[0]})
    problem = difference(path, item, found, fix="")
    if problem:
        aside = path.with_name(f"{path.name}.bad-{found['md5'][:8]}")
        path.replace(aside)
        say(f"{problem.where}: found {problem.got}, expected {problem.expected}. Now in {aside}.")
        return problem
    if not item.digests:
        say(f"{path.name}: no checksum is published; from now on it must be the same file.")
        noted.write_text(f"{found['sha256']}  {path.name}\n", encoding="ascii")
    say(f"{path.name}: {_checked(item)}; sha256 {found['sha256']}")
    return None


def _checked(item: Item) -> str:
    return " and ".join(f"{name} is right" for name in item.digests) or "read"


def _tidy(path: Path) -> None:
    """Removes beginnings of the same file from other mirrors."""
    for part in path.parent.glob(f"{path.name}.????????.part*"):
        part.unlink()


def _none_left(to: Path, failures: Mapping[str, MirrorError], option: str) -> Problem:
    reached = [e for e in failures.values() if not isinstance(e, UnreachableError)]
    got = "no mirror that gave the right file" if reached else "no mirror that could be reached"
    fix = (
        "Are you online? Run it again: what has arrived is kept. Or get the file in a browser, or "
        f"from somebody who has it, and put it into {to.parent}"
    )
    fix += f", or leave it where it is and say {option}." if option else "."
    reasons = "".join(f"\n  {url}: {error}" for url, error in failures.items())
    return Problem(to.name, got, f"one of {len(failures)} to give it", fix + reasons)


def _beside(item: Item, folder: Path | None, downloads: Path, say: Say, patience: Patience) -> Path:
    if folder is None:
        return obtain(item, downloads, say, patience, "--labels FOLDER")
    return _given(folder / item.name, item)


def _given(path: Path, item: Item) -> Path:
    """A file of the user's own: looked at, and left where it is."""
    if not path.is_file():
        fix = "Check the name. On Colab, mount the drive first."
        raise BadInputError(Problem(str(path), "no such file", item.name, fix))
    fix = (
        "Copy or download it again. If you are sure that it is right, write its checksum into a "
        "copy of the manifest and say --manifest COPY."
    )
    problem = difference(path, item, digests(path, *item.digests), fix)
    if problem:
        raise BadInputError(problem)
    return path


def _build(manifest: Manifest, archive: Path, beside: list[Path], into: Path) -> Mapping[str, int]:
    partial = into.with_name(f"{into.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir()
    try:
        unpack(archive, partial, manifest.bounds)
        for path in beside:
            shutil.copyfile(path, partial / path.name)
        counts = verify(partial, manifest.contents)
    except BadInputError:
        shutil.rmtree(partial)
        raise
    tests = sorted((partial / manifest.contents.images / "test").glob("*.jpg"))
    write_names(partial / "test.txt", (f"test/{path.name}" for path in tests))
    (partial / MARKER).write_text(json.dumps({"counts": counts}) + "\n", encoding="ascii")
    partial.replace(into)
    return counts


def _counts(into: Path) -> Mapping[str, int]:
    counts: dict[str, int] = json.loads((into / MARKER).read_text(encoding="ascii"))["counts"]
    return counts
