"""Whatever is read is valid; whatever is not is refused in words."""

import json
import os
import socket
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.grading import reading
from autograder.problem import BadInputError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lesson.ipynb"


def read(path, content):
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    notebook, repairs = reading.read(path)
    nbformat.validate(notebook)
    return notebook, repairs


def refused(path):
    with pytest.raises(BadInputError) as raised:
        reading.read(path)
    (problem,) = raised.value.problems
    assert problem.where.startswith(str(path))
    assert "Ask for the notebook again" in problem.fix
    return problem


def cells(*found):
    return {"cells": list(found), "nbformat": 4, "nbformat_minor": 5, "metadata": {}}


def code(source, **more):
    return {"cell_type": "code", "source": source, **more}


def test_only_kind_text_and_ids_are_kept(path):
    about = {"grade_id": "a", "points": 9, "solution": True}
    found = code("x", id="i", metadata={"nbgrader": about, "tags": ["t"]}, outputs=[{}], more=1)
    notebook, repairs = read(path, {**cells(found), "metadata": {"kernelspec": 3}})
    (cell,) = notebook.cells
    assert cell == {
        **{"cell_type": "code", "id": "i", "source": "x", "outputs": [], "execution_count": None},
        "metadata": {"nbgrader": {"grade_id": "a"}},
    }
    assert (notebook.metadata, notebook.nbformat, notebook.nbformat_minor) == ({}, 4, 5)
    assert repairs == []


@pytest.mark.parametrize(
    ("content", "where", "got"),
    [
        (b'{"cells": [\n  oops', "lesson.ipynb, line 2", "text that is not JSON"),
        (b"\n\n\n{oops", "lesson.ipynb, line 4", "text that is not JSON"),
        (b"", "lesson.ipynb, line 1", "text that is not JSON"),
        (bytes(1000), "lesson.ipynb, line 1", "text that is not JSON"),
        (b"PK\x03\x04\xff\xff", "lesson.ipynb", "bytes that are no text (byte 4 is not UTF-8"),
        (b"[1, 2]", "lesson.ipynb", "JSON without a list of cells"),
        (b'{"cells": 3}', "lesson.ipynb", "JSON without a list of cells"),
        (b'{"cells": null, "worksheets": []}', "lesson.ipynb", "JSON without a list of cells"),
        (b'{"cells": []}{"cells": [1]}', "lesson.ipynb", "two notebooks, one behind the other"),
        (b'{"cells": ' + b"[" * 100_000, "lesson.ipynb", "lists nested too deeply"),
        (b'{"cells": [' + b"{}," * 2000 + b"{}]}", "lesson.ipynb", "2,001 cells"),
    ],
)
def test_what_is_no_notebook_is_described(path, content, where, got):
    path.write_bytes(content)
    problem = refused(path)
    assert problem.where.endswith(where)
    assert problem.got.startswith(got)


def test_what_would_fill_the_memory_is_refused(path, monkeypatch):
    path.write_bytes(b'{"cells": []}' + b" " * reading.MOST_BYTES)
    assert refused(path).got == "more than 67,108,864 bytes"
    for limit, inside in (("MOST_NESTED", b"[], {}, [], {}, [], {}"), ("MOST_TEXTS", b'"", ""')):
        path.write_bytes(b'{"cells": [], "x": [' + inside + b"]}")
        reading.read(path)
        with monkeypatch.context() as patch:
            patch.setattr(reading, limit, 3)
            assert refused(path).got == "millions of lists, objects or texts"


def test_a_number_of_any_length_is_no_trouble(path):
    digits = b"1" * 100_000
    content = b'{"cells": [{"cell_type": "heading", "level": 2, "source": "T"}], "nbformat": '
    notebook, _ = read(path, content + digits + b', "x": -1e999999, "y": -Infinity}')
    assert notebook.cells[0].source == "## T"


def test_the_same_notebook_twice_is_one(path):
    found = json.dumps(cells(code("x")))
    notebook, repairs = read(path, (found + "\n" + found).encode())
    assert len(notebook.cells) == 1
    assert repairs == [f"{len(found)} characters stood behind its end; left out"]


