"""Looking at a submission before anything is done with it."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.course import Course
from autograder.problem import BadInputError, Problem, line_of


def students(course: Course, assignment: str) -> list[str]:
    """Who handed in something for this assignment, in alphabetical order.

    Raises:
        BadInputError: there is no such assignment, or nobody did.
    """
    course.assignment(assignment)
    submitted = course.root / "submitted"
    found = sorted(path.parent.name for path in submitted.glob(f"*/{assignment}") if path.is_dir())
    if not found:
        where, expected = str(submitted), f"folders STUDENT/{assignment}"
        fix = "Collect submissions first."
        raise BadInputError(Problem(where, "no submissions", expected, fix))
    return found


def problems(course: Course, assignment: str, student: str) -> list[Problem]:
    """Everything that keeps this submission from being graded; empty when it can be."""
    folder = course.root / "submitted" / student / assignment
    return [
        problem
        for notebook in notebooks(course, assignment)
        for problem in _notebook_problems(folder, notebook)
    ]


def say_problems(notebooks: Sequence[str], **about: str) -> None:
    """A hook that nbgrader calls before it converts a submission's ``notebooks`` (paths).

    nbgrader itself would only show where in its own code it could not go on.
    """
    for path in map(Path, notebooks):
        for problem in _notebook_problems(path.parent, path.name):
            print(problem, file=sys.stderr)


def notebooks(course: Course, assignment: str) -> list[str]:
    """The file names of an assignment's notebooks, as released."""
    return sorted(path.name for path in (course.root / "release" / assignment).glob("*.ipynb"))


def _notebook_problems(folder: Path, name: str) -> Iterator[Problem]:
    path = folder / name
    if not path.is_file():
        others = ", ".join(sorted(p.name for p in folder.iterdir())) or "an empty folder"
        fix = f"Ask for {name}, or rename the file if it is there under another name."
        yield Problem(str(path), others, f"the notebook {name}", fix)
        return
    fix = "Ask for the notebook again (Colab: File, Download, Download .ipynb)."
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        yield Problem(str(path), f"bytes that are not UTF-8 ({error.reason})", "a notebook", fix)
    except json.JSONDecodeError as error:
        where = line_of(path, error.lineno)
        yield Problem(where, f"text that is not JSON ({error.msg})", "a notebook", fix)
    else:
        if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
            yield Problem(str(path), "JSON without a list of cells", "a notebook", fix)
