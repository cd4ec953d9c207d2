"""Decodes the images of a label file into a packed set, in several processes.

Every process writes its own rows of one file on the disk, so no pixel travels between processes.
The set appears under its name in one step, when it is whole; an interrupted one begins again.
"""

import json
import math
import multiprocessing
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from autograder.places.packed import ABOUT, IMAGES, LABELS
from autograder.problem import BadInputError, Problem

_CHUNK = 256  # images
_VALUES = 256  # of a pixel
_SHOWN = 5
_LARGEST = 1024  # pixels
_FORMATS = ("JPEG", "PNG")
# What Pillow raises for a file that is no image, is cut off, or is broken inside.
_BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError)


@dataclass(frozen=True)
class _Part:
    """Some rows of the set, and which image goes into each."""

    into: Path
    images: Path
    names: Sequence[str]
    rows: range


@dataclass(frozen=True)
class _Done:
    """Of a part: how often each channel has each value (3 · 256), and what could not be decoded."""

    count: int
    histogram: NDArray[np.int64]
    faults: Sequence[tuple[str, str]]


def pack(
    labels: Mapping[str, int],
    images: Path,
    into: Path,
    workers: int | None = None,
    shuffle: int | None = None,
) -> None:
    """Makes ``into`` a packed set of the images that ``labels`` names.

    Args:
        labels: by image names, which are paths below ``images``.
        images: the folder of images, all of one size.
        into: a folder that does not exist yet.
        workers: processes; by default as many as there are cores for us.
        shuffle: a seed, to store them in a random order; by default that of ``labels``. Reading
            from one end to the other is then reading at random, which a slow disk likes better.

    Raises:
        BadInputError: images are absent, broken, or of different sizes: with their names.
    """
    if into.exists():
        fix = "Remove it, or choose another folder with --into."
        raise BadInputError(Problem(str(into), "something", "nothing yet", fix))
    names = _ordered(list(labels), shuffle)
    height, width = _size(images / names[0])
    partial = into.with_name(f"{into.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        shape = (len(names), height, width, 3)
        _require_room(partial, math.prod(shape))
        np.lib.format.open_memmap(partial / IMAGES, "w+", np.uint8, shape).flush()
        done = _decode(partial, images, names, workers or _cores())
        np.save(partial / LABELS, np.array([labels[name] for name in names], np.int64))
        about = {**_statistics(done), "names": names}
        (partial / ABOUT).write_text(json.dumps(about), encoding="utf-8")
    except BaseException:
        shutil.rmtree(partial)  # it is large, and the next run begins again anyway
        raise
    partial.replace(into)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ordered(names: list[str], shuffle: int | None) -> list[str]:
    if shuffle is None:
        return names
    return [names[k] for k in np.random.default_rng(shuffle).permutation(len(names))]


def _size(path: Path) -> tuple[int, int]:
    """Height and width of the first image, which all others must have as well."""
    try:
        with Image.open(path, formats=_FORMATS) as image:
            height, width = image.height, image.width
    except _BROKEN as error:
        raise BadInputError(_broken(str(path), _words(error))) from error
    if max(height, width) > _LARGEST:
        fix, expected = "Make all images smaller first.", f"at most {_LARGEST}×{_LARGEST}"
        raise BadInputError(Problem(str(path), f"{height}×{width} pixels", expected, fix))
    return height, width


def _require_room(folder: Path, needed: int) -> None:
    """Looks before: a full disk kills a process that writes to mapped memory, without a word."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        got, expected = f"{free / 1e9:.1f} GB of room", f"{needed / 1e9:.1f} GB"
        fix = "Make room, or choose another disk with --into."
        raise BadInputError(Problem(str(folder), got, expected, fix))


def _decode(into: Path, images: Path, names: list[str], workers: int) -> list[_Done]:
    parts = [
        _Part(into, images, names[start : start + _CHUNK], range(start, start + _CHUNK))
        for start in range(0, len(names), _CHUNK)
    ]
    with tqdm(total=len(names), unit=" images", desc=into.stem, disable=None) as bar:
        done = []
        for each in _in_processes(parts, min(workers, len(parts))):
            done.append(each)
            bar.update(each.count)
    _require_whole(images, [fault for each in done for fault in each.faults])
    return done


def _in_processes(parts: Sequence[_Part], workers: int) -> Iterator[_Done]:
    if workers == 1:
        yield from map(_decode_part, parts)
        return
    # Fresh processes: a fork of one that has used torch or other threads may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool:
        yield from _as_they_come(pool, parts)


def _as_they_come(pool: Executor, parts: Iterable[_Part]) -> Iterator[_Done]:
    futures: list[Future[_Done]] = [pool.submit(_decode_part, part) for part in parts]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def _decode_part(part: _Part) -> _Done:
    rows = np.load(part.into / IMAGES, mmap_mode="r+")[part.rows.start : part.rows.stop]
    histogram = np.zeros(3 * _VALUES, np.int64)
    faults = []
    for row, name in zip(rows, part.names, strict=True):
        try:
            image = _decoded(part.images / name, (row.shape[0], row.shape[1]))
            row[...] = np.asarray(image)
            histogram += image.histogram()  # Pillow counts faster than NumPy adds
        except _BROKEN as error:
            faults.append((name, _words(error)))
    return _Done(len(part.names), histogram, faults)


def _decoded(path: Path, size: tuple[int, int]) -> Image.Image:
    with Image.open(path, formats=_FORMATS) as image:
        if (image.height, image.width) != size:  # known before anything is decoded
            raise ValueError(f"{image.height}×{image.width} pixels and not {size[0]}×{size[1]}")
        return image.convert("RGB")


def _statistics(done: Iterable[_Done]) -> dict[str, list[float]]:
    """Mean and standard deviation from sums of integers, hence exact but for the last rounding."""
    values = np.arange(_VALUES)
    channels = np.sum([part.histogram for part in done], axis=0).reshape(3, _VALUES)
    counts, sums, squares = channels.sum(1), channels @ values, channels @ values**2
    moments = [tuple(map(int, row)) for row in zip(counts, sums, squares, strict=True)]
    return {
        "mean": [s / n / 255 for n, s, _ in moments],
        "std": [(n * q - s * s) ** 0.5 / n / 255 for n, s, q in moments],
    }


def _require_whole(images: Path, faults: list[tuple[str, str]]) -> None:
    problems = [_broken(str(images / name), reason) for name, reason in sorted(faults)]
    if len(problems) > _SHOWN:
        rest = len(problems) - _SHOWN
        got = f"{rest:,} more images that cannot be decoded"
        last = Problem(str(images), got, "none", "The first of them are listed above.")
        problems = [*problems[:_SHOWN], last]
    if problems:
        raise BadInputError(*problems)


def _broken(where: str, got: str) -> Problem:
    fix = "Fetch the images again, or take its line out of the label file."
    return Problem(where, got, "a whole image of the size of the others", fix)


def _words(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no JPEG or PNG image"
    return getattr(error, "strerror", None) or str(error)
