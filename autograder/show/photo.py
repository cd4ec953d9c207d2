"""The photograph that the lessons filter.

``photograph.jpg`` is cropped and reduced from "china.jpg", a picture that scikit-learn
distributes, by the Flickr user danielbuechele, licensed CC BY 2.0:
https://www.flickr.com/photos/danielbuechele/6061409035/
"""

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def photograph(gray: bool = False) -> NDArray[np.float64]:
    """A new copy of the photograph: (3, H, W), or (H, W) when ``gray``, with values in [0, 1].

    Gray is the luma of ITU-R BT.601. H is 160 and W is 240, so that one cannot stand for
    the other.
    """
    with files(__package__).joinpath("photograph.jpg").open("rb") as stream:
        pixels = np.asarray(Image.open(stream).convert("L" if gray else "RGB")) / 255
    return pixels if gray else np.ascontiguousarray(pixels.transpose(2, 0, 1))
