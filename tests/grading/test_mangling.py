"""What editors, services and students do to notebook files, and that marks do not depend on it.

Each deformation here is done to the file of a worked submission. What every test cell of the
rebuilt notebook finds defined must be what it finds in that of the clean file, and whatever had to
be guessed must be said.
"""

import ast
import copy
import functools
import json
import random
import re
from pathlib import Path

import nbformat
import pytest

from autograder.authoring import samples
from autograder.grading.graft import ELSEWHERE, graft
from autograder.grading.job import job_of
from autograder.grading.reading import read
from autograder.rooms.house import House
from autograder.rooms.job import Limits, Place

ROOT = Path(__file__).parents[2]
RELEASE = nbformat.read(ROOT / "release/2-convolution/convolution.ipynb", as_version=4)
ANSWERS = (ROOT / "tests/submissions/2-convolution/correct/loops.py").read_text(encoding="utf-8")
ESSAYS = {"stacking": "Five by five: each adds two.", "sharing": "One filter for all places."}
EMPTY = {c.metadata.nbgrader.grade_id: c.source for c in RELEASE.cells if "nbgrader" in c.metadata}
GONE = "its id was gone; found by the names it defines"

WORKED = nbformat.writes(samples.overlay(samples.fill(RELEASE, ANSWERS), ESSAYS))
MANGLED = {}


def mangled(*repairs):
    """Registers a deformation: of the notebook as JSON, returning bytes if it writes the file."""

    def register(function):
        MANGLED[function.__name__] = function, repairs
        return function

    return register


def worked():
    return json.loads(WORKED)


def dumped(notebook, **options):
    return json.dumps(notebook, ensure_ascii=False, **options).encode()


def grade_id(cell):
    about = cell.get("metadata", {}).get("nbgrader", {})
    return about.get("grade_id", "")


def place(notebook, name):
    return next(i for i, cell in enumerate(notebook["cells"]) if grade_id(cell) == name)


def cell(notebook, name):
    return notebook["cells"][place(notebook, name)]


def text(found):
    return "".join(found["source"])


def is_answer(found):
    return found["metadata"].get("nbgrader", {}).get("solution")


def code(source, **metadata):
    kinds = {"cell_type": "code", "outputs": [], "execution_count": None}
    return {**kinds, "metadata": metadata, "source": source}


def strip(notebook):
    """As after a trip through a service that keeps no metadata and numbers cells itself."""
    for i, found in enumerate(notebook["cells"]):
        found["metadata"] = {"id": f"Xy{i}-_kA"}
        found.pop("id", None)
    notebook["nbformat_minor"] = 0


# What becomes of the file.


@mangled()
def nothing(notebook):
    pass


@mangled()
def byte_order_mark(notebook):
    return b"\xef\xbb\xbf" + dumped(notebook)


@mangled()
def utf_16(notebook):
    return dumped(notebook).decode().encode("utf-16")


@mangled()
def utf_16_without_mark(notebook):
    return dumped(notebook).decode().encode("utf-16-le")


@mangled()
def windows_line_ends(notebook):
    return dumped(notebook, indent=1).replace(b"\n", b"\r\n")


@mangled()
def old_mac_line_ends(notebook):
    return dumped(notebook, indent=1).replace(b"\n", b"\r")


@mangled()
def padded_by_a_file_system(notebook):
    return dumped(notebook) + b"\n" + bytes(4096)


@mangled("notebook: 37 characters stood behind its end; left out")
def written_over_a_longer_version(notebook):
    return dumped(notebook) + b'language": "python"\n  }\n },\n "nbform}\n'


@mangled("is not UTF-8; what could not be read became \ufffd")
def one_comment_in_another_encoding(notebook):
    found = cell(notebook, "setup")
    found["source"] = text(found) + "\n# caf@"
    return dumped(notebook).replace(b"caf@", b"caf\xe9")


@mangled()
def not_a_number_in_the_outputs(notebook):
    cell(notebook, "corr2d")["outputs"] = [{"output_type": "x", "data": float("nan")}]


@mangled()
def deep_but_readable_outputs(notebook):
    cell(notebook, "corr2d")["outputs"] = functools.reduce(lambda x, _: [x], range(300), [])


# What becomes of its form.


