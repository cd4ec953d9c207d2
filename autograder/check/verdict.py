"""From a record to what a notebook sees: a report on the page and, unless passed, an exception."""

from collections.abc import Callable

from autograder.check.record import Outcome, Record
from autograder.check.render import Report, show


class CheckFailed(AssertionError):  # noqa: N818, students read this name at the end of a report
    """The student's answer is wrong or missing: the cell is worth nothing; ``record`` says why."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.message)
        self.record = record

    def _render_traceback_(self) -> list[str]:
        # IPython's hook: the report above says everything, our own frames would only hide it.
        return [f"{type(self).__name__}: {self}"]


class GraderBroke(CheckFailed):
    """The check itself broke. That says nothing about the student; tell the teaching staff."""


def conclude(subject: Record, find: Callable[[], Record]) -> None:
    """Runs ``find``, shows its record and raises unless it passed.

    Raises:
        CheckFailed: the record says failed or could not run.
        GraderBroke: ``find`` raised; ``subject`` says what was being checked.
    """
    record = _found(subject, find).shown()
    show(Report(record))
    if record.outcome is Outcome.GRADER_BROKE:
        raise GraderBroke(record)
    if record.outcome is not Outcome.PASSED:
        raise CheckFailed(record)


def _found(subject: Record, find: Callable[[], Record]) -> Record:
    try:
        return find()
    except Exception as error:  # ours: student code is only ever run inside `call`
        message = f"the check broke ({type(error).__name__}: {error}); this is not your mistake"
        return subject.but(outcome=Outcome.GRADER_BROKE, message=message)
