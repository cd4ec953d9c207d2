"""How fast are scenes drawn? Ratios against Pillow, in one run on one thread.

Two peers take turns with us: Pillow's ``ImageDraw``, which is written in C, with the same shapes
on the same samples, but without gradients, thin shapes and masks; and the decoding of JPEG files
of 128×128 pixels, which is what reading miniPlaces would take.
"""

import argparse
import io
import time
from collections.abc import Callable
from functools import partial
from statistics import median

from PIL import Image, ImageDraw
from tabulate import tabulate

from autograder.places import scenes
from autograder.places.scenes.canvas import SAMPLES
from autograder.places.scenes.draw import layers
from autograder.places.scenes.shapes import Box, Colour, Ellipse, Point, Shape

IMAGES = 96  # four of each class
SIDE = scenes.SIZE * SAMPLES


def ours() -> None:
    """All images, one after the other."""
    for index in range(IMAGES):
        scenes.draw(index)


def by_pillow() -> None:
    """The same shapes with Pillow."""
    for index in range(IMAGES):
        image = Image.new("RGB", (SIDE, SIDE))
        pen = ImageDraw.Draw(image)
        for layer in layers(scenes.plan(index)):
            for shape in layer.shapes:
                _draw(pen, layer.frame.shape(shape))
        image.reduce(SAMPLES)


def _draw(pen: ImageDraw.ImageDraw, shape: Shape) -> None:
    colour: Colour = shape.fill.start
    if isinstance(shape, Ellipse):
        (x, y), (rx, ry) = shape.centre, shape.radii
        pen.ellipse([*_place((x - rx, y - ry)), *_place((x + rx, y + ry))], fill=colour)
    elif isinstance(shape, Box):
        corners = zip(_place(shape.corner), _place(shape.opposite), strict=True)
        (left, right), (top, bottom) = map(sorted, corners)
        pen.rectangle([left, top, right, bottom], fill=colour)
    else:
        pen.polygon([*map(_place, shape.points)], fill=colour)


def _place(point: Point) -> tuple[float, float]:
    return point[0] * SIDE, point[1] * SIDE


def decoded(files: list[bytes]) -> None:
    """JPEG files as pixels."""
    for file in files:
        Image.open(io.BytesIO(file)).load()


def jpegs() -> list[bytes]:
    """The images at 128×128, as JPEG files."""
    files = []
    for index in range(IMAGES):
        stream = io.BytesIO()
        Image.fromarray(scenes.draw(index, size=128).image).save(stream, "jpeg")
        files.append(stream.getvalue())
    return files


def take_turns(runs: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """The median CPU time of each, in seconds an image."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            times[name].append((time.process_time() - start) / IMAGES)
    return {name: median(found) for name, found in times.items()}


def main() -> None:
    """Prints the table, and how long the promised 20,000 images take on two cores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--many", type=int, default=0, help="draw so many with two processes, too")
    arguments = parser.parse_args()
    runs = {
        "scenes": ours,
        "Pillow, the same shapes": by_pillow,
        "Pillow, JPEG files": partial(decoded, jpegs()),
    }
    seconds = take_turns(runs, arguments.rounds)
    rows = [
        (name, f"{1 / each:,.0f}", f"{seconds['scenes'] / each:.2f}")
        for name, each in seconds.items()
    ]
    headers = ["64×64 pixels", "images a second\nof CPU", "scenes' time /\nthis"]
    print(tabulate(rows, headers, disable_numparse=True, colalign=("left", "right", "right")))
    if arguments.many:
        start = time.perf_counter()
        scenes.dataset("train", arguments.many, processes=2)
        print(f"{arguments.many:,} images, two processes: {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
