"""What came of jobs, kept under a name made of all that it depends on.

Only uneventful results are kept. If a room was lost or stopped by the clock, or the grader broke,
then the next run may end differently: on a quieter machine, after a repair. Such a job runs again.
"""

import hashlib
import json
import logging
import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import autograder
from autograder.rooms.job import Job, Output, Place, Result

GRADER_BROKE = "GraderBroke"
SHARED = "AUTOGRADER_RESULTS"  # the environment's variable that names a folder for several courses
LIBRARIES = ("numpy", "torch", "ipython", "matplotlib")
log = logging.getLogger(__name__)


class Results:
    """The results in a folder; safe to use from several threads and processes at once.

    Args:
        folder: where they are, one JSON file each. It may be deleted at any time.
        run: runs a job whose result is not there.
        fresh: run every job, whatever is there.
    """

    def __init__(self, folder: Path, run: Callable[[Job], Result], fresh: bool = False) -> None:
        self._folder, self._run, self._fresh = folder, run, fresh

    def of(self, job: Job) -> Result:
        """The result of a job; raises what running it raises."""
        path = self._folder / f"{key(job)}.json"
        found = None if self._fresh else _load(path, len(job.cells))
        if found is not None:
            return found
        result = self._run(job)
        if uneventful(job, result):
            _save(path, result)
        return result


def folder_of(root: Path) -> Path:
    """Where the results of the course in ``root`` are; copies of a course may share a folder."""
    return Path(os.environ.get(SHARED) or root / ".autograder" / "results")


def key(job: Job) -> str:
    """A name for everything that a result depends on; how rooms are confined is no part of it."""
    parts = {
        "cells": [(cell.place.value, cell.name, cell.source) for cell in job.cells],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in job.files.items()},
        "seed": job.seed,
        "torch": job.torch,
        "limits": asdict(job.limits),
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def uneventful(job: Job, result: Result) -> bool:
    """Whether running the job again would come to the same."""
    return not result.events and not broken(job, result)


def broken(job: Job, result: Result) -> list[str]:
    """The test cells in which the grader broke."""
    return [
        cell.name
        for cell, outputs in zip(job.cells, result.outputs, strict=True)
        if cell.place is Place.EXAMINER and grader_broke(outputs)
    ]


def grader_broke(outputs: Any) -> bool:
    """Whether a test cell's outputs say so."""
    return any(output.get("ename") == GRADER_BROKE for output in outputs)


@cache
def versions() -> dict[str, str]:
    """Of all code that takes part: this package's by its content, libraries by their versions."""
    return {
        "autograder": _package_digest(Path(autograder.__file__).parent),
        "python": platform.python_version(),
        **{name: _version(name) for name in LIBRARIES},
    }


def _package_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    # Data too: a lesson may take trained weights, pictures, the manifest.
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    for path in sorted(files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"


def _load(path: Path, cells: int) -> Result | None:
    try:
        outputs = json.loads(path.read_bytes())["outputs"]
        return Result(_checked(outputs, cells))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as damage:
        log.warning("%s is damaged (%s: %s); run again", path, type(damage).__name__, damage)
        return None


def _checked(found: Any, cells: int) -> tuple[tuple[Output, ...], ...]:
    outputs = tuple(tuple(cell) for cell in found)
    if len(outputs) != cells:
        raise ValueError(f"outputs of {len(outputs)} cells, not of {cells}")
    if not all(
        isinstance(output, dict) and "output_type" in output for c in outputs for output in c
    ):
        raise ValueError("something in it is not an output")
    return outputs


def _save(path: Path, result: Result) -> None:
    write_atomically(path, json.dumps({"outputs": result.outputs}))


def write_atomically(path: Path, text: str) -> None:
    """Writes a file that is there completely or not at all, whenever this process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
