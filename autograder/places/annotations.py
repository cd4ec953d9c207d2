r"""Which objects are where: miniPlaces' annotations of 3,502 training and 371 validation images.

``objects/train/a/abbey/00000001.xml`` belongs to ``images/train/a/abbey/00000001.jpg``. These files
are no whole XML documents: they have no root, only elements in a row::

    <filename>93353149.jpg</filename>   in the data that the image was taken from
    <folder>/a/abbey</folder>           its category
    <class>0</class>                    and that one's number
    <objects>                           once for each object
      <class>169</class>                a line of object_categories.txt
      <polygon> <pt><x>104</x><y>110</y></pt> ... </polygon>
      <bndbox> <xmin>102</xmin><xmax>108</xmax><ymin>103</ymin><ymax>110</ymax> </bndbox>
    </objects>

Their coordinates are numbers of pixels, the first pixel being 1 and the last 128, both inside. Here
they count from 0, and a box ends before its second corner, as slices do.

Read with patience: a root around all of it, ``object`` for ``objects``, and an object that has only
a box or only a polygon are as good; coordinates may have fractions, and what reaches beyond the
image is cut off. Declarations of entities are refused: they have no place inside the root that is
put around, and defusedxml would not follow one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from autograder.problem import BadInputError, Problem, line_of

SIZE = 128
NUM_OBJECTS = 175

_MOST_BYTES = 2**20
_MOST_OBJECTS = 1_000
_MOST_POINTS = 10_000
_OBJECT_TAGS = ("objects", "object")
_FIX = "Unpack the archive again; if the file is your own, mend that place."


@dataclass(frozen=True)
class Box:
    """Pixels ``image[y0:y1, x0:x1]``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)


@dataclass(frozen=True, eq=False)
class Thing:
    """An object in an image.

    Attributes:
        label: its line in ``object_categories.txt``, from 0.
        box: the pixels from its first to its last column and row.
        polygon: (K, 2) corners x, y, as pixel positions from 0; without one, the box's corners.
    """

    label: int
    box: Box
    polygon: NDArray[np.float64]

    def mask(self, height: int = SIZE, width: int = SIZE) -> NDArray[np.bool_]:
        """(H, W): the pixels inside the polygon, its outline among them."""
        image = Image.new("1", (width, height))
        corners = [(float(x), float(y)) for x, y in self.polygon]
        ImageDraw.Draw(image).polygon(corners, fill=1, outline=1)
        return np.array(image, dtype=np.bool_)


@dataclass(frozen=True)
class Annotation:
    """What is known of one image: its category's name and number, and the objects in it."""

    folder: str
    category: int
    things: tuple[Thing, ...]

    def of(self, label: int) -> list[Thing]:
        """The objects of one kind."""
        return [thing for thing in self.things if thing.label == label]


def annotation_of(folder: Path, image: str) -> Annotation | None:
    """The annotation of an image by its name, from the folder ``objects``; most have none.

    Raises:
        BadInputError: there is one, and it cannot be used.
    """
    path = (folder / image).with_suffix(".xml")
    return read(path) if path.is_file() else None


def read(path: Path, height: int = SIZE, width: int = SIZE) -> Annotation:
    """Reads an annotation of an image of that size.

    Raises:
        BadInputError: the file cannot be read, or says something impossible; and where.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        got = error.strerror or str(error)
        raise BadInputError(Problem(str(path), got, "an annotation", _FIX)) from error
    return parse(data, str(path), height, width)


def parse(data: bytes, name: str, height: int = SIZE, width: int = SIZE) -> Annotation:
    """As `read`, from the file's bytes; ``name`` is what messages call it."""
    if len(data) > _MOST_BYTES:
        _refuse(name, f"more than {_MOST_BYTES:,} bytes", "less")
    root = _root(data, name)
    objects = [child for child in root if child.tag in _OBJECT_TAGS]
    if len(objects) > _MOST_OBJECTS:
        _refuse(name, f"{len(objects):,} objects", f"at most {_MOST_OBJECTS:,}")
    things = tuple(
        _thing(f"{name}, object {k}", element, height, width)
        for k, element in enumerate(objects, 1)
    )
    category = _label(name, root, "class")
    return Annotation((root.findtext("folder") or "").strip(), category, things)


