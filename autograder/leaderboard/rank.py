"""Orders scores, and says which of the differences mean anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import NormalDist

from autograder.leaderboard.score import MISSED, Score
from autograder.problem import BadInputError, Problem

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Row:
    """One line of the board.

    Attributes:
        rank: 1 is best; equal scores share a rank and the next rank is skipped (1, 1, 3).
        total: the number of images; top1 and top5 are how many of them are right.
        top5_error_low: with top5_error_high, the 95% Wilson interval of the top-5 error.
        p_next: how likely so large a top-5 difference from the next row is by chance, were the
            two equally good (exact McNemar test); None in the last row.
        distinguishable_from_next: whether ``p_next`` is below 5%; None in the last row.
    """

    rank: int
    name: str
    total: int
    top1: int
    top5: int
    top1_error: float
    top5_error: float
    top5_error_low: float
    top5_error_high: float
    p_next: float | None
    distinguishable_from_next: bool | None


def rank(entries: Mapping[str, Score]) -> list[Row]:
    """Orders entries by top-5 hits (the official measure), then by top-1 hits.

    Neighbours are compared one pair at a time, without a correction for the number of pairs.

    Raises:
        BadInputError: the entries were not all scored on the same images and labels.
    """
    _require_same_images(entries)
    order = sorted(entries, key=lambda name: (*_key(entries[name]), name))
    chances = [mcnemar(*disagreements(entries[a], entries[b])) for a, b in pairwise(order)]
    keys = [_key(entries[name]) for name in order]
    return [
        _row(keys.index(key) + 1, name, entries[name], p_next)
        for name, key, p_next in zip(order, keys, [*chances, None], strict=False)
    ]


def wilson(hits: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927), which holds near 0 and 1 too."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / total
    centre = share + z * z / (2 * total)
    spread = z * sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    scale = 1 + z * z / total
    low, high = (centre - spread) / scale, (centre + spread) / scale
    # In exact arithmetic 0 <= low <= share <= high <= 1; near the ends rounding needs a hand.
    return max(0.0, min(share, low)), min(1.0, max(share, high))


def disagreements(one: Score, other: Score) -> tuple[int, int]:
    """The numbers of images that only ``one``, and only ``other``, has among its five guesses."""
    pairs = list(zip(one.places, other.places, strict=True))
    return sum(a < MISSED <= b for a, b in pairs), sum(b < MISSED <= a for a, b in pairs)


def mcnemar(only_one: int, only_other: int) -> float:
    """The exact two-sided McNemar test: is either side of the disagreements a fair coin's?

    Twice the binomial tail, summed in integers: no rounding however many images there are.
    """
    total = only_one + only_other
    term = tail = 1
    for k in range(min(only_one, only_other)):
        term = term * (total - k) // (k + 1)
        tail += term
    return min(1.0, 2 * tail / (1 << total))


def _key(entry: Score) -> tuple[int, int]:
    return -entry.top5, -entry.top1


def _row(place: int, name: str, entry: Score, p_next: float | None) -> Row:
    low, high = wilson(entry.total - entry.top5, entry.total)
    return Row(
        rank=place,
        name=name,
        total=entry.total,
        top1=entry.top1,
        top5=entry.top5,
        top1_error=entry.top1_error,
        top5_error=entry.top5_error,
        top5_error_low=low,
        top5_error_high=high,
        p_next=p_next,
        distinguishable_from_next=None if p_next is None else p_next < SIGNIFICANCE,
    )


def _require_same_images(entries: Mapping[str, Score]) -> None:
    first = next(iter(entries.values()), None)
    odd = [name for name, entry in entries.items() if first and entry.truth != first.truth]
    if odd and first:
        raise BadInputError(
            *(
                Problem(
                    where=f"entry {name!r}",
                    got=f"a score on other images or labels ({entries[name].total} images)",
                    expected=f"the {first.total} images of entry {next(iter(entries))!r}",
                    fix="Score all entries against one label file.",
                )
                for name in odd
            )
        )