@mangled("notebook: it was in a format of before 2015; converted")
def format_3(notebook):
    for found in notebook["cells"]:
        if found["cell_type"] == "code":
            found["input"] = found.pop("source")
            found["prompt_number"] = found.pop("execution_count")
            found["language"] = "python"
            found["outputs"] = [{"output_type": "pyout", "text": ["3"], "prompt_number": 1}]
        elif text(found).startswith("# "):
            found.update(cell_type="heading", level=1, source=text(found)[2:])
    cells = notebook.pop("cells")
    notebook.update(nbformat=3, nbformat_minor=0, worksheets=[{"cells": cells, "metadata": {}}])


@mangled()
def without_cell_ids(notebook):
    notebook["nbformat_minor"] = 4
    for found in notebook["cells"]:
        del found["id"]


@mangled()
def ids_in_a_format_that_has_none(notebook):
    notebook["nbformat_minor"] = 2


@mangled()
def same_id_everywhere(notebook):
    for found in notebook["cells"]:
        found["id"] = "same"


@mangled()
def ids_that_are_none(notebook):
    for i, found in enumerate(notebook["cells"]):
        found["id"] = ["no", 5, None, "with blanks", "x" * 65, "ü"][i % 6]


@mangled()
def one_string_for_a_text(notebook):
    for found in notebook["cells"]:
        found["source"] = text(found)


@mangled("lines without ends; put each on a line of its own")
def lines_without_ends(notebook):
    for found in notebook["cells"]:
        found["source"] = text(found).split("\n")


@mangled("cell 1 was of an unknown type, 'sql'; taken as markdown")
def kinds_of_another_program(notebook):
    notebook["cells"][0]["cell_type"] = "sql"
    cell(notebook, "corr2d")["cell_type"] = "Code"


@mangled("cell 1 was no cell; left out", "cell 2 had something else than text in it; left out")
def things_that_are_no_cells(notebook):
    notebook["cells"][:0] = [None, {"cell_type": "code", "source": {"a": [1]}}]
    notebook["cells"] += [{"cell_type": "markdown", "source": None}, {}]


@mangled("corr2d: it was a raw cell; it is code again")
def answer_made_raw(notebook):
    found = cell(notebook, "corr2d")
    found["cell_type"] = "raw"


@mangled()
def bare_cells(notebook):
    for found in notebook["cells"]:
        for key in ("outputs", "execution_count", "id"):
            found.pop(key, None)


@mangled()
def outputs_of_every_kind(notebook):
    junk = [None, 3, "text", {}, {"output_type": 4}, {"output_type": "error", "ename": None}]
    for i, found in enumerate(notebook["cells"]):
        found["outputs"] = junk if i % 2 else "none"
        found["execution_count"] = "*"


@mangled()
def megabytes_of_output(notebook):
    cell(notebook, "corr2d")["outputs"] = [{"output_type": "stream", "text": "x" * 5_000_000}]


@mangled()
def widgets_without_state(notebook):
    kind = "application/vnd.jupyter.widget-state+json"
    notebook["metadata"]["widgets"] = {kind: {"b3": {"model_module": "@jupyter-widgets/base"}}}


@mangled()
def another_language(notebook):
    notebook["metadata"] = {"kernelspec": {"name": "ir", "language": "R"}, "language": 4}


@mangled()
def no_metadata_at_the_top(notebook):
    del notebook["metadata"]
    del notebook["nbformat"]


@mangled(GONE, "stacking: its id was gone; found by its place")
def nbgrader_metadata_of_other_kinds(notebook):
    for i, found in enumerate(notebook["cells"]):
        found["metadata"]["nbgrader"] = [None, "solution", ["solution"], {"grade_id": [1]}][i % 4]
        found["id"] = f"new-{i}"


@mangled()
def nbgrader_metadata_of_old_schemas(notebook):
    for i, found in enumerate(notebook["cells"]):
        if "nbgrader" in found["metadata"]:
            found["metadata"]["nbgrader"]["schema_version"] = [0, 1, 2, 99, "3"][i % 5]


@mangled("characters that no file can hold; they became \ufffd")
def half_of_a_surrogate_pair(notebook):
    found = notebook["cells"][0]
    found["source"] = text(found) + "\ud83d"
    return json.dumps(notebook).encode()


# What services and editors do to it.


