"""What makes a percent text a lesson: ids, points and regions that nbgrader can work with."""

import math
from collections.abc import Iterator, Sequence

from autograder.authoring import percent, regions
from autograder.authoring.percent import ROLES, Cell
from autograder.problem import BadInputError, Problem, line_of


def read(text: str, name: str) -> list[Cell]:
    """The cells of a lesson.

    Raises:
        BadInputError: with every problem of the file ``name``, by line.
    """
    cells = percent.read(text, name)
    problems = [*_repeated(cells, name)]
    for cell in cells:
        problems += [*_points(cell, name), *_regions(cell, name)]
    if problems:
        raise BadInputError(*problems)
    return cells


def _repeated(cells: Sequence[Cell], name: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for cell in cells:
        if cell.marker and first.setdefault(cell.marker.id, cell.line) != cell.line:
            got = f"the id {cell.marker.id!r}, used in line {first[cell.marker.id]} already"
            yield Problem(line_of(name, cell.line), got, "an id of its own", "Rename one of them.")


def _points(cell: Cell, name: str) -> Iterator[Problem]:
    if not cell.marker:
        return
    points, graded = cell.marker.points, ROLES[cell.marker.role].grade
    if graded and not _is_number(points):
        expected = "points=, a number from 0 up"
    elif points is not None and not graded:
        expected = "no points: a test or an essay has them"
    else:
        return
    got = f"{cell.marker.role}={cell.marker.id!r} with points={points}"
    yield Problem(line_of(name, cell.line), got, expected, "Set it right in the header.")


def _is_number(points: object) -> bool:
    if isinstance(points, bool) or not isinstance(points, int | float):
        return False
    return math.isfinite(points) and points >= 0


def _regions(cell: Cell, name: str) -> Iterator[Problem]:
    for fault in regions.faults(cell.source, cell.marker.role if cell.marker else None):
        where = line_of(name, cell.line + fault.offset)
        yield Problem(where, fault.got, fault.expected, "Move or complete the region.")
