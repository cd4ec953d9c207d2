"""Misconceptions of the softmax and its loss.

Forward answers take what the oracle takes; gradients take dout before that.
"""

from collections.abc import Callable
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.mistakes.backprop import gradient_of, upstream_ignored
from autograder.check.oracle import backprop as right

Answer = Callable[..., Any]

ROWS = "each row of scores is one image, so {} over its classes, axis 1"
OVERFLOWS = (
    "The exponential of 1000 is too large for a float. Subtract the row's largest score first: "
    "the probabilities stay the same."
)


def _shifted_by_class(scores: Any) -> Any:
    """Probabilities after subtracting each column's largest score, not each row's."""
    return (scores - scores.amax(0)).softmax(1)


def _naive(scores: Any) -> Any:
    return scores.exp() / scores.exp().sum(1, keepdim=True)


def _shifted_by_largest_of_all(scores: Any) -> Any:
    return _naive(scores - scores.max())


SOFTMAX = (
    Mistake("overflow", OVERFLOWS, _naive),
    Mistake(
        "largest of all",
        "The largest of all scores is subtracted: rows far below it become 0/0. Subtract each "
        "row's own largest.",
        _shifted_by_largest_of_all,
    ),
    Mistake(
        "wrong axis",
        f"The columns sum to 1; {ROWS.format('sum')}.",
        lambda scores: scores.softmax(0),
    ),
    Mistake(
        "over everything",
        f"All numbers together sum to 1; {ROWS.format('sum')}.",
        lambda scores: scores.flatten().softmax(0).view(scores.shape),
    ),
    Mistake(
        "largest of the wrong axis",
        f"You subtract the largest score of each column; {ROWS.format('take the maximum')}.",
        lambda scores: _shifted_by_class(scores),
    ),
    Mistake(
        "not divided",
        "The exponentials are not divided by their sum.",
        lambda scores: scores.exp(),
    ),
    Mistake(
        "shifted, not divided",
        "The exponentials are not divided by their sum.",
        lambda scores: (scores - scores.amax(1, keepdim=True)).exp(),
    ),
    Mistake(
        "no exponential",
        "Scores are divided by their sum; exponentiate them first.",
        lambda scores: scores / scores.sum(1, keepdim=True),
    ),
    Mistake(
        "logarithm",
        "Those are the logarithms of the probabilities.",
        lambda scores: scores.log_softmax(1),
    ),
    Mistake(
        "negative exponent",
        "The exponent has the wrong sign: the largest score has the largest probability.",
        lambda scores: (-scores).softmax(1),
    ),
)


def _of_right_class(values: Any, y: Any) -> Any:
    """The number of each row of (N, C) that belongs to its label."""
    return values[range(len(y)), y]


def _loss_with(probabilities: Answer) -> Answer:
    """The loss from the probabilities that a mistaken softmax gives."""
    return lambda scores, y: -_of_right_class(probabilities(scores), y).log().mean()


def _by(factor: Answer) -> Answer:
    return lambda scores, y: right.softmax_loss(scores, y) * factor(scores)


def _shifted_in_one_place(scores: Any, y: Any) -> Any:
    """The largest score is subtracted inside of the logarithm only."""
    shifted = scores - scores.amax(1, keepdim=True)
    return (shifted.exp().sum(1).log() - _of_right_class(scores, y)).mean()


def _bounded_logarithm(least: float) -> Answer:
    """Log(p + ε) for log p."""
    return lambda scores, y: -(_of_right_class(scores.softmax(1), y) + least).log().mean()


LEAST = (1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-100, 1e-300)

SOFTMAX_LOSS = (
    Mistake("overflow", OVERFLOWS, _loss_with(_naive)),
    Mistake(
        "largest of all",
        "The largest of all scores is subtracted: rows far below it become 0/0. Subtract each "
        "row's own largest.",
        _loss_with(_shifted_by_largest_of_all),
    ),
    Mistake(
        "logarithm of 0",
        "The loss is infinite: a probability became 0, or the sum overflowed. Subtract the row's "
        "largest score, then take log p as the score minus the logarithm of the sum.",
        _loss_with(right.softmax),
    ),
    *(
        Mistake(
            f"log(p + {least})",
            "A little something added inside of the logarithm hides that p became 0; the loss is "
            "then wrong. Take the logarithm on paper: score minus the logarithm of the sum.",
            _bounded_logarithm(least),
        )
        for least in LEAST
    ),
    Mistake(
        "sum over N",
        "This is the sum over the batch; the loss is its mean: divide by N.",
        _by(lambda scores: len(scores)),
    ),
    Mistake(
        "divided twice",
        "The loss is divided by N twice.",
        _by(lambda scores: 1 / len(scores)),
    ),
    Mistake(
        "divided by N · C",
        "The mean is taken over all N · C numbers, most of them 0; divide by N.",
        _by(lambda scores: 1 / scores.shape[1]),
    ),
    Mistake(
        "wrong sign",
        "The sign is wrong: the loss is *minus* the logarithm.",
        _by(lambda scores: -1),
    ),
    Mistake(
        "shifted in one place",
        "The largest score is subtracted in the exponentials, but not from the score of the right "
        "class.",
        _shifted_in_one_place,
    ),
    Mistake(
        "wrong axis",
        f"The exponentials are summed over the images; {ROWS.format('sum')}.",
        _loss_with(lambda scores: scores.softmax(0)),
    ),
    Mistake(
        "largest of the wrong axis",
        f"You subtract the largest score of each column; {ROWS.format('take the maximum')}.",
        _loss_with(_shifted_by_class),
    ),
    Mistake(
        "logarithm missing",
        "This is minus the mean probability: the logarithm is missing.",
        lambda scores, y: -_of_right_class(scores.softmax(1), y).mean(),
    ),
    Mistake(
        "only the score",
        "This is minus the mean score of the right class: the logarithm of the sum is missing.",
        lambda scores, y: -_of_right_class(scores, y).mean(),
    ),
    Mistake(
        "one for each image",
        "One loss for each image: return their mean.",
        lambda scores, y: -_of_right_class(scores.log_softmax(1), y),
    ),
    Mistake(
        "labels from 1",
        "Labels count from 0: y[n] is the column of the right class.",
        lambda scores, y: right.softmax_loss(scores, (y - 1) % scores.shape[1]),
    ),
    Mistake(
        "first classes",
        "The right class is taken for all images at once, scores[:, y]: pick one number a row.",
        lambda scores, y: -scores.log_softmax(1)[:, y].mean(),
    ),
)


