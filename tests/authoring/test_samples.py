import nbformat
import pytest

from autograder.authoring import samples
from autograder.problem import BadInputError

ANSWERS = """# %% solution="add"
def add(a, b):
    return a - b

# %% [markdown] essay="why"
# I do not know.
"""


def sources(path):
    return {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}


@pytest.fixture
def release(course):
    return nbformat.read(course.release, as_version=4)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "samples" / "1-sums"
    for group in ("wrong", "mangled"):
        (folder / group).mkdir(parents=True)
    (folder / "wrong/minus.py").write_text(ANSWERS)
    (folder / "mangled/broken.ipynb").write_text("not JSON")
    (folder / "wrong/.ipynb_checkpoints").mkdir()
    (folder / "wrong/.ipynb_checkpoints/minus-checkpoint.py").write_text(ANSWERS)
    return folder


def test_fill_replaces_the_answers_and_nothing_else(release):
    filled = samples.fill(release, ANSWERS)
    before = {cell.id: cell.copy() for cell in release.cells}
    changed = {cell.id: cell.source for cell in filled.cells if cell != before[cell.id]}
    assert changed == {"add": "def add(a, b):\n    return a - b", "why": "I do not know."}
    assert "raise check.NotWritten" in before["add"].source


@pytest.mark.parametrize(
    ("answers", "line", "words"),
    [
        ('# %% solution="ad"\n', 1, "an answer to 'ad', expected one of add (code), whole"),
        ('# %% solution="why"\n', 1, "an answer to 'why'"),
        ('# %% solution="add"\n\n# %%\nx = 1\n', 3, "the cell '# %%'"),
        ('# %% test="add-small"\n', 1, "only cells marked"),
        ('# %% solution="add"\n# %% solution="add"\n', 2, "the id 'add' again"),
        ("x = 1\n", 1, "only comments"),
    ],
)
def test_fill_refuses(release, answers, line, words):
    with pytest.raises(BadInputError) as refused:
        samples.fill(release, answers, "mine.py")
    problem = refused.value.problems[0]
    assert problem.where == f"mine.py, line {line}"
    assert words in str(problem)


def test_reference_answers_are_the_solutions(course):
    answers = samples.reference_answers(nbformat.read(course.source, as_version=4))
    assert answers == {
        "add": 'def add(a, b):\n    """The sum."""\n    total_of_both = a + b\n'
        "    return total_of_both",
        "whole": "whole_secret_cell = 42",
        "why": "Because addition is commutative, of course.",
    }


def test_hands_in_every_sample(course, folder, run, tmp_path, capsys):
    into = tmp_path / "into"
    assert run(course.root, "samples", folder, "--into", into) == 0
    assert "4 submissions of 1-sums: broken, minus, reference, untouched" in capsys.readouterr().out
    handed_in = {path.parts[-3]: path for path in into.glob("submitted/*/1-sums/sums.ipynb")}
    assert sorted(handed_in) == ["broken", "minus", "reference", "untouched"]
    assert handed_in["broken"].read_text() == "not JSON"
    assert handed_in["untouched"].read_bytes() == course.release.read_bytes()
    assert "return a - b" in sources(handed_in["minus"])["add"]
    reference = sources(handed_in["reference"])
    assert "total_of_both = a + b" in reference["add"]
    assert "SOLUTION" not in reference["add"]
    assert "1000" not in reference["add-small"]


def test_what_a_sample_leaves_out_is_the_reference_or_in_partial_nothing(
    course, folder, run, tmp_path
):
    (folder / "partial").mkdir()
    for group in ("wrong", "partial"):
        (folder / group / f"{group}_only.py").write_text('# %% solution="whole"\nx = 1\n')
    assert run(course.root, "samples", folder, "--into", tmp_path / "into") == 0
    handed_in = {p.parts[-3]: p for p in (tmp_path / "into").glob("submitted/*/1-sums/sums.ipynb")}
    wrong, partial = sources(handed_in["wrong_only"]), sources(handed_in["partial_only"])
    assert wrong["whole"] == partial["whole"] == "x = 1"
    assert "total_of_both = a + b" in wrong["add"]
    assert "raise check.NotWritten" in partial["add"]


@pytest.mark.parametrize("taken", ["correct/minus.py", "correct/reference.py", "untouched.ipynb"])
def test_refuses_a_name_that_is_taken(course, folder, run, capsys, taken, tmp_path):
    (folder / taken).parent.mkdir(exist_ok=True)
    (folder / taken).write_text(ANSWERS)
    assert run(course.root, "samples", folder, "--into", tmp_path / "into") == 2
    assert "which another sample has" in capsys.readouterr().out
    assert not (tmp_path / "into").exists()


def test_refuses_an_empty_folder(course, run, capsys, tmp_path):
    argv = ["samples", tmp_path / "none" / "1-sums", "--into", tmp_path / "into"]
    assert run(course.root, *argv) == 2
    assert "found no samples" in capsys.readouterr().out


def test_a_folder_says_which_assignment_unless_told(course, folder, run, capsys, tmp_path):
    folder = folder.rename(tmp_path / "mine")
    argv = ["samples", folder, "--into", tmp_path / "into"]
    assert run(course.root, *argv) == 2
    assert "no assignment 'mine', expected one of 1-sums" in capsys.readouterr().out
    assert run(course.root, *argv, "--assignment", "1-sums") == 0


def test_wants_an_assignment_of_one_notebook(course, folder, run, capsys, tmp_path):
    course.lesson.with_name("more.py").write_text("# %%\n")
    assert run(course.root, "samples", folder, "--into", tmp_path / "into") == 2
    assert "several lessons: more, sums" in capsys.readouterr().out
