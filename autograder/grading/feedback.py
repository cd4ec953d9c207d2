"""The pages of feedback and of formgrader: nbgrader's own, faster, and without students' HTML."""

from typing import Any

from jinja2 import Environment, pass_context
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath


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
    """Compiles templates once in a process; nbconvert does it for every notebook anew."""

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()
        environment.bytecode_cache = COMPILED
        return environment


@pass_context
def markdown(context: Context, source: str) -> str:
    """A text cell as HTML. HTML in it is shown as what was typed: a script would else run.

    Stands in for nbconvert's filter ``markdown2html``, which believes whoever wrote the notebook.
    """
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = IPythonRenderer(escape=True, allow_harmful_protocols=False, attachments=attachments)
    return str(MarkdownWithMath(renderer=renderer).render(source))
