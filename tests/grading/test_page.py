import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autograder.course import Course
from autograder.grading import marks, page
from autograder.grading.marks import CellMark, Marks


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path, "c", "A & B", "T", "p", {}, {})


FULL, NONE, WAITS = (
    CellMark("first", 2.0, 2.0, False),
    CellMark("second", 0.0, 3.0, False),
    CellMark("essay", 0.0, 4.0, True),
)


def test_marks_add_up():
    row = Marks("ada", (FULL, NONE, WAITS), ())
    assert (row.score, row.max_score, row.to_read, row.lost) == (2, 9, 4, ("second",))


def test_the_page_escapes_names_and_shows_each_cell(course):
    rows = [Marks("<b>eve</b>", (FULL, NONE, WAITS), ("second",))]
    board = [
        {
            "rank": 1,
            "name": "<script>",
            "top5_error": 0.25,
            "top5_error_low": 0.2,
            "top5_error_high": 0.3,
            "top1_error": 0.5,
            "p_next": None,
            "distinguishable_from_next": None,
        }
    ]
    html = page.render(course, "1-a", rows, board, course.root)
    assert "&lt;b&gt;eve" in html
    assert "<b>eve" not in html
    assert "&lt;script&gt;" in html
    assert "A &amp; B" in html
    for state, cell in (("full", "first"), ("none", "second"), ("wait", "essay")):
        assert f'<span class="cell {state}" title="{cell}' in html
    assert "the grader broke in second" in html
    assert "25.0%" in html
    assert "<a href" not in html  # no feedback was written


def test_an_empty_page_says_so(course):
    assert "Nothing has been graded yet" in page.render(course, "1-a", [], [], course.root)


def test_links_lead_from_where_the_page_stands(course, tmp_path):
    feedback = tmp_path / "feedback" / "ada" / "1-a"
    feedback.mkdir(parents=True)
    (feedback / "lesson.html").touch()
    rows = [Marks("ada", (FULL,), ())]
    for folder, link in (
        (tmp_path, "feedback/ada/1-a/lesson.html"),
        (tmp_path / "build", "../feedback/ada/1-a/lesson.html"),
    ):
        assert f'<a href="{link}">' in page.render(course, "1-a", rows, [], folder)


def test_a_check_that_broke_is_found_in_the_graded_notebook(tmp_path):
    about = {"nbgrader": {"grade_id": "second", "grade": True}}
    broke = new_output("error", ename="GraderBroke", evalue="", traceback=[])
    failed = new_output("error", ename="CheckFailed", evalue="", traceback=[])
    cells = [
        new_code_cell("a", metadata={"nbgrader": {"grade_id": "first"}}, outputs=[failed]),
        new_code_cell("b", metadata=about, outputs=[broke]),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "lesson.ipynb")
    assert marks._grader_broke(tmp_path) == ("second",)
