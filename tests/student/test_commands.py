"""What a student types, sees, and gets told about a file that is no notebook."""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from autograder.problem import BadInputError
from autograder.student import commands

ROOT = Path(__file__).parents[2]
RELEASE = ROOT / "release" / "2-convolution" / "convolution.ipynb"


@pytest.fixture
def validate(capsys):
    def run(*argv):
        parser = ArgumentParser()
        commands.add_to(parser.add_subparsers())
        arguments = parser.parse_args(["validate", *map(str, argv)])
        status = arguments.run(arguments)
        return status, capsys.readouterr().out

    return run


@pytest.fixture
def saved(tmp_path):
    def save(notebook):
        path = tmp_path / "lesson.ipynb"
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return path

    return save


def test_a_clean_notebook_is_a_screen_and_fine(validate, saved, worked):
    status, out = validate(saved(worked))
    lines = out.splitlines()
    assert status == 0
    assert len(lines) <= 36 and max(map(len, lines[1:])) <= 100
    assert lines[0].endswith("lesson.ipynb: 2-convolution, 27 graded cells, 73 points")
    assert "Tests worth 65 of 65 points passed here; hidden ones run when graded." in out
    assert "8 more are given by a person.\nThere is nothing to look at." in out


def test_the_columns_are_aligned(validate, saved, worked):
    _, out = validate(saved(worked))
    table = out.split("\n\n")[1].splitlines()
    place = table[0].index("state")
    states = [line[place:].split("  ")[0].strip() for line in table[2:]]
    assert states == ["passed"] * 25 + ["answered"] * 2


def test_what_there_is_to_look_at_is_grouped(validate, saved, worked, cell):
    for name in ("corr2d", "im2col"):
        cell(worked, name)["source"] = f"def {name}():\n    raise check.NotWritten"
    status, out = validate(saved(worked))
    assert status == 1
    assert "- corr2d, im2col: nothing is written there yet." in out
    assert "corr2d (still empty)" in out


def test_long_lists_of_cells_are_cut(validate):
    status, out = validate(RELEASE)
    assert status == 1
    assert "and 13 more: it was not run." in " ".join(out.split())


def test_where_nothing_lists_the_cells_it_says_so(validate, saved, worked):
    del worked["metadata"]["receptive_field"]
    status, out = validate(saved(worked))
    assert status == 0
    assert "--release FILE" in out
    status, out = validate(saved(worked), "--release", RELEASE)
    assert status == 0
    assert "--release FILE" not in out


def test_json(validate, saved, worked, cell):
    worked["cells"].remove(cell(worked, "corr2d"))
    status, out = validate(saved(worked), "--json")
    found = json.loads(out)
    assert status == 1
    assert (found["assignment"], found["points"], found["fine"]) == ("2-convolution", 73, False)
    rows = {row["id"]: row for row in found["cells"]}
    assert rows["corr2d"]["state"] == "deleted" and rows["corr2d"]["flags"] == ["deleted"]
    assert {finding["cell"] for finding in found["findings"]} == {"corr2d"}


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (None, "no such file"),
        (b'{"cells": [\n {"cell_type": ', "line 2: found text that is not JSON"),
        (b"", "line 1: found text that is not JSON"),
        (b"\xff\xfe\x00\xd8x", "bytes that are no text"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1, 2]", "JSON without a list of cells"),
        (b'{"cells": {}}', "JSON without a list of cells"),
    ],
)
def test_what_is_no_notebook_is_told_so(validate, tmp_path, content, got):
    path = tmp_path / "lesson.ipynb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInputError, match=got) as raised:
        validate(path)
    assert "expected a Jupyter notebook" in str(raised.value)


def test_a_folder_and_a_pipe_are_told_so(validate, tmp_path):
    with pytest.raises(BadInputError, match="found a folder"):
        validate(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInputError, match="something else than a file"):
        validate(tmp_path / "pipe")


def test_a_notebook_too_large_to_be_graded_is_told_so(validate, tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.student.notebook.MOST_BYTES", 10)
    (tmp_path / "lesson.ipynb").write_bytes(b" " * 11)
    with pytest.raises(BadInputError, match="more than 10 bytes"):
        validate(tmp_path / "lesson.ipynb")


def test_a_release_without_graded_cells_is_refused(validate, saved, tmp_path):
    path = saved({"cells": [], "metadata": {}})
    with pytest.raises(BadInputError, match="without graded cells"):
        validate(RELEASE, "--release", path)


def test_files_with_a_byte_order_mark_or_in_utf_16_are_read(validate, tmp_path, worked):
    path = tmp_path / "lesson.ipynb"
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_bytes(json.dumps(worked, ensure_ascii=False).encode(encoding))
        assert validate(path)[0] == 0


WITHOUT = """
import sys
from argparse import ArgumentParser
for name in ("torch", "nbgrader", "jupytext", "nbformat", "nbconvert", "IPython", "jinja2"):
    sys.modules[name] = None  # importing it raises ModuleNotFoundError
from autograder.student import commands
parser = ArgumentParser()
commands.add_to(parser.add_subparsers())
arguments = parser.parse_args(["validate", sys.argv[1]])
sys.exit(arguments.run(arguments))
"""


def test_it_needs_only_what_every_student_has():
    command = [sys.executable, "-c", WITHOUT, str(RELEASE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert "27 graded cells, 73 points" in done.stdout
