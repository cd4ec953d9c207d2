"""What the rooms are asked to do and what comes back, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

MIB = 2**20


class Place(Enum):
    """Where a cell runs."""

    BOTH = "both"  # setup: imports that answers and tests need alike
    STUDENT = "student"  # answers, demonstrations, the student's own cells
    EXAMINER = "examiner"  # tests
    HOME = "home"  # what students run at their desk only: training that takes minutes
    COURSE = "course"  # demonstrations that show the same to everybody: see `names.demonstrates`


@dataclass(frozen=True)
class Cell:
    """One code cell; ``name`` is what a person calls it (its grade_id, or its number)."""

    name: str
    place: Place
    source: str


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Attributes:
        call_seconds: wall clock of one call of a student's function.
        cell_seconds: wall clock of one cell.
        notebook_seconds: wall clock of everything that one submission does.
        memory_bytes: resident memory of the student's room, beyond what it starts with.
        disk_bytes: the room's private files.
        file_bytes: one file.
        processes: processes and threads at a time.
        descriptors: open files of one process.
        output_bytes: characters kept of one text output.
        message_bytes: one message between the rooms.
        revivals: how often a student's room that ended is opened again.
    """

    call_seconds: float = 20.0
    cell_seconds: float = 60.0
    notebook_seconds: float = 600.0
    memory_bytes: int = 2048 * MIB
    disk_bytes: int = 256 * MIB
    file_bytes: int = 64 * MIB
    processes: int = 64
    descriptors: int = 256
    output_bytes: int = 100_000
    message_bytes: int = 256 * MIB
    revivals: int = 3


@dataclass(frozen=True)
class Job:
    """One notebook of one submission, ready to run.

    Attributes:
        cells: its code cells, in order.
        files: the submission's own other files, by relative POSIX path.
        seed: of the checks' random inputs, and of the generators in the student's room.
        torch: whether the assignment may use torch; if not, it is not there.
        limits: see `Limits`.
    """

    cells: tuple[Cell, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    seed: int = 0
    torch: bool = False
    limits: Limits = field(default_factory=Limits)


Output = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What came of a job.

    Attributes:
        outputs: of each cell, its outputs in nbformat's form, as JSON-able data.
        events: what became of the rooms, where that was out of the ordinary.
    """

    outputs: tuple[tuple[Output, ...], ...]
    events: tuple[str, ...] = ()
