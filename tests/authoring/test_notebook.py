import json

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from autograder.authoring import lesson, notebook
from autograder.grading import job
from autograder.problem import BadInputError
from autograder.rooms.job import Place

PACKAGE = "git+https://example.org/tiny.git"


@pytest.fixture
def cells(lesson_text):
    return lesson.read(lesson_text, "sums.py")


@pytest.fixture
def built(cells):
    return notebook.build(cells, PACKAGE)


def switches(built, grade_id):
    found = next(cell.metadata.nbgrader for cell in built.cells if cell.id == grade_id)
    return {key for key in ("grade", "locked", "solution", "task") if found[key]}


def test_is_valid_for_nbformat_and_nbgrader(built):
    nbformat.validate(built)
    MetadataValidator().validate_nb(built)
    assert (built.nbformat, built.nbformat_minor) == (4, 5)


def test_markers_become_nbgraders_switches(built):
    assert switches(built, "setup") == {"locked"}
    assert switches(built, "rules") == {"locked"}
    assert switches(built, "add") == {"solution"}
    assert switches(built, "add-small") == {"grade", "locked"}
    assert switches(built, "why") == {"grade", "solution"}
    assert switches(built, "long") == {"locked"}


def test_a_home_cell_is_told_from_other_locked_ones_and_skipped_when_grading(built):
    homes = [cell for cell in built.cells if cell.metadata.get(notebook.HOME)]
    assert [cell.id for cell in homes] == ["long"]
    assert job.place_of(homes[0]) is Place.HOME
    locked = built.cells[[cell.id for cell in built.cells].index("setup")]
    assert job.place_of(locked) is Place.BOTH


def test_points_only_where_graded(built):
    found = {
        cell.id: cell.metadata.nbgrader.get("points")
        for cell in built.cells
        if "nbgrader" in cell.metadata
    }
    graded = {"add-small": 2, "add-half": 1.5, "why": 3}
    assert found == {**dict.fromkeys(["setup", "rules", "add", "whole", "long"]), **graded}


def test_the_notebook_lists_its_marked_cells(built):
    rows = built.metadata[notebook.MANIFEST]["cells"]
    assert rows[0] == {"id": "setup", "kind": "locked", "points": 0}
    assert {"id": "add-half", "kind": "test", "points": 1.5} in rows
    assert [row["id"] for row in rows] == [c.id for c in built.cells if "nbgrader" in c.metadata]


def test_plain_cells_have_no_metadata(built):
    assert built.cells[0].metadata == {}


def test_the_package_is_filled_in_and_taken_out(cells, built):
    assert PACKAGE in built.cells[1].source
    assert notebook.cells(built, PACKAGE, "sums.ipynb") == cells


def test_inserting_a_cell_moves_no_other_id(cells, built):
    longer = notebook.build([*cells[:3], notebook.Cell("code", "new"), *cells[3:]], PACKAGE)
    ids = [cell.id for cell in longer.cells]
    assert [*ids[:3], *ids[4:]] == [cell.id for cell in built.cells]
    assert len(set(ids)) == len(ids)


def test_only_an_edit_counts_as_one(built):
    assert not notebook.edited(built)
    built.cells[3].execution_count = 7
    built.cells[3].outputs = [nbformat.v4.new_output("stream", text="hi")]
    built.cells[3].metadata.tags = ["a"]
    built.cells[3].metadata.collapsed = True
    built.metadata.kernelspec.display_name = "Python (other)"
    assert not notebook.edited(built)
    built.cells[3].source += "!"
    assert notebook.edited(built)


@pytest.mark.parametrize("change", [{"points": 4}, {"grade_id": "other"}, {"locked": False}])
def test_a_changed_marker_is_an_edit(built, change):
    built.cells[7].metadata.nbgrader.update(change)
    assert notebook.edited(built)


def test_refuses_a_cell_of_another_kind(built):
    built.cells[7].metadata.nbgrader.update(solution=True)
    with pytest.raises(BadInputError, match=r"sums\.ipynb, cell 8: .* grade, locked, solution"):
        notebook.cells(built, PACKAGE, "sums.ipynb")


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"nbformat": 99}', '{"cells": 3}'])
def test_refuses_what_is_not_a_notebook(text, tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    with pytest.raises(BadInputError, match=r"a\.ipynb: found .*, expected a Jupyter notebook"):
        notebook.read(path)


def test_the_text_is_plain_json_with_a_last_newline(built):
    text = notebook.dumps(built)
    assert json.loads(text)["nbformat"] == 4
    assert text.endswith("}\n")
    assert notebook.loads(text, "text") == built
