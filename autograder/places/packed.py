"""Images decoded once, and read as whole batches from then on.

Decoding JPEGs is what a network on a GPU waits for. A packed set is a folder of

``images.npy``
    (N, H, W, 3) uint8, mapped into memory rather than read. A batch moved to a GPU and permuted to
    (N, 3, H, W) is then in torch's ``channels_last`` order without a copy, the one in which
    convolutions in half precision are fastest.
``labels.npy``
    (N,) int64; -1 where nobody tells us.
``set.json``
    the images' names in order, and mean and standard deviation of each channel in [0, 1].
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograder.problem import BadInputError, Problem

IMAGES, LABELS, ABOUT = "images.npy", "labels.npy", "set.json"

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


class Packed:
    """A packed set of N images.

    Attributes:
        images: (N, H, W, 3) uint8, read-only, on the disk until it is looked at.
        labels: (N,) int64.
        names: of the images, as in their label file.
        mean: (3,) of each channel, pixels being in [0, 1].
        std: (3,) standard deviation of each channel over all pixels of all images.
    """

    images: Images
    labels: Labels
    names: Sequence[str]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def __init__(self, folder: Path | str) -> None:
        """Opens what `pack` has made.

        Raises:
            BadInputError: there is no packed set, or not all of one.
        """
        self.folder = Path(folder)
        about = _about(self.folder)
        self.names = about["names"]
        self.mean, self.std = np.array(about["mean"]), np.array(about["std"])
        mapped = np.load(self.folder / IMAGES, mmap_mode="r")
        self.images = np.asarray(mapped)  # a plain view: indexing a memmap makes memmaps
        self.labels = np.load(self.folder / LABELS)

    def __len__(self) -> int:
        return len(self.labels)

    def __reduce__(self) -> tuple[type["Packed"], tuple[Path]]:
        """Another process opens the files itself, rather than being sent gigabytes."""
        return Packed, (self.folder,)

    def batch(self, rows: ArrayLike, out: Images | None = None) -> tuple[Images, Labels]:
        """Copies of the images (B, H, W, 3) and labels (B,) at ``rows``, in any order.

        Args:
            rows: B indices from 0 to N − 1, or negative from the end.
            out: where to write the images, such as ``tensor.numpy()`` of a pinned tensor.

        Raises:
            IndexError: a row is not there.
        """
        chosen = np.asarray(rows)
        labels = self.labels[chosen]  # raises IndexError
        # Rows are known to be good, and with mode="raise" take would write to a copy of out first.
        images = self.images.take(chosen % len(self), axis=0, out=out, mode="clip")
        return images, labels

    def batches(
        self, size: int, rng: np.random.Generator | None = None, drop_last: bool = False
    ) -> Iterator[tuple[Images, Labels]]:
        """All images once, ``size`` at a time; in a random order if there is an ``rng``."""
        order = np.arange(len(self)) if rng is None else rng.permutation(len(self))
        whole = len(self) - len(self) % size if drop_last else len(self)
        for start in range(0, whole, size):
            yield self.batch(order[start : start + size])


def _about(folder: Path) -> Mapping[str, Any]:
    path = folder / ABOUT
    try:
        about: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fix = "Make one: autograder places pack LABELS --into FOLDER"
        raise BadInputError(Problem(str(path), str(error), "a packed set", fix)) from error
    return about
