"""Misconceptions of the coordinates of boxes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import boxes as right

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]

SWAPPED_SIDES = (
    "Height and width are swapped: x belongs to the width of the image, y to its height."
)
ORDER = "x and y are swapped: x, the column, comes first in a box."
NOT_SCALED = "These are still the units that came in: {}."
CENTRE = "x and y are those of the centre. Here they are the corner at the top left."


def _xyxy(*parts: "Tensor") -> "Tensor":
    import torch

    return torch.stack(parts, -1)


def _swapped_sides(function: Function) -> Function:
    return lambda boxes, *, height, width: function(boxes, height=width, width=height)


def _one_side(function: Function, name: str) -> Function:
    def answer(boxes: "Tensor", **sides: int) -> "Tensor":
        result: Tensor = function(boxes, height=sides[name], width=sides[name])
        return result

    return answer


def _exchanged(function: Function) -> Function:
    """With x for y and y for x in what comes out."""
    return lambda boxes, **sides: function(boxes, **sides)[..., [1, 0, 3, 2]]


def _taken_exchanged(function: Function) -> Function:
    """With x for y and y for x in what is taken."""
    return lambda boxes, **sides: function(boxes[..., [1, 0, 3, 2]], **sides)


def _corner_kept(corners: "Tensor", *, height: int, width: int) -> "Tensor":
    x0, y0, x1, y1 = corners.unbind(-1)
    return _xyxy(x0 / width, y0 / height, x1 / width, y1 / height)


def _not_divided(corners: "Tensor", **_: int) -> "Tensor":
    return right.fractions(corners, height=1, width=1)


def _to_centre(corners: "Tensor", *, height: int, width: int) -> "Tensor":
    x, y, w, h = right.fractions(corners, height=height, width=width).unbind(-1)
    return _xyxy(x + w / 2, y + h / 2, w, h)


def _one_pixel_more(corners: "Tensor", *, height: int, width: int) -> "Tensor":
    x0, y0, x1, y1 = corners.unbind(-1)
    return _xyxy(x0 / width, y0 / height, (x1 - x0 + 1) / width, (y1 - y0 + 1) / height)


def _last_pixel(function: Function) -> Function:
    return lambda boxes, *, height, width: function(boxes, height=height - 1, width=width - 1)


FRACTIONS = (
    Mistake("sides swapped", SWAPPED_SIDES, _swapped_sides(right.fractions)),
    Mistake(
        "height for both",
        "x is divided by the height of the image; it belongs to the width.",
        _one_side(right.fractions, "height"),
    ),
    Mistake(
        "width for both",
        "y is divided by the width of the image; it belongs to the height.",
        _one_side(right.fractions, "width"),
    ),
    Mistake(
        "second corner kept",
        "The last two numbers are still the second corner. They should be width and height: "
        "subtract the first corner.",
        _corner_kept,
    ),
    Mistake("centre", CENTRE, _to_centre),
    Mistake("order", ORDER, _exchanged(right.fractions)),
    Mistake("order taken", ORDER, _taken_exchanged(right.fractions)),
    Mistake("not divided", NOT_SCALED.format("pixels"), _not_divided),
    Mistake(
        "one pixel more",
        "Width and height are one pixel too large. The second corner is the first pixel *outside*, "
        "so the difference is the width.",
        _one_pixel_more,
    ),
    Mistake(
        "divided by the last pixel",
        "Divided by W − 1 and H − 1, the numbers of the last pixels. Divide by the sides.",
        _last_pixel(right.fractions),
    ),
)


def _size_kept(boxes: "Tensor", *, height: int, width: int) -> "Tensor":
    x, y, w, h = boxes.unbind(-1)
    return _xyxy(x * width, y * height, w * width, h * height)


def _not_multiplied(boxes: "Tensor", **_: int) -> "Tensor":
    return right.corners(boxes, height=1, width=1)


def _from_centre(boxes: "Tensor", *, height: int, width: int) -> "Tensor":
    x, y, w, h = boxes.unbind(-1)
    return right.corners(_xyxy(x - w / 2, y - h / 2, w, h), height=height, width=width)


def _to_inside(boxes: "Tensor", *, height: int, width: int) -> "Tensor":
    x0, y0, x1, y1 = right.corners(boxes, height=height, width=width).unbind(-1)
    return _xyxy(x0, y0, x1 - 1, y1 - 1)


CORNERS = (
    Mistake("sides swapped", SWAPPED_SIDES, _swapped_sides(right.corners)),
    Mistake(
        "height for both",
        "x is multiplied by the height of the image; it belongs to the width.",
        _one_side(right.corners, "height"),
    ),
    Mistake(
        "width for both",
        "y is multiplied by the width of the image; it belongs to the height.",
        _one_side(right.corners, "width"),
    ),
    Mistake(
        "size kept",
        "The last two numbers are still width and height. The second corner is the first plus "
        "these.",
        _size_kept,
    ),
    Mistake("centre", CENTRE, _from_centre),
    Mistake("order", ORDER, _exchanged(right.corners)),
    Mistake("order taken", ORDER, _taken_exchanged(right.corners)),
    Mistake("not multiplied", NOT_SCALED.format("fractions"), _not_multiplied),
    Mistake(
        "one pixel less",
        "The second corner is the first pixel *outside*: nothing is taken off.",
        _to_inside,
    ),
    Mistake(
        "rounded",
        "The corners are rounded. They need not be whole numbers.",
        lambda boxes, **sides: right.corners(boxes, **sides).round(),
    ),
    Mistake(
        "rounded down",
        "The corners are rounded down. They need not be whole numbers.",
        lambda boxes, **sides: right.corners(boxes, **sides).floor(),
    ),
    Mistake(
        "multiplied by the last pixel",
        "Multiplied by W − 1 and H − 1, the numbers of the last pixels. Multiply by the sides.",
        _last_pixel(right.corners),
    ),
)


def _only(columns: list[int]) -> Function:
    """Clipped in these columns, the others as they were."""

    def answer(corners: "Tensor", **sides: int) -> "Tensor":
        out = corners.clone()
        out[..., columns] = right.clipped(corners, **sides)[..., columns]
        return out

    return answer


def _outside_dropped(corners: "Tensor", **sides: int) -> "Tensor":
    kept = right.clipped(corners, **sides)
    return kept[right.area(kept) > 0]


def _below_zero(corners: "Tensor", **_: int) -> "Tensor":
    return corners.clamp(min=0)


def _above(corners: "Tensor", *, height: int, width: int) -> "Tensor":
    x0, y0, x1, y1 = corners.unbind(-1)
    return _xyxy(
        x0.clamp(max=width), y0.clamp(max=height), x1.clamp(max=width), y1.clamp(max=height)
    )


CLIPPED = (
    Mistake("sides swapped", SWAPPED_SIDES, _swapped_sides(right.clipped)),
    Mistake(
        "to the last pixel",
        "Clipped at W − 1 and H − 1. The second corner is the first pixel outside, so it may be "
        "W and H.",
        _last_pixel(right.clipped),
    ),
    Mistake("only below", "Only what is below 0 is clipped; W and H are limits too.", _below_zero),
    Mistake("only above", "Only what is above W and H is clipped; 0 is a limit too.", _above),
    Mistake(
        "only outer sides",
        "The first corner is only held at 0, and the second only at W and H. A box that lies "
        "outside as a whole needs both limits at both corners.",
        lambda corners, *, height, width: _xyxy(
            corners[..., 0].clamp(min=0),
            corners[..., 1].clamp(min=0),
            corners[..., 2].clamp(max=width),
            corners[..., 3].clamp(max=height),
        ),
    ),
    Mistake("first corner only", "The second corner is not clipped.", _only([0, 1])),
    Mistake("second corner only", "The first corner is not clipped.", _only([2, 3])),
    Mistake("x only", "y is not clipped.", _only([0, 2])),
    Mistake("y only", "x is not clipped.", _only([1, 3])),
    Mistake(
        "width for both",
        "y is clipped at the width of the image; it belongs to the height.",
        _one_side(right.clipped, "width"),
    ),
    Mistake(
        "height for both",
        "x is clipped at the height of the image; it belongs to the width.",
        _one_side(right.clipped, "height"),
    ),
    Mistake(
        "outside dropped",
        "Boxes outside are missing. Keep them, as empty boxes: row i belongs to image i.",
        _outside_dropped,
    ),
)


def _around(mask: "Tensor", more: int = 1) -> "Tensor":
    import torch

    empty = not mask.any()
    return right.box_of(mask) - torch.tensor([0, 0, 1 - more, 1 - more]) * (not empty)


def _sized(mask: "Tensor") -> "Tensor":
    x0, y0, x1, y1 = right.box_of(mask).unbind(-1)
    return _xyxy(x0, y0, x1 - x0, y1 - y0)


def _up_to(mask: "Tensor", axis: int) -> "Tensor":
    """A box that starts at the edge of the image."""
    box = right.box_of(mask)
    box[axis] = 0
    return box


BOX_OF = (
    Mistake("order", ORDER, lambda mask: right.box_of(mask)[[1, 0, 3, 2]]),
    Mistake(
        "last pixel",
        "The second corner is the last pixel inside. It should be the first one *outside*: one "
        "more.",
        lambda mask: _around(mask, more=0),
    ),
    Mistake(
        "size",
        "The last two numbers are width and height; they should be the second corner.",
        _sized,
    ),
    Mistake("from the left edge", "x0 is 0 whatever the mask is.", lambda mask: _up_to(mask, 0)),
    Mistake("from the top edge", "y0 is 0 whatever the mask is.", lambda mask: _up_to(mask, 1)),
)
