"""What a check found out, as plain data; `autograder.check.render` turns it into text and HTML."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Outcome(Enum):
    """How a check ended. Only `FAILED` says that the student's answer is wrong."""

    PASSED = "passed"
    FAILED = "failed"
    COULD_NOT_RUN = "could not run"
    GRADER_BROKE = "grader broke"


@dataclass(frozen=True)
class Record:
    """One check of one call.

    Attributes:
        call: the call as the student would write it.
        outcome: how it ended.
        message: one sentence saying what is wrong (or right).
        inputs: what the function was given, e.g. ``x: (2, 3, 7, 6)``.
        got: what came back.
        expected: what should have come back.
        where: where the largest error sits, and how much is wrong.
        hint: the misconception that gives exactly this answer, or what the error looks like.
        trace: the student's own lines that were running when an exception was raised.
        arrays: (got, expected) of equal shape, for a picture.
        concept: what a hidden check is about; its inputs and values are then never shown.
        seed: the seed that reproduces the check's random inputs.
    """

    call: str
    outcome: Outcome = Outcome.PASSED
    message: str = ""
    inputs: str = ""
    got: str = ""
    expected: str = ""
    where: str = ""
    hint: str = ""
    trace: tuple[str, ...] = ()
    arrays: tuple[Array, Array] | None = None
    concept: str = ""
    seed: int | None = None

    def but(self, **found: Any) -> "Record":
        """This record with what was found out."""
        return replace(self, **found)

    def shown(self) -> "Record":
        """What a student may see: a hidden check keeps its concept and its hint, no values."""
        if not self.concept:
            return self
        name = self.call.split("(")[0]
        return self.but(
            call=f"{name}: {self.concept}",
            **{"inputs": "", "got": "", "expected": "", "where": "", "trace": (), "arrays": None},
        )
