"""``autograder doctor``: what protection this host gives, and whether it holds."""

import argparse

from tabulate import tabulate

from autograder.rooms import doctor
from autograder.rooms.sandbox import Protection

_ABOUT = "say how well this host confines student code, and try it"
_DETAILS = """\
Student code runs in a room that sees no network, no other file and no other process. How well that
can be done depends on the host. This command says what it offers, opens rooms and tries to break
out of them. Status 0: protected. Status 1: not.
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``doctor`` to the command line."""
    parser = commands.add_parser(
        "doctor",
        help=_ABOUT,
        description=_DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    about_course = "a folder that rooms must not see; this one, if not given"
    parser.add_argument("--course", default=".", metavar="DIR", help=about_course)
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    found = doctor.examine(arguments.course)
    print(tabulate(found.facts, tablefmt="plain", maxcolwidths=[None, 76]))
    print(tabulate(_rows(found), headers=("promise", "held", ""), maxcolwidths=[None, None, 56]))
    print(f"\n{_verdict(found)}")
    return 0 if found.protected else 1


def _rows(found: doctor.Findings) -> list[tuple[str, str, str]]:
    return [(each.promise, "yes" if each.held else "NO", each.trouble or "") for each in found.held]


def _verdict(found: doctor.Findings) -> str:
    if found.protection is Protection.NONE:
        return "Not protected: student code would run with your rights. See the reasons above."
    if not found.protected:
        return "Not protected: a promise was broken. Grade on another host, and report this."
    return f"Protected by {found.protection.value}."
