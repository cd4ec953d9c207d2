import json
import os
import re
import shutil
import sysconfig
import time
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from traitlets.config import Config

from autograder import converters
from autograder.authoring import samples
from autograder.course import load
from autograder.grading import choosing, exporter, folder, submission
from autograder.grading.graft import graft
from autograder.problem import BadInputError

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "release/2-convolution/convolution.ipynb"
RELEASE = nbformat.read(LESSON, as_version=4)
ANSWERS = (ROOT / "tests/submissions/2-convolution/correct/loops.py").read_text(encoding="utf-8")
FEW = ANSWERS[: ANSWERS.index('# %% solution="counts"')]
COURSE = """
[course]
id = "c"
title = "C"
term = "T"
time_zone = "UTC"
package = "p"
[assignments.1-a]
[grading]
"""
UNTOUCHED, WORKED, BEGUN = (
    nbformat.writes(notebook).encode()
    for notebook in (RELEASE, samples.fill(RELEASE, ANSWERS), samples.fill(RELEASE, FEW))
)
OTHER = json.dumps({"cells": [{"cell_type": "code", "source": "def corr2d(): pass"}]}).encode()


@pytest.fixture
def course(tmp_path):
    (tmp_path / "course.toml").write_text(COURSE)
    release = tmp_path / "release" / "1-a"
    release.mkdir(parents=True)
    shutil.copy(LESSON, release / "lesson.ipynb")
    return load(tmp_path)


@pytest.fixture
def handed(course):
    path = course.root / "submitted" / "ada" / "1-a"
    path.mkdir(parents=True)
    return path


def put(handed, **contents):
    for name, content in contents.items():
        path = handed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def inside(folder):
    return sorted(path.name for path in folder.iterdir())


def chosen(course):
    """Which notebook counts, by how much of it is answered, and what is said about that."""
    lesson = course.root / "release" / "1-a" / "lesson.ipynb"
    notebook = submission.load(course.root / "submitted" / "ada" / "1-a", lesson)
    grafted, repairs = graft(RELEASE, notebook)
    sources = {cell.source for cell in grafted.cells}
    return len(sources - {cell.source for cell in RELEASE.cells}), [str(r) for r in repairs]


ALL, SOME, NONE = 13, 2, 0


def test_students_are_those_with_a_folder(course):
    for student in ("bob", "ada"):
        (course.root / "submitted" / student / "1-a").mkdir(parents=True)
    assert submission.students(course, "1-a") == ["ada", "bob"]


def test_unknown_assignments_and_empty_batches_are_refused(course):
    with pytest.raises(BadInputError, match=r"no assignment '1-b'.*one of 1-a"):
        submission.students(course, "1-b")
    with pytest.raises(BadInputError, match="no submissions"):
        submission.students(course, "1-a")


def test_what_can_be_read_has_no_problems(course, handed):
    put(handed, **{"lesson.ipynb": b"\xef\xbb\xbf" + WORKED})
    assert submission.problems(course, "1-a", "ada") == []
    assert chosen(course) == (ALL, [])


def test_what_cannot_is_described(course, handed):
    put(handed, **{"lesson.ipynb": b"PK\x03\x04"})
    (problem,) = submission.problems(course, "1-a", "ada")
    assert problem.where.endswith("lesson.ipynb, line 1")
    assert problem.got.startswith("text that is not JSON")


def test_a_missing_notebook_says_what_is_there_instead(course, handed):
    (problem,) = submission.problems(course, "1-a", "ada")
    assert problem.got == "an empty folder"
    put(handed, **{"other.ipynb": OTHER, "b\x1b[31m.pdf": b""})
    (problem,) = submission.problems(course, "1-a", "ada")
    assert problem.got == r"'b\x1b[31m.pdf', 'other.ipynb'"
    assert "lesson.ipynb" in problem.expected


