"""The line between what everybody has installed and what only teaching staff have."""

from collections.abc import Iterator
from contextlib import contextmanager

from autograder.problem import BadInputError, Problem


@contextmanager
def staff_packages(command: str) -> Iterator[None]:
    """Imports inside it may fail for those who installed only what students need.

    Raises:
        BadInputError: says what to install.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        got, expected = f"no module {missing.name}", "the packages for teaching staff"
        fix = "Install them: pip install 'receptive-field[ta]'"
        raise BadInputError(Problem(command, got, expected, fix)) from missing
