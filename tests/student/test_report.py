"""Every state and every flag, on a worked lesson with one thing done to it."""

import copy
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RELEASE = ROOT / "release" / "2-convolution" / "convolution.ipynb"


def flags(look):
    return {(cell, flag) for cell, flag, _ in look.findings}


def says(look, cell):
    return " ".join(text for name, _, text in look.findings if name == cell)


@pytest.mark.parametrize("release", [None, RELEASE], ids=["manifest", "release"])
def test_a_notebook_that_is_done_and_run_has_nothing_to_look_at(looked_over, worked, release):
    look = looked_over(worked, release)
    assert look.findings == [] and look.report.fine
    assert look.report.lesson.points == 73
    assert {row.state for row in look.rows.values()} == {"passed", "answered"}
    assert look.rows["corr2d-any"].points == 2 and look.rows["stacking"].kind == "essay"


def test_a_test_names_the_answers_that_it_depends_on(looked_over, worked):
    rows = looked_over(worked).rows
    assert rows["corr2d-any"].needs == ["corr2d"]
    assert rows["multiply-adds"].needs == ["output-size", "counts"]
    assert rows["conv-gradients"].needs == ["conv-forward", "conv-backward"]
    assert rows["conv3d"].needs == ["conv-forward", "conv1d-conv3d"]


def test_an_untouched_release_is_empty_and_was_not_run(looked_over):
    look = looked_over(json.loads(RELEASE.read_text(encoding="utf-8")))
    states = {row.kind: row.state for row in look.rows.values()}
    assert states == {"solution": "still empty", "test": "not run", "essay": "still empty"}
    assert ("notebook", "order") in flags(look)
    assert "no cell has been run" in says(look, "notebook")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def corr2d(X, K):\n    # YOUR CODE HERE\n    raise check.NotWritten",
        "def corr2d(X, K):\n    # later\n    raise NotWritten  # YOUR CODE HERE",
    ],
)
def test_an_answer_that_is_not_there(looked_over, worked, cell, source):
    cell(worked, "corr2d")["source"] = source
    assert ("corr2d", "still empty") in flags(looked_over(worked))


def test_an_answer_that_is_as_it_was_handed_out(looked_over, worked, cell):
    cell(worked, "stacking")["source"] = "YOUR ANSWER HERE"
    assert flags(looked_over(worked)) == {("stacking", "still empty")}


def test_an_answer_of_two_functions_with_one_written(looked_over, worked, cell):
    source = "".join(cell(worked, "counts")["source"])
    first, second = source.split("def num_multiply_adds")
    head = "def num_multiply_adds(c_in):\n    raise check.NotWritten"
    cell(worked, "counts")["source"] = first + head
    assert second
    assert flags(looked_over(worked)) == {("counts", "partly written")}


def test_a_test_that_failed_says_with_what(looked_over, worked, cell):
    error = {"output_type": "error", "ename": "CheckFailed", "evalue": "", "traceback": []}
    cell(worked, "corr2d-any")["outputs"] = [{"output_type": "stream", "text": []}, error]
    look = looked_over(worked)
    assert look.rows["corr2d-any"].state == "failed"
    assert says(look, "corr2d-any") == "it ended with CheckFailed."


def test_a_test_that_was_not_run(looked_over, worked, cell):
    cell(worked, "corr2d-any").update(execution_count=None, outputs=[])
    look = looked_over(worked)
    assert look.rows["corr2d-any"].state == "not run"
    assert flags(look) == {("corr2d-any", "not run")}


def test_outputs_without_a_number_are_old(looked_over, worked, cell):
    output = {"output_type": "stream", "name": "stdout", "text": ["ok"]}
    cell(worked, "corr2d-any").update(execution_count=None, outputs=[output])
    look = looked_over(worked)
    assert flags(look) == {("corr2d-any", "stale")}
    assert "outputs without a number" in says(look, "corr2d-any")


