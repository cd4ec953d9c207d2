"""Misconceptions of the small functions of the fifth lesson."""

from typing import TYPE_CHECKING

from autograder.check.mistakes import Mistake
from autograder.check.mistakes.backprop import UPSTREAM
from autograder.check.oracle import functions as right

if TYPE_CHECKING:
    from torch import Tensor

LINEAR = (
    Mistake("bias forgotten", "The bias is missing.", lambda x, w, b: x @ w.T),
    Mistake(
        "not transposed",
        "w is used as it lies. Each of its rows belongs to one output: torch's w is (D_out, D_in).",
        lambda x, w, b: x @ w + b,
    ),
)
LINEAR_GRADIENTS = {
    "dx": (
        Mistake(
            "transposed",
            "w is transposed once too often: on the way back it is used as it lies.",
            lambda dout, x, w, b: dout @ w.T,
        ),
        Mistake("upstream ignored", UPSTREAM, lambda dout, x, w, b: w.sum(0).expand(x.shape)),
    ),
    "dw": (
        Mistake(
            "transposed",
            "dw is transposed: like w it has a row for each output.",
            lambda dout, x, w, b: x.T @ dout,
        ),
        Mistake(
            "mean over N",
            "dw is divided by N. The gradients of the examples add up; a mean, if there is one, "
            "is the loss's affair.",
            lambda dout, x, w, b: dout.T @ x / len(x),
        ),
    ),
    "db": (
        Mistake(
            "mean over N",
            "db is the mean over the batch; the gradients of the examples add up.",
            lambda dout, x, w, b: dout.mean(0),
        ),
    ),
}


def _scaled_as_a_whole(direction: "Tensor", weight: "Tensor") -> "Tensor":
    import torch

    factor: Tensor = torch.linalg.vector_norm(weight) / torch.linalg.vector_norm(direction)
    return direction * factor


def _per_input_channel(direction: "Tensor", weight: "Tensor") -> "Tensor":
    import torch

    axes = tuple(range(2, weight.ndim))
    given, own = (torch.linalg.vector_norm(p, 2, axes, True) for p in (weight, direction))
    factor: Tensor = given / own
    return direction * factor


def _unit(direction: "Tensor", weight: "Tensor") -> "Tensor":
    return right.filter_normalized(direction, direction / right.lengths(direction))


def _times(direction: "Tensor", weight: "Tensor") -> "Tensor":
    return direction * right.lengths(weight)


FILTER_NORMALIZED = (
    Mistake(
        "all filters together",
        "All filters share one factor. Each filter is scaled by itself.",
        _scaled_as_a_whole,
    ),
    Mistake(
        "per input channel",
        "Each input channel of a filter has a factor of its own. A filter is all that makes one "
        "output channel: weight[f].",
        _per_input_channel,
    ),
    Mistake(
        "unit length",
        "Every filter has length 1. It should be as long as the filter of the weight.",
        _unit,
    ),
    Mistake(
        "not divided",
        "The filters are multiplied by the lengths of the weight's, but not divided by their own.",
        _times,
    ),
    Mistake(
        "left as it was",
        "Nothing is scaled.",
        lambda direction, weight: direction,
    ),
    Mistake(
        "vectors kept",
        "Biases and the numbers of batch norm have no filters: their direction is 0.",
        lambda direction, weight: direction * weight.abs() / direction.abs(),
    ),
)

RUNNING_VAR = (
    Mistake(
        "biased",
        "That keeps the variance with 1/m, as in lesson 3. PyTorch keeps it with 1/(m − 1).",
        lambda running_var, x, momentum=0.1: (
            (1 - momentum) * running_var + momentum * x.var((0, 2, 3), correction=0)
        ),
    ),
    Mistake(
        "N − 1",
        "m counts all numbers of a channel, N·H·W, not only the images.",
        lambda running_var, x, momentum=0.1: (
            (1 - momentum) * running_var
            + momentum * x.var((0, 2, 3), correction=0) * len(x) / (len(x) - 1)
        ),
    ),
    Mistake(
        "momentum swapped",
        "The momentum is on the wrong side: it is the share of what is new.",
        lambda running_var, x, momentum=0.1: (
            momentum * running_var + (1 - momentum) * x.var((0, 2, 3))
        ),
    ),
    Mistake(
        "of the batch alone",
        "That is the variance of this batch; the running one moves towards it by momentum.",
        lambda running_var, x, momentum=0.1: x.var((0, 2, 3)),
    ),
)