@pytest.mark.parametrize(
    "name",
    [
        "lesson (1).ipynb",
        "Copy_of_lesson.ipynb",
        "Lektion Ada endgültig.ipynb",
        "LESSON.IPYNB",
        "lesson.ipynb.txt",
        "homework/lesson.ipynb",
        "a\udcff.ipynb",
    ],
)
def test_a_notebook_under_another_name_is_known_by_its_cells(course, handed, name):
    put(handed, **{name: WORKED})
    before = (handed / name).stat().st_mtime_ns
    assert submission.prepare(course, "1-a", "ada") == []
    for _ in range(2):  # also when our copy is there
        answered, (said,) = chosen(course)
        assert answered == ALL
        assert said.startswith("notebook: it was called ")
    assert ((handed / name).read_bytes(), (handed / name).stat().st_mtime_ns) == (WORKED, before)
    copy = nbformat.read(handed / "lesson.ipynb", as_version=4)
    assert "def corr2d" in "".join(cell.source for cell in copy.cells)
    assert inside(handed) == sorted({name.split("/")[0], "lesson.ipynb"})


def test_it_is_known_without_any_ids(course, handed):
    notebook = json.loads(WORKED)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        del cell["id"]
    put(handed, **{"Konvolution.ipynb": json.dumps(notebook).encode()})
    answered, (said, *_) = chosen(course)
    assert (answered, said) == (ALL, "notebook: it was called 'Konvolution.ipynb'")


def test_another_lesson_is_not_taken_for_it(course, handed):
    put(handed, **{"other.ipynb": OTHER})
    with pytest.raises(BadInputError, match="expected the notebook lesson"):
        chosen(course)
    assert len(submission.prepare(course, "1-a", "ada")) == 1
    assert inside(handed) == ["other.ipynb"]


@pytest.mark.parametrize(
    ("files", "answered", "said"),
    [
        (
            {"lesson.ipynb": UNTOUCHED, "lesson (1).ipynb": WORKED},
            ALL,
            ["notebook: lesson.ipynb held no answers; 'lesson (1).ipynb' counts"],
        ),
        (
            {"lesson.ipynb": BEGUN, "lesson (1).ipynb": WORKED},
            SOME,
            [
                "notebook: 'lesson (1).ipynb' held answers too; "
                "lesson.ipynb has the right name and counts"
            ],
        ),
        ({"lesson.ipynb": BEGUN, "lesson (1).ipynb": UNTOUCHED}, SOME, []),
        ({"lesson.ipynb": UNTOUCHED, "lesson (1).ipynb": UNTOUCHED}, NONE, []),
        (
            {"lesson.ipynb": b"{", "lesson (1).ipynb": WORKED},
            ALL,
            [
                "notebook: lesson.ipynb was text that is not JSON (Expecting property name "
                "enclosed in double quotes); 'lesson (1).ipynb' counts"
            ],
        ),
        (
            {"lesson.ipynb": OTHER, "lesson (1).ipynb": WORKED},
            ALL,
            ["notebook: lesson.ipynb held no answers; 'lesson (1).ipynb' counts"],
        ),
        (
            {"lesson (1).ipynb": WORKED, "lesson (2).ipynb": BEGUN},
            ALL,
            [
                "notebook: it was called 'lesson (1).ipynb', "
                "of 2 such notebooks the one with most answers"
            ],
        ),
        (
            {"lesson (9).ipynb": WORKED, "lesson (10).ipynb": WORKED},
            ALL,
            [
                "notebook: it was called 'lesson (10).ipynb', "
                "of 2 such notebooks the one with most answers"
            ],
        ),
        ({"lesson.ipynb": BEGUN, ".ipynb_checkpoints/lesson.ipynb": WORKED}, SOME, []),
        ({"lesson.ipynb": BEGUN, "__MACOSX/lesson.ipynb": WORKED}, SOME, []),
    ],
)
def test_of_several_the_one_that_holds_answers_counts(course, handed, files, answered, said):
    put(handed, **files)
    assert submission.prepare(course, "1-a", "ada") == []
    found, repairs = chosen(course)
    assert (found, repairs) == (answered, said)


def test_what_is_handed_in_again_under_the_other_name_counts(course, handed):
    put(handed, **{"lesson (1).ipynb": BEGUN})
    submission.prepare(course, "1-a", "ada")
    put(handed, **{"lesson (1).ipynb": WORKED})
    assert chosen(course)[0] == ALL
    (handed / "lesson (1).ipynb").unlink()
    assert chosen(course) == (SOME, ["notebook: it was called 'lesson (1).ipynb'"])


def test_a_copy_is_not_put_through_a_link_nor_over_anything(course, handed, tmp_path):
    put(handed, **{"lesson (1).ipynb": WORKED})
    (handed / "lesson.ipynb").symlink_to(tmp_path / "victim")
    assert submission.prepare(course, "1-a", "ada") == []
    assert not (tmp_path / "victim").exists()
    assert (handed / "lesson.ipynb").is_symlink()
    answered, (said,) = chosen(course)
    assert answered == ALL
    assert "lesson.ipynb was a symbolic link; 'lesson (1).ipynb' counts" in said


