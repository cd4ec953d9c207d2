"""Which names a piece of Python gives a value, imports and reads."""

import pytest

from autograder.symbols import symbols


@pytest.mark.parametrize(
    ("source", "assigned", "imported", "read"),
    [
        ("x = y + 1", {"x"}, set(), {"y"}),
        ("import numpy as np\nfrom a import b", set(), {"np", "b"}, set()),
        ("def f(a):\n    c = a\n    return c + g(a)", {"f"}, set(), {"g"}),
        ("class A(B):\n    def f(self):\n        return other", {"A"}, set(), {"B", "other"}),
        ("x = [i * k for i in range(3)]", {"x"}, set(), {"k", "range"}),
        ("for i in 'ab':\n    print(i)", {"i"}, set(), {"i", "print"}),
        ("def f():\n    global n\n    n = m", {"f"}, set(), {"n", "m"}),
        ("", set(), set(), set()),
    ],
)
def test_names_are_sorted_by_what_is_done_with_them(source, assigned, imported, read):
    found = symbols(source)
    assert (found.assigned, found.imported, found.read) == (assigned, imported, read)


@pytest.mark.parametrize(
    "source", ["%pip install x", "def f(", "\0", "x = " + "(" * 1000 + ")" * 1000]
)
def test_what_is_no_python_has_no_symbols(source):
    assert symbols(source) is None
