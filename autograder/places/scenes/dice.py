"""Random numbers that are the same on every machine and in every version of NumPy.

NumPy promises to keep the raw 64-bit numbers of PCG64 as they are, but not what a ``Generator``
makes of them. So the little that is needed is made of them here.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")

_BATCH = 128


class Dice:
    """A stream of random choices; the same key gives the same stream."""

    def __init__(self, *key: int) -> None:
        self._source = np.random.PCG64(np.random.SeedSequence(key))
        self._shares: list[float] = []

    def share(self) -> float:
        """A number in [0, 1): a multiple of 2⁻⁵³."""
        if not self._shares:
            raw = self._source.random_raw(_BATCH) >> np.uint64(11)
            self._shares = (raw / 2**53).tolist()
        return self._shares.pop()

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.share()

    def below(self, count: int) -> int:
        """A whole number from 0 to ``count - 1``."""
        return int(self.share() * count)

    def chance(self, probability: float) -> bool:
        """Whether something happens that happens with this probability."""
        return self.share() < probability

    def pick(self, items: Sequence[Item]) -> Item:
        """One of ``items``."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """All of ``items`` in random order (Fisher and Yates)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order