def colab(notebook):
    user = {"displayName": "Ada", "userId": "12136019235932552125"}
    run = {"status": "ok", "timestamp": 1722608125960, "user": user, "user_tz": -330, "elapsed": 9}
    for i, found in enumerate(notebook["cells"]):
        found["metadata"]["id"] = f"nWq-7cPBcW{i:02}"
        found.pop("id")
        if found["cell_type"] == "code":
            about = {"base_uri": "https://localhost:8080/", "height": 34}
            found["metadata"].update(colab=about, executionInfo=run, outputId="d1c9354e-43db")
    notebook["metadata"] = {
        "accelerator": "GPU",
        "colab": {"provenance": [], "toc_visible": True, "gpuType": "T4"},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    notebook["nbformat_minor"] = 0


@mangled()
def saved_by_colab(notebook):
    colab(notebook)


@mangled(GONE, "stacking: its id was gone; found by its place")
def saved_by_colab_without_nbgrader(notebook):
    strip(notebook)
    colab({**notebook, "cells": [{**c, "id": ""} for c in notebook["cells"]]})


@mangled("corr2d-any: it was changed; put back")
def colab_forms(notebook):
    for name in ("corr2d", "corr2d-any"):
        found = cell(notebook, name)
        found["metadata"]["cellView"] = "form"
        found["source"] = "#@title Try it { display-mode: 'form' }\n" + text(found)


@mangled()
def saved_by_vs_code(notebook):
    for found in notebook["cells"]:
        found["metadata"]["vscode"] = {"languageId": "plaintext"}
        if found["cell_type"] == "markdown":
            found.update(outputs=[], execution_count=None)
    interpreter = {"hash": "31f2aee4e71d21fbe5cf8b01ff0e069b"}
    notebook["metadata"].update(orig_nbformat=4, vscode={"interpreter": interpreter})
    notebook["nbformat_minor"] = 2


@mangled()
def saved_by_a_hosted_service(notebook):
    for i, found in enumerate(notebook["cells"]):
        found["metadata"] |= {"_uuid": f"{i:040x}", "trusted": True, "tags": ["remove-cell"]}
        found["metadata"] |= {"deepnote_cell_type": "code", "jupyter": {"source_hidden": True}}


@mangled("cell held several that a script marks; taken apart", "corr2d: its id was gone; found")
def exported_as_a_script_and_pasted_into_one_cell(notebook):
    script = []
    for found in notebook["cells"]:
        if found["cell_type"] == "markdown":
            lines = ["# " + line for line in text(found).split("\n")]
            script.append("\n".join(["# %% [markdown]", *lines]))
        else:
            script.append("# %%\n" + text(found))
    notebook["cells"] = [code("\n\n".join(script))]


@mangled("cell held several that a script marks; taken apart", "stacking: its id was gone")
def converted_to_a_script_and_pasted_into_one_cell(notebook):
    essays = [found for found in notebook["cells"] if grade_id(found) in ESSAYS]
    script = [f"# In[{i}]:\n\n\n{text(c)}\n" for i, c in enumerate(notebook["cells"])
              if c["cell_type"] == "code"]  # fmt: skip
    notebook["cells"] = [code("#!/usr/bin/env python\n# coding: utf-8\n\n" + "\n".join(script))]
    notebook["cells"] += essays
    strip(notebook)


# What students do to its cells.


@mangled(
    "conv-forward: its id was written 'Conv_Forward '", "sharing: its id was written 'Sharing'"
)
def ids_spelled_differently(notebook):
    cell(notebook, "conv-forward")["metadata"]["nbgrader"]["grade_id"] = "Conv_Forward "
    cell(notebook, "sharing")["metadata"]["nbgrader"]["grade_id"] = "Sharing"


@mangled("stacking: its id was written 'stackng'")
def id_mistyped(notebook):
    found = notebook["cells"].pop(place(notebook, "stacking"))
    found["metadata"]["nbgrader"]["grade_id"] = "stackng"
    notebook["cells"].insert(0, found)


@mangled("im2col: its own cell did not hold it; found by the names it defines")
def ids_of_two_answers_swapped(notebook):
    one, other = (cell(notebook, name)["metadata"]["nbgrader"] for name in ("conv1x1", "im2col"))
    one["grade_id"], other["grade_id"] = "im2col", "conv1x1"


@mangled()
def flags_edited(notebook):
    for found in notebook["cells"]:
        if about := found["metadata"].get("nbgrader"):
            about.update(points=1000, locked=False, grade=False, solution=True, task=True)


@mangled()
def shuffled(notebook):
    random.Random(3).shuffle(notebook["cells"])


@mangled("cells that say what another one says")
def pasted_into_itself(notebook):
    notebook["cells"] += copy.deepcopy(notebook["cells"])


@mangled(GONE, "cells that say what another one says")
def pasted_into_itself_and_stripped(notebook):
    notebook["cells"] += copy.deepcopy(notebook["cells"])
    strip(notebook)


@mangled("corr2d: 2 copies were there; the last that is written counts")
def empty_answer_pasted_behind(notebook):
    found = copy.deepcopy(cell(notebook, "corr2d"))
    found["source"] = EMPTY["corr2d"]
    notebook["cells"].append(found)


def merge(notebook, first, second):
    found = cell(notebook, first)
    found["source"] = text(found) + "\n\n" + text(cell(notebook, second))
    del notebook["cells"][place(notebook, second)]


@mangled("conv-forward-plain: it was merged with another cell; taken out of it")
def answer_merged_with_its_test(notebook):
    merge(notebook, "conv-forward", "conv-forward-plain")


@mangled("corr2d-lecture: it was merged with another cell; taken out of it")
def test_merged_with_the_next_answer(notebook):
    merge(notebook, "corr2d-lecture", "output-size")


@mangled("output-size: it was gone; what it asks for is defined in another cell")
def two_answers_merged(notebook):
    merge(notebook, "corr2d", "output-size")


@mangled(
    "corr2d: it was merged into a later answer, which stands here now",
    "conv1x1: it was gone; what it asks for is defined in another cell",
)
def all_answers_merged_into_a_late_one(notebook):
    for name in ("corr2d", "output-size", "counts"):
        merge(notebook, "conv1x1", name)


def split(notebook, name, at, keep_id):
    i = place(notebook, name)
    found = notebook["cells"][i]
    source = text(found)
    middle = source.index(at)
    rest = copy.deepcopy(found) if keep_id else code("")
    found["source"], rest["source"] = source[:middle].rstrip(), source[middle:]
    notebook["cells"].insert(i + 1, rest)


@mangled("counts: 2 copies were there")
def answer_split_between_functions(notebook):
    split(notebook, "counts", "def num_multiply_adds", keep_id=True)


@mangled()
def answer_split_and_the_id_lost(notebook):
    split(notebook, "counts", "def num_multiply_adds", keep_id=False)


@mangled("output-size: 2 copies were there; the last that is written counts")
def answer_split_behind_its_imports(notebook):
    split(notebook, "output-size", "def output_size", keep_id=True)


@mangled("counts: it was gone; what it asks for is defined in another cell")
def answer_split_and_all_stripped(notebook):
    split(notebook, "counts", "def num_multiply_adds", keep_id=False)
    strip(notebook)


def move(notebook, name, where):
    """Leaves the empty answer behind, and puts the written one elsewhere."""
    found = cell(notebook, name)
    source, found["source"] = text(found), EMPTY[name]
    where(source)


@mangled("conv1x1: its own cell did not hold it; found by the names it defines")
def answer_moved_to_the_end(notebook):
    move(notebook, "conv1x1", lambda source: notebook["cells"].append(code(source)))


@mangled("conv1x1: its own cell did not hold it; found by the names it defines")
def answer_written_above_the_empty_one(notebook):
    i = place(notebook, "conv1x1")
    move(notebook, "conv1x1", lambda source: notebook["cells"].insert(i, code(source)))


@mangled("conv1x1: its own cell did not hold it", "conv1x1-pixels: it was gone; put back")
def answer_written_over_a_test(notebook):
    test = cell(notebook, "conv1x1-pixels")
    move(notebook, "conv1x1", lambda source: test.update(source=source))


@mangled("conv1x1: its own cell did not hold it; found", "conv1x1-pixels: it was merged")
def answer_written_above_a_test(notebook):
    test = cell(notebook, "conv1x1-pixels")
    move(notebook, "conv1x1", lambda source: test.update(source=source + "\n" + text(test)))


@mangled("im2col: its own cell did not hold it; found by the names it defines")
def answer_written_into_the_cell_of_another(notebook):
    other = cell(notebook, "conv1x1")
    notebook["cells"].append(code(text(other)))
    move(notebook, "im2col", lambda source: other.update(source=source))


@mangled("conv-groups: it was changed; put back", "setup: it was gone; put back")
def tests_edited_and_deleted(notebook):
    for name, found in [(grade_id(c), c) for c in notebook["cells"]]:
        if name and not is_answer(found):
            found["source"] = "print('all passed')"
    del notebook["cells"][place(notebook, "setup")]


@mangled()
def explanations_and_demonstrations_deleted(notebook):
    notebook["cells"] = [found for found in notebook["cells"] if grade_id(found)]


@mangled("corr2d: it was a markdown cell; it is code again", "sharing: it was a code cell")
def kinds_changed(notebook):
    for name, kind in (("corr2d", "markdown"), ("sharing", "code")):
        found = cell(notebook, name)
        found["cell_type"] = kind
        found.pop("outputs", None)


@mangled()
def line_ends_within_texts(notebook):
    for found in notebook["cells"]:
        found["source"] = text(found).replace("\n", "\r\n")


@mangled()
def magics_in_and_between_cells(notebook):
    notebook["cells"].insert(0, code("!pip install numpy\n%matplotlib inline"))
    cell(notebook, "corr2d")["source"] = "%%time\n%matplotlib inline\n" + text(
        cell(notebook, "corr2d")
    )


@mangled()
def a_picture_in_an_answer(notebook):
    picture = {"image.png": {"image/png": "iVBORw0KGgo=", "text/html": "<script>"}}
    cell(notebook, "sharing")["attachments"] = picture | {"x": 3}


# Several of it at once.


@mangled(GONE, "sharing: its id was gone", "is not UTF-8", "characters stood behind its end")
def downloaded_stripped_and_cut(notebook):
    colab(notebook)
    strip(notebook)
    notebook["cells"] = [found for found in notebook["cells"] if "check." not in text(found)]
    notebook["cells"].append(code("# caf@"))
    return dumped(notebook).replace(b"caf@", b"caf\xe9") + b'}\n"'


@mangled(GONE, "stacking: its id was gone; taken to be the text that was left")
def stripped_without_explanations(notebook):
    notebook["cells"] = [found for found in notebook["cells"] if grade_id(found)]
    strip(notebook)


@mangled(GONE, "before 2015", "cells that say what another one says")
def old_format_twice_and_stripped(notebook):
    notebook["cells"] += copy.deepcopy(notebook["cells"])
    strip(notebook)
    format_3(notebook)


@mangled("conv-forward-plain: it was merged", "output-size: it was gone; what it asks for")
def merged_renamed_and_in_windows(notebook):
    merge(notebook, "conv-forward", "conv-forward-plain")
    merge(notebook, "corr2d", "output-size")
    ids_spelled_differently(notebook)
    line_ends_within_texts(notebook)
    return windows_line_ends(notebook).decode().encode("utf-16")


@mangled("corr2d: its id was gone; found", "it was merged with another cell; taken out of it")
def everything_in_one_cell_without_marks(notebook):
    sources = [text(found) for found in notebook["cells"] if found["cell_type"] == "code"]
    essays = [found for found in notebook["cells"] if grade_id(found) in ESSAYS]
    notebook["cells"] = [code("\n\n".join(sources)), *essays]


for function, _ in MANGLED.values():
    function.__test__ = False


@functools.cache
def statements(source):
    """What a cell defines at its top, by name, in one spelling; nothing if it cannot run."""
    lines = ["pass" if re.match(r"[%!]", line) else line for line in source.split("\n")]
    try:
        body = ast.parse("\n".join(lines)).body
    except SyntaxError:
        return {}
    kinds = (ast.FunctionDef, ast.ClassDef)
    found = {node.name: ast.unparse(node) for node in body if isinstance(node, kinds)}
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return found | {ast.unparse(node): "" for node in imports}


def seen(notebook):
    """What each test finds defined above it."""
    space, found = {}, {}
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and about.get("grade"):
            found[about["grade_id"]] = (cell.source, dict(about), dict(space))
        elif cell.cell_type == "code":
            space |= statements(cell.source)
    return found


def essays(notebook):
    cells = [cell for cell in notebook.cells if grade_id(cell) in ESSAYS]
    return {grade_id(cell): (cell.cell_type, cell.source) for cell in cells}


def rebuilt(path, mangle):
    notebook = worked()
    path.write_bytes(mangle(notebook) or dumped(notebook))
    submitted, lines = read(path)
    nbformat.validate(submitted)
    submitted.metadata["repairs"] = lines
    grafted, repairs = graft(RELEASE, submitted)
    nbformat.validate(grafted)
    return grafted, [str(repair) for repair in repairs]


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    grafted, repairs = rebuilt(tmp_path_factory.mktemp("clean") / "lesson.ipynb", nothing)
    assert repairs == []
    return grafted


@pytest.mark.parametrize("name", MANGLED)
def test_marks_do_not_depend_on_it_and_every_repair_is_said(clean, tmp_path, name):
    mangle, expected = MANGLED[name]
    grafted, repairs = rebuilt(tmp_path / "lesson.ipynb", mangle)
    found, expected_of = seen(grafted), seen(clean)
    assert found.keys() == expected_of.keys()
    for name_of_test, (source, about, space) in expected_of.items():
        assert found[name_of_test][:2] == (source, about)
        assert space.items() <= found[name_of_test][2].items()
    assert essays(grafted) == essays(clean)
    for repair in expected:
        assert any(repair in said for said in repairs), repairs
    if not expected:
        assert repairs == []
    copies = "notebook: cells that say what another one says"
    assert any(copies in repair for repair in repairs) == any(r in copies for r in expected)


def unchanged_but(grafted, clean, name):
    """Whether only the text of one cell differs."""
    pairs = zip(grafted.cells, clean.cells, strict=True)
    return [grade_id(one) for one, other in pairs if one.source != other.source] == [name]


@pytest.mark.parametrize("stripped", [False, True])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return Y", "return\N{NO-BREAK SPACE}Y"),
        ("return Y", "print(\u201cdone\u201d); return Y"),
        ("    return Y", "\treturn Y"),
        ("return Y", "return Y)"),
        ("return Y", "return Y\0"),
    ],
)
def test_a_mistake_of_the_students_stays_theirs_and_stays_in_its_cell(
    clean, tmp_path, old, new, stripped
):
    def mangle(notebook):
        found = cell(notebook, "corr2d")
        found["source"] = text(found).replace(old, new)
        if stripped:
            strip(notebook)

    grafted, _ = rebuilt(tmp_path / "lesson.ipynb", mangle)
    assert unchanged_but(grafted, clean, "corr2d")
    assert new in next(c.source for c in grafted.cells if grade_id(c) == "corr2d")


