import os
import shutil
from datetime import datetime

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.nbgraderformat import MetadataValidator

SOLUTION = "    total_of_both = a + b\n"
HIDDEN = "assert add(1000, 2000) == 3000\n"


def state(root):
    """Every file of the course but what git ignores: the gradebook and what rooms came to."""
    files = {
        path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
    ignored = (".autograder", "gradebook.db")
    return {path.as_posix(): data for path, data in files.items() if path.parts[0] not in ignored}


def edit(path, change):
    """What a person does in JupyterLab: open, change, save."""
    found = nbformat.read(path, as_version=4)
    change(found)
    nbformat.write(found, path)


def source_of(path):
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def replace(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


# build


def test_makes_source_notebook_and_release(course, run):
    shutil.rmtree(course.root / "release")
    course.source.unlink()
    assert run(course.root, "build") == 0
    assert sorted(state(course.root)) == [
        "course.toml",
        "nbgrader_config.py",
        "release/1-sums/numbers.csv",
        "release/1-sums/sums.ipynb",
        "source/1-sums/numbers.csv",
        "source/1-sums/sums.ipynb",
        "source/1-sums/sums.py",
    ]


def test_two_builds_are_identical(course, run):
    before = state(course.root)
    shutil.rmtree(course.root / "release")
    course.source.unlink()
    assert run(course.root, "build") == 0
    assert state(course.root) == before


def test_an_unchanged_file_is_not_written_again(course, run):
    before = course.source.stat().st_mtime_ns, course.release.stat().st_mtime_ns
    assert run(course.root, "build", "1-sums") == 0
    assert (course.source.stat().st_mtime_ns, course.release.stat().st_mtime_ns) == before


def test_the_release_is_what_a_student_may_see(course):
    said = source_of(course.release)
    for secret in ("total_of_both", "whole_secret_cell", "1000", "commutative"):
        assert secret in course.lesson.read_text()
        assert secret not in course.release.read_text()
    for public in ("def add(a, b):", "assert add(1, 2) == 3", "raise check.NotWritten"):
        assert public in said
    assert "git+https://example.org/tiny.git" in said


def test_the_release_is_valid_for_nbgrader(course):
    release = nbformat.read(course.release, as_version=4)
    nbformat.validate(release)
    MetadataValidator().validate_nb(release)
    locked = next(cell for cell in release.cells if cell.id == "setup")
    assert (locked.metadata.editable, locked.metadata.deletable) == (False, False)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("points=2\n", "points=-2\n", "sums.py, line 35: found test='add-small' with points=-2"),
        ('test="add-half"', 'test="add"', "used in line 23 already"),
    ],
)
def test_an_unsound_lesson_changes_nothing(course, run, capsys, before, after, words):
    replace(course.lesson, before, after)
    unbuilt = state(course.root)
    assert run(course.root, "build") == 2
    assert words in capsys.readouterr().out
    assert state(course.root) == unbuilt


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["2-products"], "no assignment '2-products', expected one of 1-sums"),
        (["1-sums", "--check"], "no lesson there"),
        (["--check"], "no lesson there"),
    ],
)
def test_an_assignment_that_is_not_there(course, run, capsys, argv, words):
    shutil.rmtree(course.root / "source")
    assert run(course.root, "build", *argv) == 2
    assert words in capsys.readouterr().out


def test_a_lesson_that_the_course_does_not_list(course, run, capsys):
    (course.root / "source/1-sums").rename(course.root / "source/1-sum")
    assert run(course.root, "build") == 2
    assert "no assignment '1-sum', expected one of 1-sums" in capsys.readouterr().out


def test_a_course_without_nbgraders_settings(course, run, capsys):
    (course.root / "nbgrader_config.py").unlink()
    assert run(course.root, "build") == 2
    assert "nbgrader_config.py: found no such file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("c.CourseDirectory.ignore = []", "release/1-sums/sums.py: found an unexpected file"),
        ("c.ClearSolutions.enabled = False", "found a solution line of cell 'add': total_of_both"),
        ("c.ClearHiddenTests.enabled = False", "found a hidden test line of cell 'add-small'"),
    ],
)
def test_a_release_that_leaks_is_not_written(course, run, capsys, setting, words):
    with (course.root / "nbgrader_config.py").open("a") as config:
        config.write(setting + "\n")
    before = state(course.root)
    assert run(course.root, "build") == 2
    assert words in capsys.readouterr().out
    assert state(course.root) == before


