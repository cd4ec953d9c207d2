"""Running one of nbgrader's converters in this process, with the course's own settings."""

import logging
import os
import sysconfig
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from nbgrader.converters import NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config, ConfigFileNotFound, PyFileConfigLoader

from autograder.course import Course
from autograder.problem import BadInputError, Problem

SETTINGS = "nbgrader_config.py"


class RefusedError(Exception):
    """nbgrader would not do it; the message is the last thing it said about why."""


def settings(course: Course) -> Config:
    """The course's ``nbgrader_config.py``, as nbgrader itself would load it.

    Raises:
        BadInputError: there is none.
    """
    try:
        return PyFileConfigLoader(SETTINGS, path=str(course.root)).load_config()
    except ConfigFileNotFound as error:
        where, fix = str(course.root / SETTINGS), "Restore it from the course's repository."
        raise BadInputError(Problem(where, "no such file", "nbgrader's settings", fix)) from error


def run(converter: type, config: Config, folders: Mapping[str, object], **traits: Any) -> None:
    """Runs ``converter`` over the folders and ids named like CourseDirectory's settings.

    Raises:
        RefusedError: nbgrader gave up on it.
    """
    log, errors = _log()
    config = Config(config)
    config.CourseDirectory.update({key: str(value) for key, value in folders.items()})
    folder = CourseDirectory(config=config, log=log)
    try:
        _put_scripts_on_path()
        with warnings.catch_warnings():
            # nbgrader builds its rows in an order that SQLAlchemy finds odd; the result is right.
            warnings.simplefilter("ignore", SAWarning)
            converter(coursedir=folder, config=config, log=log, **traits).start()
    except NbGraderException as error:
        raise RefusedError(_reason(errors.messages) or str(error)) from error


def _put_scripts_on_path() -> None:
    """As activating the environment does: nbgrader starts alembic by its bare name."""
    scripts, path = sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)
    if scripts not in path.split(os.pathsep):
        os.environ["PATH"] = scripts + os.pathsep + path


class _Errors(logging.Handler):
    """Keeps what nbgrader logs as errors: its exception only says to look there."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage().strip())


def _reason(messages: Sequence[str]) -> str:
    """What happened: of a traceback the line behind its frames; around it nbgrader says little."""
    for message in reversed(messages):
        if message.startswith("Traceback"):
            lines = message.splitlines()
            last_frame = max(i for i, line in enumerate(lines) if line.startswith("  "))
            return lines[min(last_frame + 1, len(lines) - 1)]
    return messages[-1] if messages else ""


def _log() -> tuple[logging.Logger, _Errors]:
    log, errors = logging.Logger("nbgrader", logging.ERROR), _Errors()
    log.addHandler(errors)
    return log, errors
