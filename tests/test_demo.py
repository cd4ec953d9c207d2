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

FORWARD = {"conv-forward-plain", "conv-forward-padding", "conv-forward-stride"}
EXTENDED = {"conv-dilation", "conv-groups"}
RELATIVES = {"conv1d", "conv3d"}
NUMERICAL = {"conv-gradients", "conv-dilation-groups-backward"}

# What each sample must lose, and nothing else: the cells whose checks its bug can be seen in.
LOST = {
    "reference": set(),
    "loops": set(),
    "einsum": set(),
    "chatty": set(),
    "integers_kept": {"corr2d-any"},
    # Only where the padding is 0.
    "crop_minus_p": {
        "conv-backward-dx",
        "conv-backward-dx-stride",
        "conv-dilation-groups-backward",
    },
    "stride_ignored_in_dx": {"conv-backward-dx-stride", *NUMERICAL},
    "overlap_overwritten": {"conv-backward-dx", "conv-backward-dx-stride", *NUMERICAL},
    "bias_mean": {"conv-backward-db", *NUMERICAL},
    "upstream_changed": {
        "conv-backward-db",
        "conv-backward-dw",
        "conv-backward-dx",
        "conv-backward-dx-stride",
        *NUMERICAL,
    },
    # A wrong forward costs no gradient that is right, but a numerical check cannot be made with it.
    "kernel_flipped": FORWARD | EXTENDED | RELATIVES | NUMERICAL,
    # Its forward raises on some of the inputs that dx is asked for.
    "axes_swapped": FORWARD
    | EXTENDED
    | RELATIVES
    | NUMERICAL
    | {"conv-backward-dx", "conv-backward-dx-stride"},
    "bias_per_channel": FORWARD | EXTENDED | {"conv1d"} | NUMERICAL,  # conv3d adds its own bias
    # The one place where the padding is 1.
    "padding_fixed": FORWARD | EXTENDED | RELATIVES | {"conv-dilation-groups-backward"},
    "dilation_forgotten": {"output-size-lecture", "output-size-all", "multiply-adds"}
    | EXTENDED
    | {"conv-dilation-groups-backward", "conv3d"},
}
HINTS = {
    "integers_kept": "Y took the integer dtype of X",
    "crop_minus_p": "is empty when p = 0",
    "stride_ignored_in_dx": "starts at (i·S, j·S), not at (i, j)",
    "overlap_overwritten": "Overlapping windows overwrite each other",
    "bias_mean": "the right gradient divided by N",
    "upstream_changed": "changes its argument dout",
    "kernel_flipped": "You flip the filter",
    "bias_per_channel": "once for every input channel",
    "padding_fixed": "padding=1, whatever padding you are given",
    "dilation_forgotten": "dilation=1: the taps of the filter are not spread out",
    "axes_swapped": "wrong shape",
}


@pytest.fixture(scope="module")
def demo(repository):
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
    samples = (Path(__file__).parent / "submissions" / "2-convolution").glob("*/*.py")
    assert set(everybody) == {path.stem for path in samples} | {"reference", "untouched"}
    assert set(LOST) | {"untouched", "half_done"} == set(everybody)


@pytest.mark.parametrize("student", LOST)
def test_a_sample_loses_exactly_what_its_bug_costs(everybody, student):
    assert set(everybody[student].lost) == LOST[student]
    assert everybody[student].grader_broke == ()


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


def test_half_done_keeps_the_first_half(everybody):
    cells = [cell.cell for cell in everybody["half_done"].cells]
    done = [*cells[: cells.index("conv-forward-stride") + 1], "conv-dilation", "conv-groups"]
    assert set(everybody["half_done"].lost) == set(cells) - set(done)


@pytest.mark.parametrize("student", HINTS)
def test_the_feedback_names_the_bug(course, student):
    assert HINTS[student] in feedback(course, student)


@pytest.mark.parametrize("student", ["reference", "loops", "einsum", "chatty"])
def test_right_answers_see_no_failure_and_no_hint(course, student):
    text = feedback(course, student)
    assert "✗" not in text
    assert "CheckFailed" not in text


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
    assert float(rows["crop_minus_p"]["score"]) == everybody["crop_minus_p"].score == 56
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
