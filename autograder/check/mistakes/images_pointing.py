"""Misconceptions of the pointing game, and of the IoU of a map's region with a mask."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import images as right

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]

NEAREST = (
    "The maps are enlarged without interpolation, so that every coarse cell is one block. "
    'mode="bilinear" is asked.'
)
CORNERS = (
    "The maps are enlarged with align_corners=True, which puts the outer cells on the border of "
    "the image. Leave it at its default: a cell stands for its square."
)
BICUBIC = 'The maps are enlarged with mode="bicubic"; "bilinear" is asked.'
SWAPPED = (
    "Rows and columns have changed places: the masks have shape (N, H, W), and the size to enlarge "
    "to is (H, W)."
)


def _nearest(cams: "Tensor", masks: "Tensor") -> "Tensor":
    return right.enlarged(cams, masks, "nearest")


def _corners(cams: "Tensor", masks: "Tensor") -> "Tensor":
    return right.enlarged(cams, masks, align_corners=True)


def _bicubic(cams: "Tensor", masks: "Tensor") -> "Tensor":
    return right.enlarged(cams, masks, "bicubic")


def _sideways(cams: "Tensor", masks: "Tensor") -> "Tensor":
    """Enlarged to (W, H), and read as if that were (H, W)."""
    return right.enlarged(cams, masks.transpose(1, 2)).reshape(masks.shape)


def _transposed(cams: "Tensor", masks: "Tensor") -> "Tensor":
    return right.enlarged(cams.transpose(1, 2), masks)


def _enlarged_otherwise(measured: Function) -> tuple[Mistake, ...]:
    """Maps that are enlarged smoothly, but not as asked; each answers ``measured(enlarge)``."""
    return (
        Mistake("corners", CORNERS, measured(_corners)),
        Mistake("bicubic", BICUBIC, measured(_bicubic)),
        Mistake("sideways", SWAPPED, measured(_sideways)),
        Mistake("transposed", SWAPPED, measured(_transposed)),
    )


def _pointing(enlarge: Function) -> Function:
    return lambda cams, masks: right.hits(enlarge(cams, masks), masks).double().mean()


def _of_all(cams: "Tensor", masks: "Tensor") -> "Tensor":
    """The highest place of the whole batch."""
    large = right.enlarged(cams, masks)
    return masks.bool().flatten()[large.argmax()].double()


def _touched(cams: "Tensor", masks: "Tensor") -> "Tensor":
    region = right.region(right.enlarged(cams, masks), 0.5)
    return (region & masks.bool()).flatten(1).any(1).double().mean()


def _times(factor: Function) -> Function:
    return lambda cams, masks: right.pointing_game(cams, masks) * factor(len(cams))


POINTING = (
    Mistake("nearest", NEAREST, _pointing(_nearest)),
    Mistake(
        "middle of a cell",
        "The highest *coarse* place is looked up. Enlarge the maps first: between the cells the "
        "highest place can be another.",
        lambda cams, masks: right.in_the_middle(cams, masks).double().mean(),
    ),
    *_enlarged_otherwise(_pointing),
    Mistake(
        "lowest",
        "These are the lowest places of the maps. The highest are asked.",
        _pointing(lambda cams, masks: -right.enlarged(cams, masks)),
    ),
    Mistake(
        "absolute",
        "The maps have lost their sign: what speaks most against a class is taken for what speaks "
        "for it.",
        _pointing(lambda cams, masks: right.enlarged(cams, masks).abs()),
    ),
    Mistake(
        "one for all",
        "There is one highest place for the whole batch. Each map has its own.",
        _of_all,
    ),
    Mistake(
        "size of the objects",
        "This is the share of all pixels that lie on objects. Look only at the highest place of "
        "each map.",
        lambda cams, masks: masks.double().mean(),
    ),
    Mistake(
        "touched",
        "An image counts where the region above half of the maximum touches the object. Only the "
        "highest place is asked.",
        _touched,
    ),
    Mistake(
        "misses",
        "This is the share of maps that point *beside* the object.",
        lambda cams, masks: 1 - right.pointing_game(cams, masks),
    ),
    Mistake(
        "count",
        "That is how many maps point at the object. The share is asked: divide by their number.",
        _times(lambda count: count),
    ),
    Mistake("percent", "These are percents. A share goes from 0 to 1.", _times(lambda count: 100)),
)


def _measured(measure: Function) -> Function:
    """``measure(region, mask)`` with the right regions."""

    def answer(cams: "Tensor", masks: "Tensor", *, share: float = 0.5) -> Any:
        return measure(right.region(right.enlarged(cams, masks), share), masks.bool())

    return answer


def _over(whole: Function) -> Function:
    """The mean of the intersections' shares of ``whole(region, mask)``."""

    def measure(region: "Tensor", mask: "Tensor") -> "Tensor":
        shared = (region & mask).sum((1, 2)).double()
        found: Tensor = whole(region.sum((1, 2)), mask.sum((1, 2)), shared)
        return (shared / found).mean()

    return measure


