"""A mangled submission is graded as the clean one would be."""

import copy
import random
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.authoring import samples
from autograder.grading.graft import ELSEWHERE, Likeness, graft, likeness
from autograder.grading.match import grade_id, is_answer

ROOT = Path(__file__).parents[2]
RELEASE = nbformat.read(ROOT / "release/2-convolution/convolution.ipynb", as_version=4)
ANSWERS = (ROOT / "tests/submissions/2-convolution/correct/loops.py").read_text(encoding="utf-8")


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


def source_of(notebook, name):
    return notebook.cells[at(notebook, name)].source


def test_of_two_written_copies_the_last_counts(clean):
    first = clean.cells[at(clean, "corr2d")]
    last = copy.deepcopy(first)
    last.source = "def corr2d(X, K):\n    return 2"
    clean.cells.append(last)
    grafted, _ = graft(RELEASE, clean)
    assert source_of(grafted, "corr2d") == last.source
    assert first.source not in [cell.source for cell in grafted.cells]


def test_the_empty_answer_does_not_undo_one_merged_into_another(clean):
    first, second = (clean.cells[at(clean, name)] for name in ("corr2d", "output-size"))
    first.source += "\n\n\n" + second.source
    second.source = source_of(RELEASE, "output-size")
    grafted, repairs = graft(RELEASE, clean)
    assert source_of(grafted, "output-size") == ELSEWHERE
    assert [told.cell for told in repairs] == ["output-size"]


def test_an_answer_that_names_its_function_otherwise_is_one(clean):
    clean.cells[at(clean, "corr2d")].source = "def mine(X, K):\n    ...\n\ncorr2d = mine"
    clean.cells.insert(0, new_code_cell("corr2d = None"))
    grafted, repairs = graft(RELEASE, clean)
    assert source_of(grafted, "corr2d").endswith("corr2d = mine")
    assert repairs == []


def test_a_definition_is_taken_before_a_name_that_is_set(clean):
    metadata_stripped(clean)
    place = next(i for i, cell in enumerate(clean.cells) if "def corr2d" in cell.source)
    clean.cells.insert(place + 1, new_code_cell("corr2d = timed(corr2d)"))
    grafted, _ = graft(RELEASE, clean)
    assert source_of(grafted, "corr2d").startswith("def corr2d")


@pytest.mark.parametrize(
    "other",
    [
        new_markdown_cell("I began with\n```python\ndef conv1x1(x, w, b):\n    ...\n```"),
        new_code_cell("%%writefile mine.py\ndef conv1x1(x, w, b):\n    ..."),
        new_code_cell("if True:\n    def conv1x1(x, w, b):\n        ..."),
        new_code_cell("conv1x1 == 3  # def conv1x1(x, w, b)"),
    ],
)
def test_what_only_looks_like_an_answer_is_none(clean, other):
    del clean.cells[at(clean, "conv1x1")]
    clean.cells.append(other)
    grafted, repairs = graft(RELEASE, clean)
    assert source_of(grafted, "conv1x1") == source_of(RELEASE, "conv1x1")
    assert "conv1x1: there was no answer" in map(str, repairs)


def test_a_helper_written_over_a_test_is_kept(clean):
    helper = "def helper():\n    return 1"
    clean.cells[at(clean, "conv1d")].source = helper
    grafted, repairs = graft(RELEASE, clean)
    assert helper in [cell.source for cell in grafted.cells]
    assert [str(told) for told in repairs] == [
        "conv1d: something else stood in its cell; kept as a cell of its own",
        "conv1d: it was gone; put back",
    ]


def test_a_demonstration_that_was_rewritten_stays_where_it_was(clean):
    place = next(i for i, cell in enumerate(clean.cells) if "template = photo" in cell.source)
    clean.cells[place].source = "mine = 1"
    grafted, repairs = graft(RELEASE, clean)
    assert grafted.cells[place].source == "mine = 1"
    assert (len(grafted.cells), repairs) == (len(RELEASE.cells), [])


@pytest.mark.parametrize("edited", [False, True])
def test_a_demonstration_made_into_text_is_put_back(clean, edited):
    place = next(i for i, cell in enumerate(clean.cells) if "template = photo" in cell.source)
    source = clean.cells[place].source
    text = "I cut a template out of the photo." if edited else source
    clean.cells[place] = new_markdown_cell(text, id=clean.cells[place].id)
    grafted, _ = graft(RELEASE, clean)
    place += edited  # behind the text, which is the student's
    assert (grafted.cells[place].cell_type, grafted.cells[place].source) == ("code", source)
    assert (len(grafted.cells) > len(RELEASE.cells)) == edited


def test_an_answer_that_sets_the_name_is_known_by_it(clean):
    answer = "corr2d = lambda X, K: X"
    clean.cells[at(clean, "corr2d")].source = answer
    everything_stripped(clean)
    grafted, _ = graft(RELEASE, clean)
    assert source_of(grafted, "corr2d") == answer


def test_what_reading_had_to_repair_is_told_first(clean):
    test_deleted(clean)
    clean.metadata["repairs"] = ["it was called 'a.ipynb'"]
    grafted, repairs = graft(RELEASE, clean)
    assert str(repairs[0]) == "notebook: it was called 'a.ipynb'"
    assert len(repairs) == 2
    assert "repairs" not in grafted.metadata


def test_likeness_is_of_cells_and_answers_not_of_names(clean):
    assert likeness(RELEASE, RELEASE) == Likeness(1.0, 0)
    assert likeness(RELEASE, clean) == Likeness(1.0, 13)
    everything_stripped(clean)
    assert likeness(RELEASE, clean).answered == 13
    clean.cells = [cell for cell in clean.cells if "def c" in cell.source]
    assert likeness(RELEASE, clean).share > 0.35
    clean.cells = [new_code_cell("def corr2d(): pass"), new_markdown_cell("Mine.")]
    assert likeness(RELEASE, clean).share < 0.3


def test_thousands_of_cells_take_no_time(clean):
    everything_stripped(clean)
    words = ANSWERS.split()
    random.Random(0).shuffle(words)
    text = " ".join(words[:300])
    clean.cells += [new_code_cell(f"{text} {i}") for i in range(1000)]
    started = time.process_time()
    grafted, _ = graft(RELEASE, clean)
    assert time.process_time() - started < 10
    assert "def corr2d" in source_of(grafted, "corr2d")
