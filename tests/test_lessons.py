"""Every lesson: the reference earns all points, the release none, a sample what its bug costs.

What each sample must lose stands beside the samples, in ``expected.toml``.
"""

import re
import shutil
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from autograder.authoring import build, samples
from autograder.course import load
from autograder.grading import marks
from autograder.grading.grade import grade

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "submissions"
LESSONS = sorted(path.parent.name for path in ROOT.glob("source/*/*.py"))
LONGEST_CELL = 35  # lines of code

EXPECTED = {
    (path.parent.name, sample): told
    for path in sorted(SAMPLES.glob("*/expected.toml"))
    for sample, told in tomllib.loads(path.read_text(encoding="utf-8")).items()
}
WRONG = [
    (*key, hint)
    for key, told in EXPECTED.items()
    for hint in ([told["hint"]] if isinstance(told.get("hint"), str) else told.get("hint", []))
]
RIGHT = [key for key, told in EXPECTED.items() if not told["lost"]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def course(tmp_path_factory, shared_results):
    """A course with all lessons, handed in as the reference, untouched, and by every sample."""
    root = tmp_path_factory.mktemp("lessons") / "course"
    shutil.copytree(ROOT / "source", root / "source")
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, root)
    course = load(root)
    build.build(course)
    for lesson in LESSONS:
        samples.write(SAMPLES / lesson, samples.target(course, lesson, root))
    return course


@pytest.fixture(scope="module")
def marks_of(course):
    """A function that grades a lesson once: who has which marks in it."""
    rows = {}

    def graded(lesson):
        if lesson not in rows:
            everybody = sorted({path.stem for path in SAMPLES.glob(f"{lesson}/*/*.py")})
            batch = grade(course, lesson, ["reference", "untouched", *everybody], progress=False)
            assert not (batch.problems or batch.faults)
            rows[lesson] = {row.student: row for row in marks.read(course, lesson)}
        return rows[lesson]

    return graded


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_reference_has_all_points_and_the_release_none(marks_of, lesson):
    found = marks_of(lesson)
    reference = found["reference"]
    assert reference.score + reference.to_read == reference.max_score > 0
    assert (found["untouched"].score, found["untouched"].to_read) == (0, 0)
    assert reference.lost == reference.grader_broke == found["untouched"].grader_broke == ()


@pytest.mark.parametrize("lesson", LESSONS)
def test_there_are_samples_and_each_has_an_expectation(marks_of, lesson):
    expected = {sample for assignment, sample in EXPECTED if assignment == lesson}
    assert expected == set(marks_of(lesson)) - {"reference", "untouched"} != set()


@pytest.mark.parametrize(("lesson", "sample"), EXPECTED)
def test_a_sample_loses_exactly_what_its_bug_costs(marks_of, lesson, sample):
    row = marks_of(lesson)[sample]
    assert set(row.lost) == set(EXPECTED[lesson, sample]["lost"])
    assert row.grader_broke == ()


@pytest.mark.parametrize(("lesson", "sample", "hint"), WRONG)
def test_the_feedback_names_the_bug(course, marks_of, lesson, sample, hint):
    marks_of(lesson)
    assert hint in feedback(course, lesson, sample)


@pytest.mark.parametrize(
    ("lesson", "student"), [*RIGHT, *((lesson, "reference") for lesson in LESSONS)]
)
def test_right_answers_see_no_failure(course, marks_of, lesson, student):
    marks_of(lesson)
    text = feedback(course, lesson, student)
    assert "✗" not in text
    assert "CheckFailed" not in text


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize(
    ("student", "allowed"),
    [("reference", set()), ("untouched", {"CheckFailed", "NotWritten"})],
)
def test_a_run_stops_nowhere_but_at_answers_that_are_not_there(
    course, marks_of, lesson, student, allowed
):
    marks_of(lesson)
    (path,) = (course.root / "autograded" / student / lesson).glob("*.ipynb")
    outputs = [
        output
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    assert {output.ename for output in outputs} <= allowed


def test_what_is_committed_is_what_the_lessons_say():
    assert build.check(load(ROOT)) == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_cell_is_longer_than_a_screen(lesson):
    (path,) = (ROOT / "release" / lesson).glob("*.ipynb")
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= LONGEST_CELL, cell.source


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_ruler_of_a_table_has_its_own_line(lesson):
    (path,) = (ROOT / "source" / lesson).glob("*.py")
    rulers = [line for line in path.read_text(encoding="utf-8").splitlines() if "|---" in line]
    assert all(re.fullmatch(r"# \|(---\|)+", line) for line in rulers), rulers


def feedback(course, lesson, student):
    """The text of a feedback page, as a reader sees it."""
    (page,) = (course.root / "feedback" / student / lesson).glob("*.html")
    text = Text()
    text.feed(page.read_text(encoding="utf-8"))
    return re.sub(r"\s+", " ", "".join(text.parts))


class Text(HTMLParser):
    """What of a page is not script or style."""

    def __init__(self):
        super().__init__()
        self.parts, self.skipping = [], False

    def handle_starttag(self, tag, attrs):
        self.skipping = tag in ("script", "style")

    def handle_endtag(self, tag):
        self.skipping = False

    def handle_data(self, data):
        if not self.skipping:
            self.parts.append(data)
