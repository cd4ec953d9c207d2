"""The ``autograder`` command: one line for each thing it does, the work done elsewhere."""

import argparse
import os
import sys
from collections.abc import Sequence

from autograder.authoring import commands as authoring
from autograder.grading import commands as grading
from autograder.leaderboard import commands as leaderboard
from autograder.places import commands as places
from autograder.problem import BadInputError
from autograder.rooms import commands as rooms
from autograder.student import commands as student


def parser() -> argparse.ArgumentParser:
    """The whole command line; every leaf sets ``run``, from its arguments to an exit status."""
    top = argparse.ArgumentParser(
        prog="autograder", description="Builds, grades and ranks the course."
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for part in (student, authoring, grading, rooms, leaderboard, places):
        part.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; 0 is done, 1 is "no" (stale, failed), 2 is an input that cannot be used."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except BadInputError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # `| head` has read enough; nothing is left to say to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
