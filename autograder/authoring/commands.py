"""``autograder build`` and ``autograder samples``."""

import argparse
from pathlib import Path

from autograder.course import load
from autograder.problem import BadInputError
from autograder.staff import staff_packages

# jupytext and nbgrader, which only teaching staff have installed, are imported by the commands
# that use them: the others work without.


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands of this part."""
    _add_build(commands.add_parser("build", help="make source notebooks and releases of lessons"))
    _add_samples(commands.add_parser("samples", help="hand in sample submissions"))


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help="all unless named")
    _add_course(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--check",
        action="store_const",
        dest="run",
        const=_check,
        help="change nothing; exit 1 if what is committed is stale or the release would leak",
    )
    how.add_argument(
        "--pull",
        action="store_const",
        dest="run",
        const=_pull,
        help="carry edits of source notebooks back into the lessons",
    )
    parser.set_defaults(run=_build)


def _add_samples(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="has GROUP/NAME.py answers")
    parser.add_argument("--into", type=Path, required=True, metavar="COURSE_DIR")
    parser.add_argument("--assignment", metavar="NAME", help="default: what the folder is called")
    _add_course(parser)
    parser.set_defaults(run=_samples)


def _add_course(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--course", default=".", metavar="DIR", help="where course.toml is")


def _build(arguments: argparse.Namespace) -> int:
    with staff_packages("autograder build"):
        from autograder.authoring import build, rehearsal
    course = load(arguments.course)
    found = rehearsal.of_course(course, build.load(course, arguments.assignments))
    if found:
        raise BadInputError(*found)
    for path in build.build(course, arguments.assignments):
        print(f"built {path}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    with staff_packages("autograder build --check"):
        from autograder.authoring import build, rehearsal
    course = load(arguments.course)
    findings = build.check(course, arguments.assignments)
    sources = build.load(course, arguments.assignments)
    findings += map(str, rehearsal.of_course(course, sources))
    print("\n\n".join(findings) or "What is committed is what the lessons say; nothing leaks.")
    return 1 if findings else 0


def _pull(arguments: argparse.Namespace) -> int:
    with staff_packages("autograder build --pull"):
        from autograder.authoring import build
    changes = build.pull(load(arguments.course), arguments.assignments)
    for change in changes:
        print(f"{change.path} has changed:\n{change.diff}")
    print("Now run: autograder build" if changes else "No source notebook has an edit to pull.")
    return 0


def _samples(arguments: argparse.Namespace) -> int:
    with staff_packages("autograder samples"):
        from autograder.authoring import samples
    course = load(arguments.course)
    assignment = arguments.assignment or arguments.folder.resolve().name
    target = samples.target(course, assignment, arguments.into)
    names = samples.write(arguments.folder, target)
    print(f"{len(names)} submissions of {assignment}: {', '.join(names)}")
    return 0
