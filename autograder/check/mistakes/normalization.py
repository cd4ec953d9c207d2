"""Misconceptions of the normalizations, forward.

Functions take what the oracle takes. Most misconceptions are a formula that is answered instead of
γ·x̂ + β, the same for all kinds of normalization; see `laid`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.mistakes.laid import (
    Formula,
    Laid,
    Lay,
    lay_batch,
    lay_group,
    lay_layer,
    right,
    scaled,
    unbiased,
    updated,
)


def _forward(lay: Lay, formula: Formula) -> Callable[..., Any]:
    def answer(x: Any, gamma: Any, beta: Any, **options: Any) -> Any:
        out = formula(lay(x, gamma, beta, **options))
        return None if out is None else out.reshape(x.shape)

    return answer


def _mean_of_squares(laid: Laid) -> Any:
    return right(replace(laid, var=laid.average(laid.x**2)))


def _everything(laid: Laid) -> Laid:
    return laid.over(tuple(range(laid.x.dim())))


EPS_OUTSIDE = "ε stands outside of the root: it is added to the variance, √(σ² + ε)."
# Where the variance is not small, no ε and one of 1e-5 cannot be told apart.
EPS_MISSING = (
    "ε has no effect: add the eps that you are given, whatever it is, to the variance, √(σ² + ε)."
)
NO_ROOT = "You divide by σ² + ε; divide by its root."
UNBIASED = (
    "You divide the sum of squares by one less than there are numbers; the lecture's variance "
    "divides by their number."
)

FORMULAS = (
    Mistake("eps outside the root", EPS_OUTSIDE, lambda n: scaled(n, n.var**0.5 + n.eps)),
    Mistake("eps missing", EPS_MISSING, lambda n: scaled(n, n.var**0.5)),
    Mistake("eps fixed", EPS_MISSING, lambda n: right(replace(n, eps=1e-5))),
    Mistake(
        "gamma and beta forgotten",
        "You return x̂: multiply by gamma and add beta.",
        lambda n: n.x_hat,
    ),
    Mistake("gamma forgotten", "gamma is missing: y = γ·x̂ + β.", lambda n: n.x_hat + n.beta),
    Mistake("beta forgotten", "beta is missing: y = γ·x̂ + β.", lambda n: n.gamma * n.x_hat),
    Mistake(
        "gamma and beta swapped",
        "gamma and beta are swapped: gamma is the scale, beta the shift.",
        lambda n: n.beta * n.x_hat + n.gamma,
    ),
    Mistake(
        "beta before gamma",
        "You multiply beta by gamma too: y = γ·x̂ + β, not γ·(x̂ + β).",
        lambda n: n.gamma * (n.x_hat + n.beta),
    ),
    Mistake("root forgotten", NO_ROOT, lambda n: scaled(n, n.var + n.eps)),
    Mistake(
        "not divided",
        "The mean is subtracted, but nothing is divided by √(σ² + ε).",
        lambda n: scaled(n, 1),
    ),
    Mistake(
        "mean not subtracted",
        "The mean is not subtracted: x̂ = (x − μ) / √(σ² + ε).",
        lambda n: n.gamma * n.x / n.std + n.beta,
    ),
)

# What one can get wrong where the mean and the variance are those of x itself.
OWN_MOMENTS = (
    Mistake("unbiased variance", UNBIASED, lambda n: right(unbiased(n))),
    Mistake(
        "mean of squares",
        "Your variance is the mean of x²: subtract the mean first, then square.",
        _mean_of_squares,
    ),
    Mistake(
        "one mean for everything",
        "You take one mean and one variance of all the numbers in x: look at the axes.",
        lambda n: right(_everything(n)),
    ),
)


def _as_forward(lay: Lay, mistakes: tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    return tuple(replace(each, answer=_forward(lay, each.answer)) for each in mistakes)


def _in_training(formula: Formula) -> Callable[..., Any]:
    """Answers only in training mode."""

    def answer(*arrays: Any, training: bool = True, **options: Any) -> Any:
        return _forward(lay_batch, formula)(*arrays, **options) if training else None

    return answer


def _in_test_mode(formula: Formula) -> Callable[..., Any]:
    """Answers only in test mode, where `Laid.running` holds the statistics of the batch."""

    def answer(*arrays: Any, training: bool = True, **options: Any) -> Any:
        return (
            None if training else _forward(lay_batch, formula)(*arrays, training=False, **options)
        )

    return answer


def _other_statistics(laid: Laid) -> Any:
    """Running statistics in training, those of the batch in test mode."""
    mean, var = laid.running or (None, None)
    return right(replace(laid, mean=mean, var=var))


def _with_updated(x: Any, gamma: Any, beta: Any, **options: Any) -> Any:
    """Normalized with the running statistics after they were updated, in either mode."""
    return right(updated(lay_batch(x, gamma, beta, **{**options, "training": True})))


def _std_as_variance(laid: Laid) -> Any:
    """The running variance taken for a standard deviation."""
    return scaled(laid, laid.var)


def _only_in_training(mistakes: tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    return tuple(replace(each, answer=_in_training(each.answer)) for each in mistakes)


BATCH_MODES = (
    Mistake(
        "running statistics in training",
        "You normalize with running_mean and running_var. In training, take the mean and the "
        "variance of this batch.",
        _in_training(_other_statistics),
    ),
    Mistake(
        "batch statistics in test mode",
        "You normalize with the mean and variance of this batch in test mode too: there, take "
        "running_mean and running_var.",
        _in_test_mode(_other_statistics),
    ),
    Mistake(
        "updated statistics",
        "You normalize with running_mean and running_var after updating them. In training, take "
        "the batch's own; in test mode, update nothing.",
        _with_updated,
    ),
    Mistake(
        "running variance taken for sigma",
        "In test mode you divide by running_var itself: it is a variance, divide by its root.",
        _in_test_mode(_std_as_variance),
    ),
)

BATCH_NORM = (
    *BATCH_MODES,
    *_as_forward(lay_batch, FORMULAS),
    *_only_in_training(OWN_MOMENTS),
    Mistake(
        "axis of layer norm",
        "You average along each row. Batch norm takes a mean of each column, over the batch.",
        _in_training(lambda n: right(n.over((1,)))),
    ),
)


def _reshaped(x: Any, gamma: Any, beta: Any, **options: Any) -> Any:
    """`reshape(-1, C)` where the channels are not the last axis, and back."""
    mixed = x.reshape(-1, x.shape[1])
    return _forward(lay_batch, right)(mixed, gamma, beta, **options).reshape(x.shape)


RESHAPED = (
    "x.reshape(-1, C) mixes channels and pixels, because C is not the last axis: move it there "
    "first, and back afterwards."
)
PER_PIXEL = (
    "You average over N only, so that every pixel has its own mean. A channel has one: average "
    "over N, H and W."
)

SPATIAL_BATCH_NORM = (
    Mistake("reshaped without transposing", RESHAPED, _reshaped),
    Mistake("per pixel", PER_PIXEL, _in_training(lambda n: right(n.over((0,))))),
    Mistake(
        "per image",
        "Every image has its own mean: that is instance norm. Average over N as well.",
        _in_training(lambda n: right(n.over((2, 3)))),
    ),
    Mistake(
        "over channels",
        "You average over the channels. Each channel has its own mean, over N, H and W.",
        _in_training(lambda n: right(n.over((1,)))),
    ),
    Mistake(
        "over channels and pixels",
        "You average over the channels too, image by image. Each channel has its own mean, over "
        "N, H and W.",
        _in_training(lambda n: right(n.over((1, 2, 3)))),
    ),
    *BATCH_MODES,
    *_as_forward(lay_batch, FORMULAS),
    *_only_in_training(OWN_MOMENTS),
)

LAYER_NORM = (
    Mistake(
        "axis of batch norm",
        "You take a mean of each column, over the batch. Layer norm takes one of each row.",
        _forward(lay_layer, lambda n: right(n.over((0,)))),
    ),
    *_as_forward(lay_layer, FORMULAS),
    *_as_forward(lay_layer, OWN_MOMENTS),
)


def _regrouped(count: Callable[[int, int], int]) -> Callable[..., Any]:
    """Group norm with count(C, G) groups."""

    def answer(x: Any, gamma: Any, beta: Any, groups: int, eps: float = 1e-5) -> Any:
        wanted = count(x.shape[1], groups)
        if x.shape[1] % wanted:
            return None
        return _forward(lay_group, right)(x, gamma, beta, groups=wanted, eps=eps)

    return answer


def _interleaved(x: Any, groups: int) -> Any:
    """The channels in the order in which every G-th of them comes first."""
    return x.unflatten(1, (-1, groups)).transpose(1, 2).flatten(1, 2)


def _deinterleaved(x: Any, groups: int) -> Any:
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


def _groups_interleaved(x: Any, gamma: Any, beta: Any, groups: int, eps: float = 1e-5) -> Any:
    parts = [_interleaved(a, groups) for a in (x, gamma[None], beta[None])]
    out = _forward(lay_group, right)(*parts, groups=groups, eps=eps)
    return _deinterleaved(out, groups)


def _as_batch_norm(x: Any, gamma: Any, beta: Any, groups: int, eps: float = 1e-5) -> Any:
    zeros = gamma * 0
    options = {"running_mean": zeros, "running_var": zeros, "eps": eps}
    return _forward(lay_batch, right)(x, gamma, beta, **options)


INTERLEAVED = (
    "Group g takes every G-th channel; it should take the g-th run of neighbours, "
    "x[:, g·C/G : (g+1)·C/G]."
)

GROUP_NORM = (
    Mistake("groups interleaved", INTERLEAVED, _groups_interleaved),
    Mistake(
        "channels each by themselves",
        "Every channel has its own mean: that is instance norm. The C/G channels of a group share "
        "one.",
        _regrouped(lambda channels, groups: channels),
    ),
    Mistake(
        "all channels together",
        "All channels share one mean, as if there were one group. Each of the G groups has its "
        "own.",
        _regrouped(lambda channels, groups: 1),
    ),
    Mistake(
        "number for size",
        "Your groups have G channels each; there should be G groups, of C/G channels.",
        _regrouped(lambda channels, groups: channels // groups),
    ),
    Mistake(
        "averaged over the batch",
        "You average over N as well; here each image has its own mean.",
        _forward(lay_group, lambda n: right(n.over((0, 2, 3, 4)))),
    ),
    Mistake(
        "batch norm",
        "This is batch norm: one mean for a channel of all images. Each group of channels of each "
        "image has its own.",
        _as_batch_norm,
    ),
    Mistake(
        "per pixel",
        "Every pixel has its own mean: average over H and W too.",
        _forward(lay_group, lambda n: right(n.over((2,)))),
    ),
    *_as_forward(lay_group, FORMULAS),
    *_as_forward(lay_group, OWN_MOMENTS),
)