def _root(data: bytes, name: str) -> Element:
    """The elements in a row below one that we put around them, on their own first line."""
    head, end = data[:5], data.find(b"?>") + 2
    body = data[end:] if head == b"<?xml" and end > 1 else data
    try:
        root: Element = defusedxml.ElementTree.fromstring(b"<annotation>" + body + b"</annotation>")
    except defusedxml.ElementTree.ParseError as error:
        line, _ = error.position
        got = f"broken XML ({str(error).split(':')[0]})"
        _refuse(line_of(name, line), got, "whole elements, without declarations")
    return root[0] if len(root) == 1 and root[0].tag == "annotation" else root


def _thing(where: str, element: Element, height: int, width: int) -> Thing:
    label = _label(where, element, "class")
    if not 0 <= label < NUM_OBJECTS:
        _refuse(f"{where}, class", str(label), f"a number from 0 to {NUM_OBJECTS - 1}")
    corners = np.array(list(_corners(where, element)), np.float64).reshape(-1, 2)
    bounds = _bounds(where, element, corners)
    box = _box(where, bounds, height, width)
    if not len(corners):
        corners = _corners_of(box)
    return Thing(label, box, corners.clip(0, (width - 1, height - 1)))


def _corners(where: str, element: Element) -> Iterator[tuple[float, float]]:
    """Corners as positions from 0."""
    points = element.findall("polygon/pt")
    if len(points) > _MOST_POINTS:
        _refuse(where, f"{len(points):,} points", f"at most {_MOST_POINTS:,}")
    if 0 < len(points) < 2:
        _refuse(f"{where}, polygon", "one point", "at least two")
    for k, point in enumerate(points, 1):
        place = f"{where}, point {k}"
        yield _number(place, point, "x") - 1, _number(place, point, "y") - 1


def _bounds(
    where: str, element: Element, corners: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    """The first and last column and row, from 0: of the box, or of the polygon without one."""
    box = element.find("bndbox")
    if box is not None:
        place = f"{where}, bndbox"
        x0, x1 = _number(place, box, "xmin") - 1, _number(place, box, "xmax") - 1
        y0, y1 = _number(place, box, "ymin") - 1, _number(place, box, "ymax") - 1
        return x0, y0, x1, y1
    if not len(corners):
        _refuse(where, "neither a box nor a polygon", "one of them")
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    return float(x0), float(y0), float(x1), float(y1)


def _box(where: str, bounds: tuple[float, float, float, float], height: int, width: int) -> Box:
    """The pixels touched, cut off at the image's edges."""
    x0, y0 = (max(math.floor(low), 0) for low in bounds[:2])
    x1, y1 = min(math.ceil(bounds[2]) + 1, width), min(math.ceil(bounds[3]) + 1, height)
    if x0 >= x1 or y0 >= y1:
        got = f"columns {bounds[0] + 1:g} to {bounds[2] + 1:g}, rows {bounds[1] + 1:g} to "
        got += f"{bounds[3] + 1:g}"
        _refuse(f"{where}, box", got, f"first before last, inside 1 to {width}, 1 to {height}")
    return Box(x0, y0, x1, y1)


def _corners_of(box: Box) -> NDArray[np.float64]:
    right, bottom = box.x1 - 1, box.y1 - 1
    corners = [(box.x0, box.y0), (right, box.y0), (right, bottom), (box.x0, bottom)]
    return np.array(corners, np.float64)


def _number(where: str, element: Element, tag: str) -> float:
    text = (element.findtext(tag) or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # Beyond any image: no rounding of an annotation tool makes such a number.
    if not abs(value) <= 2**15:
        _refuse(f"{where}, {tag}", repr(text[:40]), "a pixel's number")
    return value


def _label(where: str, element: Element, tag: str) -> int:
    text = (element.findtext(tag) or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        _refuse(f"{where}, {tag}", repr(text[:40]), "a category's number")
    return int(text)


def _refuse(where: str, got: str, expected: str) -> NoReturn:
    raise BadInputError(Problem(where, got, expected, _FIX))
