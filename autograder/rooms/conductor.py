"""One job: which cell runs in which room, for how long, and what if a room does not answer.

The examiner and the student's room share no socket. What the examiner asks passes through here,
unread, and so does the answer; only the clock and the memory are looked at.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Protocol

from autograder.rooms import frames, names
from autograder.rooms.channel import Channel, ChannelClosed, OutOfTime
from autograder.rooms.job import Cell, Job, Limits, Output, Place, Result
from autograder.rooms.outputs import cleaned, error
from autograder.rooms.sandbox import resident_bytes
from autograder.rooms.wire import WireError, decode, encode

GRACE_SECONDS = 1.0  # from the interrupt to the kill
OPEN_SECONDS = 60.0
EXAMINER_SECONDS = 120.0  # of its own, at a stretch: then the check is broken, not the answer
ANSWERS = {
    frames.OPEN: {frames.OPENED},
    frames.RUN: {frames.RAN},
    frames.ASK: {frames.ANSWER, frames.CALLBACK},
    frames.CALLED: {frames.ANSWER, frames.CALLBACK},
}


class Room(Protocol):
    """What the conductor needs of a room; `autograder.rooms.house.Room` is one."""

    channel: Channel
    pid: int

    def interrupt(self) -> None:
        """Raises KeyboardInterrupt in it."""

    def end(self) -> str:
        """Ends it; says how it had ended, if it already had."""


Open = Callable[[bool, bool, Limits], Room]
Shown = Mapping[str, tuple[Output, ...]]


class LostError(Exception):
    """The room will not answer; ``kind`` is the exception that the test sees instead."""

    def __init__(self, message: str, kind: str = "RuntimeError") -> None:
        super().__init__(message)
        self.kind = kind


class ExaminerLostError(Exception):
    """The examiner ended or hangs: nothing can be said about the student."""


class Conductor:
    """Runs one job in two rooms.

    Args:
        job: what to run.
        open_room: makes a room: the examiner's or not, with torch or without, in which limits.
        shown: the outputs of demonstrations that are known already, by their source.
    """

    def __init__(self, job: Job, open_room: Open, shown: Shown) -> None:
        self._job, self._open, self._shown = job, open_room, shown
        self._events: list[str] = []

    def run(self) -> Result:
        """The outputs of every cell. A second try is made if the examiner is lost."""
        for _ in range(2):
            try:
                return Result(self._once(), tuple(self._events))
            except ExaminerLostError as lost:
                self._events.append(f"the examiner was lost: {lost}")
        broke = error("GraderBroke", self._events[-1])
        outputs = [(broke,) if cell.place is Place.EXAMINER else () for cell in self._job.cells]
        return Result(tuple(outputs), tuple(self._events))

    def _once(self) -> tuple[tuple[Output, ...], ...]:
        shows = answers = StudentSide(self._job, self._open, self._events)
        if names.redefines(self._job.cells):
            answers = StudentSide(self._job, self._open, self._events)
        # Whatever students will read is shown before a hidden question has been asked.
        with (
            closing(shows),
            closing(answers),
            closing(ExaminerSide(self._job, self._open, answers)) as examiner,
        ):
            shown = [self._outputs(cell, examiner, shows) for cell in self._job.cells]
            found = [_tested(cell, examiner, shows, answers) for cell in self._job.cells]
        return tuple(one or other for one, other in zip(shown, found, strict=True))

    def _outputs(
        self, cell: Cell, examiner: "ExaminerSide", student: "StudentSide"
    ) -> tuple[Output, ...]:
        """What a cell shows that is no test."""
        if cell.place in (Place.EXAMINER, Place.HOME):
            return ()
        if cell.place is Place.COURSE and cell.source in self._shown:
            return self._shown[cell.source]
        if cell.place is Place.BOTH:
            examiner.prepare(cell)
        return student.run(cell)


def _tested(
    cell: Cell, examiner: "ExaminerSide", shows: "StudentSide", answers: "StudentSide"
) -> tuple[Output, ...]:
    """The outputs of a test; where it has to see names as they were, in a room at that point."""
    if cell.place is Place.EXAMINER:
        return examiner.run(cell)
    if answers is not shows and cell.place not in (Place.COURSE, Place.HOME):
        answers.run(cell)
    return ()


@dataclass
class StudentSide:
    """The student's room: opened when first needed, and again if it ended.

    ``spent`` are the seconds that cells took (True), and those that questions did.
    """

    job: Job
    open_room: Open
    events: list[str]
    room: Room | None = None
    done: list[Cell] = field(default_factory=list)
    opened: int = 0
    spent: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})

    def run(self, cell: Cell) -> tuple[Output, ...]:
        """The cell's outputs; a room that does not survive the cell is reported, and left out."""
        try:
            outputs = self._run(cell, self._room(cell.name))
        except LostError as lost:
            return (error(lost.kind, str(lost)),)
        self.done.append(cell)
        return outputs

    def ask(
        self, kind: bytes, question: bytearray, seconds: float, about: str
    ) -> tuple[bytes, bytearray]:
        """Passes on a question of the examiner's, or what it answers to a callback."""
        if kind == frames.CALLED and self.room is None:
            raise LostError("the program that called back has ended")
        seconds = min(seconds, self.job.limits.call_seconds)
        return self._exchange(self._room(about), kind, question, seconds, about)

    def close(self) -> None:
        """Ends the room."""
        if self.room is not None:
            self.room.end()
            self.room = None

    def _room(self, about: str) -> Room:
        """The room, where everything that ran so far has run."""
        if self.room is None:
            if self.opened > self.job.limits.revivals:
                self.events.append(f"{about}: not run, the student's room had ended too often")
                raise LostError("the program ended too often to be started again")
            self.opened += 1
            self.room = self.open_room(False, self.job.torch, self.job.limits)
            opening = encode((self.job.seed, dict(self.job.files)))
            self._exchange(self.room, frames.OPEN, opening, OPEN_SECONDS, about)
            for cell in self.done:
                self._run(cell, self.room)
        return self.room

    def _run(self, cell: Cell, room: Room) -> tuple[Output, ...]:
        limits = self.job.limits
        source = encode(cell.source)
        _, payload = self._exchange(room, frames.RUN, source, limits.cell_seconds, cell.name)
        try:
            claimed = decode(payload)
        except WireError as nonsense:
            raise self._lost(cell.name, f"it sent nonsense ({nonsense})") from nonsense
        return cleaned(claimed, 2 * limits.output_bytes)

    def _exchange(
        self, room: Room, kind: bytes, payload: bytes | bytearray, seconds: float, about: str
    ) -> tuple[bytes, bytearray]:
        left = self.job.limits.notebook_seconds - self.spent[kind == frames.RUN]
        if left <= 0:
            self.events.append(f"{about}: not run, the notebook's time was used up")
            raise LostError("the notebook's time is used up", "TimeoutError")
        started, seconds = time.monotonic(), min(seconds, left)
        deadline = started + seconds
        try:
            room.channel.send(kind, payload, deadline)
            answer = self._answer(room, deadline, seconds, about)
        except ChannelClosed:
            raise self._lost(about, "") from None
        except OutOfTime:
            raise self._lost(about, "it does not listen", "TimeoutError") from None
        except (WireError, MemoryError) as broken:
            raise self._lost(about, str(broken)) from None
        finally:
            self.spent[kind == frames.RUN] += time.monotonic() - started
        if answer[0] not in ANSWERS[kind]:
            raise self._lost(about, "it answered out of turn")
        return answer

    def _answer(
        self, room: Room, deadline: float, seconds: float, about: str
    ) -> tuple[bytes, bytearray]:
        try:
            return room.channel.receive(deadline, self._watch)
        except OutOfTime:
            room.interrupt()
        with suppress(OutOfTime):
            kind, _ = room.channel.receive(time.monotonic() + GRACE_SECONDS, self._watch)
            if kind != frames.CALLBACK:  # the room is back at its door
                self.events.append(f"{about}: interrupted after {seconds:.3g} s")
                raise LostError(f"no answer within {seconds:.3g} s", "TimeoutError")
        raise self._lost(
            about, f"no answer within {seconds:.3g} s, nor to an interrupt", "TimeoutError"
        )

    def _watch(self) -> None:
        most = self.job.limits.memory_bytes
        if self.room is not None and resident_bytes(self.room.pid) > most:
            raise MemoryError(f"it took more than {most / 2**20:,.0f} MiB of memory")

    def _lost(self, about: str, why: str, kind: str = "RuntimeError") -> LostError:
        how = self.room.end() if self.room is not None else "it was not there"
        self.room = None
        self.events.append(f"{about}: the student's room ended ({why or how})")
        return LostError(f"the program ended while it ran ({why or how})", kind)


