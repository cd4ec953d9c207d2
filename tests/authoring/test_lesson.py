import pytest

from autograder.authoring import lesson
from autograder.problem import BadInputError


def test_a_sound_lesson(lesson_text):
    assert len(lesson.read(lesson_text, "sums.py")) == 11


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('# %% locked="a"\n\n# %% solution="a"\n', 3, "the id 'a', used in line 1 already"),
        ('# %% test="a"\n', 1, "points=None"),
        ('# %% [markdown] essay="a"\n', 1, "points=None"),
        ('# %% test="a" points=-1\n', 1, "points=-1"),
        ('# %% test="a" points=True\n', 1, "points=True"),
        ('# %% test="a" points=inf\n', 1, "points=inf"),
        ('# %% solution="a" points=3\n', 1, "no points"),
        ('# %% locked="a" points=0\n', 1, "no points"),
        ("# %%\nx = 1\n### BEGIN SOLUTION\n### END SOLUTION\n", 3, "a cell without a marker"),
        ('# %% test="a" points=1\n### BEGIN SOLUTION\n### END SOLUTION\n', 2, "marked test"),
        ('# %% solution="a"\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n', 2, "marked: test"),
        ("# %% [markdown]\n# BEGIN MARK SCHEME\n# END MARK SCHEME\n", 2, "no cell of a lesson"),
        ('# %% solution="a"\n### BEGIN SOLUTION\n', 2, "without an END"),
        ('# %% solution="a"\n### END SOLUTION\n', 2, "no BEGIN before it"),
        (
            '# %% solution="a"\n### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n',
            3,
            "another BEGIN SOLUTION",
        ),
    ],
)
def test_refuses(text, line, words):
    with pytest.raises(BadInputError) as refused:
        lesson.read(text, "lesson.py")
    (problem,) = refused.value.problems
    assert problem.where == f"lesson.py, line {line}"
    assert words in str(problem)
