"""Misconceptions of a step of gradient descent with momentum.

They take w, g and v, and learning_rate and momentum by keyword.
"""

from collections.abc import Callable
from typing import Any

from autograder.check.mistakes import Mistake

Step = Callable[[Any, Any, Any, float, float], Any]


def _step(formula: Step) -> Callable[..., Any]:
    return lambda w, g, v, learning_rate, momentum: formula(w, g, v, learning_rate, momentum)


SGD_PARAMS = (
    Mistake(
        "update on a copy",
        "Nothing happened to the params that were handed in. p = p − … only gives a new array "
        "the name p: change the array, or put the new one into the dict.",
        _step(lambda w, g, v, lr, m: w),
    ),
    Mistake(
        "no learning rate",
        "The learning rate is never used.",
        _step(lambda w, g, v, lr, m: w - (m * v + g)),
    ),
    Mistake(
        "uphill",
        "The step goes uphill: subtract it.",
        _step(lambda w, g, v, lr, m: w + lr * (m * v + g)),
    ),
    Mistake(
        "momentum not used",
        "This is the step without momentum: w ← w − η g.",
        _step(lambda w, g, v, lr, m: w - lr * g),
    ),
    Mistake(
        "momentum on the gradient",
        "Momentum multiplies the gradient. It is there to make the old velocity smaller: "
        "v ← ρ v + g.",
        _step(lambda w, g, v, lr, m: w - lr * (v + m * g)),
    ),
    Mistake(
        "momentum subtracted",
        "The old velocity is subtracted; v ← ρ v + g adds it.",
        _step(lambda w, g, v, lr, m: w - lr * (g - m * v)),
    ),
    Mistake(
        "learning rate twice",
        "The learning rate is multiplied in twice, in v and in w.",
        _step(lambda w, g, v, lr, m: w - lr * (m * v + lr * g)),
    ),
    Mistake(
        "learning rate in the velocity",
        "Your velocity has the learning rate in it. Here v ← ρ v + g, and only w ← w − η v "
        "multiplies by η.",
        _step(lambda w, g, v, lr, m: w - m * v - lr * g),
    ),
    Mistake(
        "velocity downhill",
        "Your velocity points downhill and is added. Here v ← ρ v + g, and w ← w − η v.",
        _step(lambda w, g, v, lr, m: w + m * v - lr * g),
    ),
    Mistake(
        "damped",
        "The gradient is multiplied by 1 − ρ; v ← ρ v + g takes all of it.",
        _step(lambda w, g, v, lr, m: w - lr * (m * v + (1 - m) * g)),
    ),
    Mistake(
        "old velocity",
        "The step goes along the old velocity: update v first, then w.",
        _step(lambda w, g, v, lr, m: w - lr * v),
    ),
    Mistake(
        "looks ahead",
        "This is Nesterov's momentum. The plain one is w ← w − η v.",
        _step(lambda w, g, v, lr, m: w - lr * (g + m * (m * v + g))),
    ),
    Mistake(
        "velocity not damped",
        "The old velocity is added whole: v ← ρ v + g.",
        _step(lambda w, g, v, lr, m: w - lr * (v + g)),
    ),
)
SGD_VELOCITY = (
    Mistake(
        "velocity not kept",
        "The velocity that was handed in is as it was: the next step would know nothing of this "
        "one.",
        _step(lambda w, g, v, lr, m: v),
    ),
    Mistake(
        "velocity forgotten",
        "The velocity is only the new gradient: v ← ρ v + g.",
        _step(lambda w, g, v, lr, m: g),
    ),
    Mistake(
        "learning rate in the velocity",
        "The velocity has the learning rate in it: v ← ρ v + g, without η.",
        _step(lambda w, g, v, lr, m: lr * (m * v + g)),
    ),
)
