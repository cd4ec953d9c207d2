"""Misconceptions of a network with a head for the class and one for the box."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import boxes as right

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]


def _both(scores: "Tensor", box: "Tensor") -> "Tensor":
    import torch

    return torch.cat([scores, box], 1)


def _with(
    scores: Function = lambda scores: scores,
    box: Function = lambda box: box.sigmoid(),
    pooled: Function = lambda x: x.mean((2, 3)),
    flat: Function = lambda x: x.flatten(1),
) -> Function:
    """The right answer but for one part."""

    def answer(state: Any, x: "Tensor", training: bool, **_: int) -> "Tensor":
        said = scores(right.class_head(state, pooled(x)))
        return _both(said, box(right.box_head(state, flat(x))))

    return answer


def _exchanged(state: Any, x: "Tensor", training: bool, **_: int) -> "Tensor":
    box = right.box_head(state, x.flatten(1)).sigmoid()
    return _both(box, right.class_head(state, x.mean((2, 3))))


HEADS = (
    Mistake(
        "no sigmoid",
        "The box is not squashed: a sigmoid makes each of its numbers a fraction from 0 to 1.",
        _with(box=lambda box: box),
    ),
    Mistake(
        "sigmoid twice",
        "There are two sigmoids on the box, so that no number is below a half.",
        _with(box=lambda box: box.sigmoid().sigmoid()),
    ),
    Mistake("exchanged", "The order is (scores, boxes).", _exchanged),
    Mistake(
        "softmax",
        "The scores are probabilities already. The loss does the softmax: return the scores.",
        _with(scores=lambda scores: scores.softmax(1)),
    ),
    Mistake(
        "log softmax",
        "There is a log-softmax on the scores. The loss does that: return the scores.",
        _with(scores=lambda scores: scores.log_softmax(1)),
    ),
    Mistake(
        "sigmoid on the scores",
        "There is a sigmoid on the scores; it belongs to the boxes only.",
        _with(scores=lambda scores: scores.sigmoid()),
    ),
    Mistake(
        "softmax on the box",
        "The box has a softmax, so that its four numbers sum to 1. Each is a fraction by itself.",
        _with(box=lambda box: box.softmax(1)),
    ),
    Mistake(
        "clipped box",
        "The box is clipped to 0 … 1, and where it is clipped nothing learns. Use a sigmoid.",
        _with(box=lambda box: box.clamp(0, 1)),
    ),
    Mistake(
        "tanh",
        "The box goes through a tanh, from −1 to 1. Fractions go from 0 to 1: use a sigmoid.",
        _with(box=lambda box: box.tanh()),
    ),
    Mistake(
        "ReLU",
        "The box goes through a ReLU, which does not end at 1. Use a sigmoid.",
        _with(box=lambda box: box.relu()),
    ),
    Mistake(
        "maximum",
        "The class head sees the largest number of each map; its mean is asked.",
        _with(pooled=lambda x: x.amax((2, 3))),
    ),
    Mistake(
        "sum",
        "The class head sees the sum of each map; its mean is asked.",
        _with(pooled=lambda x: x.sum((2, 3))),
    ),
    Mistake(
        "channels last",
        "The maps are flattened with the channels running fastest. flatten(1) lays them out one "
        "after the other.",
        _with(flat=lambda x: x.permute(0, 2, 3, 1).flatten(1)),
    ),
    Mistake(
        "transposed",
        "The maps are flattened column by column. flatten(1) goes row by row.",
        _with(flat=lambda x: x.transpose(2, 3).flatten(1)),
    ),
)


def _shapes(**changed: Any) -> Function:
    """The right names and shapes, but for those of some weights: a function of the sizes each."""

    def answer(**sizes: int) -> dict[str, tuple[int, ...]]:
        shapes = dict(right.heads_shapes(**sizes))
        shapes |= {f"{head}.weight": shape(**sizes) for head, shape in changed.items()}
        return shapes

    return answer


HEADS_DRAFTS = (
    Mistake(
        "box from means",
        "The box head sees one number a channel. A mean does not know where anything was: give it "
        "the whole maps, flattened.",
        _shapes(box_head=lambda channels, **_: (4, channels)),
    ),
    Mistake(
        "class from all",
        "The class head sees all of the maps. What a thing is does not depend on where it is: give "
        "it the mean of each map.",
        _shapes(
            class_head=lambda channels, height, width, num_classes: (
                num_classes,
                channels * height * width,
            )
        ),
    ),
    Mistake(
        "a box for each class",
        "There is a box for each class; here one for the image is enough.",
        _shapes(
            box_head=lambda channels, height, width, num_classes: (
                4 * num_classes,
                channels * height * width,
            )
        ),
    ),
    Mistake(
        "no bias",
        "The heads have no bias.",
        lambda **sizes: {
            name: shape
            for name, shape in right.heads_shapes(**sizes).items()
            if name.endswith("weight")
        },
    ),
)
ERRORS = {
    r"mat1 and mat2 shapes cannot be multiplied": (
        "A head is given another number of features than it was made for: the class head takes "
        "the mean of each map, the box head all of them, flattened from axis 1 on."
    ),
}