@pytest.mark.parametrize("release", [None, RELEASE], ids=["manifest", "release"])
@pytest.mark.parametrize("name", ["corr2d", "corr2d-any", "stacking"])
def test_a_deleted_cell(looked_over, worked, cell, name, release):
    worked["cells"].remove(cell(worked, name))
    look = looked_over(worked, release)
    assert look.rows[name].state == "deleted"
    assert (name, "deleted") in flags(look)
    assert ("graded all the same" in says(look, name)) == (name == "corr2d-any")


def test_without_a_list_what_is_deleted_is_not_missed_but_the_rest_is_seen(
    looked_over, worked, cell
):
    del worked["metadata"]["receptive_field"]
    worked["cells"].remove(cell(worked, "stacking"))
    cell(worked, "sharing")["source"] = ""
    look = looked_over(worked)
    assert look.report.lesson.origin == "notebook"
    assert flags(look) == {("sharing", "still empty")}
    assert look.report.lesson.points == 69


@pytest.mark.parametrize("name", ["corr2d", "corr2d-any"])
def test_a_duplicated_cell(looked_over, worked, cell, name):
    original = cell(worked, name)
    place_of_copy = worked["cells"].index(original) + 1
    worked["cells"].insert(place_of_copy, copy.deepcopy(original))
    look = looked_over(worked)
    assert (name, "duplicated") in flags(look)
    assert f"cells {place_of_copy}, {place_of_copy + 1}" in says(look, name)
    assert look.rows[name].state in ("answered", "passed")


def test_of_copies_the_last_that_is_written_counts(looked_over, worked, cell):
    empty = copy.deepcopy(cell(worked, "stacking"))
    empty["source"] = "YOUR ANSWER HERE"
    worked["cells"].append(empty)
    assert looked_over(worked).rows["stacking"].state == "answered"


def test_a_notebook_pasted_into_itself(looked_over, worked):
    worked["cells"] += copy.deepcopy(worked["cells"])
    look = looked_over(worked)
    assert all("duplicated" in row.flags for row in look.rows.values())


@pytest.mark.parametrize(
    ("name", "kind", "right"),
    [("corr2d", "raw", "code"), ("stacking", "code", "markdown"), ("corr2d-any", "raw", "code")],
)
def test_a_retyped_cell(looked_over, worked, cell, name, kind, right):
    cell(worked, name)["cell_type"] = kind
    look = looked_over(worked)
    assert (name, "retyped") in flags(look)
    assert f"become a {kind} cell. Make it a {right} cell again" in says(look, name)


def strip(notebook):
    for i, found in enumerate(notebook["cells"]):
        found["metadata"] = {"id": f"Xy{i}-_kA"}
        found.pop("id", None)
    notebook["nbformat_minor"] = 0


def test_stripped_cells_are_known_by_the_notebooks_own_ids(looked_over, worked, cell):
    for name in ("corr2d", "corr2d-any", "stacking"):
        cell(worked, name)["metadata"] = {}
    look = looked_over(worked)
    stripped = {(name, "stripped") for name in ("corr2d", "corr2d-any", "stacking")}
    assert flags(look) == stripped
    assert look.rows["corr2d"].state == "answered" and look.rows["corr2d-any"].state == "passed"


def test_stripped_of_everything_code_is_known_by_the_release(looked_over, worked):
    strip(worked)
    look = looked_over(worked, RELEASE)
    found = {cell for cell, flag in flags(look) if flag == "stripped"}
    assert found == look.rows.keys() - {"stacking", "sharing"}
    assert look.rows["corr2d"].state == "answered" and look.rows["corr2d-any"].state == "passed"
    assert look.rows["stacking"].state == "deleted"  # a text of one's own could be any


def test_stripped_of_everything_a_list_alone_finds_nothing(looked_over, worked):
    strip(worked)
    assert {row.state for row in looked_over(worked).rows.values()} == {"deleted"}


