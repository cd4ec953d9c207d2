"""Misconceptions of what batch norm leaves in running_mean and running_var.

Functions take what the oracle takes.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.mistakes.laid import Formula, Laid, lay_batch, unbiased
from autograder.check.mistakes.normalization import RESHAPED

Update = Callable[[Any, Any, float], Any]  # from the old value, the batch's and the momentum

NEVER_UPDATED = (
    "It is what it was. An assignment to the name alone (running = …) makes a new array and leaves "
    "the caller's as it is: write into that one."
)

# Without momentum the first two leave the same; what "replaced" says is true of both.
UPDATES = (
    Mistake(
        "replaced",
        "Only this batch is left: mix it with the old value, as 0.99 and 0.01.",
        lambda old, new, m: new,
    ),
    Mistake(
        "momentum reversed",
        "The momentum is the other way round: (1 − momentum) · running + momentum · batch.",
        lambda old, new, m: m * old + (1 - m) * new,
    ),
    Mistake("never updated", NEVER_UPDATED, lambda old, new, m: old),
    Mistake(
        "old value not scaled",
        "The old value is kept whole: scale it by (1 − momentum).",
        lambda old, new, m: old + m * new,
    ),
    Mistake(
        "new value not scaled",
        "The batch's value is added whole: scale it by momentum.",
        lambda old, new, m: (1 - m) * old + new,
    ),
    Mistake(
        "momentum fixed at 0.01",
        "This is the update for momentum = 0.01, whatever momentum you are given.",
        lambda old, new, m: 0.99 * old + 0.01 * new,
    ),
    Mistake(
        "momentum fixed at 0.1",
        "This is the update for momentum = 0.1, whatever momentum you are given.",
        lambda old, new, m: 0.9 * old + 0.1 * new,
    ),
)


def _updated(which: int, of: Formula, update: Update) -> Callable[..., Any]:
    """Part ``which`` of the statistics after an update with ``of(laid)`` as the batch's value."""

    def answer(
        x: Any, gamma: Any, beta: Any, momentum: float = 0.01, training: bool = True, **options: Any
    ) -> Any:
        if not training:
            return None
        laid = lay_batch(x, gamma, beta, **options)
        old = options["running_var" if which else "running_mean"]
        return update(old, of(laid).reshape(old.shape), momentum)

    return answer


def _updated_in_test_mode(which: int, of: Formula) -> Callable[..., Any]:
    right = _updated(which, of, lambda old, new, m: (1 - m) * old + m * new)

    def answer(*arrays: Any, training: bool = True, **options: Any) -> Any:
        return None if training else right(*arrays, **options)

    return answer


def _with_the_right_momentum(of: Formula) -> Callable[..., Any]:
    return _updated(1, of, lambda old, new, m: (1 - m) * old + m * new)


def _around_the_running_mean(laid: Laid) -> Any:
    mean, _ = laid.running or (0, 0)
    return laid.average((laid.x - mean) ** 2)


def _kept(which: int, of: Formula) -> tuple[Mistake, ...]:
    in_test_mode = Mistake(
        "updated in test mode",
        "In test mode the running statistics are used, never changed.",
        _updated_in_test_mode(which, of),
    )
    updates = (replace(each, answer=_updated(which, of, each.answer)) for each in UPDATES)
    return (*updates, in_test_mode)


VARIANCES = (
    Mistake(
        "unbiased",
        "You keep the variance that divides by N − 1; the lecture keeps the one that divides by "
        "N, with which the batch is normalized.",
        _with_the_right_momentum(lambda n: unbiased(n).var),
    ),
    Mistake(
        "eps included",
        "ε is in the running variance: add it only where you take the root.",
        _with_the_right_momentum(lambda n: n.var + n.eps),
    ),
    Mistake(
        "standard deviation",
        "You keep the standard deviation; running_var is a variance.",
        _with_the_right_momentum(lambda n: n.var**0.5),
    ),
    Mistake(
        "standard deviation with eps",
        "You keep √(σ² + ε); running_var is the variance σ².",
        _with_the_right_momentum(lambda n: n.std),
    ),
    Mistake(
        "mean for variance",
        "You keep the mean in running_var.",
        _with_the_right_momentum(lambda n: n.mean),
    ),
    Mistake(
        "around the running mean",
        "You take the variance around running_mean; take it around the mean of this batch.",
        _with_the_right_momentum(_around_the_running_mean),
    ),
)


def _reshaped_moments(which: int) -> Callable[..., Any]:
    """The statistics of x.reshape(-1, C)."""
    right = _updated(
        which,
        lambda n: n.var if which else n.mean,
        lambda old, new, m: (1 - m) * old + m * new,
    )
    return lambda x, *arrays, **options: right(x.reshape(-1, x.shape[1]), *arrays, **options)


BATCH: Mapping[str, tuple[Mistake, ...]] = {
    "running_mean": _kept(0, lambda n: n.mean),
    "running_var": (*_kept(1, lambda n: n.var), *VARIANCES),
}
SPATIAL: Mapping[str, tuple[Mistake, ...]] = {
    name: (*mistakes, Mistake("reshaped without transposing", RESHAPED, _reshaped_moments(which)))
    for which, (name, mistakes) in enumerate(BATCH.items())
}
