"""Misconceptions of training a module, of asking how good it is, and of its gradients."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from autograder.check.mistakes import Mistake
from autograder.check.oracle.learning_net import Way

if TYPE_CHECKING:
    from torch import Tensor


class Bug(NamedTuple):
    """A misconception of a training loop."""

    says: str
    way: Way


TRAINING = (
    Bug(
        "The gradients of all steps add up: call zero_grad before each backward.",
        Way(cleared="never"),
    ),
    Bug(
        "The gradients are gone when the step is taken: zero_grad comes before backward, not "
        "between it and the step.",
        Way(cleared="after backward"),
    ),
    Bug(
        "The net is in eval mode while it learns, so batch norm uses old statistics and never "
        "moves them: net.train() first.",
        Way(training=False),
    ),
    Bug(
        "There is no momentum. Give it to the optimizer, and make that once, before the loop: a "
        "new one remembers nothing.",
        Way(momentum=False),
    ),
    Bug("The loss is added up over the batch; take the mean.", Way(reduction="sum")),
    Bug("The weights climb: they should move against the gradient.", Way(ascends=True)),
    Bug("Those are the losses after each step. Note them before it.", Way(late=True)),
)

NORMS = (
    Mistake(
        "squared",
        "Those are squares of norms: the root is missing.",
        lambda found: [part.square().sum() for part in found],
    ),
    Mistake(
        "root mean square",
        "Those are means, not sums, under the root.",
        lambda found: [part.square().mean().sqrt() for part in found],
    ),
    Mistake(
        "sum of absolute values",
        "That is the sum of the absolute values. The norm is the root of the sum of squares.",
        lambda found: [part.abs().sum() for part in found],
    ),
    Mistake(
        "mean absolute value",
        "That is the mean absolute value. The norm is the root of the sum of squares.",
        lambda found: [part.abs().mean() for part in found],
    ),
    Mistake(
        "largest",
        "That is the largest number of each.",
        lambda found: [p.abs().max() for p in found],
    ),
)
STALE = "The net had gradients already, and these are added to them: clear them before you go back."
LENGTH = "One number for each convolution: its weight is the only parameter with four axes."
EVAL = (
    "The net is in train mode, where each answer depends on the other images of the batch: "
    "net.eval() first."
)
COUNT = "That is how many are right: divide by how many there are."
PERCENT = "That is in percent: return a number from 0 to 1."
WRONG_ONES = "That is the share of wrong answers."


def norms(found: "Sequence[Tensor]") -> "list[Tensor]":
    """The root of the sum of squares of each."""
    return [part.square().sum().sqrt() for part in found]
