"""The pages of feedback: nbgrader's own, made faster."""

from typing import Any

from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache
from nbconvert.exporters import HTMLExporter


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
