"""Misconceptions of cross-entropy with label smoothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import images as right

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]

OVERFLOW = (
    "Large scores give infinity or NaN: a probability that rounds to 0 has no logarithm. "
    "F.log_softmax computes both in one, without powers that overflow or vanish."
)


def _targets(target: Function, reduce: Function | None = None) -> Function:
    """−Σ target(ε, K, whether it is the label) · log p, as a mean or as ``reduce`` makes it."""

    def answer(scores: "Tensor", labels: "Tensor", *, smoothing: float = 0.1) -> Any:
        log_p, own = _logs(scores, labels)
        classes = scores.shape[1]
        aim = own * target(smoothing, classes, True) + ~own * target(smoothing, classes, False)
        each = -(aim * log_p)
        return reduce(each) if reduce else each.sum(1).mean()

    return answer


def _logs(scores: "Tensor", labels: "Tensor") -> "tuple[Tensor, Tensor]":
    """(N, K) log-probabilities, and whether each is that of the label."""
    import torch

    own = torch.arange(scores.shape[1]) == labels.long()[:, None]
    return scores.log_softmax(1), own


def _right(epsilon: float, classes: int, own: bool) -> float:
    return (1 - epsilon) * own + epsilon / classes


def _of_other_scores(change: Function) -> Function:
    """The right loss of something else than the scores."""

    def answer(scores: "Tensor", labels: "Tensor", *, smoothing: float = 0.1) -> "Tensor":
        return right.smoothed_loss(change(scores), labels, smoothing=smoothing)

    return answer


def _of_other_logs(logs: Function) -> Function:
    """The formula with something else for log p."""

    def answer(scores: "Tensor", labels: "Tensor", *, smoothing: float = 0.1) -> "Tensor":
        log_p: Tensor = logs(scores)
        own = log_p.gather(1, labels.long()[:, None])[:, 0]
        return -((1 - smoothing) * own + smoothing * log_p.mean(1)).mean()

    return answer


def _powers(scores: "Tensor") -> "Tensor":
    """Log p with powers that overflow, as in the lesson's 32 bits."""
    powers = scores.float().exp()
    return (powers / powers.sum(1, keepdim=True)).log()


SMOOTHED_LOSS = (
    Mistake("overflow", OVERFLOW, _of_other_logs(_powers)),
    Mistake(
        "probability of 0", OVERFLOW, _of_other_logs(lambda scores: scores.float().softmax(1).log())
    ),
    Mistake(
        "no smoothing",
        "This is the plain cross-entropy: ε is not used.",
        _targets(lambda e, classes, own: float(own)),
    ),
    Mistake(
        "always 0.1",
        "The smoothing is 0.1, whatever is asked for.",
        lambda scores, labels, *, smoothing=0.1: right.smoothed_loss(scores, labels),
    ),
    Mistake(
        "only the others",
        "ε is shared by the K − 1 wrong classes. Here all K share it, the right one as well.",
        _targets(lambda e, classes, own: 1 - e if own else e / (classes - 1)),
    ),
    Mistake(
        "the right one without its share",
        "The second sum is over all classes, also the right one: it gets 1 − ε + ε/K.",
        _targets(lambda e, classes, own: 1 - e if own else e / classes),
    ),
    Mistake(
        "right one in full",
        "The first term lacks its factor 1 − ε.",
        _targets(lambda e, classes, own: own + e / classes),
    ),
    Mistake(
        "not divided by K",
        "The second sum is not divided by K.",
        _targets(lambda e, classes, own: (1 - e) * own + e),
    ),
    Mistake(
        "exchanged",
        "ε and 1 − ε are exchanged.",
        _targets(lambda e, classes, own: e * own + (1 - e) / classes),
    ),
    Mistake(
        "second term only",
        "The first term, that of the right class, is missing.",
        _targets(lambda e, classes, own: e / classes),
    ),
    Mistake(
        "first term only",
        "The second term, with the logarithms of all classes, is missing.",
        _targets(lambda e, classes, own: (1 - e) * own),
    ),
    Mistake(
        "second term added",
        "The second term has the wrong sign: both terms are negative logarithms.",
        _targets(lambda e, classes, own: (1 - e) * own - e / classes),
    ),
    Mistake(
        "sign",
        "The sign is wrong. A probability's logarithm is negative, the loss is positive.",
        lambda *given, **settings: -right.smoothed_loss(*given, **settings),
    ),
    Mistake(
        "summed",
        "Summed over the images. Take the mean over them, so that the batch size does not matter.",
        _targets(_right, lambda each: each.sum()),
    ),
    Mistake(
        "unreduced",
        "There is a number for each image; the loss is their mean.",
        _targets(_right, lambda each: each.sum(1)),
    ),
    Mistake(
        "mean over classes",
        "This is the mean over images *and* classes, K times too small. Sum over the classes.",
        _targets(_right, lambda each: each.mean()),
    ),
    Mistake(
        "softmax twice",
        "There is a softmax too many: F.log_softmax takes the scores and does its own.",
        _of_other_scores(lambda scores: scores.softmax(1)),
    ),
    Mistake(
        "no logarithm",
        "These are probabilities. Their logarithms are asked.",
        _of_other_logs(lambda scores: scores.softmax(1)),
    ),
    Mistake(
        "no softmax",
        "The scores are taken for log-probabilities. F.log_softmax makes them of the scores.",
        _of_other_logs(lambda scores: scores),
    ),
    Mistake(
        "softmax over images",
        "The softmax is over the images. Each image's probabilities add up to 1: its axis is 1.",
        _of_other_logs(lambda scores: scores.log_softmax(0)),
    ),
    Mistake(
        "smoothed probabilities",
        "The net's probabilities are smoothed. What is smoothed is what they are asked to be.",
        lambda scores, labels, *, smoothing=0.1: (
            -((1 - smoothing) * scores.softmax(1) + smoothing / scores.shape[1])
            .log()
            .gather(1, labels.long()[:, None])
            .mean()
        ),
    ),
)
