"""Misconceptions of the losses of a box, and of two losses in one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import boxes as right

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]

MEAN_OF_FOUR = (
    "This is the mean over the four numbers of a box, a quarter of what is asked. Sum over them; "
    "the mean is over the images only."
)
SUMMED = "Summed over the images. Take the mean over them, so that the batch size does not matter."
UNREDUCED = "There is a number for each image; the loss is their mean."


def _squares(predicted: "Tensor", true: "Tensor") -> "Tensor":
    return (predicted - true) ** 2


BOX_LOSS = (
    Mistake("mean of four", MEAN_OF_FOUR, lambda p, t: _squares(p, t).mean()),
    Mistake("summed", SUMMED, lambda p, t: _squares(p, t).sum()),
    Mistake("unreduced", UNREDUCED, lambda p, t: _squares(p, t).sum(1)),
    Mistake(
        "root",
        "This is the length of the difference, with the root. Its *square* is asked.",
        lambda p, t: _squares(p, t).sum(1).sqrt().mean(),
    ),
    Mistake(
        "absolute",
        "These are absolute differences. Square them.",
        lambda p, t: (p - t).abs().sum(1).mean(),
    ),
    Mistake(
        "half",
        "There is a factor of a half too much.",
        lambda p, t: _squares(p, t).sum(1).mean() / 2,
    ),
    Mistake(
        "corner only",
        "Only x and y are compared; w and h belong to the box as well.",
        lambda p, t: _squares(p, t)[:, :2].sum(1).mean(),
    ),
    Mistake(
        "over the wrong axis",
        "The sum is over the images and the mean over the four numbers; it should be the other "
        "way round.",
        lambda p, t: _squares(p, t).sum(0).mean(),
    ),
)


def _smooth(below: Function, above: Function, reduce: Function | None = None) -> Function:
    """A loss of ``below(|d|, β)`` where \\|d\\| < β and ``above(|d|, β)`` elsewhere."""

    def answer(predicted: "Tensor", true: "Tensor", *, beta: float) -> "Tensor":
        import torch

        off = (predicted - true).abs()
        each = torch.where(off < beta, below(off, beta), above(off, beta))
        result: Tensor = reduce(each) if reduce else each.sum(1).mean()
        return result

    return answer


def _below(off: "Tensor", beta: float) -> "Tensor":
    return off**2 / (2 * beta)


def _above(off: "Tensor", beta: float) -> "Tensor":
    return off - beta / 2


SMOOTH_L1 = (
    Mistake("mean of four", MEAN_OF_FOUR, _smooth(_below, _above, lambda each: each.mean())),
    Mistake("summed", SUMMED, _smooth(_below, _above, lambda each: each.sum())),
    Mistake("unreduced", UNREDUCED, _smooth(_below, _above, lambda each: each.sum(1))),
    Mistake(
        "beta is 1",
        "β is not used, or only in the condition: this is right for β = 1.",
        _smooth(lambda d, b: d**2 / 2, lambda d, b: d - 0.5),
    ),
    Mistake(
        "always 1",
        "β is not used: the squares end at 1, whatever it is.",
        lambda p, t, *, beta: right.smooth_l1(p, t, beta=1.0),
    ),
    Mistake(
        "huber",
        "This is β times what is asked: the Huber loss, whose lines have slope β. Here they have "
        "slope 1.",
        _smooth(lambda d, b: d**2 / 2, lambda d, b: b * (d - b / 2)),
    ),
    Mistake(
        "jump",
        "The two pieces do not meet at β: the line is |d| − β/2.",
        _smooth(_below, lambda d, b: d),
    ),
    Mistake(
        "not halved",
        "The square is not halved, so that the pieces do not meet at β.",
        _smooth(lambda d, b: d**2 / b, _above),
    ),
    Mistake(
        "exchanged",
        "The pieces are exchanged: squares *below* β, lines above.",
        _smooth(_above, _below),
    ),
    Mistake(
        "absolute",
        "These are the absolute differences; close to 0 they should be smooth.",
        _smooth(lambda d, b: d, lambda d, b: d),
    ),
    Mistake("squares", "These are the squares only.", _smooth(_below, _below)),
    Mistake(
        "sign lost",
        "The condition looks at d, not at |d|: large negative differences are squared.",
        lambda p, t, *, beta: (
            ((p - t < beta) * _below(p - t, beta) + (p - t >= beta) * _above(p - t, beta))
            .sum(1)
            .mean()
        ),
    ),
)


def _combined(combine: Function, box: Function = right.box_loss, **how: Any) -> Function:
    """``combine(class loss, box loss, λ)``."""

    def answer(
        scores: "Tensor",
        boxes: "Tensor",
        *,
        labels: "Tensor",
        true_boxes: "Tensor",
        weight: float,
    ) -> "Tensor":
        from torch.nn import functional

        loss = functional.cross_entropy(scores, labels, **how)
        result: Tensor = combine(loss, box(boxes, true_boxes), weight)
        return result

    return answer


def _weighted(loss: "Tensor", box: "Tensor", weight: float) -> "Tensor":
    return loss + weight * box


def _softmax_first(scores: "Tensor", boxes: "Tensor", **rest: Any) -> "Tensor":
    return right.multitask_loss(scores.softmax(1), boxes, **rest)


MULTITASK = (
    Mistake(
        "weight on the class",
        "λ multiplies the loss of the class. It belongs to the loss of the box.",
        _combined(lambda loss, box, weight: weight * loss + box),
    ),
    Mistake(
        "weight on both",
        "λ multiplies both losses; it belongs to that of the box alone.",
        _combined(lambda loss, box, weight: weight * (loss + box)),
    ),
    Mistake("no weight", "λ is not used.", _combined(lambda loss, box, weight: loss + box)),
    Mistake(
        "mixed",
        "The class has the weight 1 − λ. Here its weight is 1.",
        _combined(lambda loss, box, weight: (1 - weight) * loss + weight * box),
    ),
    Mistake("class only", "The boxes do not count.", _combined(lambda loss, box, weight: loss)),
    Mistake(
        "box only", "The class does not count.", _combined(lambda loss, box, weight: weight * box)
    ),
    Mistake(
        "softmax first",
        "There is a softmax too many: F.cross_entropy takes the scores and does its own.",
        _softmax_first,
    ),
    Mistake(
        "classes summed",
        "The cross-entropy is summed over the batch; take its mean.",
        _combined(_weighted, reduction="sum"),
    ),
    *(
        Mistake(mistake.name, mistake.says, _combined(_weighted, mistake.answer))
        for mistake in BOX_LOSS
        if mistake.name != "unreduced"
    ),
)
