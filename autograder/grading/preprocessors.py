"""The steps that we add to nbgrader's own; ``nbgrader_config.py`` says where each stands.

They import nbgrader, so only teaching staff can import this module.
"""

import atexit
import re
from collections.abc import Callable, Iterable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader.api import Comment, Grade, Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, is_task
from traitlets import Bool, Integer, Unicode
from traitlets import Callable as Function

from autograder.course import load
from autograder.grading.job import code_cells, job_for
from autograder.grading.rebuild import original, rebuild
from autograder.rooms.job import Job, Result
from autograder.rooms.results import Results, folder_of, grader_broke

Resources = dict[str, Any]
HIDDEN = "### BEGIN HIDDEN TESTS"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Graft(NbGraderPreprocessor):
    """Puts the student's answers and extra cells into the release, and says what it repaired.

    What follows can then rely on every cell being there, once, and of the right kind.
    """

    course = Unicode(".", help="the course's folder").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Returns the release with what the submission answers."""
        about = resources["nbgrader"]
        lesson = original(Path(self.course), about["assignment"], about["notebook"])
        grafted, repairs = rebuild(lesson, nb)
        for repair in repairs:
            self.log.warning("%s: %s", about["student"], repair)
        _note(grafted, "repairs", "Repaired before grading", map(str, repairs))
        return grafted, resources


class TwoRooms(NbGraderPreprocessor):
    """Stands in for nbgrader's Execute: tests run in one process, the student's code in another."""

    course = Unicode(".", help="the course's folder").tag(config=True)
    unsafe = Bool(False, help="run rooms unconfined where the host cannot confine them").tag(
        config=True
    )
    run = Function(
        None, allow_none=True, help="from a job to its result; None: look it up, or open rooms"
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Gives every code cell its outputs."""
        about = resources["nbgrader"]
        job, left_out = job_for(load(self.course), about["assignment"], about["student"], nb)
        result = (self.run or _results(Path(self.course), self.unsafe))(job)
        for count, (cell, outputs) in enumerate(
            zip(code_cells(nb), result.outputs, strict=True), start=1
        ):
            cell.execution_count = count
            cell.outputs = [from_dict(output) for output in outputs]
        for line in (*left_out, *result.events):
            self.log.warning("%s: %s", about["student"], line)
        _note(nb, "events", "While it ran", result.events)
        _note(nb, "left-out", "Not given to your code", left_out)
        return nb, resources


def _note(nb: NotebookNode, name: str, title: str, lines: Iterable[str]) -> None:
    """Puts a list at the top of a notebook, if there is anything to list."""
    items = [f"- {escape(line)}" for line in lines]
    if items:
        nb.cells.insert(0, new_markdown_cell("\n".join([f"**{title}**", "", *items]), id=name))


@cache
def _results(root: Path, unsafe: bool) -> Callable[[Job], Result]:
    """The stored results, and rooms that stay warm until this process ends."""
    from autograder.rooms.house import House  # not before it is needed: it is not for every host

    house = House(unsafe)
    atexit.register(house.close)
    return Results(folder_of(root), house.run).of


class WarningsAreNoMistakes(NbGraderPreprocessor):
    """Lets what a test cell wrote to stderr stand as ordinary output.

    nbgrader gives no points to a test cell with anything on stderr, so a harmless warning of a
    library would undo correct work. An exception is a different kind of output and still counts.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, index: int
    ) -> tuple[NotebookNode, Resources]:
        """Renames the stream; its text stays where it was."""
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.name = "stdout"
        return cell, resources


class OnlyChecksGivePoints(NbGraderPreprocessor):
    """Drops the value of a test cell's last line.

    nbgrader reads a number there as partial credit, and anything that is not a number from 0 up
    as full credit. Our checks return nothing, so whatever appears there is not from them.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, index: int
    ) -> tuple[NotebookNode, Resources]:
        """Keeps all outputs but ``execute_result``."""
        if is_grade(cell) and cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.output_type != "execute_result"]
        return cell, resources


class LimitBytes(NbGraderPreprocessor):
    """Bounds what all outputs of a cell hold together; each text is bounded where it is made."""

    most = Integer(2_000_000, help="characters kept of one cell's outputs").tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, index: int
    ) -> tuple[NotebookNode, Resources]:
        """Drops what is too much and says so. An error stays: it decides about points."""
        kept, left = [], self.most
        for output in cell.get("outputs", []):
            left -= len(str(output))
            if left >= 0 or output.output_type == "error":
                kept.append(output)
        if "outputs" in cell and len(kept) < len(cell.outputs):
            text = f"[{len(cell.outputs) - len(kept)} more outputs left out]\n"
            cell.outputs = [*kept, new_output("stream", name="stdout", text=text)]
        return cell, resources


class LimitSource(NbGraderPreprocessor):
    """For feedback: bounds each code cell, since colouring megabytes of code takes minutes."""

    most = Integer(50_000, help="characters shown of one code cell").tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, index: int
    ) -> tuple[NotebookNode, Resources]:
        """Keeps the beginning of a cell that nobody wrote by hand."""
        if cell.cell_type == "code" and len(cell.source) > self.most:
            left = len(cell.source) - self.most
            cell.source = f"{cell.source[: self.most]}\n# [{left:,} more characters]"
        return cell, resources


class SaveMarks(NbGraderPreprocessor):
    """Does what nbgrader's SaveAutoGrades does, but for two things.

    A test in which the grader broke has no mark and waits for a person. And all of a notebook's
    marks arrive in the gradebook together, or none does.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Writes marks and comments; the notebook stays as it is."""
        about = resources["nbgrader"]
        where = about["notebook"], about["assignment"], about["student"]
        with Gradebook(about["db_url"]) as gradebook:
            found = gradebook.find_submission_notebook(*where)
            grades = {grade.name: grade for grade in found.grades}
            comments = {comment.name: comment for comment in found.comments}
            for cell in nb.cells:
                name = cell.metadata.get("nbgrader", {}).get("grade_id")
                # Asking for one that is not there raises nbgrader's error, which names it.
                if is_grade(cell):
                    _mark(cell, grades.get(name) or gradebook.find_grade(name, *where))
                if is_solution(cell) or is_task(cell):
                    _comment(cell, comments.get(name) or gradebook.find_comment(name, *where))
            gradebook.db.commit()
        return nb, resources


def _mark(cell: NotebookNode, grade: Grade) -> None:
    """The manual score is a person's, and stays; but they should look at it again."""
    broke = not is_solution(cell) and grader_broke(cell.get("outputs", []))
    grade.auto_score = None if broke else determine_grade(cell)[0]
    grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None


def _comment(cell: NotebookNode, comment: Comment) -> None:
    untouched = cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)
    comment.auto_comment = "No response." if untouched and not is_task(cell) else None


class HideTests(NbGraderPreprocessor):
    """For feedback: what students may read of a test's outputs.

    Of an exception only what it was: the traceback shows the lines around the one that raised, and
    those may be hidden tests. Where there are hidden tests, nothing but the reports of checks: what
    an answer prints could tell what it was asked.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, index: int
    ) -> tuple[NotebookNode, Resources]:
        """Comes before the hidden tests themselves are cleared away."""
        if is_grade(cell) and not is_solution(cell):
            hidden = HIDDEN in cell.source
            cell.outputs = [o for o in cell.get("outputs", []) if not hidden or _is_report(o)]
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {ANSI.sub('', output.evalue)}"]
        return cell, resources


def _is_report(output: NotebookNode) -> bool:
    # Only checks show HTML: what students show in their room arrives as texts and pictures.
    return bool(output.output_type == "error" or "text/html" in output.get("data", {}))