# nbgrader's own way to add a submission warns.
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_submissions_in_the_gradebook_survive(course, with_gradebook, run, capsys, monkeypatch):
    monkeypatch.setenv("PATH", os.defpath)  # as when the environment is not activated
    assert run(course.root, "build") == 0
    with Gradebook(with_gradebook) as gradebook:
        due = gradebook.find_assignment("1-sums").duedate
        assert due == datetime(2027, 2, 17, 0, 59)  # UTC, an hour ahead
        gradebook.add_student("ada")
        gradebook.add_submission("1-sums", "ada")
    replace(course.lesson, "assert add(1, 2)", "assert add(1, 1 + 1)")
    assert run(course.root, "build") == 0
    with course.lesson.open("a") as text:
        text.write('\n# %% test="more" points=1\nassert True\n')
    before = state(course.root)
    assert run(course.root, "build") == 2
    assert "Cannot add or remove cells for notebook 'sums'" in capsys.readouterr().out
    assert state(course.root) == before
    with Gradebook(with_gradebook) as gradebook:
        assert gradebook.find_submission("1-sums", "ada").max_score == 6.5


def test_an_edit_is_not_built_over(course, run, capsys):
    edit(course.source, lambda found: found.cells[0].update(source="# Edited"))
    before = state(course.root)
    assert run(course.root, "build") == 2
    assert "Run `autograder build --pull 1-sums`" in capsys.readouterr().out
    assert state(course.root) == before


def test_a_notebook_without_a_lesson_is_not_released(course, run, capsys):
    shutil.copy(course.source, course.source.with_name("other.ipynb"))
    before = state(course.root)
    assert run(course.root, "build") == 2
    assert "a notebook without a lesson" in capsys.readouterr().out
    assert state(course.root) == before


def test_what_is_gone_from_the_lesson_goes_from_the_release(course, run):
    (course.root / "source/1-sums/numbers.csv").unlink()
    assert run(course.root, "build") == 0
    assert not (course.folder / "numbers.csv").exists()


# build --check


def test_check_of_a_fresh_build(course, with_gradebook, run, capsys):
    before = state(course.root)
    assert run(course.root, "build", "--check") == 0
    assert "nothing leaks" in capsys.readouterr().out
    assert state(course.root) == before
    assert not (course.root / "gradebook.db").exists()


def test_check_shows_what_is_stale(course, run, capsys):
    replace(course.lesson, "Do not import `operator`.", "Import nothing.")
    assert run(course.root, "build", "--check") == 1
    said = capsys.readouterr().out
    for part in ("source", "release"):
        assert f"{part}/1-sums/sums.ipynb is stale:" in said
    assert said.count("-Do not import `operator`.\n+Import nothing.\n") == 2
    assert "Run: autograder build 1-sums" in said


def test_check_of_a_notebook_with_outputs(course, run, capsys):
    edit(course.source, lambda found: found.cells[3].update(execution_count=3))
    assert run(course.root, "build", "--check") == 1
    assert "is stale (in outputs, ids or layout only)" in capsys.readouterr().out


@pytest.mark.parametrize("part", ["source", "release"])
def test_check_misses_a_file(course, run, capsys, part):
    (course.root / part / "1-sums/sums.ipynb").unlink()
    assert run(course.root, "build", "--check") == 1
    assert f"{part}/1-sums/sums.ipynb is missing." in capsys.readouterr().out


def test_check_of_a_broken_release(course, run, capsys):
    course.release.write_text("{")
    assert run(course.root, "build", "--check") == 1
    assert "expected a Jupyter notebook" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (SOLUTION, "found a solution line of cell 'add': total_of_both = a + b"),
        (HIDDEN, "found a hidden test line of cell 'add-small': assert add(1000, 2000) == 3000"),
        ("whole_secret_cell = 42", "found a solution line of cell 'whole'"),
        (
            "Hint: Because addition is commutative, of course.",
            "found a solution line of cell 'why'",
        ),
    ],
)
def test_check_finds_a_leaked_line(course, run, capsys, line, words):
    edit(course.release, lambda found: found.cells[3].update(source=f"x = 1\n{line}"))
    assert run(course.root, "build", "--check") == 1
    assert f"release/1-sums/sums.ipynb: {words}" in capsys.readouterr().out


def test_check_finds_a_leak_in_an_output(course, run, capsys):
    output = nbformat.v4.new_output("stream", text=SOLUTION)
    edit(course.release, lambda found: found.cells[3].update(outputs=[output]))
    assert run(course.root, "build", "--check") == 1
    assert "found a solution line of cell 'add'" in capsys.readouterr().out


def test_check_allows_a_line_that_stands_openly(course, run, capsys):
    again = "def again(a, b):\n    total_of_both = a + b\n    return total_of_both"
    replace(course.lesson, 'print("play here")', again)
    assert run(course.root, "build") == 0
    assert run(course.root, "build", "--check") == 0


