import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from autograder.check.record import Outcome, Record
from autograder.check.render import Report, page, text

FAILED = Record(
    "conv_forward(x, w, b)",
    Outcome.FAILED,
    "wrong values",
    inputs="x: (2, 3)",
    got="1",
    expected="2 <b>",
    hint="You flip the filter.",
    arrays=(np.ones((2, 3, 4)), np.zeros((2, 3, 4))),
)


def test_text_says_everything_that_is_known():
    lines = text(FAILED).splitlines()
    assert lines[0] == "✗ conv_forward(x, w, b): wrong values"
    assert [line.split()[0] for line in lines[1:]] == ["hint", "got", "expected", "inputs"]


def test_a_passed_check_is_one_line():
    passed = Record("f(1)", message="= 2", seed=3, inputs="never shown")
    assert text(passed) == "✓ f(1): = 2"
    assert "never shown" not in page(passed)


def test_html_escapes_and_holds_a_picture():
    html = page(FAILED)
    assert "2 &lt;b&gt;" in html
    assert "2 <b>" not in html
    assert 'src="data:image/png;base64,iVBOR' in html
    assert "<img" not in page(FAILED.but(arrays=None))


def test_a_report_offers_both(capsys):
    report = Report(FAILED)
    assert repr(report) == text(FAILED)
    assert report._repr_html_() == page(FAILED)


def test_in_a_notebook_a_failure_ends_in_one_line():
    shell = InteractiveShell()
    with capture_output() as output:
        shell.run_cell("from autograder import check\ncheck.that(len, [1, 2]).returns(3)")
    assert "Traceback" not in output.stdout
    assert output.stdout.strip().splitlines()[-1] == "CheckFailed: wrong value"


def test_an_unwritten_answer_says_so_in_one_line():
    shell = InteractiveShell()
    with capture_output() as output:
        shell.run_cell("from autograder import check\ndef f(x):\n    raise check.NotWritten")
        shell.run_cell("print(f(3) + 1)")
        shell.run_cell("raise check.NotWritten")
    assert output.stdout.splitlines() == ["f is not written yet.", "This cell is not written yet."]
