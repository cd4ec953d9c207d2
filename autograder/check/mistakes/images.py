"""Misconceptions of normalizing, cropping and mirroring a batch."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import images as right

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]

BATCH = (
    "These are the mean and the standard deviation of this batch. Use those that are given: a net "
    "has to see every image with the numbers that it was trained with."
)


def _scaled(change: Function) -> Function:
    """``change`` of pixels between 0 and 1, the channels moved to the second axis."""

    def answer(images: "Tensor", mean: "Tensor", std: "Tensor") -> "Tensor":
        found: Tensor = change(images.double() / 255, mean, std)
        return found.permute(0, 3, 1, 2)

    return answer


def _laid_out(change: Function) -> Function:
    """The right numbers, N × H × W × 3, in another order."""

    def answer(images: "Tensor", mean: "Tensor", std: "Tensor") -> Any:
        return change((images.double() / 255 - mean) / std)

    return answer


def _reshaped(x: "Tensor") -> "Tensor":
    return x.reshape(len(x), x.shape[3], *x.shape[1:3])


def _by_batch(axes: tuple[int, ...], unbiased: bool) -> Function:
    def change(x: "Tensor", mean: "Tensor", std: "Tensor") -> "Tensor":
        spread = x.std(axes, correction=int(unbiased), keepdim=True)
        return (x - x.mean(axes, keepdim=True)) / spread

    return change


NORMALIZED = (
    Mistake(
        "not divided by 255",
        "The pixels still go from 0 to 255. Divide them by 255 first: mean and standard deviation "
        "are those of pixels between 0 and 1.",
        _scaled(lambda x, mean, std: (255 * x - mean) / std),
    ),
    Mistake(
        "divided by 255 last",
        "Divided by 255 at the end. That comes first: mean and standard deviation are those of "
        "pixels between 0 and 1.",
        _scaled(lambda x, mean, std: (255 * x - mean) / std / 255),
    ),
    Mistake(
        "divided by 256",
        "Divided by 256. The largest byte is 255, and it should become 1.",
        _scaled(lambda x, mean, std: (255 / 256 * x - mean) / std),
    ),
    Mistake(
        "whole numbers",
        "The pixels are divided as whole numbers, so that nearly all become 0: change their type "
        "before you divide, and use /, not //.",
        _scaled(lambda x, mean, std: ((x >= 1).double() - mean) / std),
    ),
    Mistake(
        "divided first",
        "Divided by the standard deviation before the mean is taken off. It is the other way "
        "round.",
        _scaled(lambda x, mean, std: x / std - mean),
    ),
    Mistake(
        "multiplied",
        "Multiplied by the standard deviation; divide by it.",
        _scaled(lambda x, mean, std: (x - mean) * std),
    ),
    Mistake(
        "mean added",
        "The mean is added; take it off.",
        _scaled(lambda x, mean, std: (x + mean) / std),
    ),
    Mistake(
        "no mean",
        "The mean is not taken off.",
        _scaled(lambda x, mean, std: x / std),
    ),
    Mistake(
        "no deviation",
        "The standard deviation is not used.",
        _scaled(lambda x, mean, std: x - mean),
    ),
    Mistake(
        "scaled only",
        "These are pixels between 0 and 1. Mean and standard deviation are not used yet.",
        _scaled(lambda x, mean, std: x),
    ),
    Mistake(
        "variance taken",
        "Divided by the root of what is given. That is a standard deviation already, not a "
        "variance.",
        _scaled(lambda x, mean, std: (x - mean) / std.sqrt()),
    ),
    Mistake(
        "squared",
        "Divided by the square of the standard deviation.",
        _scaled(lambda x, mean, std: (x - mean) / std**2),
    ),
    Mistake("batch", BATCH, _scaled(_by_batch((0, 1, 2), unbiased=True))),
    Mistake("batch, biased", BATCH, _scaled(_by_batch((0, 1, 2), unbiased=False))),
    Mistake("each image", BATCH, _scaled(_by_batch((1, 2), unbiased=True))),
    Mistake("each image, biased", BATCH, _scaled(_by_batch((1, 2), unbiased=False))),
    Mistake("everything", BATCH, _scaled(_by_batch((0, 1, 2, 3), unbiased=True))),
    Mistake("everything, biased", BATCH, _scaled(_by_batch((0, 1, 2, 3), unbiased=False))),
    Mistake(
        "reshaped",
        "The shape is right, but reshape only cuts the same row of numbers elsewhere: colours and "
        "places are mixed up. permute moves an axis.",
        _laid_out(_reshaped),
    ),
    Mistake(
        "height and width swapped",
        "Height and width have changed places. The channels move to the second axis, the two keep "
        "their order.",
        _laid_out(lambda x: x.permute(0, 3, 2, 1)),
    ),
    Mistake(
        "channels last",
        "The numbers are right, and the channels are still the last axis. Move it to the second "
        "place.",
        _laid_out(lambda x: x),
    ),
    Mistake(
        "channels first",
        "The channels have become the first axis, before the images. They belong to the second "
        "place.",
        _laid_out(lambda x: x.permute(3, 0, 1, 2)),
    ),
    Mistake(
        "colours reversed",
        "Red and blue have changed places.",
        _laid_out(lambda x: x.permute(0, 3, 1, 2).flip(1)),
    ),
)


def _moved(top: Function, left: Function) -> Function:
    """Windows with corners that are made of the right ones."""

    def answer(
        x: "Tensor", rows: "Tensor", columns: "Tensor", *, height: int, width: int
    ) -> "Tensor | None":
        corners = (where(rows.long(), columns.long()) for where in (top, left))
        found = right.cropped(x, *corners, height=height, width=width)
        return found if found.shape[2:] == (height, width) else None

    return answer


def _centre(x: "Tensor", *_: "Tensor", height: int, width: int) -> "Tensor":
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    return x[:, :, top : top + height, left : left + width]


def _other_size(more: int, swapped: bool = False) -> Function:
    def answer(x: "Tensor", top: "Tensor", left: "Tensor", *, height: int, width: int) -> "Tensor":
        sides = (width, height) if swapped else (height, width)
        return right.cropped(x, top, left, height=sides[0] + more, width=sides[1] + more)

    return answer


def _then(change: Function) -> Function:
    """The right windows, laid out in another way."""
    return lambda *given, **sizes: change(right.cropped(*given, **sizes))


def _mixed(x: "Tensor") -> "Tensor":
    return x.permute(0, 2, 3, 1).reshape(x.shape)


ONE_CORNER = (
    "All images are cut at the corner of one of them. Each has its own: give the index of rows and "
    "that of columns an axis for the images."
)
CROPPED = (
    Mistake(
        "first corner",
        ONE_CORNER,
        _moved(lambda t, s: t[:1].expand(len(t)), lambda t, s: s[:1].expand(len(s))),
    ),
    Mistake(
        "last corner",
        ONE_CORNER,
        _moved(lambda t, s: t[-1:].expand(len(t)), lambda t, s: s[-1:].expand(len(s))),
    ),
    Mistake(
        "top and left swapped",
        "top and left have changed places: top is the first row of a window, left its first "
        "column.",
        _moved(lambda t, s: s, lambda t, s: t),
    ),
    Mistake(
        "top twice",
        "top is used for the columns as well. They start at left.",
        _moved(lambda t, s: t, lambda t, s: t),
    ),
    Mistake(
        "left twice",
        "left is used for the rows as well. They start at top.",
        _moved(lambda t, s: s, lambda t, s: s),
    ),
    Mistake(
        "corner ignored",
        "Every window is cut from the corner (0, 0); top and left are not used.",
        _moved(lambda t, s: 0 * t, lambda t, s: 0 * s),
    ),
    Mistake(
        "rows start at 0",
        "Every window starts at row 0; top is not used.",
        _moved(lambda t, s: 0 * t, lambda t, s: s),
    ),
    Mistake(
        "columns start at 0",
        "Every window starts at column 0; left is not used.",
        _moved(lambda t, s: t, lambda t, s: 0 * s),
    ),
    Mistake(
        "centre",
        "Every window is cut from the middle; top and left are not used.",
        _centre,
    ),
    Mistake(
        "sides swapped",
        "height and width have changed places: a window has as many rows as its height.",
        _other_size(0, swapped=True),
    ),
    Mistake(
        "one less",
        "The windows lack their last row and column.",
        _other_size(-1),
    ),
    Mistake(
        "channels last",
        "The windows are right, with the channels as the last axis. Move it back to the second "
        "place.",
        _then(lambda x: x.permute(0, 2, 3, 1)),
    ),
    Mistake(
        "mixed up",
        "The channels are brought back by reshape, which mixes colours and places. permute moves "
        "an axis.",
        _then(_mixed),
    ),
    Mistake(
        "transposed",
        "Each window is transposed: its rows have become columns.",
        _then(lambda x: x.transpose(2, 3)),
    ),
)


def _chosen(change: Function) -> Function:
    """``change`` of which are chosen."""
    return lambda x, chosen: right.mirrored(x, change(chosen.bool()))


def _turned(*axes: int) -> Function:
    return lambda x, chosen: right.flipped(x, chosen, *axes)


MIRRORED = (
    Mistake(
        "upside down",
        "The chosen images stand on their heads: their rows are turned around. Left and right are "
        "the two ends of the last axis.",
        _turned(2),
    ),
    Mistake(
        "both",
        "The chosen images are turned around both ways, which is half a turn. Only left and right "
        "change places.",
        _turned(2, 3),
    ),
    Mistake(
        "channels",
        "The channels are turned around, red for blue. Left and right are the two ends of the last "
        "axis.",
        _turned(1),
    ),
    Mistake(
        "all",
        "All images are mirrored, not only the chosen ones.",
        _chosen(lambda chosen: chosen | True),
    ),
    Mistake("none", "No image is mirrored.", lambda x, chosen: x),
    Mistake(
        "the others",
        "The images that are *not* chosen are mirrored.",
        _chosen(lambda chosen: ~chosen),
    ),
    Mistake(
        "order of images",
        "The images have changed places, not left and right in each.",
        lambda x, chosen: x.flip(0),
    ),
    Mistake(
        "chosen only",
        "Only the chosen images are returned. The others belong to the batch as well, as they are.",
        lambda x, chosen: x[chosen.bool()].flip(3),
    ),
)
