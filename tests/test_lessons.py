"""Every lesson: the reference earns all points, the release none, and neither stops elsewhere."""

import shutil
from pathlib import Path

import nbformat
import pytest

from autograder.authoring import build
from autograder.authoring.samples import overlay, reference_answers
from autograder.course import load
from autograder.grading import marks
from autograder.grading.grade import grade

ROOT = Path(__file__).parents[1]
LESSONS = sorted(path.parent.name for path in ROOT.glob("source/*/*.py"))
LONGEST_CELL = 60  # lines of code

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with all lessons, each handed in twice: answered as the reference, and untouched."""
    root = tmp_path_factory.mktemp("lessons") / "course"
    shutil.copytree(ROOT / "source", root / "source")
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, root)
    course = load(root)
    for release in build.build(course):
        assignment = release.parent.name
        source = nbformat.read(root / "source" / assignment / release.name, as_version=4)
        untouched = nbformat.read(release, as_version=4)
        hand_in(
            root, "reference", assignment, release, overlay(untouched, reference_answers(source))
        )
        hand_in(root, "untouched", assignment, release, untouched)
    return course


def hand_in(root, student, assignment, release, notebook):
    folder = root / "submitted" / student / assignment
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / release.name)


@pytest.fixture(scope="module", params=LESSONS)
def graded(course, request):
    """A lesson's name, and who has which marks in it."""
    batch = grade(course, request.param, ["reference", "untouched"], progress=False)
    assert not (batch.problems or batch.faults)
    return request.param, {row.student: row for row in marks.read(course, request.param)}


def test_the_reference_has_all_points_and_the_release_none(graded):
    _, found = graded
    reference = found["reference"]
    assert reference.score + reference.to_read == reference.max_score > 0
    assert (found["untouched"].score, found["untouched"].to_read) == (0, 0)
    assert reference.lost == reference.grader_broke == found["untouched"].grader_broke == ()


@pytest.mark.parametrize(
    ("student", "allowed"),
    [("reference", set()), ("untouched", {"CheckFailed", "NotWritten"})],
)
def test_a_run_stops_nowhere_but_at_answers_that_are_not_there(course, graded, student, allowed):
    (path,) = (course.root / "autograded" / student / graded[0]).glob("*.ipynb")
    outputs = [
        output
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    assert {output.ename for output in outputs} <= allowed


def test_the_reference_sees_no_failure(course, graded):
    (page,) = (course.root / "feedback" / "reference" / graded[0]).glob("*.html")
    assert "✗" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_cell_is_longer_than_a_screen(lesson):
    (path,) = (ROOT / "release" / lesson).glob("*.ipynb")
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= LONGEST_CELL, cell.source