def test_files_are_those_handed_in_beside_notebooks(handed):
    put(handed, **{"helper.py": b"x = 1", "data/a.csv": b"1", "timestamp.txt": b"t"})
    put(
        handed, **{"lesson.ipynb": b"n", "LESSON.IPYNB": b"n", ".git/HEAD": b"h", ".DS_Store": b"d"}
    )
    put(handed, **{"data/timestamp.txt": b"theirs", "params.json": b"{}"})
    taken, left = submission.files(handed, 100)
    assert taken == {
        "data/a.csv": b"1",
        "data/timestamp.txt": b"theirs",
        "helper.py": b"x = 1",
        "params.json": b"{}",
    }
    assert left == []


def test_what_is_no_file_is_left_out_and_said(handed, tmp_path):
    (tmp_path / "secret").write_text("key")
    (handed / "link.txt").symlink_to(tmp_path / "secret")
    (handed / "all").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(handed / "pipe.txt")
    put(handed, **{"a\\b": b"1", "c\n": b"2", "d\udcff": b"3", "kept.txt": b"4", "big": b"x" * 99})
    started = time.monotonic()
    taken, left = submission.files(handed, 50)
    assert time.monotonic() - started < 5
    assert taken == {"kept.txt": b"4"}
    assert sorted(left) == sorted(
        [
            "'all': a symbolic link; left out",
            "'link.txt': a symbolic link; left out",
            "'pipe.txt': a pipe; left out",
            r"'a\\b': a name that not every system has; left out",
            r"'c\n': a name that not every system has; left out",
            r"'d\udcff': a name that not every system has; left out",
            "'big': more than all files may hold together; left out",
        ]
    )


def test_files_are_bounded_in_number_and_together(handed, monkeypatch):
    put(handed, **{f"{i:02}": b"12345" for i in range(40)})
    taken, left = submission.files(handed, 22)
    assert sorted(taken) == ["00", "01", "02", "03"]
    assert len(left) == submission.MOST_TOLD + 1
    assert left[-1] == "and 16 more"
    monkeypatch.setattr(submission, "MOST_FILES", 3)
    assert len(submission.files(handed, 1000)[0]) == 3
    monkeypatch.setattr(folder, "MOST_ENTRIES", 10)
    taken, left = submission.files(handed, 1000)
    assert left[0] == "more files and folders than are looked at; the others were left out"


def test_an_unreadable_file_is_left_out(handed, monkeypatch):
    put(handed, **{"a": b"1"})

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    _, left = submission.files(handed, 10)
    assert left == ["'a': what cannot be opened (Permission denied); left out"]


def test_folders_without_end_are_refused(course, handed, monkeypatch):
    put(handed, **{"lesson.ipynb": WORKED})
    (handed / Path(*"a" * 120)).mkdir(parents=True)
    (problem,) = submission.prepare(course, "1-a", "ada")
    assert problem.got == "too many folders"
    assert submission.problems(course, "1-a", "ada") == [problem]
    shutil.rmtree(handed / "a")
    monkeypatch.setattr(folder, "MOST_FOLDERS", 5)
    for i in range(6):
        (handed / f".hidden/{i}").mkdir(parents=True)
    assert submission.prepare(course, "1-a", "ada")[0].got == "too many folders"


@pytest.mark.parametrize(
    ("content", "when"),
    [
        (b"2027-02-16 23:59:00.123 UTC\n", "2027-02-16 23:59:00.123000"),
        (b"2027-02-16 23:59:00 America/Los_Angeles", "2027-02-17 07:59:00"),
        (b"2027-02-16T23:59:00+01:00", "2027-02-16 22:59:00"),
    ],
)
def test_the_timestamp_is_read_as_nbgrader_reads_it(handed, content, when):
    put(handed, **{"timestamp.txt": content})
    assert str(submission.handed_in(handed)) == when


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"yesterday",
        b"\xff\xfe2",
        b"9" * 999,
        b"1 2 99999999999999999999",
        b"2" * 2000,
        b"2027-02-16 23:59:00 /etc/localtime",
        b"2027-02-16 23:59:00 ../x",
        b"0001-01-01 0:0 +9",
    ],
)
def test_a_timestamp_that_is_no_date_is_said_and_counts_as_none(handed, content):
    put(handed, **{"timestamp.txt": content})
    with pytest.raises(BadInputError, match=r"timestamp\.txt"):
        submission.handed_in(handed)


