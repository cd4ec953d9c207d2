"""The shape of the package: who may import whom, and what a student need not have."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "autograder"
FOUNDATION = {"problem", "course"}
STAFF = {"staff", "converters"}
# A part may import what stands to the right of it, besides itself and the foundation.
ALLOWED = {
    "problem": set(),
    "symbols": set(),
    "here": set(),
    "course": {"problem"},
    "show": {"problem"},
    "check": {"show", "problem", "places", "leaderboard"},
    "leaderboard": {"problem"},
    "staff": {"problem"},
    "student": {"problem", "symbols"},
    "places": {"leaderboard", "problem"},
    "converters": FOUNDATION,
    "rooms": {"check", "show", "problem", "symbols"},
    "authoring": FOUNDATION | STAFF | {"rooms"},
    "grading": FOUNDATION | STAFF | {"rooms", "check"},
    "cli": {"problem", "authoring", "grading", "rooms", "leaderboard", "places", "student"},
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("autograder."))


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_point_one_way(part):
    files = [PACKAGE / f"{part}.py", *(PACKAGE / part).rglob("*.py")]
    found = {name for path in files if path.is_file() for name in imported(path)} - {part}
    assert found <= ALLOWED[part]


def test_every_part_has_its_place():
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert parts - {"__init__", "__pycache__", "py"} == set(ALLOWED)


WITHOUT = """
import sys
for name in ("torch", "nbgrader", "jupytext", "nbformat", "nbconvert", "IPython", "jinja2"):
    sys.modules[name] = None  # importing it raises ModuleNotFoundError
from autograder import check, show
from autograder.cli import main
{code}
"""


def without_staff_packages(code):
    script = WITHOUT.format(code=code)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


def test_a_student_needs_neither_nbgrader_nor_torch_to_start():
    done = without_staff_packages(
        "check.that(len, [1, 2]).returns(2); print(show.photograph().shape)"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["✓ len([1, 2]): = 2", "(3, 160, 240)"]


def test_without_torch_a_check_could_not_run_and_says_what_to_install():
    code = "check.corr2d.forward(lambda X, K: X, X=(3, 4), K=(2, 2))"
    done = without_staff_packages(code.replace("check.", "check.", 1))
    assert "PyTorch, which knows the right answer, is not installed here" in done.stdout
    assert "CheckFailed" in done.stderr


@pytest.mark.parametrize("command", ["build", "grade 2-convolution", "marks 2-convolution"])
def test_staff_commands_say_what_is_missing(command):
    done = without_staff_packages(f"sys.exit(main({command.split()!r}))")
    assert done.returncode == 2
    assert "pip install 'receptive-field[ta]'" in done.stderr


def test_a_competitor_needs_none_of_it():
    files = PACKAGE.parent / "tests" / "predictions"
    argv = ["leaderboard", "score", f"{files}/fine-tuned.txt", "--truth", f"{files}/truth.txt"]
    done = without_staff_packages(f"sys.exit(main({argv!r}))")
    assert done.returncode == 0
    assert "top-5" in done.stdout