@pytest.mark.parametrize(
    "name",
    ["sums.py", ".ipynb_checkpoints/a.ipynb", "__pycache__/sums.cpython-311.pyc", "b.ipynb"],
)
def test_check_finds_an_unexpected_file(course, run, capsys, name):
    path = course.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    assert run(course.root, "build", "--check") == 1
    said = capsys.readouterr().out
    assert f"release/1-sums/{name}: found an unexpected file" in said
    assert f"release/1-sums/{name} is not part of the release" in said


def test_check_finds_data_that_leaks(course, run, capsys):
    (course.root / "source/1-sums/numbers.csv").write_text(HIDDEN)
    assert run(course.root, "build", "--check") == 1
    said = capsys.readouterr().out
    assert "release/1-sums/numbers.csv: found a hidden test line of cell 'add-small'" in said


def test_check_finds_a_release_without_a_lesson(course, run, capsys):
    (course.root / "release/0-old").mkdir()
    (course.root / "release/0-old/old.ipynb").write_text("{}")
    assert run(course.root, "build", "--check") == 1
    assert "release/0-old/old.ipynb is not part of any" in capsys.readouterr().out
    assert run(course.root, "build", "--check", "1-sums") == 0


# build --pull


def test_pull_of_an_unedited_notebook_keeps_every_byte(course, run):
    # Not how the package would write it; not a reason to change it.
    course.lesson.write_text(course.lesson.read_text().replace("\n\n# %%\n", "\n# %%\n") + "\n\n")
    assert run(course.root, "build") == 0
    before = state(course.root)
    edit(course.source, lambda found: found.cells[3].update(execution_count=3))
    assert run(course.root, "build", "--pull") == 0
    assert course.lesson.read_bytes() == before["source/1-sums/sums.py"]


def test_pull_carries_an_edit_and_only_that(course, run, capsys):
    def change(found):
        found.cells[3].source = 'print("work here")'
        found.cells[3].metadata.tags = ["a"]
        found.cells[3].outputs = [nbformat.v4.new_output("stream", text="work here")]
        found.cells[7].metadata.nbgrader.points = 4
        found.cells[5].source = found.cells[5].source.replace("a + b", "b + a")

    text = course.lesson.read_text()
    edit(course.source, change)
    assert run(course.root, "build", "--pull", "1-sums") == 0
    expected = text.replace("play here", "work here", 1).replace("points=2\n", "points=4\n")
    assert course.lesson.read_text() == expected.replace("a + b", "b + a")
    assert '-print("play here")\n+print("work here")' in capsys.readouterr().out
    assert run(course.root, "build") == 0
    assert run(course.root, "build", "--check") == 0


def test_pull_puts_the_package_back(course, run):
    edit(course.source, lambda f: f.cells[1].update(source=f.cells[1].source + "\nimport os"))
    assert run(course.root, "build", "--pull") == 0
    assert '# %pip install --quiet "{{package}}"\nimport os\n' in course.lesson.read_text()


def test_pull_writes_the_lesson_of_a_new_notebook(course, run):
    course.lesson.unlink()
    assert run(course.root, "build", "--pull") == 0
    assert course.lesson.read_text().startswith("# %% [markdown]\n# # Sums\n")
    assert run(course.root, "build", "--check") == 0


def test_pull_leaves_a_lesson_that_moved_on(course, run, capsys):
    replace(course.lesson, "play here", "work here")
    before = state(course.root)
    assert run(course.root, "build", "--pull") == 0
    assert "No source notebook has an edit to pull." in capsys.readouterr().out
    assert state(course.root) == before


def test_pull_loses_no_edit_when_both_changed(course, run, capsys):
    replace(course.lesson, "play here", "work here")
    edit(course.source, lambda found: found.cells[0].update(source="# Edited"))
    before = state(course.root)
    assert run(course.root, "build", "--pull") == 2
    assert "edits here and in sums.py since the notebook was built" in capsys.readouterr().out
    assert state(course.root) == before


def test_pull_refuses_an_edit_that_is_no_lesson(course, run, capsys):
    def copy_a_cell(found):
        found.cells.append(nbformat.from_dict({**found.cells[5], "id": "another"}))

    edit(course.source, copy_a_cell)
    before = state(course.root)
    assert run(course.root, "build", "--pull") == 2
    assert "the id 'add', used in line" in capsys.readouterr().out
    assert state(course.root) == before


def test_pull_refuses_a_cell_that_the_text_cannot_hold(course, run, capsys):
    edit(course.source, lambda found: found.cells[3].update(source="# %% here"))
    before = state(course.root)
    assert run(course.root, "build", "--pull") == 2
    assert "the code cell that starts '# %% here'" in capsys.readouterr().out
    assert state(course.root) == before
