import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.authoring import percent
from autograder.authoring.percent import Cell, Marker
from autograder.problem import BadInputError


def test_reads_every_marker(lesson_text):
    markers = [cell.marker for cell in percent.read(lesson_text, "sums.py")]
    assert markers == [
        None,
        Marker("locked", "setup"),
        Marker("locked", "rules"),
        None,
        None,
        Marker("solution", "add"),
        Marker("solution", "whole"),
        Marker("test", "add-small", 2),
        Marker("test", "add-half", 1.5),
        Marker("essay", "why", 3),
        Marker("home", "long"),
    ]


def test_reads_text_cells_and_magics(lesson_text):
    cells = percent.read(lesson_text, "sums.py")
    assert cells[0] == Cell("markdown", "# Sums\n\nAdd $a$ and $b$: see `BEGIN`.")
    assert cells[1].source.splitlines()[-1] == '%pip install --quiet "{{package}}"'


def test_cells_know_their_lines(lesson_text):
    lines = lesson_text.split("\n")
    for cell in percent.read(lesson_text, "sums.py"):
        assert lines[cell.line - 1] == percent.header(cell)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = 1\n", 1, "only comments before the first"),
        ('# %%\n\n# %% lokced="a"\n', 3, "lokced"),
        ("# %% Title\n", 1, "Title"),
        ("#%%\n", 1, "'#%%'"),
        ("# In[3]:\n", 1, "In[3]"),
        ("# %% test=\n", 1, "test="),
        ('# %% test="a" points="3"\n', 1, 'write: # %% test="a" points=3'),
        ('# %% solution="a" test="b"\n', 1, 'solution="a" test="b"'),
        ('# %% test="a" test="b" points=3\n', 1, 'test="a" test="b"'),
        ('# %% points=3 test="a"\n', 1, 'write: # %% test="a" points=3'),
        ('# %% {"locked": "a"}\n', 1, 'write: # %% locked="a"'),
        ('# %% tags=["a"]\n', 1, "tags"),
        ('# %% locked="a b"\n', 1, "the id 'a b'"),
        ('# %% locked=""\n', 1, "the id ''"),
        ('# %% locked="été"\n', 1, "the id 'été'"),
        (f'# %% locked="{"a" * 65}"\n', 1, "1 to 64"),
        ('# %% [markdown] solution="a"\n', 1, "solution on a markdown cell"),
        ('# %% essay="a"\n', 1, "essay on a code cell"),
        ('# %% [raw] locked="a"\n', 1, "locked on a raw cell"),
        ("# %%\ndef f():\n    # %% a\n    pass\n", 3, "'    # %% a'"),
        ('# %%\ntext = """\n# %%\n"""\n', 3, "string"),
        ("# %% [markdown]\n# ```\n# %%\n# ```\n", 3, "code block"),
        ("# %%\nx = 1\n# why?\n", 3, "'# why?'"),
        ("# %%\n# cat the columns\n", 2, "'# cat the columns'"),
    ],
)
def test_refuses(text, line, words):
    with pytest.raises(BadInputError) as refused:
        percent.read(text, "lesson.py")
    (problem, *_) = refused.value.problems
    assert problem.where == f"lesson.py, line {line}"
    assert words in str(problem)


def test_tells_all_problems_at_once():
    with pytest.raises(BadInputError) as refused:
        percent.read('# %% lokced="a"\n# %% Title\n# %% locked=""\n', "lesson.py")
    assert [problem.where[-1] for problem in refused.value.problems] == ["1", "2", "3"]


def test_a_commented_comment_stays_a_comment():
    (cell,) = percent.read("# %%\n# # why?\nx = 1\n", "lesson.py")
    assert cell.source == "# why?\nx = 1"


@pytest.mark.parametrize("source", ["# %% a", "%%bash\nls", "a\x0cb", "a\u2028b"])
def test_refuses_to_write_what_it_could_not_read(source):
    with pytest.raises(BadInputError, match="percent format cannot hold"):
        percent.write([Cell("code", source)])


# Of these any text can be made that is neither a header nor a magic.
TOKENS = ["x", "def f():", "    ", " ", "=", "1.5", "# a note", "é×−", "\n", "\n\n", "{{package}}"]
ids = st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")
points = st.integers(0, 100) | st.floats(0, 100)


def cells(sources):
    marked = st.one_of(
        st.tuples(st.sampled_from(["code", "markdown"]), st.none()),
        st.tuples(st.sampled_from(["code", "markdown"]), st.builds(Marker, st.just("locked"), ids)),
        st.tuples(st.just("code"), st.builds(Marker, st.just("solution"), ids)),
        st.tuples(st.just("code"), st.builds(Marker, st.just("test"), ids, points)),
        st.tuples(st.just("markdown"), st.builds(Marker, st.just("essay"), ids, points)),
    )
    stripped = sources.map(str.rstrip)
    return st.builds(lambda kind, source: Cell(kind[0], source, kind[1]), marked, stripped)


@settings(max_examples=40, deadline=None)
@given(st.lists(cells(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join)), max_size=5))
def test_what_is_written_is_read_again(written):
    text = percent.write(written)
    assert percent.read(text, "lesson.py") == written
    assert percent.write(percent.read(text, "lesson.py")) == text
    assert percent.write(written, like=text) == text


@settings(max_examples=40, deadline=None)
@given(st.lists(cells(st.text(st.characters(codec="utf-8"), max_size=40)), max_size=3))
def test_any_text_is_kept_or_refused(written):
    try:
        found = percent.read(percent.write(written), "lesson.py")
    except BadInputError:
        return
    assert found == written


def test_cells_keep_their_wording():
    text = '# Mine.\n\n# %% [markdown]\n"""\nquoted\n"""\n# %%\nx = 1\n\n\n\n# %%\ny = 2\n'
    cells = percent.read(text, "lesson.py")
    assert percent.write(cells, like=text) == text
    edited = [cells[0], Cell("code", "new = 0"), cells[1], Cell("code", "y = 3")]
    assert percent.write(edited, like=text) == (
        '# Mine.\n\n# %% [markdown]\n"""\nquoted\n"""\n# %%\nnew = 0\n\n'
        "# %%\nx = 1\n\n\n\n# %%\ny = 3\n"
    )
