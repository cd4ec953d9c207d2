"""Pictures to learn from."""

from autograder.places.digits import Digits, digits
from autograder.places.packed import Packed

__all__ = ["Digits", "Packed", "digits"]
