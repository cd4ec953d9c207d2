"""``autograder grade``, ``autograder marks`` and ``autograder page``."""

import argparse
import json
import sys
from pathlib import Path

from tabulate import tabulate

from autograder.course import load
from autograder.staff import staff_packages


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands of this part."""
    grade = commands.add_parser("grade", help="grade submissions and write feedback")
    grade.add_argument("--force", action="store_true", help="grade again what is graded already")
    grade.add_argument("--student", action="append", metavar="ID", help="only these; may repeat")
    marks = commands.add_parser("marks", help="print the marks of an assignment")
    page = commands.add_parser("page", help="write an HTML page of marks with links to feedback")
    page.add_argument("--board", type=Path, metavar="JSON", help="a leaderboard to show as well")
    page.add_argument("--output", type=Path, metavar="HTML", help="default: DIR/index.html")
    for parser, run in ((grade, _grade), (marks, _marks), (page, _page)):
        parser.add_argument("assignment", metavar="ASSIGNMENT", help="such as 2-convolution")
        parser.add_argument("--course", default=".", metavar="DIR", help="where course.toml is")
        parser.set_defaults(run=run)


def _grade(arguments: argparse.Namespace) -> int:
    with staff_packages("autograder grade"):
        from autograder.grading import grade, submission
    course = load(arguments.course)
    everybody = submission.students(course, arguments.assignment)
    batch = grade.grade(
        course, arguments.assignment, arguments.student or everybody, arguments.force
    )
    for problem in batch.problems:
        print(problem, file=sys.stderr)
    print(f"graded: {len(batch.graded)}, problems: {len(batch.problems)}")
    return 1 if batch.problems else 0


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