def test_a_test_that_was_edited_is_seen_beside_the_release(looked_over, worked, cell):
    cell(worked, "corr2d-any")["source"] = "print('all passed')"
    assert flags(looked_over(worked, RELEASE)) == {("corr2d-any", "edited")}
    cell(worked, "corr2d-any")["source"] += "  "
    assert flags(looked_over(worked)) == set()


def test_blanks_at_the_ends_of_lines_are_no_edit(looked_over, worked, cell):
    source = "".join(cell(worked, "corr2d-any")["source"])
    cell(worked, "corr2d-any")["source"] = source.replace("\n", "  \r\n") + "\n\n"
    assert flags(looked_over(worked, RELEASE)) == set()


def test_an_id_that_the_lesson_does_not_have(looked_over, worked, cell):
    cell(worked, "corr2d")["metadata"]["nbgrader"]["grade_id"] = "corr-2d"
    look = looked_over(worked)
    assert ("notebook", "unknown id") in flags(look) and ("corr2d", "deleted") in flags(look)
    assert "'corr-2d'" in says(look, "notebook")


def test_a_notebook_of_something_else(looked_over):
    look = looked_over({"cells": [{"cell_type": "code", "source": "1 + 1"}], "metadata": {}})
    assert flags(look) == {("notebook", "nothing graded")}


@pytest.mark.parametrize(
    "listed",
    [
        3,
        {"cells": 3},
        {"cells": [3]},
        {"cells": [{"id": "a"}]},
        {"cells": [{"id": "a", "kind": "test", "points": "many"}]},
        {"cells": [{"id": "\x1b[2J", "kind": "test", "points": 1}]},
    ],
)
def test_a_list_that_is_none_is_not_used(looked_over, worked, listed):
    worked["metadata"]["receptive_field"] = listed
    look = looked_over(worked)
    assert look.report.lesson.origin == "notebook" and look.report.fine


def test_ids_and_errors_cannot_act_on_a_terminal(looked_over, worked, cell):
    del worked["metadata"]["receptive_field"]
    cell(worked, "corr2d-any")["metadata"]["nbgrader"]["grade_id"] = "\x1b[2J"
    cell(worked, "corr2d-lecture")["outputs"] = [{"output_type": "error", "ename": "\x1b[2J"}]
    assert all(text.isprintable() for finding in looked_over(worked).findings for text in finding)
    assert "'\\x1b[2J'" in looked_over(worked).rows


def test_cells_and_outputs_that_are_none_are_left_out(looked_over, worked, cell):
    cell(worked, "corr2d")["outputs"] = [None, "x"]
    cell(worked, "output-size")["outputs"] = "none"
    worked["cells"][:0] = [None, 3, {"cell_type": 4, "source": [1], "metadata": []}]
    worked["cells"][5]["execution_count"] = True
    assert looked_over(worked).report.fine


def test_a_notebook_from_colab_is_fine(looked_over, worked):
    """It has no ids but in the metadata, and says more of each run than Jupyter does."""
    worked["nbformat_minor"] = 0
    worked["metadata"]["colab"] = {"provenance": [], "toc_visible": True}
    for number, cell in enumerate(worked["cells"]):
        del cell["id"]
        cell["metadata"]["id"] = f"aB3{number}"
        if cell["cell_type"] == "code":
            about = {"status": "ok", "timestamp": 1700000000000, "elapsed": 12}
            cell["metadata"] |= {"executionInfo": about, "colab": {"height": 52}}
            cell["metadata"]["outputId"] = "0e1a"
    assert looked_over(worked).report.fine


def test_an_essay_without_metadata_is_known_by_the_id_that_colab_keeps(looked_over, worked, cell):
    essay = cell(worked, "sharing")
    essay["metadata"] = {"id": essay.pop("id")}
    assert looked_over(worked, RELEASE).rows["sharing"].flags == ["stripped"]
