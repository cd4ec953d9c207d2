"""The network that has been trained on the pretraining classes, as arrays."""

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

FILE = "pretrained.npz"

# Of the pretraining classes' first 2,400 scenes: each channel's mean and standard deviation,
# pixels from 0 to 1. What the network was trained with; another normalization misleads it.
MEAN = (0.561, 0.530, 0.501)
STD = (0.222, 0.201, 0.222)


def pretrained(head: bool = False) -> dict[str, NDArray[np.float32]]:
    """The weights of `resnet.SmallResNet` by torchvision's names; new arrays at each call.

    Args:
        head: whether ``fc.weight`` and ``fc.bias`` are among them, which tell the pretraining
            classes apart and no others.
    """
    return {
        name: array.astype(np.float32)
        for name, array in _stored().items()
        if head or not name.startswith("fc.")
    }


@cache
def _stored() -> dict[str, NDArray[np.float16]]:
    path = files(__package__).joinpath(FILE)
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
