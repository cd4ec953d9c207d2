"""Inputs of a check that are drawn in another way than from a normal distribution.

A shape in a check's keywords means standard normal numbers. These stand in for the shape:
``check.max_pool.backward(..., x=check.ties(2, 3, 6, 5))``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Draw = Callable[[np.random.Generator], Any]


@dataclass(frozen=True, repr=False)
class Drawn:
    """An input that is not known before the check runs; ``text`` says which."""

    draw: Draw
    text: str

    def __repr__(self) -> str:
        return self.text


def ties(*shape: int) -> Drawn:
    """Whole numbers from −2 to 2, so that many are equal and many are 0."""
    return Drawn(lambda rng: rng.integers(-2, 3, shape).astype(np.float64), f"ties{shape}")


def spread(*shape: int, mean: float = 0.0, std: float = 1.0) -> Drawn:
    """Normal numbers around ``mean``."""
    text = f"spread({', '.join(map(str, shape))}, mean={mean}, std={std})"
    return Drawn(lambda rng: mean + std * rng.standard_normal(shape), text)


def positive(*shape: int) -> Drawn:
    """Numbers from 0.5 to 2: variances, or a scale."""
    return Drawn(lambda rng: rng.uniform(0.5, 2.0, shape), f"positive{shape}")


def labels(count: int, classes: int) -> Drawn:
    """``count`` class numbers from 0 to ``classes`` − 1."""
    return Drawn(lambda rng: rng.integers(0, classes, count), f"labels({count}, {classes})")
