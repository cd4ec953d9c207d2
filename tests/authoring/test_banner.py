import pytest

from autograder.authoring.banner import with_banner, without_banner
from autograder.authoring.percent import Cell, Marker

HIDDEN = """check.that(f, 1).returns(2)
### BEGIN HIDDEN TESTS
check.that(f, 2).returns(3, concept="two")
for n in (3, 4):
    check.that(f, n).returns(n + 1, concept="three or four")
    check.that(f, n).returns(n + 1, concept=f"{n}")
check.that(f, 2.0).returns(3, concept="two")
### END HIDDEN TESTS"""


def a_test(source="check.that(f, 1).returns(2)", points=4.0):
    return Cell("code", source, Marker("test", "some", points))


def test_a_test_says_what_it_is_worth():
    assert with_banner(a_test()).startswith("# 4 points.\n\ncheck.")
    assert with_banner(a_test(points=1.0)).startswith("# 1 point.\n\n")
    assert with_banner(a_test(points=0.5)).startswith("# 0.5 points.\n\n")


def test_it_names_what_cannot_be_seen_once_each():
    first, *_ = with_banner(a_test(HIDDEN)).splitlines()
    assert first == "# 4 points. When you hand in it asks also: two; three or four."


def test_hidden_tests_without_a_name_are_announced():
    unnamed = "### BEGIN HIDDEN TESTS\nassert f(1) == 2\n### END HIDDEN TESTS"
    assert with_banner(a_test(unnamed)).startswith("# 4 points. It asks more when you hand in.\n\n")


@pytest.mark.parametrize("role", ["solution", "locked", "home", None])
def test_nothing_else_has_one(role):
    cell = Cell("code", "x = 1", Marker(role, "a") if role else None)
    assert with_banner(cell) == "x = 1"


@pytest.mark.parametrize("source", ["check.that(f).returns(1)", "# a comment\nf(1)", "#   f(1)"])
def test_it_comes_off_again_however_long_it_is(source):
    names = "; ".join(f"the case number {n}, which has a name" for n in range(9))
    hidden = f'### BEGIN HIDDEN TESTS\ncheck.f(1, concept="{names}")\n### END HIDDEN TESTS'
    for text in (source, f"{source}\n{hidden}"):
        worn = with_banner(a_test(text))
        assert max(map(len, worn.removesuffix(text).splitlines())) <= 88
        assert without_banner(worn) == text
    assert without_banner(source) == source
