"""Lessons as notebooks: the five markers written out as nbgrader's cell metadata, and back."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.authoring.banner import with_banner, without_banner
from autograder.authoring.percent import ROLES, Cell, Marker
from autograder.problem import BadInputError, Problem

# Stands in the text of a lesson for what a notebook on Colab installs (`Course.package`).
PACKAGE = "{{package}}"
MANIFEST = "receptive_field"  # of a notebook: what is graded, so that a lost cell is missed
HOME = "home"  # a role, and the cell metadata that tells it from other locked cells
BADGE = "badge"  # the cell metadata of the link above the lesson, which is not in its text
_BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
_ANY_BADGE = re.compile(re.escape(_BADGE) + r"\(\S*\)\s*")
_SCHEMA = 3
# What nbformat raises for a text that is not JSON, or JSON of another shape.
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def build(cells: Sequence[Cell], package: str, colab: str = "") -> NotebookNode:
    """The source notebook of a lesson: the same cells give the same bytes.

    Args:
        cells: of the lesson.
        package: what takes the place of ``{{package}}``.
        colab: the address that opens the release in Colab; if given, a badge links to it.
    """
    cells = [replace(cell, source=cell.source.replace(PACKAGE, package)) for cell in cells]
    nodes = [
        _node(cell, identity) for cell, identity in zip(cells, _identities(cells), strict=True)
    ]
    badge = [_badge(colab)] if colab else []
    notebook = nbformat.v4.new_notebook(cells=[*badge, *nodes], metadata=_KERNEL)
    notebook.nbformat_minor = 5
    # Tells an edited notebook from one whose text has moved on (see `edited`).
    notebook.metadata["built_from"] = fingerprint(notebook)
    notebook.metadata[MANIFEST] = {"cells": _manifest(cells)}
    return notebook


def cells(notebook: NotebookNode, package: str, name: str) -> list[Cell]:
    """The cells of a source notebook, without badge, outputs, tags and what else JupyterLab adds.

    Raises:
        BadInputError: a cell's nbgrader metadata is none of the five markers.
    """
    return [replace(cell, source=_unpack(cell.source, package)) for cell in _cells(notebook, name)]


def fingerprint(notebook: NotebookNode) -> str:
    """A digest of what an author can change: text, types and markers of the cells."""
    found = [
        (cell.cell_type, without_banner(cell.source).rstrip(), _grading(cell))
        for cell in notebook.cells
        if not _is_badge(cell)
    ]
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]


def edited(notebook: NotebookNode) -> bool:
    """Whether the notebook was changed after it was built."""
    return bool(notebook.metadata.get("built_from") != fingerprint(notebook))


def read(path: Path) -> NotebookNode:
    """The notebook in a file.

    Raises:
        BadInputError: it is not a notebook.
    """
    return loads(path.read_text(encoding="utf-8", errors="replace"), str(path))


def loads(text: str, name: str) -> NotebookNode:
    """The notebook in a text; ``name`` is what to call it.

    Raises:
        BadInputError: it is not a notebook.
    """
    try:
        notebook: NotebookNode = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except (nbformat.ValidationError, *_UNREADABLE) as error:
        got = str(error).split("\n")[0][:200]
        fix = "Restore the file, or delete it and build it again."
        raise BadInputError(Problem(name, got, "a Jupyter notebook", fix)) from error
    return notebook


def dumps(notebook: NotebookNode) -> str:
    """The text of a notebook's file."""
    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"


def readable(notebook: NotebookNode) -> list[str]:
    """The notebook as lines to compare by eye: each cell's header with its metadata, its text."""
    lines: list[str] = []
    for cell in notebook.cells:
        metadata = {**cell.metadata, "nbgrader": _grading(cell)}
        said = json.dumps({key: value for key, value in metadata.items() if value}, sort_keys=True)
        lines += [f"[{cell.cell_type}] {said}", *cell.source.split("\n"), ""]
    return lines


def _node(cell: Cell, identity: str) -> NotebookNode:
    node: NotebookNode = getattr(nbformat.v4, f"new_{cell.type}_cell")(
        with_banner(cell), id=identity
    )
    if cell.marker:
        node.metadata["nbgrader"] = _metadata(cell.marker)
        if cell.marker.role == HOME:
            node.metadata[HOME] = True
    return node


def _badge(colab: str) -> NotebookNode:
    text = f"{_BADGE}({colab})"
    return nbformat.v4.new_markdown_cell(text, id="open-in-colab", metadata={BADGE: True})


def _is_badge(node: NotebookNode) -> bool:
    # Not if something was written into it, or it was merged with the cell below: that is an edit.
    return bool(node.metadata.get(BADGE)) and bool(_ANY_BADGE.fullmatch(node.source))


def _manifest(cells: Iterable[Cell]) -> list[dict[str, Any]]:
    return [
        {"id": cell.marker.id, "kind": cell.marker.role, "points": cell.marker.points or 0}
        for cell in cells
        if cell.marker
    ]


def _metadata(marker: Marker) -> dict[str, Any]:
    role = ROLES[marker.role]
    points = {} if marker.points is None else {"points": marker.points}
    return {
        "grade": role.grade,
        "grade_id": marker.id,
        "locked": role.locked,
        **points,
        "schema_version": _SCHEMA,
        "solution": role.solution,
        "task": False,
    }


def _identities(cells: Iterable[Cell]) -> list[str]:
    """Ids that do not move: a marked cell's own, otherwise a digest of what it says."""
    seen: Counter[str] = Counter()
    identities = []
    for cell in cells:
        said = f"{cell.type}\n{cell.source}"
        digest = hashlib.sha256(f"{seen[said]}\n{said}".encode()).hexdigest()[:12]
        seen[said] += 1
        identities.append(cell.marker.id if cell.marker else f"plain-{digest}")
    return identities


def _grading(cell: NotebookNode) -> dict[str, Any]:
    # Without what nbgrader computes from the cell itself.
    found = cell.metadata.get("nbgrader", {})
    known = {key: found[key] for key in found if key not in ("checksum", "cell_type")}
    return {**known, HOME: True} if cell.metadata.get(HOME) else known


def _cells(notebook: NotebookNode, name: str) -> list[Cell]:
    return [
        Cell(
            node.cell_type,
            without_banner(node.source).rstrip(),
            _marker(node, f"{name}, cell {number}"),
        )
        for number, node in enumerate(notebook.cells, start=1)
        if not _is_badge(node)
    ]


def _marker(node: NotebookNode, where: str) -> Marker | None:
    found = _grading(node)
    switches = tuple(bool(found.get(key)) for key in ("grade", "locked", "solution", "task"))
    if not any(switches):
        return None
    if found.get(HOME) and switches == (False, True, False, False):
        return Marker(HOME, str(found.get("grade_id")))
    for name, role in ROLES.items():
        if (role.grade, role.locked, role.solution, False) == switches:
            points = found.get("points") if role.grade else None
            return Marker(name, str(found.get("grade_id")), points)
    on = ", ".join(key for key in ("grade", "locked", "solution", "task") if found.get(key))
    raise BadInputError(
        Problem(
            where=where,
            got=f"nbgrader metadata with {on}",
            expected="read-only, autograded answer, autograded tests or manually graded answer",
            fix="Choose one of these in JupyterLab's Create Assignment panel.",
        )
    )


def _unpack(source: str, package: str) -> str:
    return source.replace(package, PACKAGE) if package else source
