"""Draws two pictures of the scenes: all classes, and where the thing is that defines each.

python docs/images/scenes.py
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from autograder.places import scenes
from autograder.show import Picture, png
from autograder.show.scenes import contact_sheet, located

HERE = Path(__file__).parent
EACH, SEED = 5, 50  # a seed with bright days


def classes() -> Picture:
    """Some scenes of each class."""
    return contact_sheet(
        {
            name[1:]: np.stack(
                [scenes.draw(EACH * row + k, SEED, classes=(name,)).image for k in range(EACH)]
            )
            for row, name in enumerate(scenes.CLASSES)
        }
    )


def truth() -> Picture:
    """A scene of each class of the task, with mask and box."""
    some = scenes.dataset("val", 12, seed=SEED, classes=scenes.TASK, progress=False)
    names = [scenes.TASK[label][1:] for label in some.labels]
    return located(some.images, some.masks, some.boxes, names)


def save(figure: Picture, name: str) -> None:
    """Writes a PNG file of six bits a channel, which nobody sees and which halves it."""
    with Image.open(io.BytesIO(png(figure))) as image:
        coarse = image.convert("RGB").point(lambda value: value // 4 * 4 + value // 64)
    coarse.save(HERE / name, optimize=True)


if __name__ == "__main__":
    save(classes(), "scenes.png")
    save(truth(), "scenes-truth.png")