def test_ids_are_those_of_the_file_where_they_can_be(path):
    ids = ["a", "a", "", "b c", None, "cell-0", 3]
    notebook, _ = read(path, cells(*(code("x", id=i) for i in ids)))
    found = [cell.id for cell in notebook.cells]
    assert (found[0], found[5]) == ("a", "cell-0")
    assert len(set(found)) == len(ids)


def test_colab_keeps_ids_elsewhere(path):
    notebook, _ = read(path, cells(code("x", metadata={"id": "nWq-7cPBcWUU"})))
    assert notebook.cells[0].id == "nWq-7cPBcWUU"


def test_line_ends_may_stand_in_a_string(path):
    notebook, repairs = read(path, b'{"cells": [{"cell_type": "code", "source": "a\n\tb"}]}')
    assert (notebook.cells[0].source, repairs) == ("a\n\tb", [])


@pytest.mark.parametrize(
    ("bundle", "kept"),
    [
        ({"image/png": "iVBORw0KGgo="}, {"image/png": "iVBORw0KGgo="}),
        ({"image/jpeg": ["iVBO\n", "Rw=="]}, {"image/jpeg": "iVBO\nRw=="}),
        ({"image/svg+xml": "<svg onload='x()'/>"}, {}),
        ({"image/png": '"><script>'}, {}),
        ({'image/png" onerror="x()': "iVBO"}, {}),
        ({"image/png": 3, "image/gif": "R0lG"}, {"image/gif": "R0lG"}),
        (["image/png"], {}),
    ],
)
def test_of_attachments_only_pictures_are_kept(path, bundle, kept):
    found = {"cell_type": "markdown", "source": "x", "attachments": {"p": bundle}}
    notebook, _ = read(path, cells(found))
    assert notebook.cells[0].get("attachments", {}).get("p", {}) == kept


def test_a_copy_remembers_where_it_came_from(path):
    notebook, _ = read(path, cells(code("x", id="a")))
    copy = nbformat.writes(reading.marked_copy(notebook, "Kopie.ipynb"))
    again, _ = read(path, copy.encode())
    assert reading.copied_from(again) == "Kopie.ipynb"
    assert again.cells == notebook.cells
    assert reading.copied_from(notebook) == ""


def link(path):
    path.symlink_to("/etc/hostname")


def link_to_a_notebook(path):
    path.with_name("other.ipynb").write_text('{"cells": []}')
    path.symlink_to("other.ipynb")


def bound_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)  # a socket's address has to be short


@pytest.mark.parametrize(
    ("put", "got"),
    [
        (link, "a symbolic link"),
        (link_to_a_notebook, "a symbolic link"),
        (Path.mkdir, "a folder"),
        (os.mkfifo, "a pipe"),
        (bound_socket, "a socket"),
        (lambda path: None, "no such file"),
    ],
)
def test_nothing_but_a_regular_file_is_opened(path, put, got, monkeypatch):
    monkeypatch.chdir(path.parent)
    put(path)
    assert refused(path).got == got


def test_what_became_a_pipe_meanwhile_is_not_waited_for(path, monkeypatch):
    path.write_text("{}")
    regular = path.lstat()
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(type(path), "lstat", lambda self: regular)
    assert refused(path).got == "a pipe"


KEYS = ["cell_type", "source", "input", "level", "metadata", "nbgrader", "grade_id", "id"]
KEYS += ["outputs", "attachments", "image.png", "image/png", "worksheets", "autograder", "copy_of"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
kinds = st.sampled_from(["code", "markdown", "raw", "heading", "x", None])
strange_cells = st.builds(
    lambda kind, more: {"cell_type": kind, **more} if isinstance(more, dict) else more,
    kinds,
    json_values,
)


@given(st.lists(strange_cells, max_size=5), json_values)
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_list_of_cells_becomes_a_valid_notebook(path, found, metadata):
    notebook, _ = read(path, {"cells": found, "metadata": metadata})
    nbformat.writes(notebook).encode()
    assert len(notebook.cells) == sum(isinstance(cell, dict) for cell in found)


@given(st.binary(max_size=60))
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_bytes_of_any_kind_are_refused_in_words(path, content):
    path.write_bytes(content)
    with pytest.raises(BadInputError):
        reading.read(path)
