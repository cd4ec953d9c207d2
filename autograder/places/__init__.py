"""Pictures to learn from."""

from autograder.places.digits import Digits, digits

__all__ = ["Digits", "digits"]
