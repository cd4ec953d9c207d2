import os

import pytest
from nbformat.v4 import new_code_cell, new_output

from autograder.check import seed
from autograder.grading import preprocessors as pp


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


def test_one_endless_line_is_cut_in_the_middle():
    cell = graded(stream("stdout", "a" * 1000 + "b" * 10_000 + "c" * 1000))
    text = after(pp.LimitBytes(most=100), cell).outputs[0].text
    assert text.startswith("a" * 50 + "\n[11,900 characters left out]\n")
    assert text.endswith("c" * 50)


def test_pictures_and_short_texts_are_not_cut():
    picture = new_output("display_data", data={"image/png": "x" * 500, "text/plain": "<Figure>"})
    cell = graded(picture, stream("stdout", "short"), failure())
    assert after(pp.LimitBytes(most=100), cell).outputs == graded(*cell.outputs).outputs
    flood = new_output("display_data", data={"text/html": "x" * 5000})
    assert after(pp.LimitBytes(most=100), graded(flood)).outputs[0].data["text/html"] == (
        "[5,000 characters left out]"
    )


def test_feedback_shows_what_was_raised_and_not_the_lines_around_it():
    shown = new_output(
        "error",
        ename="NameError",
        evalue="name 'f' is not defined",
        traceback=["----> 3 check.that(f, 7).returns(hidden)"],
    )
    cell = after(pp.HideTestsInErrors(), graded(shown))
    assert cell.outputs[0].traceback == ["NameError: name 'f' is not defined"]
    students_own = after(pp.HideTestsInErrors(), new_code_cell("1 / 0", outputs=[failure()]))
    assert students_own.outputs[0].traceback == ["CheckFailed: no"]


def test_the_kernel_gets_the_submissions_own_seed(monkeypatch):
    started = {}
    monkeypatch.setattr(pp.Execute, "start_new_kernel", lambda self, **o: started.update(o))
    execute = pp.ExecuteSeeded()
    for student in ("ada", "grace"):
        execute.resources = {"nbgrader": {"assignment": "2-convolution", "student": student}}
        execute.start_new_kernel()
        expected = seed.for_submission("2-convolution", student)
        assert started["env"][seed.VARIABLE] == str(expected)
        assert started["env"]["PATH"] == os.environ["PATH"]
    assert seed.for_submission("2-convolution", "ada") != expected
