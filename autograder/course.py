"""What an instructor sets in ``course.toml``, as plain data."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autograder.problem import BadInputError, Problem

REPOSITORY = re.compile(r"([\w-]+/[\w.-]+)?")  # OWNER/NAME, or none
BRANCH = re.compile(r"[\w.-]+(/[\w.-]+)*")


@dataclass(frozen=True)
class Assignment:
    """One row of ``[assignments]``.

    Attributes:
        name: of its folder.
        due: when, with a time zone.
        torch: whether answers may use torch; if not, it is not there when they are graded.
    """

    name: str
    due: datetime | None
    torch: bool = False


@dataclass(frozen=True)
class Course:
    """The course: where it lives, what it is called, what is due when, how it is graded.

    Attributes:
        package: what a notebook installs on a machine without it, an address that pip takes.
        repository: ``OWNER/NAME`` on GitHub, from where Colab opens releases; '' if nowhere.
        branch: of that repository.
    """

    root: Path
    id: str
    title: str
    term: str
    package: str
    assignments: Mapping[str, Assignment]
    grading: Mapping[str, Any]
    repository: str = ""
    branch: str = "main"

    def assignment(self, name: str) -> Assignment:
        """The assignment called ``name``; raises `BadInputError` naming the ones that exist."""
        if name in self.assignments:
            return self.assignments[name]
        raise BadInputError(
            Problem(
                where=str(self.root / "course.toml"),
                got=f"no assignment {name!r}",
                expected="one of " + ", ".join(sorted(self.assignments)),
                fix="Check the spelling, or add it under [assignments].",
            )
        )

    def colab(self, assignment: str, notebook: str) -> str:
        """The address that opens a released notebook in Colab; '' if no repository is set."""
        if not self.repository:
            return ""
        path = quote(f"{self.branch}/release/{assignment}/{notebook}.ipynb")
        return f"https://colab.research.google.com/github/{self.repository}/blob/{path}"


def load(root: Path | str = ".") -> Course:
    """Reads ``root/course.toml``.

    Raises:
        BadInputError: the file is absent, is not TOML, or lacks a setting.
    """
    path = Path(root).resolve() / "course.toml"
    settings = _read(path)
    try:
        about = settings["course"]
        zone = _zone(path, about["time_zone"])
        return Course(
            root=path.parent,
            id=about["id"],
            title=about["title"],
            term=about["term"],
            **_published(path, about),
            assignments={
                name: _assignment(f"{path}, [assignments.{name}]", name, row, zone)
                for name, row in settings["assignments"].items()
            },
            grading=settings["grading"],
        )
    except KeyError as missing:
        raise BadInputError(
            Problem(str(path), f"no setting {missing}", "it to be there", "See docs/instructor.md.")
        ) from missing


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        fix = "Run the command in the course's folder, or say --course FOLDER."
        expected = "a course's settings"
        raise BadInputError(Problem(str(path), "no such file", expected, fix)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(Problem(str(path), str(error), "TOML", "Mend that line.")) from error


def _zone(path: Path, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        expected, fix = "a time zone such as America/Los_Angeles", "Mend time_zone."
        raise BadInputError(Problem(str(path), repr(name), expected, fix)) from error


def _published(path: Path, about: Mapping[str, Any]) -> dict[str, str]:
    """The settings ``package``, ``repository`` and ``branch``; one of the first two must be there.

    The package is what pip makes of the repository unless it is said to be something else.
    """
    repository, branch = about.get("repository", ""), about.get("branch", "main")
    for name, value, form, expected in (
        ("repository", repository, REPOSITORY, "OWNER/NAME, as in github.com/OWNER/NAME"),
        ("branch", branch, BRANCH, "the name of a branch"),
    ):
        if not (isinstance(value, str) and form.fullmatch(value)):
            where = f"{path}, [course]"
            raise BadInputError(Problem(where, f"{name} = {value!r}", expected, "Mend that line."))
    package = f"git+https://github.com/{repository}@{branch}"
    found = about.get("package", package) if repository else about["package"]
    return {"package": found, "repository": repository, "branch": branch}


def _assignment(where: str, name: str, row: Mapping[str, Any], zone: ZoneInfo) -> Assignment:
    fix = "Mend that line."
    unknown = sorted(row.keys() - {"due", "torch"})
    if unknown:
        raise BadInputError(Problem(where, f"the setting {unknown[0]!r}", "due or torch", fix))
    due, torch = row.get("due"), row.get("torch", False)
    if not isinstance(torch, bool):
        raise BadInputError(Problem(where, f"torch = {torch!r}", "true or false", fix))
    if due is not None and not isinstance(due, datetime):
        expected = "a date and a time such as 2027-02-16T23:59:00"
        raise BadInputError(Problem(where, f"due = {due}", expected, fix))
    return Assignment(name, due.replace(tzinfo=zone) if due else None, torch)
