"""The link above a released lesson: built from course.toml, in no text, and in nobody's way."""

import copy

import nbformat
import pytest

from autograder.authoring import build, notebook
from autograder.course import load
from autograder.grading.graft import graft
from autograder.problem import BadInputError
from autograder.student.expected import lesson_of
from autograder.student.notebook import read
from autograder.student.report import inspect

PACKAGE = 'package = "git+https://example.org/tiny.git"'
BADGE = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/ada/tiny/blob/main/release/1-sums/sums.ipynb)"
)


def cells(path):
    return nbformat.read(path, as_version=4).cells


def edit(path, change):
    found = nbformat.read(path, as_version=4)
    change(found)
    nbformat.write(found, path)


def built(course):
    """Builds it as `autograder build` does, but for trying the lesson in two rooms."""
    build.build(load(course.root))
    return course


def pulled(course):
    return build.pull(load(course.root))


def set_up(course, before, after):
    path = course.root / "course.toml"
    path.write_text(path.read_text().replace(before, after))
    return course


@pytest.fixture
def published(course):
    """The course with a repository in its settings, built again."""
    return built(set_up(course, PACKAGE, 'repository = "ada/tiny"'))


@pytest.fixture
def release(published):
    return nbformat.read(published.release, as_version=4)


@pytest.fixture
def worked(release):
    """A submission."""
    worked = copy.deepcopy(release)
    answers = {"add": "def add(a, b):\n    return a + b", "whole": "42", "why": "It is so."}
    for cell in worked.cells:
        cell.source = answers.get(cell.id, cell.source)
    return worked


def test_without_a_repository_there_is_none(course):
    assert not any("colab" in cell.source for cell in cells(course.release))


def test_it_is_the_first_cell_of_the_release_and_opens_just_that(published):
    badge, title, *_ = cells(published.release)
    assert (badge.cell_type, badge.source) == ("markdown", BADGE)
    assert title.source.startswith("# Sums")
    assert "nbgrader" not in badge.metadata


def test_the_package_is_that_repository_unless_another_is_named(published):
    assert '"git+https://github.com/ada/tiny@main"' in cells(published.release)[2].source
    built(set_up(published, "[course]", f"[course]\n{PACKAGE}"))
    assert '"git+https://example.org/tiny.git"' in cells(published.release)[2].source
    assert cells(published.release)[0].source == BADGE


def test_what_is_built_with_it_is_current_and_moves_no_other_cell(published):
    assert build.check(load(published.root)) == []
    source = nbformat.read(published.source, as_version=4)
    nbformat.validate(source)
    assert len({cell.id for cell in source.cells}) == len(source.cells)
    plain = copy.deepcopy(source)
    del plain.cells[0]
    assert notebook.fingerprint(plain) == notebook.fingerprint(source)


def test_another_branch_is_no_edit(published):
    set_up(published, "[course]", '[course]\nbranch = "spring"')
    assert len(build.check(load(published.root))) == 2
    built(published)
    assert "/ada/tiny/blob/spring/release/" in cells(published.release)[0].source


# build --pull


def test_pull_does_not_carry_it_into_the_text(published):
    text = published.lesson.read_text()
    edit(published.source, lambda found: found.cells[4].update(source='print("work here")'))
    assert len(pulled(published)) == 1
    assert published.lesson.read_text() == text.replace("play here", "work here", 1)
    published.lesson.unlink()
    assert len(pulled(published)) == 1
    assert published.lesson.read_text().startswith("# %% [markdown]\n# # Sums\n")
    built(published)
    assert [cell.source == BADGE for cell in cells(published.release)].count(True) == 1


def delete(found):
    del found.cells[0]


def move(found):
    found.cells.append(found.cells.pop(0))


def readdress(found):
    found.cells[0].source = found.cells[0].source.replace("ada/tiny", "eve/fork")


@pytest.mark.parametrize("change", [delete, move, readdress])
def test_whatever_is_done_to_it_is_no_edit_and_undone(published, change):
    edit(published.source, change)
    assert pulled(published) == []
    built(published)
    assert cells(published.source)[0].source == BADGE


def test_what_is_written_into_its_cell_is_not_lost(published):
    edit(published.source, lambda found: found.cells[0].update(source=f"{BADGE}\n\nHello."))
    with pytest.raises(BadInputError, match="autograder build --pull 1-sums"):
        built(published)
    assert len(pulled(published)) == 1
    assert "# Hello." in published.lesson.read_text()


def test_a_badge_of_the_authors_own_stays_in_the_text(published):
    own = nbformat.v4.new_markdown_cell(BADGE.replace("ada", "eve"))
    edit(published.source, lambda found: found.cells.append(own))
    assert len(pulled(published)) == 1
    assert "github/eve/tiny" in published.lesson.read_text()


# Submissions


def without(submitted):
    submitted.cells = [cell for cell in submitted.cells if cell.source != BADGE]
    return submitted


@pytest.mark.parametrize("kind", ["as released", "deleted", "stripped", "twice"])
def test_a_submission_is_graded_the_same_with_it_and_without(release, worked, kind):
    expected, _ = graft(release, copy.deepcopy(worked))
    if kind == "deleted":  # or a submission of a release that had none yet
        without(worked)
    elif kind == "stripped":
        worked.cells[0].update(id="x", metadata={})
    elif kind == "twice":
        worked.cells.append(copy.deepcopy(worked.cells[0]))
        worked.cells[-1].id = "y"
    grafted, repairs = graft(release, worked)
    assert [cell.source for cell in grafted.cells] == [cell.source for cell in expected.cells]
    assert [str(repair) for repair in repairs if "left out" not in str(repair)] == []


def test_a_release_without_it_grades_submissions_that_have_it(release, worked):
    expected, _ = graft(without(copy.deepcopy(release)), without(copy.deepcopy(worked)))
    grafted, repairs = graft(without(release), worked)
    assert without(grafted).cells == expected.cells
    assert repairs == []


@pytest.mark.parametrize("change", [lambda found: found, without])
def test_validate_does_not_look_at_it(worked, tmp_path, change):
    paths = [tmp_path / "with.ipynb", tmp_path / "changed.ipynb"]
    for path, found in zip(paths, (worked, change(copy.deepcopy(worked))), strict=True):
        nbformat.write(found, path)
    one, other = (inspect(found, lesson_of(found)) for found in map(read, paths))
    assert list(one.rows) == list(other.rows)
    assert {row.state for row in one.rows} >= {"answered", "not run"}
