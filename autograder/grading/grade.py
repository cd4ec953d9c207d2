"""Grading a batch: everybody who can be graded is, and the rest is accounted for.

Threads prepare: each reads a submission, rebuilds it and has it run in its rooms, which are
processes. The main thread records, one student after the other, with nbgrader's own converters,
and is the only one that writes to the gradebook.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Protocol

from filelock import FileLock
from nbgrader.converters import Autograde, GenerateFeedback
from tqdm import tqdm
from traitlets.config import Config

from autograder.converters import RefusedError, run, settings
from autograder.course import Course
from autograder.grading.batch import Batch, Done, Submission
from autograder.grading.job import limits_of
from autograder.grading.prepare import Preparer, fault
from autograder.grading.stamp import Record, Stamps, ToDo, records, require_built
from autograder.problem import Problem
from autograder.rooms import results
from autograder.rooms.job import Job, Result
from autograder.rooms.results import Results, folder_of

log = logging.getLogger(__name__)


class Runs(Protocol):
    """What can run jobs, several at a time: `autograder.rooms.house.House` can."""

    def run(self, job: Job) -> Result:
        """The outputs of its cells."""

    def close(self) -> None:
        """Ends what still runs."""


def grade(
    course: Course,
    assignment: str,
    students: Iterable[str],
    *,
    workers: int | None = None,
    force: bool = False,
    fresh: bool = False,
    unsafe: bool = False,
    progress: bool = True,
    house: Runs | None = None,
) -> Batch:
    """Grades submissions and writes their feedback, wherever anything has changed.

    A submission that cannot be graded is left alone, with all that was recorded of earlier ones.

    Args:
        course: where ``submitted/`` and the gradebook are.
        assignment: one of the course's assignments.
        students: whose submissions to grade.
        workers: how many submissions run at a time; as many as there are cores, if not said.
        force: as if nothing had been graded before; stored results of rooms are used all the same.
        fresh: as ``force``, and run everything again.
        unsafe: run student code unconfined where the host cannot confine it.
        progress: show how far it is.
        house: what runs the jobs, and is closed at the end; a new house, if not said.

    Raises:
        BadInputError: nobody can be graded: a setting, the lesson or this host is at fault.
    """
    started, everybody = time.monotonic(), list(dict.fromkeys(students))
    limits_of(course)  # a wrong setting is everybody's, and should be said once
    require_built(course, assignment)
    rooms, again = house or _house(unsafe), force or fresh
    stored = Results(folder_of(course.root), rooms.run, fresh)
    known = {} if again else records(course, assignment)
    preparer = Preparer(course, assignment, known, stored)
    recorder = Recorder(course, assignment, stored, again)
    with (
        tqdm(total=len(everybody), desc=assignment, unit="one", disable=not progress) as bar,
        _threads(workers, rooms) as pool,
    ):
        ready = _ready(pool, preparer.prepare, everybody)
        seen, interrupted = _recorded(ready, recorder.record, bar.update)
    seen.sort(key=lambda one: everybody.index(one.student))
    return Batch(seen, time.monotonic() - started, interrupted)


@contextmanager
def _threads(workers: int | None, rooms: Runs) -> Iterator[ThreadPoolExecutor]:
    """Threads that prepare; however it ends, neither they nor the rooms are at work any more."""
    pool = ThreadPoolExecutor(workers or os.cpu_count(), "grade")
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        rooms.close()  # with it ends whatever still runs there, and the threads that wait
        pool.shutdown(wait=True)


def _recorded(
    ready: Iterator[Submission],
    record: Callable[[Submission], None],
    progressed: Callable[[], object],
) -> tuple[list[Submission], bool]:
    """Those that were recorded, and whether somebody interrupted it."""
    seen: list[Submission] = []
    try:
        for one in ready:
            record(one)
            seen.append(one)
            progressed()
    except KeyboardInterrupt:
        return seen, True
    return seen, False


def _ready(
    pool: ThreadPoolExecutor, prepare: Callable[[str], Submission], students: list[str]
) -> Iterator[Submission]:
    for future in as_completed([pool.submit(prepare, student) for student in students]):
        yield future.result()


def _house(unsafe: bool) -> Runs:
    from autograder.rooms.house import House  # not before it is needed: it is not for every host

    return House(unsafe)


class Recorder:
    """Has nbgrader write marks and feedback of prepared submissions.

    Args:
        course: where the gradebook is.
        assignment: which one.
        stored: runs a job that was not prepared.
        again: record it even if another grader did meanwhile.
    """

    def __init__(self, course: Course, assignment: str, stored: Results, again: bool) -> None:
        self._course, self._assignment, self._again = course, assignment, again
        self._results, self._stamps = stored, Stamps(course, assignment)
        self._config = settings(course)
        (course.root / ".autograder").mkdir(exist_ok=True)
        self._one_writer = FileLock(course.root / ".autograder" / "lock")

    def record(self, one: Submission) -> None:
        """Records a submission and says in it what was done."""
        if one.problems or one.faults:
            return
        with self._one_writer:
            to_do = self._still_to_do(one)
            if to_do is ToDo.NOTHING:
                one.done = Done.UNCHANGED
            else:
                self._write(one, to_do)
        one.results.clear()

    def _still_to_do(self, one: Submission) -> ToDo:
        """Less than was found, if another grader did it while this one prepared."""
        if self._again or self._stamps.read(one.student) == one.stamp:
            return one.to_do
        now = self._stamps.to_do(one.student, one.inputs, self._recorded(one.student))
        return now if one.to_do is ToDo.GRADE else one.to_do

    def _write(self, one: Submission, to_do: ToDo) -> None:
        try:
            self._convert(one, to_do)
        except RefusedError as refused:
            one.problems.append(self._refusal(one.student, refused))
        except Exception as error:  # one student's trouble is not the next one's
            one.faults.append(fault(self._course, self._assignment, one.student, error))
        else:
            if recorded := self._recorded(one.student):
                self._stamps.write(one.student, one.inputs, recorded)
            one.done = Done.GRADED

    def _convert(self, one: Submission, to_do: ToDo) -> None:
        config = Config(self._config)
        config.TwoRooms.run = lambda job: self._result(one, job)
        ids = {"assignment_id": self._assignment, "student_id": one.student}
        if to_do is ToDo.GRADE:
            run(Autograde, config, ids, force=True)
        run(GenerateFeedback, config, ids, force=True)

    def _result(self, one: Submission, job: Job) -> Result:
        prepared = one.results.get(results.key(job))
        if prepared is not None:
            return prepared
        log.warning(
            "%s: the gradebook has other tests than source/%s. Run: autograder build",
            one.student,
            self._assignment,
        )
        result = self._results.of(job)
        one.events, one.grader_broke = list(result.events), results.broken(job, result)
        return result

    def _recorded(self, student: str) -> Record | None:
        return records(self._course, self._assignment, student).get(student)

    def _refusal(self, student: str, refused: RefusedError) -> Problem:
        where = str(self._course.root / "submitted" / student / self._assignment)
        fix = f"To see all of it: nbgrader autograde {self._assignment} --student={student}"
        return Problem(where, str(refused), "a submission that nbgrader can grade", fix)
