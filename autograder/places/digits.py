"""Real handwritten digits, small enough to be part of the package.

``digits.npz`` holds the 1,797 images of 8×8 pixels (0 is paper, 16 is ink) and their labels from
the testing part of E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI
Machine Learning Repository (1998), https://doi.org/10.24432/C50P49, licensed CC BY 4.0.
scikit-learn distributes the same as ``load_digits``. They were written by thirteen people.
"""

from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST = 16  # the darkest ink
ENLARGED, BORDER = 3, 2  # 8 pixels become 24, and with the border 28

Images = NDArray[np.float32]
Labels = NDArray[np.int64]


class Digits(NamedTuple):
    """Images (N, 1, 28, 28) in [0, 1], 1 is ink; and labels (N,) from 0 to 9."""

    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels


def digits(strangers: bool = False) -> Digits:
    """The digits as a network takes them: about 1,440 to learn from and 360 to be tested on.

    The test is always the same: every fifth image of each class, so that it has something by
    everyone. For ``strangers`` it is the last fifth of each class instead. The images are in the
    order in which they were written, so most of these are by people who wrote none of the rest.
    """
    with files(__package__).joinpath("digits.npz").open("rb") as stream, np.load(stream) as file:
        small, labels = file["images"], file["labels"].astype(np.int64)
    tested = _a_fifth_of_each_class(labels, last=strangers)
    x = _enlarged(small)
    return Digits(x[~tested], labels[~tested], x[tested], labels[tested])


def _a_fifth_of_each_class(labels: Labels, last: bool) -> NDArray[np.bool_]:
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        chosen[places[-(len(places) // 5) :] if last else places[4::5]] = True
    return chosen


def _enlarged(small: NDArray[Any]) -> Images:
    """(N, 8, 8) as (N, 1, 28, 28): bilinear, so that a stroke stays smooth."""
    weights = _interpolation(small.shape[1])
    large = weights @ (small / LARGEST) @ weights.T
    border = (BORDER, BORDER)
    return np.pad(large, ((0, 0), border, border))[:, None].astype(np.float32)


def _interpolation(size: int) -> NDArray[np.float64]:
    """(ENLARGED · size, size): each row mixes the two pixels whose centres are nearest to it."""
    centres = (np.arange(ENLARGED * size) + 0.5) / ENLARGED - 0.5
    distances = np.abs(centres.clip(0, size - 1)[:, None] - np.arange(size))
    return np.asarray(np.maximum(1 - distances, 0), np.float64)
