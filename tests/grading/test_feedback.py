import nbformat
import pytest
from traitlets.config import Config

from autograder.grading.feedback import FeedbackExporter, markdown

HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "a handler": "<img src=x onerror=alert(1)>",
    "a frame": "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "a script in mathematics": "$x <script>alert(1)</script>$",
    "a link that runs": "[look](javascript:alert(1))",
    "a link in disguise": "[look](java&#115;cript:alert(1))",
    "a picture that runs": "![look](javascript:alert(1))",
    "an attachment": "![p](attachment:a.png)",
}


def page(source):
    cell = nbformat.v4.new_markdown_cell(source)
    cell.attachments = {"a.png": {"image/png": 'AA"><script>alert(1)</script>'}}
    notebook = nbformat.v4.new_notebook(cells=[cell])
    config = Config(HTMLExporter={"filters": {"markdown2html": markdown}})
    return FeedbackExporter(config=config).from_notebook_node(notebook)[0]


EMPTY = page("")


@pytest.mark.parametrize("what", HOSTILE)
def test_html_of_a_students_is_only_shown(what):
    found = page(HOSTILE[what])
    for live in ("<script", "<img src=x", "<iframe", 'href="java', 'src="java'):
        assert found.lower().count(live) == EMPTY.lower().count(live)


def test_a_text_answer_is_still_markdown():
    found = page("**bold**, `a < b`, $x < y$, [link](https://example.org)\n\n- one\n- two")
    assert "<strong>bold</strong>" in found and "<code>a &lt; b</code>" in found
    assert "$x &lt; y$" in found and 'href="https://example.org"' in found and "<li>one" in found
