"""Calling a student's function: with copies, and with an account of what went wrong."""

import copy
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

NOT_STUDENT = (str(Path(__file__).resolve().parents[1]), "site-packages", "dist-packages")
TRACE_LINES = 4


@dataclass(frozen=True)
class Called:
    """What a call came to: a value, or an exception with the student's lines that led to it."""

    value: Any = None
    error: BaseException | None = None
    trace: tuple[str, ...] = ()
    changed: tuple[str, ...] = field(default=())

    @property
    def missing(self) -> bool:
        """Whether the function is still the empty one that was handed out."""
        return isinstance(self.error, NotImplementedError)


def call(
    function: Callable[..., Any], arguments: Mapping[str, Any], options: Mapping[str, Any]
) -> Called:
    """``function(*arguments, **options)`` on copies; ``changed`` names the arguments it altered."""
    given = [copy.deepcopy(value) for value in arguments.values()]
    return call_as_is(function, given, options, watched=dict(zip(arguments, given, strict=True)))


def call_as_is(
    function: Callable[..., Any],
    positional: Sequence[Any],
    options: Mapping[str, Any],
    watched: Mapping[str, Any],
) -> Called:
    """The call itself; of ``watched``, the arrays that it altered are reported by name."""
    before = {name: copy.deepcopy(value) for name, value in watched.items()}
    try:
        value = function(*positional, **options)
    except Exception as error:  # whatever a student's code raises is an answer, not our failure
        told = getattr(error, "student_lines", None)  # one that comes from another process
        return Called(error=error, trace=told or student_lines(error))
    changed = tuple(name for name in watched if not _same(before[name], watched[name]))
    return Called(value=value, changed=changed)


def student_lines(error: BaseException) -> tuple[str, ...]:
    """The last few lines of the student's own code that an exception passed through."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not any(part in frame.filename for part in NOT_STUDENT)
    ]
    return tuple(f"{f.name}, line {f.lineno}: {f.line}" for f in frames[-TRACE_LINES:])


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after, equal_nan=before.dtype.kind in "fc")
    return bool(before == after)
