"""A batch as plain data: submissions on their way, and what became of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from autograder.grading.stamp import ToDo
from autograder.problem import Problem
from autograder.rooms.job import Result

T = TypeVar("T")


class Done(Enum):
    """What became of a submission."""

    NOTHING = "left alone"
    GRADED = "graded"
    UNCHANGED = "unchanged"  # it had been, from the same to the same


@dataclass
class Submission:
    """One student's submission on its way through a batch.

    Attributes:
        student: whose.
        to_do: what it needs.
        inputs: digest of all that grading it starts from.
        stamp: what the stamp of its last grading said when we looked.
        problems: what is wrong with it, so that it cannot be graded.
        faults: what went wrong in the grader: not the student's fault.
        repairs: what was put right before it ran.
        events: what became of its rooms, where that was out of the ordinary.
        grader_broke: the tests in which a check broke; they wait for a person.
        results: of its jobs, by their keys, until they are recorded.
        done: what became of it.
    """

    student: str
    to_do: ToDo = ToDo.NOTHING
    inputs: str = ""
    stamp: str = ""
    problems: list[Problem] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    grader_broke: list[str] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)
    done: Done = Done.NOTHING


@dataclass(frozen=True)
class Batch:
    """What became of the submissions that were looked at.

    Attributes:
        submissions: in the order of the students asked for.
        seconds: how long all of it took.
        interrupted: whether it was stopped before the end.
    """

    submissions: Sequence[Submission]
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def graded(self) -> list[str]:
        """Who was graded."""
        return [s.student for s in self.submissions if s.done is Done.GRADED]

    @property
    def unchanged(self) -> list[str]:
        """Who had been, and nothing has changed."""
        return [s.student for s in self.submissions if s.done is Done.UNCHANGED]

    @property
    def problems(self) -> list[Problem]:
        """Everything that is wrong with submissions."""
        return [problem for s in self.submissions for problem in s.problems]

    @property
    def faults(self) -> list[Problem]:
        """Everything that went wrong in the grader."""
        return [problem for s in self.submissions for problem in s.faults]
