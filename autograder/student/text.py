"""A report as lines for a terminal and as JSON."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from tabulate import tabulate

from autograder.student.expected import ANSWERS, TESTS
from autograder.student.report import Report, Row

WIDTH = 100
NARROW = 24  # the last column, at least
MOST_NAMES = 12  # of cells that one line is about
UNSURE = (
    "The list of graded cells was read from this notebook itself: what was deleted is not missed. "
    "Compare it with the notebook that you were given: --release FILE"
)


def text(report: Report, name: str) -> str:
    """What a student reads: the graded cells, then what to look at."""
    parts = [_head(report, name), _table(report), _foot(report), *_findings(report)]
    if report.lesson.origin == "notebook" and report.rows:
        parts.append("\n".join(textwrap.wrap(UNSURE, WIDTH)))
    return "\n\n".join(part for part in parts if part)


def as_json(report: Report, name: str) -> str:
    """The same for a program."""
    about = {
        "notebook": name,
        "assignment": report.lesson.assignment,
        "known_from": report.lesson.origin,
        "points": report.lesson.points,
        "fine": report.fine,
        "cells": [asdict(row) for row in report.rows],
        "findings": [asdict(finding) for finding in report.findings],
    }
    return json.dumps(about, indent=1)


def _head(report: Report, name: str) -> str:
    graded = sum(row.kind != ANSWERS for row in report.rows)
    assignment = f"{report.lesson.assignment}, " if report.lesson.assignment else ""
    return f"{name}: {assignment}{graded} graded cells, {report.lesson.points:g} points"


def _table(report: Report) -> str:
    states = {row.id: row.state for row in report.rows}
    rows = [
        (row.id, f"{row.points:g}", _state(row), ", ".join(_answer(states, a) for a in row.needs))
        for row in report.rows
        if row.kind != ANSWERS
    ]
    headers = ("cell", "points", "state", "needs your")
    if not rows:
        return ""
    taken = sum(max(map(len, column)) + 2 for column in list(zip(headers, *rows, strict=True))[:3])
    narrowed = [(*row[:3], _wrapped(row[3], WIDTH - taken)) for row in rows]
    align = ("left", "right", "left", "left")
    return tabulate(narrowed, headers, colalign=align, disable_numparse=True)


def _wrapped(names: str, width: int) -> str:
    return "\n".join(textwrap.wrap(names, max(NARROW, width), break_on_hyphens=False))


def _state(row: Row) -> str:
    return ", ".join(dict.fromkeys([row.state, *row.flags]))


def _answer(states: dict[str, str], name: str) -> str:
    return name if states[name] == "answered" else f"{name} ({states[name]})"


def _foot(report: Report) -> str:
    tests = [row for row in report.rows if row.kind == TESTS]
    passed = sum(row.points for row in tests if row.state == "passed")
    out_of = sum(row.points for row in tests)
    read = report.lesson.points - out_of
    if not report.rows:
        return ""
    essays = f" {read:g} more are given by a person." if read else ""
    fine = "\nThere is nothing to look at." if report.fine else ""
    said = f"Tests worth {passed:g} of {out_of:g} points passed here; hidden ones run when graded."
    return said + essays + fine


def _findings(report: Report) -> Iterator[str]:
    """Findings that say the same are one."""
    if report.fine:
        return
    groups = Counter((finding.flag, finding.says) for finding in report.findings)
    lines = ["To look at:"]
    for flag, says in groups:
        cells = [f.cell for f in report.findings if (f.flag, f.says) == (flag, says)]
        lines += textwrap.wrap(
            f"- {_listed(cells)}: {says}", WIDTH, subsequent_indent="  ", break_on_hyphens=False
        )
    yield "\n".join(lines)


def _listed(names: Sequence[str]) -> str:
    shown, rest = names[:MOST_NAMES], names[MOST_NAMES:]
    return ", ".join(shown) + (f" and {len(rest)} more" if rest else "")
