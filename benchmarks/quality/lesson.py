"""A lesson as its checks see it: setup, answers and tests, run in this process without rooms."""

import ast
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any
from unittest import mock

from IPython.core.inputtransformer2 import TransformerManager

from autograder.authoring import lesson as authoring
from autograder.check import verdict
from autograder.check.record import Record
from autograder.check.render import Report
from autograder.rooms import names

Namespace = dict[str, Any]


@dataclass(frozen=True)
class Lesson:
    """A lesson's cells by their ids, in order.

    Attributes:
        name: of its folder, such as ``2-convolution``.
        setup: the sources of locked cells.
        answers: the reference solutions.
        tests: the test cells, with their hidden parts.
    """

    name: str
    setup: tuple[str, ...]
    answers: Mapping[str, str]
    tests: Mapping[str, str]

    def reached(self, changed: Iterable[str], extra: str = "") -> frozenset[str]:
        """These names and all that answers, and definitions in ``extra``, make of them."""
        found, cells = frozenset(changed), [*self.answers.values(), *definitions(extra).values()]
        while True:
            more = found.union(*(names.defines(c) for c in cells if names.reads(c) & found))
            if more == found:
                return found
            found = more

    def tests_of(self, reached: frozenset[str]) -> dict[str, str]:
        """The test cells that read one of these names, and those whose variables these read."""
        chosen = {id for id, source in self.tests.items() if names.reads(source) & reached}
        while True:
            read = frozenset().union(*(names.reads(self.tests[id]) for id in chosen))
            more = {id for id, source in self.tests.items() if names.defines(source) & read}
            if more <= chosen:
                return {id: source for id, source in self.tests.items() if id in chosen}
            chosen |= more

    def namespace(self, replaced: Mapping[str, str] | None = None, extra: str = "") -> Namespace:
        """What the setup and the answers define; ``extra`` runs last and may define them anew."""
        scope: Namespace = {"__name__": "answers"}
        answers = {**self.answers, **(replaced or {})}
        for source in self.setup:
            exec(code_of(source), scope)
        if "tqdm" in scope:
            scope["tqdm"] = quiet
        for source in (*answers.values(), extra):
            exec(code_of(source), scope)
        return scope


@dataclass(frozen=True)
class Failure:
    """A test cell that gave no points: what its check found, or what else went wrong."""

    test: str
    record: Record | None
    error: str


def read(text: str, name: str) -> Lesson:
    """The lesson in a percent text.

    Raises:
        BadInputError: the text is no lesson.
    """
    cells = [(c.marker, c.source) for c in authoring.read(text, name) if c.type == "code"]

    def of(role: str) -> dict[str, str]:
        return {m.id: source for m, source in cells if m is not None and m.role == role}

    return Lesson(name, tuple(of("locked").values()), of("solution"), of("test"))


def load(path: Path) -> Lesson:
    """The lesson in the file ``source/<name>/<notebook>.py``."""
    return read(path.read_text(encoding="utf-8"), path.parent.name)


def failures(
    tests: Mapping[str, str], scope: Namespace, reports: list[Record] | None = None
) -> Iterator[Failure]:
    """Runs tests, in order, in a copy of ``scope``; every report is appended to ``reports``."""
    scope = dict(scope)
    with _reporting_to([] if reports is None else reports):
        for test, source in tests.items():
            try:
                exec(code_of(source), scope)
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
                yield Failure(test, getattr(error, "record", None), text)


def quiet(steps: Iterable[Any], **_: Any) -> Iterable[Any]:
    """What a lesson's progress bar is here: nothing to see."""
    return steps


@contextlib.contextmanager
def _reporting_to(reports: list[Record]) -> Iterator[None]:
    """Reports are kept and neither displayed nor drawn."""

    def keep(report: Report) -> None:
        reports.append(report.record)

    with mock.patch.object(verdict, "show", keep):
        yield


def definitions(text: str) -> dict[str, str]:
    """The functions and classes of a module, by name, as they are written."""
    nodes = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return {node.name: _written(text, node) for node in nodes}


def _written(text: str, node: ast.FunctionDef | ast.ClassDef) -> str:
    """The lines of a definition, its decorators among them."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])


@lru_cache(1000)
def code_of(source: str) -> CodeType:
    """A cell as code; what only IPython understands (``%pip``) is spelled out."""
    return compile(TransformerManager().transform_cell(source), "answer", "exec")