def test_a_pipe_for_a_timestamp_is_not_waited_for(handed):
    assert submission.handed_in(handed) is None
    os.mkfifo(handed / "timestamp.txt")
    with pytest.raises(BadInputError, match="a pipe"):
        submission.handed_in(handed)


# With nbgrader itself.


def sanitized(notebook, resources):
    """Stands for what is done to a submission before it runs."""
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return notebook, resources


def settings(course):
    config = Config()
    config.CourseDirectory.root = str(course.root)
    config.Autograde.exporter_class = exporter.TolerantExporter
    config.TolerantExporter.course = str(course.root)
    config.Autograde.pre_convert_hook = partial(submission.take_in, course)
    config.Autograde.sanitize_preprocessors = [sanitized]
    config.Autograde.autograde_preprocessors = []
    return config


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory):
    """A gradebook with the lesson in it; making one takes a second."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        # As activating the environment does: nbgrader starts alembic by its bare name.
        patch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)
        with Gradebook(f"sqlite:///{path}") as empty:
            empty.add_assignment("1-a")
            empty.add_notebook("lesson", "1-a")
    return path


@pytest.fixture
def known(course, gradebook):
    """The course with the lesson in its gradebook."""
    shutil.copy(gradebook, course.root)
    return course


def autograde(course, **traits):
    ids = {"assignment_id": "1-a", "student_id": "ada"}
    converters.run(Autograde, settings(course), ids, **traits)


def graded(course):
    folder = course.root / "autograded" / "ada" / "1-a"
    notebook = nbformat.read(folder / "lesson.ipynb", as_version=4)
    assert "kernelspec" in notebook.metadata  # its second reading was nbgrader's own
    return inside(folder), "\n".join(cell.source for cell in notebook.cells)


def test_nbgrader_grades_a_notebook_under_another_name(known, handed, capsys):
    put(handed, **{"Copy_of_lesson.ipynb": WORKED, "timestamp.txt": b"2027-01-01 10:00 UTC"})
    autograde(known)
    names, source = graded(known)
    assert names == ["lesson.ipynb", "timestamp.txt"]
    assert "for i in range(Y.shape[0])" in source
    assert capsys.readouterr().err == ""


def test_nbgrader_copies_and_follows_nothing_else(known, handed, tmp_path, capsys):
    (tmp_path / "secret").write_text("key")
    (handed / "link.txt").symlink_to(tmp_path / "secret")
    (handed / "deep").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(handed / "pipe.txt")
    os.mkfifo(handed / "timestamp.txt")
    put(handed, **{"lesson.ipynb": WORKED, ".hidden": b"", "sub/data.csv": b"1"})
    autograde(known)
    assert graded(known)[0] == ["lesson.ipynb"]
    assert re.search(r"timestamp\.txt: found a pipe, expected a date", capsys.readouterr().err)


def test_nbgrader_grades_again_what_was_handed_in_later(known, handed):
    put(handed, **{"lesson.ipynb": BEGUN, "timestamp.txt": b"2027-01-01 10:00 UTC"})
    autograde(known)
    first = graded(known)[1]
    put(handed, **{"lesson.ipynb": WORKED})
    autograde(known)
    assert graded(known)[1] == first
    put(handed, **{"timestamp.txt": b"2027-01-02 10:00 UTC"})
    autograde(known)
    assert graded(known)[1] != first
    put(handed, **{"timestamp.txt": b"no date"})
    autograde(known, force=True)
    assert graded(known)[0] == ["lesson.ipynb"]


def test_what_nbgrader_cannot_read_is_refused_in_words(known, handed, capsys):
    put(handed, **{"lesson.ipynb": b"{"})
    with pytest.raises(converters.RefusedError, match="text that is not JSON"):
        autograde(known)
    assert "text that is not JSON" in capsys.readouterr().err
    assert not (known.root / "autograded" / "ada" / "1-a").exists()


def test_names_are_written_down_as_any_file_can_hold_them():
    assert choosing.written_down("a\udcff.ipynb") == "a\\udcff.ipynb"
