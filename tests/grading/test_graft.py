"""A mangled submission is graded as the clean one would be."""

import copy
import random
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.authoring import samples
from autograder.grading.graft import grade_id, graft, is_answer

ROOT = Path(__file__).parents[2]
RELEASE = nbformat.read(ROOT / "release/2-convolution/convolution.ipynb", as_version=4)
ANSWERS = (ROOT / "tests/submissions/correct/loops.py").read_text(encoding="utf-8")


@pytest.fixture
def clean():
    return samples.fill(RELEASE, ANSWERS)


def at(notebook, name):
    return next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == name)


def graded(notebook):
    """All that marks depend on."""
    return [
        (grade_id(cell), cell.cell_type, cell.source, dict(cell.metadata.nbgrader))
        for cell in notebook.cells
        if grade_id(cell)
    ]


def nothing(notebook):
    pass


def test_deleted(notebook):
    del notebook.cells[at(notebook, "conv-forward-plain")]


def all_tests_deleted(notebook):
    notebook.cells = [c for c in notebook.cells if is_answer(c) or "check." not in c.source]


def test_weakened(notebook):
    notebook.cells[at(notebook, "conv-forward-plain")].source = "pass"


def test_copied(notebook):
    notebook.cells.append(copy.deepcopy(notebook.cells[at(notebook, "conv1d")]))


def points_edited(notebook):
    notebook.cells[at(notebook, "conv1d")].metadata.nbgrader["points"] = 1000


def made_into_text(notebook):
    place = at(notebook, "corr2d")
    cell = notebook.cells[place]
    notebook.cells[place] = new_markdown_cell(cell.source, metadata=cell.metadata)


