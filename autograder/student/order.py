"""Whether what a notebook shows is what running it from top to bottom would show.

A cell's count says when it was run. For every name that a test needs there is the cell that
defines it in a run from the top (the last one above the test), and the cell that had defined it
when the test was run (the one with the largest count below the test's). They must be the same.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from autograder.student.names import defines, reads
from autograder.student.notebook import Cell


def needs(test: Cell, code: Sequence[Cell]) -> dict[str, Cell | None]:
    """The names that a test depends on, and the cells that define them in a run from the top."""
    found: dict[str, Cell | None] = {}
    pending = sorted(reads(test.source))
    while pending:
        name = pending.pop(0)
        if name not in found:
            found[name] = home = next(_above(name, test, code), None)
            pending += sorted(reads(home.source)) if home else []
    return found


def stale(test: Cell, code: Sequence[Cell]) -> str:
    """Why a test that was run would perhaps end otherwise now; '' if nothing says so."""
    if test.count is None:
        return "shows outputs without a number, which are from an older run" * test.has_outputs
    reasons = (_reason(name, home, test, code) for name, home in needs(test, code).items())
    return next((reason for reason in reasons if reason), "")


def disorder(code: Sequence[Cell]) -> Iterator[str]:
    """What the counts of all cells say together."""
    counted = [(cell.count, cell) for cell in code if cell.count is not None]
    if not counted:
        yield "no cell has been run, or all outputs were cleared"
    times = Counter(count for count, _ in counted)
    twice = [count for count in sorted(times) if times[count] > 1]
    if twice:
        yield f"[{twice[0]}] is on {times[twice[0]]} cells: outputs of more than one session"
    late = [(first, then) for first, then in pairwise(counted) if first[0] > then[0]]
    if late:
        (one, above), (two, below) = late[0]
        yield f"not run from top to bottom: {above.name} [{one}] is above {below.name} [{two}]"


def _above(name: str, test: Cell, code: Sequence[Cell]) -> Iterator[Cell]:
    """The cells above a test that define a name, the nearest first."""
    above = (cell for cell in reversed(code) if cell.number < test.number)
    return (cell for cell in above if name in defines(cell.source))


def _reason(name: str, home: Cell | None, test: Cell, code: Sequence[Cell]) -> str:
    before = _defined_before(name, test, code)
    if home is None:
        return f"needs {name}, which only {before.name}, below it, defines" if before else ""
    if home.count is None:
        return f"was run, but {home.name}, which it needs, was not"
    if test.count is not None and home.count > test.count:
        return f"is older than {home.name}: run as [{test.count}], that as [{home.count}]"
    if before is None or before is home:
        return ""
    return f"took {name} from {before.name} [{before.count}], not from {home.name} [{home.count}]"


def _defined_before(name: str, test: Cell, code: Sequence[Cell]) -> Cell | None:
    """The cell that had defined a name last when the test was run."""
    runs = [
        (cell.count, cell)
        for cell in code
        if cell.count is not None and test.count is not None and cell.count < test.count
    ]
    earlier = [(count, cell) for count, cell in runs if name in defines(cell.source)]
    return max(earlier, key=lambda run: run[0], default=(0, None))[1]
