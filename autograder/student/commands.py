"""``autograder validate``: what would be graded, and what is wrong with the notebook."""

import argparse
from pathlib import Path

from autograder.student import text
from autograder.student.expected import lesson_of
from autograder.student.notebook import read
from autograder.student.report import inspect

ABOUT = """\
Says what of a notebook would be graded, and in what state it is. Nothing is run and nothing is
sent: tests are taken to have ended as the notebook shows it. Save it first."""
STATUS = "exit status: 0 all is fine, 1 there is something to look at, 2 the file cannot be used"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command of this part."""
    parser = commands.add_parser(
        "validate",
        help="look over your notebook before you hand it in",
        description=ABOUT,
        epilog=STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("notebook", metavar="NOTEBOOK", type=Path, help="the .ipynb file")
    parser.add_argument(
        "--release", metavar="FILE", type=Path, help="the notebook that you were given, to compare"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    notebook = read(arguments.notebook)
    release = read(arguments.release) if arguments.release else None
    report = inspect(notebook, lesson_of(notebook, release))
    show = text.as_json if arguments.json else text.text
    print(show(report, _printable(arguments.notebook)))
    return 0 if report.fine else 1


def _printable(path: Path) -> str:
    """A file may be called anything; escapes what a terminal would act on or could not show."""
    name = str(path)
    return name if name.isprintable() else ascii(name)
