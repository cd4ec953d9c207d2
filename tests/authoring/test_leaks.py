import json

import pytest

from autograder.authoring import leaks, lesson


def secret_lines(solution, elsewhere=""):
    region = f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION\n"
    text = f'# %%\n{elsewhere}\n\n# %% solution="f"\n{region}'
    return [secret.line for secret in leaks.secrets(lesson.read(text, "lesson.py"))]


@pytest.mark.parametrize(
    ("solution", "elsewhere", "expected"),
    [
        ("total = a + b", "", ["total = a + b"]),
        ("    total = a + b", "", ["total = a + b"]),
        ("total = a + b", "    total = a + b  # try it", []),
        ("total = a + b", "total = a", ["total = a + b"]),
        ("total = 1\ntotal = 1", "", ["total = 1"]),
        ("try:\n    )", "", []),
        ("raise check.NotWritten", "", []),
    ],
)
def test_what_is_secret(solution, elsewhere, expected):
    assert secret_lines(solution, elsewhere) == expected


def test_a_line_is_found_under_the_escapes_of_json(tmp_path):
    secret = leaks.Secret('say("no\\n")', "solution", "say")
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [{"source": ["x = 1\n", f"{secret.line}\n"]}]}))
    (problem,) = leaks.leaks(tmp_path, [secret], ["a.ipynb"])
    assert secret.line in problem.got


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("photo.JPG", False),
        ("data/numbers.csv", False),
        ("notes.py", True),
        (".hidden/numbers.csv", True),
        ("__pycache__/numbers.csv", True),
        ("Makefile", True),
    ],
)
def test_which_files_are_unexpected(tmp_path, name, expected):
    path = tmp_path / "1-sums" / name
    path.parent.mkdir(parents=True)
    path.write_text("")
    found = [problem.where for problem in leaks.leaks(tmp_path / "1-sums", [], [])]
    assert found == ([f"release/1-sums/{name}"] if expected else [])


def test_a_link_is_unexpected(tmp_path):
    (tmp_path / "target.csv").write_text("")
    folder = tmp_path / "1-sums"
    folder.mkdir()
    (folder / "numbers.csv").symlink_to(tmp_path / "target.csv")
    (problem,) = leaks.leaks(folder, [], [])
    assert problem.got == "an unexpected file"
