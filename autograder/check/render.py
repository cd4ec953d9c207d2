"""A record as text for a terminal and as HTML for a notebook."""

import base64
import html
from dataclasses import dataclass

from autograder.check.record import Array, Outcome, Record

MARKS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✗",
    Outcome.COULD_NOT_RUN: "…",
    Outcome.GRADER_BROKE: "!",
}
COLOURS = {
    Outcome.PASSED: "#1a7f37",
    Outcome.FAILED: "#b3261e",
    Outcome.COULD_NOT_RUN: "#8a6100",
    Outcome.GRADER_BROKE: "#6a3fa0",
}


def rows(record: Record) -> list[tuple[str, str]]:
    """The labelled lines of a report, in the order in which a student needs them."""
    lines = [
        ("hint", record.hint),
        ("error" if record.trace else "got", record.got),
        ("expected", record.expected),
        ("where", record.where),
        ("inputs", record.inputs),
        ("your code", "\n".join(record.trace)),
        ("seed", str(record.seed) if record.seed else ""),
    ]
    return [(label, value) for label, value in lines if value]


def text(record: Record) -> str:
    """The report for a terminal."""
    head = f"{MARKS[record.outcome]} {record.call}: {record.message}"
    if record.outcome is Outcome.PASSED:
        return head
    return "\n".join([head, *(f"  {label:<9} {value}" for label, value in rows(record))])


def page(record: Record) -> str:
    """The report for a notebook: one line when passed, at most a screen when not."""
    colour = COLOURS[record.outcome]
    head = (
        f'<b style="color:{colour}">{MARKS[record.outcome]}</b> '
        f"<code>{html.escape(record.call)}</code> {html.escape(record.message)}"
    )
    if record.outcome is Outcome.PASSED:
        return f"<div>{head}</div>"
    table = "".join(_row(label, value) for label, value in rows(record))
    return (
        f'<div style="border-left:4px solid {colour};padding:2px 0 2px 12px">{head}'
        f'<table style="margin:6px 0;text-align:left">{table}</table>'
        f"{_picture(record.arrays)}</div>"
    )


def _row(label: str, value: str) -> str:
    cell = "text-align:left;vertical-align:top;padding:1px 12px 1px 0;white-space:pre-wrap"
    strong = "font-weight:600" if label == "hint" else ""
    return (
        f'<tr><td style="{cell};opacity:.7">{label}</td>'
        f'<td style="{cell};{strong}">{html.escape(value)}</td></tr>'
    )


def _picture(arrays: tuple[Array, Array] | None) -> str:
    if arrays is None:
        return ""
    from autograder.show import error_map, png

    data = base64.b64encode(png(error_map(*arrays))).decode()
    return f'<img alt="got, expected and where they differ" src="data:image/png;base64,{data}">'


@dataclass(frozen=True)
class Report:
    """What a notebook displays: HTML where the page can show it, text elsewhere."""

    record: Record

    def __repr__(self) -> str:
        return text(self.record)

    def _repr_html_(self) -> str:
        return page(self.record)


def show(report: Report) -> None:
    """Displays a report in a notebook, or prints it outside of one."""
    try:
        from IPython.display import display
    except ModuleNotFoundError:
        print(repr(report))
    else:
        display(report)
