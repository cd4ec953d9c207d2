"""The released notebooks on a machine like one of Colab's, and what comes back from there."""

import json
import re
import shutil
import subprocess
import sys
import tomllib

import nbformat
import pytest

from autograder.authoring import build, samples
from autograder.course import load
from autograder.grading import marks
from autograder.grading.grade import grade
from tests.colab.machine import ROOT, VERSION, Machine, build_wheel
from tests.colab.saving import saved

pytestmark = pytest.mark.slow

RELEASES = {path.parent.name: path for path in sorted(ROOT.glob("release/*/*.ipynb"))}
NUMPY, TORCH = "2-convolution", "7-localization"
INSTALL = re.compile(r'^ +%pip install --quiet "(.*)"$', re.MULTILINE)


def read(lesson):
    return nbformat.read(RELEASES[lesson], as_version=4)


def first_cell(notebook):
    return next(cell for cell in notebook.cells if cell.cell_type == "code")


def up_to_the_first_cell(notebook):
    notebook.cells = notebook.cells[: notebook.cells.index(first_cell(notebook)) + 1]
    return notebook


def answered(lesson):
    (source,) = (ROOT / "source" / lesson).glob("*.ipynb")
    answers = samples.reference_answers(nbformat.read(source, as_version=4))
    return samples.overlay(read(lesson), answers)


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


# Where the first cells of two lessons say the same, one of them is run; these two run as a whole.
FIRST_CELLS = {first_cell(read(lesson)).source: lesson for lesson in [*RELEASES, NUMPY, TORCH]}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory, wheel):
    return Machine(tmp_path_factory.mktemp("colab"), wheel)


@pytest.fixture(scope="module")
def on_a_new_machine(machine):
    """The lesson in NumPy, worked, the first notebook that is opened there."""
    assert list(machine.site.iterdir()) == []
    return machine.run(answered(NUMPY), "convolution")


@pytest.fixture(scope="module")
def in_the_same_session(machine, on_a_new_machine):
    """The lesson with torch, worked, after it."""
    return machine.run(answered(TORCH), "localization")


def test_the_first_cell_installs_the_package_says_so_and_reports(machine, on_a_new_machine):
    said = printed(first_cell(on_a_new_machine))
    assert said.startswith("Installing what this course needs ...\n")
    assert " in Colab on " in said
    assert said.rstrip().endswith(f"receptive-field {VERSION}")  # it is the wheel's
    assert (machine.site / "autograder" / "here.py").is_file()


@pytest.mark.parametrize("lesson", sorted({*FIRST_CELLS.values()} - {NUMPY}))
def test_every_other_first_cell_has_nothing_to_install(machine, request, lesson):
    if lesson == TORCH:
        done = request.getfixturevalue("in_the_same_session")
    else:
        request.getfixturevalue("on_a_new_machine")
        done = machine.run(up_to_the_first_cell(read(lesson)))
    where, what, *_ = printed(first_cell(done)).splitlines()
    assert " in Colab on " in where
    assert what.startswith("NumPy ")
    assert "PyTorch" in what


@pytest.mark.parametrize("run", ["on_a_new_machine", "in_the_same_session"])
def test_a_lesson_runs_to_its_end(run, request):
    """An exception would have ended it; deprecations in our code are some."""
    cells = [cell for cell in request.getfixturevalue(run).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells if not cell.metadata.get("home"))
    assert sum("check" in cell.source and bool(cell.outputs) for cell in cells) > 10
    assert not any(output.get("name") == "stderr" for cell in cells for output in cell.outputs)


@pytest.mark.parametrize("lesson", RELEASES)
def test_a_lesson_installs_what_it_needs(lesson):
    course = load(ROOT)
    extra = "[torch]" if course.assignment(lesson).torch else ""
    (asked,) = INSTALL.findall(first_cell(read(lesson)).source)
    assert asked == f"receptive-field{extra} @ {course.package}"


def test_what_a_lesson_installs_replaces_nothing_that_is_there(wheel):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "torch" in project["optional-dependencies"]
    needed = f"receptive-field[torch] @ {wheel.as_uri()}"
    command = ["-m", "pip", "install", "--quiet", "--dry-run", "--no-index", "--report=-", needed]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = [row["metadata"]["name"] for row in json.loads(done.stdout)["install"]]
    assert found == ["receptive-field"]


def test_nothing_is_written_beside_the_notebook(machine, in_the_same_session):
    names = {path.name for path in machine.content.iterdir()}
    assert {name for name in names if not name.endswith(".ipynb")} == {"sample_data"}


def test_what_colab_saves_has_full_marks(tmp_path, in_the_same_session):
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "source" / TORCH, tmp_path / "source" / TORCH)
    course = load(tmp_path)
    build.build(course)
    handed_in = tmp_path / "submitted" / "ada" / TORCH / "Copy_of_localization.ipynb"
    handed_in.parent.mkdir(parents=True)
    handed_in.write_bytes(saved(in_the_same_session))
    batch = grade(course, TORCH, ["ada"], progress=False)
    assert not (batch.problems or batch.faults)
    (row,) = marks.read(course, TORCH)
    assert row.score + row.to_read == row.max_score > 0
    assert row.lost == row.grader_broke == ()
