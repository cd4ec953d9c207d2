"""Misconceptions of areas and overlaps."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import boxes as right

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]

PIXEL_MORE = (
    "Sides are one pixel too long. The second corner is the first pixel *outside*, so a side is "
    "the plain difference."
)
NEGATIVE = (
    "Boxes that lie apart both ways have an intersection with two negative sides, whose product is "
    "positive. Clip each side at 0 before you multiply."
)
PRODUCT = (
    "The product of the sides is clipped at 0, but two negative sides have a positive product. "
    "Clip each side."
)


def _unclipped(corners: "Tensor") -> "Tensor":
    return right.sides(corners).prod(-1)


def _product_clipped(corners: "Tensor") -> "Tensor":
    return _unclipped(corners).clamp(min=0)


def _one_more(corners: "Tensor") -> "Tensor":
    return (right.sides(corners) + 1).clamp(min=0).prod(-1)


def _one_more_unclipped(corners: "Tensor") -> "Tensor":
    return (right.sides(corners) + 1).prod(-1)


def _as_size(corners: "Tensor") -> "Tensor":
    """The area of (x, y, w, h)."""
    return corners[..., 2:].clamp(min=0).prod(-1)


AREA = (
    Mistake(
        "negative sides",
        "Where the corners are the wrong way round, two negative sides make a positive area, and "
        "one a negative area. Such a box is empty: let no side be below 0.",
        _unclipped,
    ),
    Mistake(
        "product clipped",
        PRODUCT,
        _product_clipped,
    ),
    Mistake(
        "absolute",
        "Corners the wrong way round make an empty box, of area 0; the absolute value hides it.",
        lambda corners: right.sides(corners).abs().prod(-1),
    ),
    Mistake("one pixel more", PIXEL_MORE, _one_more),
    Mistake("one pixel more, negative", PIXEL_MORE, _one_more_unclipped),
    Mistake(
        "size",
        "The second corner is taken for width and height. Subtract the first corner.",
        _as_size,
    ),
    Mistake(
        "sum",
        "Width and height are added. An area is their product.",
        lambda corners: right.sides(corners).clamp(min=0).sum(-1),
    ),
    Mistake(
        "total", "One number for all boxes; each box has its own.", lambda c: right.area(c).sum()
    ),
)


def _ratio(of: Function, whole: Function | None = None) -> Function:
    """IoU with another area, and perhaps another ``whole(area of a, area of b, intersection)``."""

    def answer(a: "Tensor", b: "Tensor") -> "Tensor":
        import torch

        shared, one, two = of(right.common(a, b)), of(a)[:, None], of(b)[None]
        union = whole(one, two, shared) if whole else one + two - shared
        return torch.where(union == 0, 0.0, shared / union)

    return answer


def _intersection(of: Function, guarded: bool = False) -> Function:
    """IoU with another area of the intersection; ``guarded``: 0 where the union is below 0."""

    def answer(a: "Tensor", b: "Tensor") -> "Tensor":
        import torch

        shared = of(right.common(a, b))
        union = right.area(a)[:, None] + right.area(b)[None] - shared
        return torch.where((union <= 0) if guarded else (union == 0), 0.0, shared / union)

    return answer


def _hull(a: "Tensor", b: "Tensor") -> "Tensor":
    import torch

    first = torch.minimum(a[:, None, :2], b[None, :, :2])
    return torch.cat([first, torch.maximum(a[:, None, 2:], b[None, :, 2:])], -1)


def _over_hull(a: "Tensor", b: "Tensor") -> "Tensor":
    import torch

    around, shared = right.area(_hull(a, b)), right.area(right.common(a, b))
    return torch.where(around > 0, shared / around, 0.0)


def _hull_for_common(a: "Tensor", b: "Tensor") -> "Tensor":
    shared = right.area(_hull(a, b))
    return shared / (right.area(a)[:, None] + right.area(b)[None] - shared)


def _nan(a: "Tensor", b: "Tensor") -> "Tensor":
    shared = right.area(right.common(a, b))
    return shared / (right.area(a)[:, None] + right.area(b)[None] - shared)


def _by_rows(a: "Tensor", b: "Tensor") -> "Tensor | None":
    return right.iou(a, b).diagonal() if len(a) == len(b) else None


def _from_size(boxes: "Tensor") -> "Tensor":
    import torch

    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)


IOU = (
    Mistake("negative sides", NEGATIVE, _intersection(_unclipped)),
    Mistake("negative sides, guarded", NEGATIVE, _intersection(_unclipped, guarded=True)),
    Mistake("product clipped", PRODUCT, _intersection(_product_clipped)),
    Mistake("product clipped, guarded", PRODUCT, _intersection(_product_clipped, guarded=True)),
    Mistake("negative everywhere", NEGATIVE, _ratio(_unclipped)),
    Mistake("product clipped everywhere", PRODUCT, _ratio(_product_clipped)),
    Mistake(
        "by rows",
        "Box i is compared with box i only. Every box of a meets every box of b: give a an axis "
        "that b lacks, and b one that a lacks.",
        _by_rows,
    ),
    Mistake(
        "counted twice",
        "The union counts the intersection twice: take it off once.",
        _ratio(right.area, lambda one, two, shared: one + two),
    ),
    Mistake(
        "taken off twice",
        "The intersection is taken off twice. The union has all of both boxes, each pixel once.",
        _ratio(right.area, lambda one, two, shared: one + two - 2 * shared),
    ),
    Mistake("one pixel more", PIXEL_MORE, _ratio(_one_more)),
    Mistake("one pixel more in common", PIXEL_MORE, _intersection(_one_more)),
    Mistake(
        "transposed",
        "Rows and columns are swapped: a row for each box of a, a column for each box of b.",
        lambda a, b: right.iou(b, a),
    ),
    Mistake(
        "a over itself",
        "These are the overlaps of a with itself: b is never used.",
        lambda a, b: right.iou(a, a),
    ),
    Mistake(
        "b over itself",
        "These are the overlaps of b with itself: a is never used.",
        lambda a, b: right.iou(b, b),
    ),
    Mistake(
        "smaller box",
        "This is the share of the smaller box that is covered. Divide by the union.",
        _ratio(right.area, lambda one, two, shared: one.minimum(two)),
    ),
    Mistake(
        "larger box",
        "This divides by the larger of the two boxes. Divide by the union.",
        _ratio(right.area, lambda one, two, shared: one.maximum(two)),
    ),
    Mistake(
        "share of a",
        "This is the share of a that is covered. Divide by the union.",
        _ratio(right.area, lambda one, two, shared: one.expand(shared.shape)),
    ),
    Mistake(
        "share of b",
        "This is the share of b that is covered. Divide by the union.",
        _ratio(right.area, lambda one, two, shared: two.expand(shared.shape)),
    ),
    Mistake(
        "box around both",
        "Divided by the box around both, which holds pixels of neither. The union is the sum of "
        "both areas without the intersection.",
        _over_hull,
    ),
    Mistake(
        "minimum and maximum swapped",
        "What you intersect is the box around both. The intersection starts where the *later* of "
        "the two starts, and ends where the *earlier* ends.",
        _hull_for_common,
    ),
    Mistake(
        "nothing by nothing",
        "Two empty boxes give 0/0. Their IoU shall be 0.",
        _nan,
    ),
    Mistake(
        "sizes",
        "The boxes are read as (x, y, w, h). Here they are two corners.",
        lambda a, b: right.iou(_from_size(a), _from_size(b)),
    ),
    Mistake(
        "areas only",
        "This is the area of the intersection. Divide it by that of the union.",
        lambda a, b: right.area(right.common(a, b)),
    ),
)


def _scored(hit: Function) -> Function:
    """Mean IoU, and a mean of ``hit(IoU, whether the class is right)``."""

    def answer(
        boxes: "Tensor", true_boxes: "Tensor", *, labels: "Tensor", true_labels: "Tensor"
    ) -> "Tensor":
        import torch

        overlaps = right.iou(boxes, true_boxes).diagonal()
        return torch.stack([overlaps.mean(), hit(overlaps, labels == true_labels)])

    return answer


def _all_pairs(
    boxes: "Tensor", true_boxes: "Tensor", *, labels: "Tensor", true_labels: "Tensor"
) -> "Tensor":
    import torch

    overlaps = right.iou(boxes, true_boxes)
    hits = (overlaps > 0.5) & (labels == true_labels)
    return torch.stack([overlaps.mean(), hits.double().mean()])


def _mean_of_all_pairs(
    boxes: "Tensor", true_boxes: "Tensor", *, labels: "Tensor", true_labels: "Tensor"
) -> "Tensor":
    import torch

    share = right.score(boxes, true_boxes, labels=labels, true_labels=true_labels)[1]
    return torch.stack([right.iou(boxes, true_boxes).mean(), share])


PAIRS = (
    "Every box is compared with the true boxes of all images. Only its own image's counts: the "
    "diagonal of the IoUs."
)
SCORE = (
    Mistake("all pairs", PAIRS, _all_pairs),
    Mistake("mean of all pairs", PAIRS, _mean_of_all_pairs),
    Mistake(
        "class ignored",
        "A box counts as right whatever its class. The class must be right too.",
        _scored(lambda overlaps, same: (overlaps > 0.5).double().mean()),
    ),
    Mistake(
        "half is enough",
        "An IoU of exactly 0.5 counts as right. It has to be *more* than 0.5.",
        _scored(lambda overlaps, same: ((overlaps >= 0.5) & same).double().mean()),
    ),
    Mistake(
        "either",
        "An image counts where box *or* class is right. Both must be.",
        _scored(lambda overlaps, same: ((overlaps > 0.5) | same).double().mean()),
    ),
    Mistake(
        "class only",
        "This is the share of right classes; the boxes are not asked.",
        _scored(lambda overlaps, same: same.double().mean()),
    ),
    Mistake(
        "share of the right classes",
        "This is the share among the images whose class is right. Divide by all images.",
        _scored(lambda overlaps, same: (overlaps[same] > 0.5).double().mean()),
    ),
    Mistake(
        "count",
        "That is how many are right. The share is asked: divide by the number of images.",
        _scored(lambda overlaps, same: ((overlaps > 0.5) & same).double().sum()),
    ),
    Mistake(
        "percent",
        "These are percents. A share goes from 0 to 1.",
        _scored(lambda overlaps, same: 100 * ((overlaps > 0.5) & same).double().mean()),
    ),
)
