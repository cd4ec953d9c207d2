"""The parts of a cell that students never see: between ``### BEGIN X`` and ``### END X``."""

from collections.abc import Iterator
from dataclasses import dataclass

# Which roles may hold which region. nbgrader knows a third kind, for task cells, which have no
# marker here: it is listed so that it is refused instead of being released.
ALLOWED = {
    "SOLUTION": ("solution", "essay"),
    "HIDDEN TESTS": ("test",),
    "MARK SCHEME": (),
}


@dataclass(frozen=True)
class Fault:
    """A region that cannot be used: how many lines below the cell's header, and what is wrong."""

    offset: int
    got: str
    expected: str


def faults(source: str, role: str | None) -> Iterator[Fault]:
    """Everything wrong with the regions of one cell of this role."""
    for kind, roles in ALLOWED.items():
        yield from _misplaced(source, kind, role, roles)
        yield from _unbalanced(source, kind)


def split(source: str) -> tuple[list[str], list[str]]:
    """The public and the secret lines of a cell, as nbgrader divides them, without delimiters.

    The regions are taken to be balanced (see `faults`).
    """
    public: list[str] = []
    secret: list[str] = []
    current = public
    for line in source.split("\n"):
        delimiter = next((edge for kind in ALLOWED if (edge := _edge(line, kind))), None)
        if delimiter:
            current = secret if delimiter == "BEGIN" else public
        else:
            current.append(line)
    return public, secret


def without_delimiters(source: str) -> str:
    """The cell with everything in it but the lines that open and close a region."""
    lines = source.split("\n")
    return "\n".join(line for line in lines if not any(_edge(line, kind) for kind in ALLOWED))


def _edge(line: str, kind: str) -> str | None:
    # Anywhere in the line, because that is how nbgrader looks for them.
    return next((edge for edge in ("BEGIN", "END") if f"{edge} {kind}" in line), None)


def _edges(source: str, kind: str) -> Iterator[tuple[int, str]]:
    for offset, line in enumerate(source.split("\n"), start=1):
        if edge := _edge(line, kind):
            yield offset, edge


def _misplaced(source: str, kind: str, role: str | None, roles: tuple[str, ...]) -> Iterator[Fault]:
    if role in roles:
        return
    for offset, edge in _edges(source, kind):
        if edge == "BEGIN":
            cell = f"a cell marked {role}" if role else "a cell without a marker"
            home = " or ".join(roles) or "no cell of a lesson"
            yield Fault(offset, f"BEGIN {kind} in {cell}", f"it only in a cell marked: {home}")


def _unbalanced(source: str, kind: str) -> Iterator[Fault]:
    opened: int | None = None
    for offset, edge in _edges(source, kind):
        if (edge == "BEGIN") == (opened is not None):
            before = "END" if opened is None else "another BEGIN"
            got = f"{before} {kind}" if opened else f"END {kind} with no BEGIN before it"
            yield Fault(offset, got, f"one BEGIN {kind}, then one END {kind}")
        opened = offset if edge == "BEGIN" else None
    if opened is not None:
        yield Fault(opened, f"BEGIN {kind} without an END", f"END {kind} further down in the cell")
