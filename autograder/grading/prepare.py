"""What can be done about a submission without a gradebook, and so in a thread."""

from collections.abc import Mapping
from pathlib import Path

from autograder.course import Course
from autograder.grading import submission
from autograder.grading.batch import Submission
from autograder.grading.job import job_for
from autograder.grading.rebuild import Original, original, rebuild
from autograder.grading.stamp import Record, Stamps, ToDo
from autograder.problem import BadInputError, Problem
from autograder.rooms import results
from autograder.rooms.job import Job
from autograder.rooms.results import Results


class Preparer:
    """Reads submissions of one assignment, rebuilds them and has them run.

    Args:
        course: where ``submitted/`` is.
        assignment: which one.
        known: what the gradebook holds, by student; those left out are graded in any case.
        stored: the results of rooms.

    Raises:
        BadInputError: the lesson is not there.
    """

    def __init__(
        self, course: Course, assignment: str, known: Mapping[str, Record], stored: Results
    ) -> None:
        self._course, self._assignment = course, assignment
        self._known, self._results = known, stored
        self._stamps = Stamps(course, assignment)
        self._lessons = _lessons(course, assignment)

    def prepare(self, student: str) -> Submission:
        """The student's submission, ready to be recorded, or what keeps it from being so.

        Raises:
            BadInputError: this host can run nobody's submission.
        """
        found = Submission(student)
        try:
            jobs = self._jobs(found)
        except BadInputError as bad:
            found.problems += bad.problems
        except Exception as error:  # nothing that is handed in may end the batch
            found.faults.append(fault(self._course, self._assignment, student, error))
        else:
            self._run(found, jobs)
        return found

    def _jobs(self, found: Submission) -> list[Job]:
        folder = self._course.root / "submitted" / found.student / self._assignment
        if not folder.is_dir():
            fix = "Check the spelling, or collect submissions first."
            raise BadInputError(Problem(str(folder), "no such folder", "a submission", fix))
        found.inputs = self._stamps.inputs(found.student)
        found.stamp = self._stamps.read(found.student)
        known = self._known.get(found.student)
        found.to_do = self._stamps.to_do(found.student, found.inputs, known)
        if found.to_do is not ToDo.GRADE:
            return []
        if problems := submission.prepare(self._course, self._assignment, found.student):
            raise BadInputError(*problems)
        found.inputs = self._stamps.inputs(found.student)  # preparing may add a file
        return [self._job(found, folder, name) for name in self._lessons]

    def _job(self, found: Submission, folder: Path, notebook: str) -> Job:
        release = self._course.root / "release" / self._assignment / f"{notebook}.ipynb"
        submitted = submission.load(folder, release)
        rebuilt, repairs = rebuild(self._lessons[notebook], submitted)
        job, left_out = job_for(self._course, self._assignment, found.student, rebuilt)
        found.repairs += [*map(str, repairs), *left_out]
        return job

    def _run(self, found: Submission, jobs: list[Job]) -> None:
        try:
            for job in jobs:
                result = self._results.of(job)
                found.results[results.key(job)] = result
                found.events += result.events
                found.grader_broke += results.broken(job, result)
        except BadInputError:  # what a job is made of was read before: this is about the host
            raise
        except Exception as error:
            found.faults.append(fault(self._course, self._assignment, found.student, error))


def fault(course: Course, assignment: str, student: str, error: Exception) -> Problem:
    """Something went wrong that no submission should be able to cause."""
    where = str(course.root / "submitted" / student / assignment)
    got = f"a fault of the grader's ({type(error).__name__}: {error})"
    fix = f"To see all of it: nbgrader autograde {assignment} --student={student} --force"
    return Problem(where, got, "a grader that copes with any submission", fix)


def _lessons(course: Course, assignment: str) -> dict[str, Original]:
    names = [Path(name).stem for name in submission.notebooks(course, assignment)]
    if not names:
        where, fix = str(course.root / "release" / assignment), "Run: autograder build"
        raise BadInputError(Problem(where, "no notebooks", "a built lesson", fix))
    return {name: original(course.root, assignment, name) for name in names}
