"""Misconceptions of the share of images that are right; they take scores, y and batch_size."""

from collections.abc import Callable
from typing import Any

from autograder.check.mistakes import Mistake


def _shares(counts: Callable[[Any, Any], Any], batched: bool = False) -> Callable[..., Any]:
    """The mean of what ``counts`` makes of scores and labels, or the mean of the batches' means."""

    def answer(scores: Any, y: Any, batch_size: int) -> Any:
        right = counts(scores, y.long()).double()
        if not batched:
            return right.mean()
        means = [part.mean() for part in right.split(batch_size)]
        return sum(means) / len(means)

    return answer


def _right(scores: Any, y: Any) -> Any:
    return scores.argmax(1) == y


def _whole_batches(scores: Any, y: Any, batch_size: int) -> Any:
    count = len(y) // batch_size * batch_size
    return _right(scores[:count], y[:count].long()).double()


ACCURACY = (
    Mistake(
        "share of the wrong",
        "That is the share of the images that are wrong.",
        _shares(lambda scores, y: scores.argmax(1) != y),
    ),
    Mistake(
        "smallest score",
        "That is how often the smallest score is that of the label: the prediction is the largest.",
        _shares(lambda scores, y: scores.argmin(1) == y),
    ),
    Mistake(
        "percent",
        "That is in percent: return a share, from 0 to 1.",
        lambda scores, y, batch_size: 100 * _right(scores, y.long()).double().mean(),
    ),
    Mistake(
        "how many",
        "That is how many are right: divide by the number of images.",
        lambda scores, y, batch_size: _right(scores, y.long()).double().sum(),
    ),
    Mistake(
        "mean of means",
        "That is the mean of the batches' accuracies: the last batch is "
        "smaller and must count for less.",
        _shares(_right, batched=True),
    ),
    Mistake(
        "last batch skipped",
        "The last images, which do not fill a batch, are left out.",
        lambda scores, y, batch_size: _whole_batches(scores, y, batch_size).mean(),
    ),
    Mistake(
        "last batch not counted",
        "The last images, which do not fill a batch, count as wrong: you never look at them.",
        lambda scores, y, batch_size: _whole_batches(scores, y, batch_size).sum() / len(y),
    ),
    Mistake(
        "first batch only",
        "That is the accuracy of the first batch.",
        lambda scores, y, batch_size: _right(scores, y.long())[:batch_size].double().mean(),
    ),
)
