"""One shape for everything that is wrong with what a person gave us."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """What was checked, what we got, what we expected and how to fix it."""

    where: str
    got: str
    expected: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.got}, expected {self.expected}. {self.fix}"


class BadInputError(Exception):
    """Somebody's file or argument cannot be used; the message says all that is wrong with it."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def line_of(path: Path | str, line: int) -> str:
    """Names a place in a file the way compilers do: ``FILE, line N``."""
    return f"{path}, line {line}"
