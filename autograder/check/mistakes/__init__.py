"""What well-known misconceptions would have answered, and how to say so.

Each is written with the oracle, so none of them gives away a NumPy solution. A mistake is only ever
reported when its answer equals the student's on the same inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mistake:
    """A misconception: ``answer`` takes what the oracle takes; None where it cannot arise."""

    name: str
    says: str
    answer: Callable[..., Any]
