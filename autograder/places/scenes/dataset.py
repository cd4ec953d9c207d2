"""Many scenes at once: as arrays, or as files in the layout of miniPlaces."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from autograder.places.scenes.canvas import Mask, Pixels
from autograder.places.scenes.classes import CLASSES
from autograder.places.scenes.draw import SIZE, Scene, draw
from autograder.places.scenes.plan import Facts

Result = TypeVar("Result")

_CHUNK = 32  # scenes that a process draws before it hands them over
_TRUTH = ("image", "label", "x0", "y0", "x1", "y1", *Facts._fields)


class Scenes(NamedTuple):
    """N scenes.

    Attributes:
        images: (N, size, size, 3) uint8.
        labels: (N,) int64, places in the list of classes that was asked for.
        masks: (N, size, size) bool: where the object that defines the class is seen.
        boxes: (N, 4) int64: x0, y0, x1, y1 in pixels; x1 and y1 are the first ones outside.
        facts: N of what else there is.
    """

    images: Pixels
    labels: NDArray[np.int64]
    masks: Mask
    boxes: NDArray[np.int64]
    facts: tuple[Facts, ...]


def dataset(
    split: str,
    count: int,
    *,
    seed: int = 0,
    size: int = SIZE,
    classes: Sequence[str] = CLASSES,
    background_bias: float = 0.0,
    companion_bias: float = 0.0,
    processes: int = 1,
    progress: bool = True,
) -> Scenes:
    """The first ``count`` scenes of a split; see `draw` for what the options mean.

    Args:
        split: train, val or test.
        count: how many; a multiple of ``len(classes)`` has as many of each class.
        seed: another seed, other scenes.
        size: height and width in pixels.
        classes: names from `CLASSES`; a label is a place in this list.
        background_bias: how often a class is shown where it is at home.
        companion_bias: how often what stands by is the class's own.
        processes: how many draw; with more than one, a script needs its
            ``if __name__ == "__main__"``.
        progress: whether a bar is shown.
    """
    one = partial(
        draw,
        seed=seed,
        split=split,
        size=size,
        classes=tuple(classes),
        background_bias=background_bias,
        companion_bias=companion_bias,
    )
    images = np.empty((count, size, size, 3), np.uint8)
    masks = np.empty((count, size, size), bool)
    labels, boxes = np.empty(count, np.int64), np.empty((count, 4), np.int64)
    facts = []
    for i, scene in enumerate(_all(one, count, processes, progress, split)):
        images[i], labels[i], masks[i], boxes[i] = scene[:4]
        facts.append(scene.facts)
    return Scenes(images, labels, masks, boxes, tuple(facts))


def write(
    folder: Path,
    counts: dict[str, int],
    *,
    seed: int = 0,
    size: int = SIZE,
    classes: Sequence[str] = CLASSES,
    background_bias: float = 0.0,
    companion_bias: float = 0.0,
    processes: int = 1,
    progress: bool = True,
) -> None:
    """Writes scenes as miniPlaces' folders and label files, and the truth beside them.

    ``images/train/a/aquarium/00000001.png``, ``images/val/00000001.png``; ``train.txt`` and
    ``val.txt`` with a name and a label a line, ``test.txt`` with names alone, ``categories.txt``.
    ``truth/`` holds what miniPlaces does not tell: for each split a table with label, box
    and facts of every image, and a mask of the same name. Images are PNG, not JPEG, because
    those keep the pixels: the same on every machine, and as drawn.

    Args:
        folder: made where it is missing; files of the same name are replaced.
        counts: scenes by split.
        seed: another seed, other scenes.
        size: height and width in pixels.
        classes: names from `CLASSES`; a label is a place in this list.
        background_bias: how often a class is shown where it is at home.
        companion_bias: how often what stands by is the class's own.
        processes: how many draw and write.
        progress: whether a bar is shown.
    """
    options: dict[str, Any] = {
        "seed": seed,
        "size": size,
        "classes": tuple(classes),
        "background_bias": background_bias,
        "companion_bias": companion_bias,
    }
    folder.mkdir(parents=True, exist_ok=True)
    _write_lines(folder / "categories.txt", (f"{name} {k}" for k, name in enumerate(classes)))
    for split, count in counts.items():
        save = partial(_save, folder, partial(draw, split=split, **options), split, tuple(classes))
        rows = sorted(_all(save, count, processes, progress, split))
        told = 1 if split == "test" else 2
        _write_lines(folder / f"{split}.txt", (" ".join(map(str, row[:told])) for row in rows))
        table = ["\t".join(_TRUTH), *("\t".join(map(str, row)) for row in rows)]
        _write_lines(folder / "truth" / f"{split}.tsv", table)


def _all(
    one: Callable[[int], Result], count: int, processes: int, progress: bool, about: str
) -> Iterator[Result]:
    """``one`` of 0 to ``count - 1``, in this order."""
    if processes <= 1:
        yield from tqdm(map(one, range(count)), about, count, disable=not progress)
        return
    # Forking a process that has threads, as one with torch has, may hang.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        results = pool.map(one, range(count), chunksize=_CHUNK)
        yield from tqdm(results, about, count, disable=not progress)


def _save(
    folder: Path, one: Callable[[int], Scene], split: str, classes: Sequence[str], index: int
) -> tuple[Any, ...]:
    """Writes one scene and its mask; returns its line of the table."""
    scene = one(index)
    name = _name(split, classes, scene.label, index)
    for place, pixels in (("images", scene.image), ("truth", scene.mask)):
        path = folder / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return (name, scene.label, *scene.box, *map(_written, scene.facts))


def _name(split: str, classes: Sequence[str], label: int, index: int) -> str:
    """As in miniPlaces: training images by class and counted in each, others in one folder."""
    if split == "train":
        return f"train{classes[label]}/{index // len(classes) + 1:08d}.png"
    return f"{split}/{index + 1:08d}.png"


def _written(fact: object) -> str:
    return ",".join(fact) if isinstance(fact, tuple) else str(fact)


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii", newline="\n")
