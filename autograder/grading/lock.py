"""One writer at a time: who changes a course's gradebook and graded notebooks holds its lock.

The system lets go of the lock when a process ends, however it ends.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

Hook = Callable[..., None]


@contextmanager
def held(root: Path) -> Iterator[None]:
    """Holds the lock of the course in ``root``; waits for it. Not to be nested."""
    file = _file(root)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def taking(root: Path, *hooks: Hook) -> Hook:
    """A hook for nbgrader before a conversion: takes the lock, if need be, then ``hooks``."""

    def before(**about: Any) -> None:
        fcntl.flock(_file(root), fcntl.LOCK_EX)
        for hook in hooks:
            hook(**about)

    return before


def releasing(root: Path) -> Hook:
    """A hook for nbgrader after a conversion; one that fails keeps the lock until the next."""

    def after(**_: Any) -> None:
        fcntl.flock(_file(root), fcntl.LOCK_UN)

    return after


@cache
def _file(root: Path) -> int:
    # One descriptor for the whole process: with two, it would wait for itself.
    path = root / ".autograder" / "lock"
    path.parent.mkdir(exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
