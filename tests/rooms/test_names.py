from dataclasses import replace

import pytest

from autograder.rooms.job import Cell, Place
from autograder.rooms.names import common_names, defines, demonstrates, reads, redefines


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("f(x, y=z)", {"f", "x", "z"}),
        ("x = 1\nprint(x)", {"x", "print"}),
        ("x = 1", set()),
        ("def g(a):\n    return a + b", {"b"}),
        ("class C(Base):\n    n = m", {"Base", "m"}),
        ("[i * k for i in items]", {"items", "k"}),
        ("lambda a: a + c", {"c"}),
        ("def g():\n    global n\n    n += 1", {"n"}),
        ("for i in range(3): pass", {"range"}),
        ("%time f(x)", {"get_ipython"}),
        ("def broken(", set()),
        ("x\0", set()),
    ],
)
def test_reads(cell, names):
    assert reads(cell) == names


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("x = y = 1\na, (b, c) = z", {"x", "y", "a", "b", "c"}),
        ("import numpy as np, os.path\nfrom m import n as k", {"np", "os", "k"}),
        ("def f(a):\n    b = 1\nclass C: pass", {"f", "C"}),
        ("for i in z: pass\nwith o as p: pass", {"i", "p"}),
        ("f(x)", set()),
        ("try: pass\nexcept E as e: pass", {"e"}),
    ],
)
def test_defines(cell, names):
    assert defines(cell) == names


@pytest.mark.parametrize(
    ("cell", "verdict"),
    [
        ("show.volumes((3, 4))", True),
        ("print(np.ones(len('abc')))", True),
        ("x = np.ones(3)", False),
        ("show.matrix(x)", False),
        ("%matplotlib inline", False),
        ("import os", False),
    ],
)
def test_a_demonstration_needs_nothing_and_leaves_nothing(cell, verdict):
    common = common_names(["import numpy as np", "from autograder import check, show"])
    assert demonstrates(cell, common) is verdict


def cells(*texts):
    """``?`` marks a test."""
    places = {True: Place.EXAMINER, False: Place.STUDENT}
    return [Cell(text, places[text[0] == "?"], text.removeprefix("?")) for text in texts]


@pytest.mark.parametrize(
    ("order", "verdict"),
    [
        (("f = 1", "?f", "g = 2", "?g"), False),
        (("f = 1", "?f", "f = 2"), True),
        (("f = 1", "f = 2", "?f"), False),
        (("x = 1", "?f", "x = 2"), False),  # no test depends on x
        (("x = 1", "def f(): return x", "?f", "x = 2"), True),
        (("x = 1", "def g(): return x", "def f(): return g()", "?f", "import x"), True),
        (("f = 1", "?f", "?f = 2"), False),
        (("?f", "f = 1"), False),  # it was not there; once it is, the test may as well see it
    ],
)
def test_what_is_redefined_behind_a_test_that_depends_on_it(order, verdict):
    assert redefines(cells(*order)) is verdict


def test_what_runs_at_home_only_redefines_nothing():
    early, test, late = cells("f = 1", "?f", "f = 2")
    assert redefines([early, test, replace(late, place=Place.HOME)]) is False


@pytest.mark.parametrize(
    "bomb",
    [
        "-" * 40_000 + "1",
        "not " * 10_000 + "1",
        "a" + ".b" * 20_000,
        "1" + "+1" * 20_000,
        "lambda:" * 7_000 + "1",
        "(" * 40_000,
        "x = 1\n" * 20_000,
    ],
)
def test_source_that_no_parser_can_hold_reads_nothing(bomb):
    assert (reads(bomb), defines(bomb)) == (frozenset(), frozenset())