class ExaminerSide:
    """The examiner's room, and the way of its questions to the student's."""

    def __init__(self, job: Job, open_room: Open, student: StudentSide) -> None:
        self._limits, self._student = job.limits, student
        self._room = open_room(True, True, job.limits)
        self._exchange(frames.OPEN, encode((job.seed, {})), "the start")

    def run(self, cell: Cell) -> tuple[Output, ...]:
        """The outputs of a test cell.

        Raises:
            ExaminerLostError: there are none.
        """
        asking = 0.0
        kind, payload = self._exchange(frames.RUN, encode(cell.source), cell.name)
        while kind != frames.RAN:
            begun = time.monotonic()
            answer = self._asked(kind, payload, self._limits.cell_seconds - asking, cell.name)
            asking += time.monotonic() - begun
            kind, payload = self._exchange(*answer, cell.name)
        return cleaned(decode(payload), 2 * self._limits.output_bytes, trusted=True)

    def prepare(self, cell: Cell) -> None:
        """Runs a cell whose outputs nobody needs, as long as it works.

        Raises:
            ExaminerLostError: it does not.
        """
        for output in self.run(cell):
            if output["output_type"] == "error":
                raise ExaminerLostError(f"{cell.name}: {output['ename']}: {output['evalue']}")

    def close(self) -> None:
        """Ends the room."""
        self._room.end()

    def _asked(
        self, kind: bytes, question: bytearray, seconds: float, about: str
    ) -> tuple[bytes, bytes | bytearray]:
        try:
            if seconds <= 0:
                self._student.events.append(f"{about}: the cell's time was used up")
                raise LostError("the cell's time is used up", "TimeoutError")
            return self._student.ask(kind, question, seconds, about)
        except LostError as lost:
            account = {"type": lost.kind, "bases": [lost.kind], "message": str(lost), "lines": []}
            return frames.LOST, encode(account)

    def _exchange(
        self, kind: bytes, payload: bytes | bytearray, about: str
    ) -> tuple[bytes, bytearray]:
        deadline = time.monotonic() + EXAMINER_SECONDS
        try:
            self._room.channel.send(kind, payload, deadline)
            return self._room.channel.receive(deadline)
        except (ChannelClosed, OutOfTime, WireError) as lost:
            raise ExaminerLostError(f"{about}: {type(lost).__name__} {lost}") from lost
