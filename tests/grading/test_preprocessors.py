import warnings

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from sqlalchemy.exc import SAWarning

from autograder.grading import preprocessors as pp
from autograder.rooms.job import Place, Result


def graded(*outputs, solution=False):
    about = {"grade": True, "solution": solution, "grade_id": "a", "points": 3}
    return new_code_cell("check()", outputs=list(outputs), metadata={"nbgrader": about})


def after(step, cell):
    return step.preprocess_cell(cell, {}, 0)[0]


def points(cell):
    from nbgrader.utils import determine_grade

    cell.metadata.nbgrader.setdefault("locked", True)
    return determine_grade(cell)[0]


def stream(name, text="careful"):
    return new_output("stream", name=name, text=text)


def failure():
    return new_output("error", ename="CheckFailed", evalue="no", traceback=["CheckFailed: no"])


def test_a_warning_costs_nothing_and_an_exception_everything():
    assert points(graded(stream("stderr"))) == 0  # nbgrader's own opinion
    assert points(after(pp.WarningsAreNoMistakes(), graded(stream("stderr")))) == 3
    both = after(pp.WarningsAreNoMistakes(), graded(stream("stderr"), failure()))
    assert points(both) == 0
    assert both.outputs[0].text == "careful"


@pytest.mark.parametrize("value", ["3", "-1", "nan", "'all right'"])
def test_a_value_in_a_test_cell_is_no_credit(value):
    result = new_output("execute_result", data={"text/plain": value}, execution_count=1)
    cell = after(pp.OnlyChecksGivePoints(), graded(result, failure()))
    assert points(cell) == 0
    assert len(cell.outputs) == 1


def test_a_value_elsewhere_stays():
    result = new_output("execute_result", data={"text/plain": "3"}, execution_count=1)
    cell = new_code_cell("1 + 2", outputs=[result])
    assert after(pp.OnlyChecksGivePoints(), cell).outputs == [result]


def test_the_outputs_of_a_cell_are_bounded_together_and_errors_stay():
    many = [stream("stdout", "x" * 40) for _ in range(10)]
    cell = after(pp.LimitBytes(most=300), graded(*many, failure()))
    kinds = [output.output_type for output in cell.outputs]
    assert kinds.count("stream") < 6
    assert kinds.count("error") == 1
    assert points(cell) == 0
    assert cell.outputs[-1].text == f"[{10 - kinds.count('stream') + 1} more outputs left out]\n"
    assert after(pp.LimitBytes(most=10_000), graded(*many)).outputs == many
    text = new_markdown_cell("no outputs here")
    assert after(pp.LimitBytes(most=1), text) == text


def test_feedback_shows_what_was_raised_and_not_the_lines_around_it():
    shown = new_output(
        "error",
        ename="NameError",
        evalue="name 'f' is not defined",
        traceback=["----> 3 check.that(f, 7).returns(hidden)"],
    )
    cell = after(pp.HideTests(), graded(shown))
    assert cell.outputs[0].traceback == ["NameError: name 'f' is not defined"]
    students_own = after(pp.HideTests(), new_code_cell("1 / 0", outputs=[failure()]))
    assert students_own.outputs[0].traceback == ["CheckFailed: no"]


def test_feedback_shows_of_a_hidden_test_only_what_checks_report():
    report = new_output("display_data", {"text/html": "<b>✓</b>", "text/plain": "✓"})
    picture = new_output("display_data", {"image/png": "AAAA"})
    outputs = [stream("stdout", "asked 224"), picture, report, failure()]
    hidden = graded(*outputs)
    hidden.source = "f(3)\n### BEGIN HIDDEN TESTS\nf(224)\n### END HIDDEN TESTS"
    assert after(pp.HideTests(), hidden).outputs[0] == report
    assert len(after(pp.HideTests(), hidden).outputs) == 2
    assert len(after(pp.HideTests(), graded(*outputs)).outputs) == 4


def test_feedback_shows_so_much_of_a_cell_and_no_more():
    long = after(pp.LimitSource(most=6), new_code_cell("y = 1\n" * 350_000))
    assert long.source == "y = 1\n\n# [2,099,994 more characters]"
    assert after(pp.LimitSource(most=6), new_code_cell("y = 1")).source == "y = 1"


ABOUT = {"assignment": "1-a", "notebook": "lesson", "student": "ada"}


def rooms(course, result):
    jobs = []
    step = pp.TwoRooms(course=str(course.root), run=lambda job: jobs.append(job) or result)
    return step, jobs