def test_a_picture_in_an_answer_is_kept_and_nothing_else_with_it(tmp_path):
    grafted, _ = rebuilt(tmp_path / "lesson.ipynb", a_picture_in_an_answer)
    (found,) = (c for c in grafted.cells if grade_id(c) == "sharing")
    assert found.attachments == {"image.png": {"image/png": "iVBORw0KGgo="}}


def graded_tests(notebook):
    return [c for c in notebook.cells if c.cell_type == "code" and points(c)]


def points(cell):
    return cell.metadata.get("nbgrader", {}).get("points")


def graded(notebook):
    cells = [c for c in notebook.cells if grade_id(c) and not is_answer(c)]
    return [(grade_id(c), c.cell_type, c.source) for c in cells]


@pytest.mark.parametrize("seed", range(12))
def test_several_at_once_neither_end_the_batch_nor_touch_a_test(tmp_path, seed):
    chosen = random.Random(seed).sample([function for function, _ in MANGLED.values()], 4)

    def mangle(notebook):
        written = None
        for function in chosen:
            try:
                written = function(notebook) or written
            except (LookupError, StopIteration, TypeError, AttributeError):
                continue  # what it would change is not there any more
        return written

    grafted, _ = rebuilt(tmp_path / "lesson.ipynb", mangle)
    assert graded(grafted) == graded(RELEASE)
    extras = [c.source for c in grafted.cells if str(c.id).startswith("extra-")]
    assert not [source for source in extras if source in EMPTY.values()]


