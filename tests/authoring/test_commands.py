import subprocess
import sys

import pytest


def test_a_student_needs_no_staff_packages():
    imported = "import sys, autograder.authoring.commands; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", imported], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"jupytext", "nbformat", "nbgrader"} & set(modules)


@pytest.mark.parametrize("flag", [[], ["--check"], ["--pull"]])
def test_build_without_a_course(run, tmp_path, capsys, flag):
    assert run(tmp_path, "build", *flag) == 2
    assert "course.toml: found no such file" in capsys.readouterr().out


def test_check_and_pull_exclude_each_other(run, tmp_path):
    with pytest.raises(SystemExit):
        run(tmp_path, "build", "--check", "--pull")