def _pooled(region: "Tensor", mask: "Tensor") -> "Tensor":
    return (region & mask).sum() / (region | mask).sum().double()


def _regions(choose: Function, enlarge: Function = right.enlarged) -> Function:
    """The right measure of the regions ``choose(enlarged, share)``."""

    def answer(cams: "Tensor", masks: "Tensor", *, share: float = 0.5) -> "Tensor":
        return right.ious(choose(enlarge(cams, masks), share), masks).mean()

    return answer


def _enlarged_by(enlarge: Function) -> Function:
    return _regions(right.region, enlarge)


def _highest(large: "Tensor") -> "Tensor":
    return large.amax((1, 2), keepdim=True)


def _lowest(large: "Tensor") -> "Tensor":
    return large.amin((1, 2), keepdim=True)


def _relu_first(cams: "Tensor", masks: "Tensor") -> "Tensor":
    return right.enlarged(cams.clamp(min=0), masks)


EMPTY = "Maps that are nowhere positive have an empty region, whose IoU is 0. "
MASK_IOU = (
    Mistake(
        "divided by the maximum",
        EMPTY + "Divided by a negative maximum they turn their sign: compare with a share of the "
        "maximum instead.",
        _regions(lambda large, share: large / _highest(large) > share),
    ),
    Mistake(
        "or equal",
        EMPTY + "Where the maximum is 0, 0 is not *more* than a share of it.",
        _regions(lambda large, share: large >= share * _highest(large)),
    ),
    Mistake(
        "between the ends",
        "The threshold lies between the lowest and the highest number of a map. It is a share of "
        "the maximum, counted from 0.",
        _regions(
            lambda large, share: large > _lowest(large) + share * (_highest(large) - _lowest(large))
        ),
    ),
    Mistake(
        "fixed threshold",
        "A region is where a map is above the share itself. It is where the map is above this "
        "share *of its maximum*.",
        _regions(lambda large, share: large > share),
    ),
    Mistake(
        "one maximum",
        "All maps are compared with the maximum of the batch. Each has its own.",
        _regions(lambda large, share: large > share * large.max().clamp(min=0)),
    ),
    Mistake(
        "always half",
        "The region is above half of the maximum, whatever the share.",
        _regions(lambda large, share: right.region(large, 0.5)),
    ),
    Mistake(
        "positive",
        "The region is all that is positive. It is what is above a share of the maximum.",
        _regions(lambda large, share: large > 0),
    ),
    Mistake(
        "absolute",
        "The maps have lost their sign: what speaks against a class is taken for what speaks for "
        "it.",
        _regions(lambda large, share: right.region(large.abs(), share)),
    ),
    Mistake(
        "below",
        "The region is where the map is *below* the threshold.",
        _regions(lambda large, share: ~right.region(large, share)),
    ),
    Mistake("nearest", NEAREST, _enlarged_by(_nearest)),
    *_enlarged_otherwise(_enlarged_by),
    Mistake(
        "relu first",
        "Negative numbers are cut off before the maps are enlarged, which moves the edges of the "
        "region. Enlarge the maps as they are.",
        _enlarged_by(_relu_first),
    ),
    Mistake(
        "pooled",
        "All images are counted together, so that large objects weigh more. Take the IoU of each "
        "image, then the mean.",
        _measured(_pooled),
    ),
    Mistake(
        "share of the object",
        "This is the share of the object that is covered. Divide by the union.",
        _measured(_over(lambda region, mask, shared: mask)),
    ),
    Mistake(
        "share of the region",
        "This is the share of the region that lies on the object. Divide by the union.",
        _measured(_over(lambda region, mask, shared: region)),
    ),
    Mistake(
        "counted twice",
        "The union counts the intersection twice: take it off once.",
        _measured(_over(lambda region, mask, shared: region + mask)),
    ),
    Mistake(
        "dice",
        "This is twice the intersection over the sum of both areas (Dice). IoU divides by the "
        "union.",
        _measured(_over(lambda region, mask, shared: (region + mask) / 2)),
    ),
    Mistake(
        "intersection only",
        "This is the area of the intersection. Divide it by that of the union.",
        _measured(lambda region, mask: (region & mask).sum((1, 2)).double().mean()),
    ),
    Mistake(
        "share of the image",
        "This is the share of the image that the intersection covers. Divide by the union.",
        _measured(lambda region, mask: (region & mask).double().mean()),
    ),
    Mistake(
        "pixels that agree",
        "This is the share of pixels for which region and mask agree, most of which belong to "
        "neither. Only the union counts.",
        _measured(lambda region, mask: (region == mask).double().mean()),
    ),
    Mistake(
        "summed",
        "Summed over the images; take the mean.",
        _measured(lambda region, mask: right.ious(region, mask).sum()),
    ),
    Mistake(
        "unreduced",
        "There is a number for each image. Their mean is asked.",
        _measured(right.ious),
    ),
)
