"""Grading a batch: everybody who can be graded is, and the rest is accounted for."""

from collections.abc import Iterable
from dataclasses import dataclass

from nbgrader.converters import Autograde, GenerateFeedback
from tqdm import tqdm
from traitlets.config import Config

from autograder.converters import RefusedError, run, settings
from autograder.course import Course
from autograder.grading import submission
from autograder.problem import Problem


@dataclass(frozen=True)
class Batch:
    """What became of each submission."""

    graded: tuple[str, ...]
    problems: tuple[Problem, ...]


def grade(course: Course, assignment: str, students: Iterable[str], force: bool = False) -> Batch:
    """Runs nbgrader's autograde and generate_feedback for each student.

    A submission that cannot be graded is left alone, with all that was recorded of earlier ones.

    Args:
        course: where ``submitted/`` and the gradebook are.
        assignment: one of the course's assignments.
        students: whose submissions to grade.
        force: grade again what has been graded already and is no newer.
    """
    config = settings(course)
    graded, problems = [], []
    for student in tqdm(list(students), desc=assignment, unit="submission"):
        found = submission.problems(course, assignment, student)
        if not found:
            found = _grade_one(config, course, assignment, student, force)
        if found:
            problems += found
        else:
            graded.append(student)
    return Batch(tuple(graded), tuple(problems))


def _grade_one(
    config: Config, course: Course, assignment: str, student: str, force: bool
) -> list[Problem]:
    ids = {"assignment_id": assignment, "student_id": student}
    try:
        run(Autograde, config, ids, force=force)
        run(GenerateFeedback, config, ids, force=True)
    except RefusedError as refused:
        where = str(course.root / "submitted" / student / assignment)
        fix = f"To see all of it: nbgrader autograde {assignment} --student={student}"
        return [Problem(where, str(refused), "a submission that nbgrader can grade", fix)]
    return []
