"""Counts how many images a prediction file gets right. Integers only; percentages are for show."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder.leaderboard.parse import GUESSES, Predictions

MISSED = GUESSES  # the place of a label that is not among the five


@dataclass(frozen=True)
class Score:
    """Where the right label stood among the five guesses, image by image.

    Attributes:
        places: one byte for each image, in order of name: 0 for the first guess to 4 for the
            fifth, and `MISSED`. Two scores on the same images can be compared byte by byte.
        truth: a digest of the images and their labels: equal where scores may be compared.
    """

    places: bytes
    truth: str

    @property
    def total(self) -> int:
        """The number of images."""
        return len(self.places)

    @property
    def top1(self) -> int:
        """The number of images whose first guess is right."""
        return self.places.count(0)

    @property
    def top5(self) -> int:
        """The number of images with the right label among the five guesses."""
        return self.total - self.places.count(MISSED)

    @property
    def top1_accuracy(self) -> float:
        """Share of images whose first guess is right."""
        return self.top1 / self.total

    @property
    def top5_accuracy(self) -> float:
        """Share of images with the right label among the five guesses."""
        return self.top5 / self.total

    @property
    def top1_error(self) -> float:
        """Share of images whose first guess is wrong."""
        return (self.total - self.top1) / self.total

    @property
    def top5_error(self) -> float:
        """Share of images whose five guesses are all wrong: the official measure."""
        return (self.total - self.top5) / self.total


def score(
    predictions: Predictions, truth: Mapping[str, int], images: Iterable[str] | None = None
) -> Score:
    """Scores predictions on ``images``, or on all that the truth names.

    Raises:
        ValueError: there are no images.
        KeyError: an image is without a prediction or without a true label.
    """
    names = sorted(set(truth if images is None else images))
    if not names:
        raise ValueError("no images to score on")
    places = bytes(_place(predictions.labels[name], truth[name]) for name in names)
    return Score(places, _digest(truth, names))


def halves(truth: Mapping[str, int], secret: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Splits the images into a public and a private half, the same for the same secret.

    Within each category the images are ordered by a hash keyed with the secret and dealt out in
    turn, so no category differs by more than one image between the halves, and nobody without
    the secret can tell which half an image is in.

    Raises:
        ValueError: the secret is empty.
    """
    if not secret:
        raise ValueError("an empty secret keeps nothing private")
    dealt = sorted(truth, key=lambda name: (truth[name], _keyed(secret, name)))
    return frozenset(dealt[::2]), frozenset(dealt[1::2])


def _place(guesses: tuple[int, ...], label: int) -> int:
    return guesses.index(label) if label in guesses else MISSED


def _digest(truth: Mapping[str, int], names: list[str]) -> str:
    listing = "".join(f"{name} {truth[name]}\n" for name in names)
    return hashlib.sha256(listing.encode()).hexdigest()


def _keyed(secret: bytes, name: str) -> bytes:
    return hmac.digest(secret, name.encode(), "sha256")