def test_a_whole_script_in_one_cell_runs_its_parts_where_they_belong(tmp_path):
    name = exported_as_a_script_and_pasted_into_one_cell
    grafted, _ = rebuilt(tmp_path / "lesson.ipynb", name)
    assert ELSEWHERE not in [cell.source for cell in grafted.cells]
    assert len(grafted.cells) == len(RELEASE.cells)


NASTIEST = [
    downloaded_stripped_and_cut,
    old_format_twice_and_stripped,
    merged_renamed_and_in_windows,
    everything_in_one_cell_without_marks,
    exported_as_a_script_and_pasted_into_one_cell,
    all_answers_merged_into_a_late_one,
    answer_written_above_a_test,
    stripped_without_explanations,
]


@pytest.mark.slow
def test_the_nastiest_get_full_marks_when_they_run(tmp_path):
    with House(unsafe=True) as house:
        for mangle in NASTIEST:
            grafted, _ = rebuilt(tmp_path / "lesson.ipynb", mangle)
            job = job_of(grafted, False, {}, 1, Limits())
            outputs = zip(job.cells, house.run(job).outputs, strict=True)
            tests = [found for cell, found in outputs if cell.place is Place.EXAMINER]
            kinds = {output["output_type"] for found in tests for output in found}
            assert len(tests) == len(graded_tests(RELEASE))
            assert "error" not in kinds, mangle.__name__
