"""The comment above a test: what it is worth, and what it asks that cannot be seen.

``# 4 points. When you hand in it asks also: stride 3; a stride that does not fit.``
"""

import ast
import re
import textwrap
from collections.abc import Iterator

from autograder.authoring import regions
from autograder.authoring.percent import Cell

WIDTH, INDENT = 88, "#   "
_BANNER = re.compile(rf"# [\d.]+ points?\..*\n(?:{INDENT}.*\n)*\n")


def with_banner(cell: Cell) -> str:
    """The source of a cell with its banner; only a test has one."""
    tests = cell.marker is not None and cell.marker.role == "test"
    return f"{_banner(cell)}\n\n{cell.source}" if tests else cell.source


def without_banner(source: str) -> str:
    """The source as it stands in the lesson's text."""
    return _BANNER.sub("", source, count=1) if _BANNER.match(source) else source


def _banner(cell: Cell) -> str:
    points = cell.marker.points or 0 if cell.marker else 0
    said = f"# {points:g} point{'' if points == 1 else 's'}.{_unseen(cell.source)}"
    return "\n".join(textwrap.wrap(said, WIDTH, subsequent_indent=INDENT, break_on_hyphens=False))


def _unseen(source: str) -> str:
    _, secret = regions.split(source)
    if not secret:
        return ""
    asked = "; ".join(dict.fromkeys(_concepts("\n".join(secret))))
    return (
        f" When you hand in it asks also: {asked}." if asked else " It asks more when you hand in."
    )


def _concepts(source: str) -> Iterator[str]:
    """The names of hidden checks, which a report of their failure says as well."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    for keyword in (keyword for call in calls for keyword in call.keywords):
        if keyword.arg == "concept" and isinstance(keyword.value, ast.Constant):
            yield str(keyword.value.value)
