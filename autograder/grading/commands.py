"""``autograder grade``, ``autograder marks`` and ``autograder page``."""

import argparse
import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from autograder.course import load
from autograder.staff import staff_packages

if TYPE_CHECKING:
    from autograder.grading.batch import Batch


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands of this part."""
    grade = commands.add_parser("grade", help="grade submissions and write feedback")
    grade.add_argument("--student", action="append", metavar="ID", help="only these; may repeat")
    grade.add_argument(
        "--workers", type=_workers, metavar="N", help="submissions at a time; default: cores"
    )
    grade.add_argument("--force", action="store_true", help="as if nothing had been graded before")
    grade.add_argument("--fresh", action="store_true", help="and use no stored result")
    grade.add_argument(
        "--unsafe", action="store_true", help="run student code even where it cannot be confined"
    )
    marks = commands.add_parser("marks", help="print the marks of an assignment")
    page = commands.add_parser("page", help="write an HTML page of marks with links to feedback")
    page.add_argument("--board", type=Path, metavar="JSON", help="a leaderboard to show as well")
    page.add_argument("--output", type=Path, metavar="HTML", help="default: DIR/index.html")
    for parser, run in ((grade, _grade), (marks, _marks), (page, _page)):
        parser.add_argument("assignment", metavar="ASSIGNMENT", help="such as 2-convolution")
        parser.add_argument("--course", default=".", metavar="DIR", help="where course.toml is")
        parser.set_defaults(run=run)


def _workers(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number}: expected a number from 1 up")
    return number


def _grade(arguments: argparse.Namespace) -> int:
    with staff_packages("autograder grade"):
        from autograder.grading import grade, submission
    course = load(arguments.course)
    everybody = submission.students(course, arguments.assignment)
    gc.freeze()  # what was imported stays: looking through it again and again costs a fifth
    batch = grade.grade(
        course,
        arguments.assignment,
        arguments.student or everybody,
        workers=arguments.workers,
        force=arguments.force,
        fresh=arguments.fresh,
        unsafe=arguments.unsafe,
    )
    for problem in (*batch.problems, *batch.faults):
        print(problem, file=sys.stderr)
    print("\n".join(_summary(batch)))
    return 1 if batch.problems or batch.faults or batch.interrupted else 0


def _summary(batch: "Batch") -> list[str]:
    """What became of a batch, in a few lines: names only where somebody has to look."""
    told = [
        f"{one.student}: {what}"
        for one in batch.submissions
        for what in (*one.events, *(f"the grader broke in {cell}" for cell in one.grader_broke))
    ]
    if repaired := [one.student for one in batch.submissions if one.repairs]:
        told.append(f"repaired before grading: {', '.join(repaired)}")
    done, others = len(batch.graded), len(batch.unchanged)
    counts = f"graded: {done}, problems: {len(batch.problems)}, unchanged: {others}"
    if batch.faults:
        counts += f", faults of the grader's: {len(batch.faults)}"
    pace = f" ({batch.seconds / done:.2f} s each)" if done else ""
    told.append(f"{counts}; {batch.seconds:.1f} s{pace}")
    if batch.interrupted:
        told.append(f"interrupted; {done} graded; run the same command again")
    return told


def _marks(arguments: argparse.Namespace) -> int:
    with staff_packages("autograder marks"):
        from autograder.grading import marks
    course = load(arguments.course)
    course.assignment(arguments.assignment)
    rows = [
        (m.student, m.score, m.max_score, m.to_read, ", ".join(m.lost), ", ".join(m.grader_broke))
        for m in marks.read(course, arguments.assignment)
    ]
    headers = ("student", "score", "of", "to read", "lost in", "grader broke in")
    print(tabulate(rows, headers, maxcolwidths=[None, None, None, None, 60, 20]))
    return 0


def _page(arguments: argparse.Namespace) -> int:
    with staff_packages("autograder page"):
        from autograder.grading import marks, page
    course = load(arguments.course)
    course.assignment(arguments.assignment)
    board = json.loads(arguments.board.read_text()) if arguments.board else []
    output = arguments.output or course.root / "index.html"
    everybody = marks.read(course, arguments.assignment)
    html = page.render(course, arguments.assignment, everybody, board, output.parent)
    output.write_text(html, encoding="utf-8")
    print(output)
    return 0
