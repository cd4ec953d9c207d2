"""Which outputs come from an older run than the answers."""

import pytest


def code(source, count=None, grade_id="", **flags):
    about = {"nbgrader": {"grade_id": grade_id, "points": 1, **flags}} if grade_id else {}
    kind = {"cell_type": "code", "outputs": []}
    return {**kind, "source": source, "execution_count": count, "metadata": about}


def answer(name, source, count):
    return code(source, count, name, solution=True, grade=False)


def graded(name, source, count):
    return code(source, count, name, solution=False, grade=True)


@pytest.fixture
def seen(looked_over):
    """The findings on cells given in their order."""

    def look(*cells):
        findings = looked_over({"cells": cells, "metadata": {}}).findings
        return {name: says for name, flag, says in findings if flag in ("stale", "order")}

    return look


def test_in_order_nothing_is_stale(seen):
    assert seen(answer("f", "def f(): pass", 1), graded("t", "f()", 2)) == {}


def test_a_test_that_is_older_than_its_answer(seen):
    found = seen(answer("f", "def f(): pass", 9), graded("t", "f()", 2))
    assert found["t"] == "it is older than f: run as [2], that as [9]. Run it again."
    assert "not run from top to bottom: f [9] is above t [2]" in found["notebook"]


def test_a_test_that_is_older_than_what_its_answer_uses(seen):
    found = seen(
        code("def helper(): pass", 7),
        answer("f", "def f():\n    return helper()", 1),
        graded("t", "f()", 2),
    )
    assert "older than cell 1: run as [2], that as [7]" in found["t"]


def test_another_cell_that_was_run_again_does_not_matter_to_the_test(seen):
    found = seen(code("picture = 3", 8), answer("f", "def f(): pass", 1), graded("t", "f()", 2))
    assert found.keys() == {"notebook"}


def test_an_answer_that_was_not_run_since(seen):
    found = seen(code("import os", 1), answer("f", "def f(): pass", None), graded("t", "f()", 2))
    assert found == {"t": "it was run, but f, which it needs, was not. Run it again."}


def test_a_test_that_saw_a_cell_below_it(seen):
    found = seen(
        answer("f", "def f(): pass", 1),
        graded("t", "f()", 4),
        code("def f(): return 3", 3),
    )
    assert found["t"] == "it took f from cell 3 [3], not from f [1]. Run it again."


def test_a_name_that_only_a_cell_below_defines(seen):
    found = seen(graded("t", "f()", 2), answer("f", "def f(): pass", 1))
    assert found["t"] == "it needs f, which only f, below it, defines. Run it again."


def test_a_later_cell_that_uses_the_name_for_something_else_is_fine(seen):
    cells = [answer("f", "def f(): pass", 1), graded("t", "f()", 2), code("f = 3", 3)]
    assert seen(*cells) == {}


def test_a_name_that_the_test_itself_defines_is_its_own(seen):
    assert seen(code("x = 1", 1), graded("t", "x = 2\nprint(x)", 2), code("x = 3", 3)) == {}
    found = seen(code("x = 1", 5), graded("t", "x = 2\nprint(x)", 2))
    assert found.keys() == {"notebook"}


def test_modules_do_not_age(seen):
    found = seen(code("import numpy as np", 5), graded("t", "np.ones(3)", 2))
    assert found.keys() == {"notebook"}


def test_counts_of_two_sessions(seen):
    found = seen(answer("f", "def f(): pass", 2), graded("t", "f()", 2))
    assert "[2] is on 2 cells: outputs of more than one session" in found["notebook"]


@pytest.mark.parametrize(
    "magic", ["%%time\n", "%matplotlib inline\n", "!pip list\n", "len?\n", "%%capture out\n"]
)
def test_magics_are_seen_through(seen, magic):
    found = seen(answer("f", magic + "def f(): pass", 9), graded("t", magic + "f()", 2))
    assert "older than f" in found["t"]


@pytest.mark.parametrize("source", ["%%bash\nf=3", "def f(:", "f = [" * 200, "f\0"])
def test_what_is_no_python_defines_nothing(seen, source):
    assert seen(answer("f", source, 9), graded("t", "f()", 2)).keys() == {"notebook"}
