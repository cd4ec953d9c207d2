"""The README's first command, and every mark that comes out of it."""

import csv
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader

from autograder.course import load
from autograder.grading import marks

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parent / "submissions" / "2-convolution"


@pytest.fixture(scope="module")
def demo(repository, shared_results):
    """A repository in which ``make demo`` has run in this environment, and what it printed."""
    command = ["make", f"--old-file={sys.prefix}/.ready", "demo", f"VENV={sys.prefix}"]
    # Not as a part of the `make test` that may be running this.
    outside = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(command, cwd=repository, env=outside, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return repository, done


@pytest.fixture(scope="module")
def course(demo):
    return load(demo[0] / "build" / "demo")


@pytest.fixture(scope="module")
def everybody(course):
    return {row.student: row for row in marks.read(course, "2-convolution")}


def test_every_sample_that_can_be_graded_is(everybody):
    samples = {path.stem for path in SAMPLES.glob("*/*.py")}
    assert set(everybody) == samples | {"reference", "untouched"}


def test_points_are_whole_cells_and_essays_wait_for_a_person(everybody):
    reference = everybody["reference"]
    assert reference.max_score == 73
    assert reference.score == 65
    assert reference.to_read == 8
    assert all(
        cell.score in (0, cell.max_score) for row in everybody.values() for cell in row.cells
    )


def test_an_untouched_release_is_worth_nothing_and_has_nothing_to_read(everybody):
    assert (everybody["untouched"].score, everybody["untouched"].to_read) == (0, 0)


@pytest.mark.parametrize(
    ("student", "errors"), [("reference", set()), ("untouched", {"CheckFailed", "NotWritten"})]
)
def test_a_run_stops_nowhere_but_at_answers_that_are_not_there(course, student, errors):
    path = course.root / "autograded" / student / "2-convolution" / "convolution.ipynb"
    outputs = [
        output
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    assert {output.ename for output in outputs} == errors


def test_feedback_shows_no_hidden_test(course, everybody):
    lesson, release = (
        nbformat.read(course.root / kind / "2-convolution/convolution.ipynb", as_version=4)
        for kind in ("source", "release")
    )
    shown = "\n".join(cell.source for cell in release.cells)
    hidden = [
        line.strip()
        for cell in lesson.cells
        for region in re.findall(r"BEGIN HIDDEN.*?\n(.*?)### END", cell.source, re.DOTALL)
        for line in region.splitlines()
        if re.search(r"[xwb]=\(", line) and line.strip() not in shown
    ]
    assert len(hidden) > 10
    for student in everybody:
        text = feedback(course, student)
        assert not [line for line in hidden if line in text]


def test_floods_and_warnings_are_bounded_and_free(course):
    text = feedback(course, "chatty")
    assert "characters left out" in text
    assert "thinking about it" in text
    assert len(text) < 5_000_000


def test_what_cannot_be_graded_is_reported_and_the_batch_goes_on(demo, course):
    out = demo[1].stderr
    assert "not_json/2-convolution/convolution.ipynb, line 2: found text that is not JSON" in out
    assert "graded: 17, problems: 1" in demo[1].stdout
    assert not (course.root / "autograded" / "not_json").exists()


def test_the_page_shows_marks_board_and_working_links(demo, course):
    page = course.root / "index.html"
    assert demo[1].stdout.strip().endswith(str(page))
    links = Links()
    links.feed(page.read_text(encoding="utf-8"))
    assert len(links.found) == 17
    assert all((course.root / link).is_file() for link in links.found)
    board = json.loads((course.root / "board.json").read_text())
    assert [row["rank"] for row in board] == [1, 2, 3, 4, 5]
    assert all(row["name"] in page.read_text(encoding="utf-8") for row in board)


def test_the_tree_is_clean_after_make_demo(demo):
    status = ["git", "status", "--porcelain"]
    assert subprocess.run(status, cwd=demo[0], capture_output=True, check=True).stdout == b""


def test_plain_nbgrader_gives_the_same_mark_feedback_and_export(demo, course, everybody, tmp_path):
    nbgrader(course, "autograde", "2-convolution", "--student=crop_minus_p", "--force")
    nbgrader(course, "generate_feedback", "2-convolution", "--student=crop_minus_p", "--force")
    again = {row.student: row for row in marks.read(course, "2-convolution")}
    assert again == everybody
    nbgrader(course, "export", f"--to={tmp_path / 'grades.csv'}")
    with (tmp_path / "grades.csv").open() as file:
        given = [row for row in csv.DictReader(file) if row["assignment"] == "2-convolution"]
    rows = {row["student_id"]: row for row in given}
    assert float(rows["crop_minus_p"]["score"]) == everybody["crop_minus_p"].score == 57
    assert float(rows["reference"]["max_score"]) == 73


def test_what_has_not_changed_is_not_graded_again(course, everybody):
    again = autograder(course, "grade", "2-convolution", "--student=loops", "--student=reference")
    assert again.returncode == 0
    assert "graded: 0, problems: 0, unchanged: 2" in again.stdout


def test_formgraders_button_gives_the_same_mark(course, everybody):
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    done = api.autograde("2-convolution", "kernel_flipped", force=True)
    assert done["success"], done
    again = {row.student: row for row in marks.read(course, "2-convolution")}
    assert again["kernel_flipped"] == everybody["kernel_flipped"]


def test_plain_nbgrader_names_what_is_wrong_with_a_broken_notebook(course, everybody):
    command = [sys.executable, "-m", "nbgrader", "autograde", "2-convolution"]
    done = subprocess.run(
        [*command, "--student=not_json"], cwd=course.root, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "convolution.ipynb, line 2: found text that is not JSON" in done.stderr
    again = {row.student: row for row in marks.read(course, "2-convolution")}
    assert {student: again[student] for student in everybody} == everybody


def test_a_broken_resubmission_keeps_what_was_recorded(course, everybody):
    path = course.root / "submitted" / "loops" / "2-convolution" / "convolution.ipynb"
    good = path.read_text()
    path.write_text(good[: len(good) // 2])
    again = autograder(course, "grade", "2-convolution", "--student", "loops", "--force")
    path.write_text(good)
    assert again.returncode == 1
    assert "found text that is not JSON" in again.stderr
    again = {row.student: row for row in marks.read(course, "2-convolution")}
    assert again["loops"] == everybody["loops"]
    assert feedback(course, "loops")


def test_a_mangled_submission_gets_the_marks_of_the_clean_one_and_is_told(course, everybody):
    path = course.root / "submitted" / "loops" / "2-convolution" / "convolution.ipynb"
    notebook = nbformat.read(path, as_version=4)
    tests = {"conv1d", "corr2d-any"}
    cells = [
        c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") not in tests
    ]
    for cell in cells:
        cell.metadata = nbformat.NotebookNode(tags=["skip-execution"])
    notebook.cells = [*cells, nbformat.v4.new_code_cell("1 / 0")]
    folder = course.root / "submitted" / "mangled" / "2-convolution"
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / "convolution.ipynb")
    assert autograder(course, "grade", "2-convolution", "--student=mangled").returncode == 0
    again = {row.student: row for row in marks.read(course, "2-convolution")}
    assert again["mangled"].cells == everybody["loops"].cells
    text = feedback(course, "mangled")
    assert "Repaired before grading" in text
    assert "conv1d: it was gone; put back" in text
    assert "conv-forward: its id was gone; found by the names it defines" in text
    assert "Repaired" not in feedback(course, "loops")


def test_a_submission_without_the_notebook_is_named_and_the_rest_is_graded(course, everybody):
    folder = course.root / "submitted" / "empty_handed" / "2-convolution"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("later")
    students = ("--student", "empty_handed", "--student", "half_done")
    done = autograder(course, "grade", "2-convolution", *students)
    assert done.returncode == 1
    assert "found 'notes.txt', expected the notebook convolution.ipynb" in done.stderr
    assert "graded: 0, problems: 1, unchanged: 1" in done.stdout


def test_an_unknown_assignment_is_refused_with_the_ones_there_are(course):
    for command in ("grade", "marks", "page"):
        done = autograder(course, command, "9-rest")
        assert done.returncode == 2
        assert "no assignment '9-rest', expected one of 1-backprop, 2-convolution" in done.stderr


def autograder(course, *arguments):
    command = [sys.executable, "-m", "autograder.cli", *arguments, f"--course={course.root}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def nbgrader(course, *arguments):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def feedback(course, student):
    """The text of a feedback page, as a reader sees it."""
    path = course.root / "feedback" / student / "2-convolution" / "convolution.html"
    text = Text()
    text.feed(path.read_text(encoding="utf-8"))
    return re.sub(r"\s+", " ", "".join(text.parts))


class Text(HTMLParser):
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


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found.append(dict(attrs)["href"])
