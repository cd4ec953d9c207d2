"""The pages of feedback and of formgrader: nbgrader's own, faster, and without students' HTML."""

import re
from functools import lru_cache
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

WORDLESS = re.compile(r"<img (?![^>]*\balt=)")


class _Compiled(BytecodeCache):
    """Templates that were compiled in this process, by name and text."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.code


COMPILED = _Compiled()


class FeedbackExporter(HTMLExporter):
    """Does once in a process what nbconvert does for every notebook anew.

    That is compiling its templates and colouring the lesson's own cells. And it does not parse the
    finished page to mend it, as `HTMLExporter` does: where that adds anything, it is this.
    """

    def from_notebook_node(
        self, nb: NotebookNode, resources: Any = None, **options: Any
    ) -> tuple[str, Any]:
        """The page, and what is known of it."""
        self.register_filter("highlight_code", _highlight)
        resources = self._init_resources(resources)
        page, resources = TemplateExporter.from_notebook_node(self, nb, resources, **options)
        return WORDLESS.sub('<img alt="what this cell drew" ', page), resources

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()
        environment.bytecode_cache = COMPILED
        return environment


def _highlight(source: str, metadata: object = None) -> str:
    return _coloured(source)


@lru_cache(maxsize=256)  # the cells that everybody has, and a few that one has
def _coloured(source: str) -> str:
    return str(Highlight2HTML()(source))


@pass_context
def markdown(context: Context, source: str) -> str:
    """A text cell as HTML. HTML in it is shown as what was typed: a script would else run.

    Stands in for nbconvert's filter ``markdown2html``, which believes whoever wrote the notebook.
    """
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = IPythonRenderer(escape=True, allow_harmful_protocols=False, attachments=attachments)
    return str(MarkdownWithMath(renderer=renderer).render(source))