def one_hot(scores: Any, y: Any) -> Any:
    """The labels as rows of zeros with a single one, like the scores."""
    from torch.nn import functional

    return functional.one_hot(y, scores.shape[1])


def _dscores(formula: Answer) -> Answer:
    """A gradient from dout, the probabilities, the ones of y, N and the scores."""

    def answer(dout: Any, scores: Any, y: Any) -> Any:
        return dout * formula(scores.softmax(1), one_hot(scores, y), len(scores), scores)

    return answer


def _whole_columns(p: Any, ones: Any, n: int, scores: Any) -> Any:
    """The 1 subtracted in every row, for each class that is right somewhere."""
    return (p - ones.amax(0)) / n


def _overflown(p: Any, ones: Any, n: int, scores: Any) -> Any:
    """Where the sum of the exponentials is infinite, every probability becomes 0."""
    return ((scores - scores.exp().sum(1, keepdim=True).log()).exp() - ones) / n


SOFTMAX_LOSS_GRADIENTS = {
    "dscores": (
        Mistake("overflow", OVERFLOWS, _dscores(_overflown)),
        Mistake(
            "not divided by N",
            "The loss is a mean over N: divide its gradient by N as well.",
            _dscores(lambda p, ones, n, scores: p - ones),
        ),
        Mistake(
            "divided twice",
            "The gradient is divided by N twice.",
            _dscores(lambda p, ones, n, scores: (p - ones) / n**2),
        ),
        Mistake(
            "upstream ignored",
            "dout is missing. It is 1 when the loss comes last, but not if something follows it.",
            upstream_ignored(right.softmax_loss, 0),
        ),
        Mistake(
            "upstream ignored, not divided by N",
            "dout is missing, and so is the division by N.",
            lambda dout, scores, y: scores.softmax(1) - one_hot(scores, y),
        ),
        Mistake(
            "wrong sign",
            "The sign is wrong: the score of the right class should grow, so its gradient is "
            "negative.",
            _dscores(lambda p, ones, n, scores: (ones - p) / n),
        ),
        Mistake(
            "1 subtracted too late",
            "The 1 is subtracted after the division by N; subtract it from the probability.",
            _dscores(lambda p, ones, n, scores: p / n - ones),
        ),
        Mistake(
            "scores for probabilities",
            "The 1 is subtracted from the scores; subtract it from the probabilities.",
            _dscores(lambda p, ones, n, scores: (scores - ones) / n),
        ),
        Mistake(
            "1 never subtracted",
            "These are the probabilities over N: in the column of the right class 1 is missing.",
            _dscores(lambda p, ones, n, scores: p / n),
        ),
        Mistake(
            "whole columns",
            "The 1 is subtracted in whole columns: one number a row, in the column of its own "
            "label.",
            _dscores(_whole_columns),
        ),
        Mistake(
            "right class only",
            "Only the right class has a gradient. Every score is in the sum, so every one has.",
            _dscores(lambda p, ones, n, scores: (p - ones) * ones / n),
        ),
        Mistake(
            "wrong classes only",
            "The right class has no gradient; it has p − 1.",
            _dscores(lambda p, ones, n, scores: p * (1 - ones) / n),
        ),
        Mistake(
            "exponentials not divided",
            "The exponentials are not divided by their sum: subtract the 1 from probabilities.",
            _dscores(lambda p, ones, n, scores: (scores.exp() - ones) / n),
        ),
        Mistake(
            "wrong axis",
            f"Your probabilities sum to 1 by columns; {ROWS.format('sum')}.",
            _dscores(lambda p, ones, n, scores: (scores.softmax(0) - ones) / n),
        ),
        Mistake(
            "divided by C",
            "The gradient is divided by the number of classes; divide by N.",
            _dscores(lambda p, ones, n, scores: (p - ones) / scores.shape[1]),
        ),
        Mistake(
            "of probability",
            "This is the gradient of −p. The loss is −log p.",
            gradient_of(lambda scores, y: -_of_right_class(scores.softmax(1), y).mean(), 0),
        ),
    )
}
