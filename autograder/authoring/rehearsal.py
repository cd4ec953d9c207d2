"""The reference solution in two rooms, before anything is released.

When grading, tests run where no student code is (`autograder.rooms`). Most that works in one
notebook works there too; what does not is found here, on the reference, and not on a student's.
A lesson that passed is not run again until it changes, or the package or a library does.
"""

import builtins
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from tqdm import tqdm

from autograder.authoring.build import Source
from autograder.authoring.percent import Cell
from autograder.course import Course
from autograder.problem import Problem
from autograder.rooms import names
from autograder.rooms.house import House
from autograder.rooms.job import Cell as RoomCell
from autograder.rooms.job import Job, Place, Result
from autograder.rooms.results import Results, folder_of

Run = Callable[[Job], Result]

_PLACES = {"locked": Place.BOTH, "home": Place.HOME, "test": Place.EXAMINER}


def of_course(course: Course, sources: Iterable[Source]) -> list[Problem]:
    """Why these lessons could not be graded in two rooms; empty if they can."""
    # The reference is the instructor's own: where nothing can be confined it runs all the same.
    with ThreadPoolExecutor(os.cpu_count(), "rehearse") as pool, House(unsafe=True) as house:
        run = Results(folder_of(course.root), house.run).of
        waiting = [
            pool.submit(
                problems,
                cells,
                f"{source.name}/{name}.py",
                course.assignment(source.name).torch,
                run,
            )
            for source in sources
            for name, cells in source.lessons.items()
        ]
        bar = tqdm(waiting, "trying the references", unit="one", disable=None)
        return [problem for future in bar for problem in future.result()]


def problems(cells: Sequence[Cell], name: str, torch: bool, run: Run) -> list[Problem]:
    """Why this lesson (called ``name``) could not be graded in two rooms; empty if it can."""
    return list(_strays(cells, name)) or list(_failures(cells, name, torch, run))


def place(cell: Cell) -> Place:
    """Where a code cell of a lesson runs."""
    return _PLACES.get(cell.marker.role, Place.STUDENT) if cell.marker else Place.STUDENT


def _strays(cells: Sequence[Cell], name: str) -> Iterator[Problem]:
    """Names that a cell uses and that will not be there, or that a student could set."""
    code = [cell for cell in cells if cell.type == "code" and _kind(cell) != "home"]
    defined: Mapping[str, set[str]] = {
        kind: {n for cell in code if _kind(cell) == kind for n in names.defines(cell.source)}
        for kind in ("locked", "test", "solution", "plain")
    }
    common = defined["locked"] | defined["solution"] | {*dir(builtins), "get_ipython", "display"}
    for cell in code:
        used = names.reads(cell.source) - common
        if _kind(cell) == "test":
            yield from (_untrusted(cell, n, name) for n in sorted(used - defined["test"]))
        else:
            hidden = (used & defined["test"]) - defined["plain"]
            yield from (_unseen(cell, n, name) for n in sorted(hidden))


def _kind(cell: Cell) -> str:
    return cell.marker.role if cell.marker else "plain"


def _title(cell: Cell) -> str:
    return cell.marker.id if cell.marker else cell.source.split("\n")[0]


def _untrusted(cell: Cell, variable: str, name: str) -> Problem:
    expected = "names that a test, a locked cell or an answer defines"
    fix = "Define it in the test: what a plain cell says is the student's to change."
    return Problem(f"{name}, test {_title(cell)}", f"it uses {variable!r}", expected, fix)


def _unseen(cell: Cell, variable: str, name: str) -> Problem:
    expected = "names that a plain cell, a locked cell or an answer defines"
    fix = "Define it there too: tests run where no other cell runs."
    return Problem(f"{name}, cell {_title(cell)!r}", f"it uses {variable!r}", expected, fix)


def _failures(cells: Sequence[Cell], name: str, torch: bool, run: Run) -> Iterator[Problem]:
    code = [cell for cell in cells if cell.type == "code"]
    job = Job(tuple(RoomCell(_title(c), place(c), c.source) for c in code), torch=torch)
    for cell, outputs in zip(code, run(job).outputs, strict=True):
        for output in outputs:
            if output["output_type"] == "error":
                got = f"{output['ename']}: {output['evalue']}"
                expected = "the reference to pass, with tests and answers in separate processes"
                fix = "See docs/instructor.md, what tests may do with a student's objects."
                yield Problem(f"{name}, cell {_title(cell)!r}", got, expected, fix)
