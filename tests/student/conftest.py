import copy
import json
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from autograder.authoring import samples
from autograder.student.expected import lesson_of
from autograder.student.notebook import read
from autograder.student.report import inspect

ROOT = Path(__file__).parents[2]
RELEASE = ROOT / "release" / "2-convolution" / "convolution.ipynb"
ANSWERS = ROOT / "tests" / "submissions" / "2-convolution" / "correct" / "loops.py"
ESSAYS = {"stacking": "Five by five: each adds two.", "sharing": "One filter for all places."}
KINDS = {(True, True): "essay", (False, True): "solution", (True, False): "test"}


def about(cell):
    return cell["metadata"].get("nbgrader", {})


def manifest(notebook):
    """As it is written when a lesson is built."""
    rows = [
        {
            "id": about(cell)["grade_id"],
            "kind": KINDS.get((about(cell)["grade"], about(cell)["solution"]), "locked"),
            "points": about(cell).get("points", 0),
        }
        for cell in notebook["cells"]
        if about(cell)
    ]
    return {"assignment": "2-convolution", "cells": rows}


def ran(notebook):
    """As after "Restart and run all" where everything is right."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for count, cell in enumerate(code, 1):
        cell.update(execution_count=count, outputs=[])
    return notebook


@pytest.fixture(scope="session")
def done():
    release = nbformat.read(RELEASE, as_version=4)
    answers = ANSWERS.read_text(encoding="utf-8")
    notebook = samples.overlay(samples.fill(release, answers), ESSAYS)
    return ran(json.loads(nbformat.writes(notebook)))


@pytest.fixture
def worked(done):
    """The lesson, answered and run from top to bottom, as JSON to mangle; it lists its cells."""
    notebook = copy.deepcopy(done)
    notebook["metadata"]["receptive_field"] = manifest(notebook)
    return notebook


@pytest.fixture
def cell():
    """Finds a cell of a notebook by its id."""
    return lambda notebook, name: next(
        cell for cell in notebook["cells"] if about(cell).get("grade_id") == name
    )


@pytest.fixture
def looked_over(tmp_path):
    """The report on a notebook given as JSON, its rows and findings by cell."""

    def look(notebook, release=None):
        path = tmp_path / "lesson.ipynb"
        path.write_text(json.dumps(notebook), encoding="utf-8")
        found = read(path)
        report = inspect(found, lesson_of(found, read(release) if release else None))
        rows = {row.id: row for row in report.rows}
        findings = [(f.cell, f.flag, f.says) for f in report.findings]
        return SimpleNamespace(report=report, rows=rows, findings=findings)

    return look