def test_outputs_of_the_rooms_become_those_of_the_cells(course, hand_in):
    hand_in("ada")
    said = {"output_type": "stream", "name": "stdout", "text": "hi"}
    notebook = new_notebook(
        cells=[new_code_cell("a"), new_markdown_cell("b"), graded(failure()), new_code_cell("c")]
    )
    step, jobs = rooms(course, Result(((), (said, said), (said,))))
    step.preprocess(notebook, {"nbgrader": ABOUT})
    nbformat.validate(notebook)
    (job,) = jobs
    assert [cell.place for cell in job.cells] == [Place.STUDENT, Place.EXAMINER, Place.STUDENT]
    first, _, test, last = notebook.cells
    assert (first.outputs, test.outputs, last.outputs) == ([], [said, said], [said])
    assert [first.execution_count, test.execution_count, last.execution_count] == [1, 2, 3]


def test_what_became_of_the_rooms_stands_on_top_as_text(course, hand_in):
    hand_in("ada")
    notebook = new_notebook(cells=[new_code_cell("a")])
    step, _ = rooms(course, Result(((),), ("a: ended (<script>)", "b: slow")))
    step.preprocess(notebook, {"nbgrader": ABOUT})
    nbformat.validate(notebook)
    assert notebook.cells[0].source == (
        "**While it ran**\n\n- a: ended (&lt;script&gt;)\n- b: slow"
    )


def broke():
    return new_output("error", ename="GraderBroke", evalue="", traceback=[])


@pytest.fixture
def gradebook(course):
    """With a submission in which nothing has been marked."""
    with Gradebook(f"sqlite:///{course.root}/gradebook.db", course.id) as book:
        book.add_student("ada")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # as in `autograder.converters.run`
            book.add_submission("1-a", "ada")
        yield book


def save(course, outputs, essay="Because.", answer=()):
    """Saves the marks of a notebook whose tests have these outputs, by id."""
    notebook = nbformat.read(course.root / "release/1-a/lesson.ipynb", as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = essay if name == "why" else cell.source
        if name == "double":
            cell.outputs = list(answer)
        elif name in outputs:
            cell.outputs = [outputs[name]]
    url = f"sqlite:///{course.root}/gradebook.db"
    pp.SaveMarks().preprocess(notebook, {"nbgrader": {**ABOUT, "db_url": url}})


def marks_of(gradebook):
    gradebook.db.expire_all()
    notebook = gradebook.find_submission_notebook("lesson", "1-a", "ada")
    return {g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in notebook.grades}


def test_marks_are_nbgraders_except_where_the_grader_broke(course, gradebook):
    save(course, {"double-more": failure()})
    assert marks_of(gradebook) == {
        "double-numbers": (2, None, False),
        "double-more": (0, None, False),
        "why": (None, None, True),
    }
    save(course, {"double-numbers": broke(), "double-more": failure()})
    assert marks_of(gradebook)["double-numbers"] == (None, None, True)
    assert marks_of(gradebook)["double-more"] == (0, None, False)
    save(course, {})  # the check was mended, and a resubmission starts from nothing
    assert marks_of(gradebook)["double-numbers"] == (2, None, False)
    assert marks_of(gradebook)["double-more"] == (3, None, False)


def test_an_exception_of_that_name_in_the_students_own_cell_changes_no_mark(course, gradebook):
    save(course, {"double-numbers": failure()}, answer=[broke()])
    assert marks_of(gradebook)["double-numbers"] == (0, None, False)


def test_what_a_person_marked_stays_and_is_to_be_looked_at_again(course, gradebook):
    save(course, {})
    gradebook.find_grade("why", "lesson", "1-a", "ada").manual_score = 3.5
    gradebook.db.commit()
    save(course, {}, essay="Because it is so.")
    assert marks_of(gradebook)["why"] == (None, 3.5, True)


def test_an_essay_that_was_not_written_is_worth_nothing_and_not_to_be_read(course, gradebook):
    release = nbformat.read(course.root / "release/1-a/lesson.ipynb", as_version=4)
    save(course, {}, essay=release.cells[-1].source)
    assert marks_of(gradebook)["why"] == (0, None, False)
    assert gradebook.find_comment("why", "lesson", "1-a", "ada").auto_comment == "No response."
    save(course, {}, essay="Because.")
    gradebook.db.expire_all()
    assert gradebook.find_comment("why", "lesson", "1-a", "ada").auto_comment is None


def test_marks_of_a_notebook_are_saved_all_or_not_at_all(course, gradebook, monkeypatch):
    save(course, {"double-numbers": failure(), "double-more": failure()})
    before = marks_of(gradebook)

    def ends_half_way(cell):
        if cell.metadata.nbgrader.grade_id == "double-more":
            raise KeyboardInterrupt
        return 2.0, 2.0

    monkeypatch.setattr(pp, "determine_grade", ends_half_way)
    with pytest.raises(KeyboardInterrupt):
        save(course, {})
    assert marks_of(gradebook) == before