def tagged(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution", "remove-cell"]


def metadata_stripped(notebook):
    for cell in notebook.cells:
        cell.metadata = nbformat.NotebookNode()


def everything_stripped(notebook):
    metadata_stripped(notebook)
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"colab{i}"


def metadata_nonsense(notebook):
    for cell in notebook.cells:
        if not is_answer(cell):
            cell.metadata["nbgrader"] = ["not", "a", "dictionary"]


def shuffled(notebook):
    random.Random(3).shuffle(notebook.cells)


def empty_answer_copied_behind(notebook):
    notebook.cells.append(copy.deepcopy(RELEASE.cells[at(RELEASE, "conv-forward")]))


def whole_notebook_pasted_twice(notebook):
    notebook.cells += copy.deepcopy(notebook.cells)


def explanations_deleted(notebook):
    notebook.cells = [c for c in notebook.cells if grade_id(c)]


MANGLED = [
    nothing,
    test_deleted,
    all_tests_deleted,
    test_weakened,
    test_copied,
    points_edited,
    made_into_text,
    tagged,
    metadata_stripped,
    everything_stripped,
    metadata_nonsense,
    shuffled,
    empty_answer_copied_behind,
    whole_notebook_pasted_twice,
    explanations_deleted,
]
for mangle in MANGLED:
    mangle.__test__ = False


@pytest.mark.parametrize("mangle", MANGLED)
def test_what_is_graded_is_what_the_clean_submission_would_be(clean, mangle):
    expected, repairs = graft(RELEASE, clean)
    assert repairs == []
    mangle(clean)
    grafted, _ = graft(RELEASE, clean)
    assert graded(grafted) == graded(expected)


def test_a_clean_submission_comes_out_as_it_went_in(clean):
    grafted, _ = graft(RELEASE, clean)
    assert [cell.source for cell in grafted.cells] == [cell.source for cell in clean.cells]
    assert graft(RELEASE, RELEASE) == (RELEASE, [])


@pytest.mark.parametrize(
    ("mangle", "repair"),
    [
        (test_deleted, "conv-forward-plain: it was gone; put back"),
        (test_weakened, "conv-forward-plain: it was changed; put back"),
        (made_into_text, "corr2d: it was a markdown cell; it is code again"),
        (metadata_stripped, "conv-forward: its id was gone; found by the names it defines"),
        (metadata_stripped, "stacking: its id was gone; found by its place"),
        (empty_answer_copied_behind, "conv-forward: 2 copies were there; the last that is written"),
    ],
)
def test_every_repair_is_told(clean, mangle, repair):
    mangle(clean)
    _, repairs = graft(RELEASE, clean)
    assert any(str(told).startswith(repair) for told in repairs)


def test_a_missing_answer_stays_unanswered_and_is_told(clean):
    del clean.cells[at(clean, "conv1x1")]
    grafted, repairs = graft(RELEASE, clean)
    assert "raise check.NotWritten" in grafted.cells[at(grafted, "conv1x1")].source
    assert [str(told) for told in repairs] == ["conv1x1: there was no answer"]


@pytest.mark.parametrize("offset", [0, 1])
def test_a_helper_in_a_copied_cell_neither_replaces_the_answer_nor_is_lost(clean, offset):
    place = at(clean, "conv-forward")
    helper = copy.deepcopy(clean.cells[place])
    helper.source = "def helper():\n    return 1"
    clean.cells.insert(place + offset, helper)
    grafted, _ = graft(RELEASE, clean)
    assert "def conv_forward" in grafted.cells[at(grafted, "conv-forward")].source
    (kept,) = (cell for cell in grafted.cells if cell.source == helper.source)
    assert grade_id(kept) == ""


def test_answers_merged_into_one_cell_are_not_undone(clean):
    first, second = at(clean, "corr2d"), at(clean, "output-size")
    clean.cells[first].source += "\n\n\n" + clean.cells[second].source
    del clean.cells[second]
    grafted, repairs = graft(RELEASE, clean)
    assert "def output_size" in grafted.cells[at(grafted, "corr2d")].source
    assert grafted.cells[at(grafted, "output-size")].source == "# Answered in another cell."
    assert [told.cell for told in repairs] == ["output-size"]


def test_cells_of_the_students_own_stay_where_they_were(clean):
    place = at(clean, "conv-forward")
    clean.cells.insert(place, new_code_cell("def helper():\n    return 1"))
    clean.cells.insert(0, new_code_cell("import math"))
    grafted, repairs = graft(RELEASE, clean)
    sources = [cell.source for cell in grafted.cells]
    assert sources[0] == "import math"
    helper = sources.index("def helper():\n    return 1")
    assert grade_id(grafted.cells[helper + 1]) == "conv-forward"
    assert repairs == []


def test_an_edited_demonstration_is_the_students(clean):
    place = next(i for i, cell in enumerate(clean.cells) if "template = photo" in cell.source)
    clean.cells[place].source += "\nextra = 1"
    grafted, _ = graft(RELEASE, clean)
    assert sum("template = photo" in cell.source for cell in grafted.cells) == 1
    assert any(cell.source.endswith("extra = 1") for cell in grafted.cells)


def test_a_cell_of_megabytes_is_kept_and_does_not_hold_up_the_rest(clean):
    metadata_stripped(clean)
    clean.cells.append(new_code_cell("x = '" + "a" * 5_000_000 + "'"))
    grafted, _ = graft(RELEASE, clean)
    assert len(grafted.cells[-1].source) > 5_000_000
    assert "def corr2d" in grafted.cells[at(grafted, "corr2d")].source


def test_a_locked_cell_that_was_edited_is_put_back_and_not_kept_beside_it(clean):
    place = at(clean, "setup")
    clean.cells[place].metadata = nbformat.NotebookNode()
    clean.cells[place]["id"] = "other"
    clean.cells[place].source += "\nprint('mine')"
    grafted, repairs = graft(RELEASE, clean)
    assert len(grafted.cells) == len(RELEASE.cells)
    assert "setup: it was changed; put back" in map(str, repairs)
