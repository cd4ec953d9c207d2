"""How fast is grading? The same submissions with stock nbgrader and with ours, by turns.

Every submission is one of the samples with a comment of its own, so that none is known from
another. Blocks of them are graded first by one and then by the other, so that whatever else the
machine does in the meantime slows both alike.
"""

import argparse
import os
import random
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import psutil
from tabulate import tabulate
from tqdm import tqdm

from autograder.course import load
from autograder.grading import marks

ROOT = Path(__file__).parents[1]
ASSIGNMENT = "2-convolution"
NOTEBOOK = "convolution.ipynb"
SCRIPTS = Path(sysconfig.get_path("scripts"))
STOCK = """
c = get_config()
c.CourseDirectory.course_id = "stock"
"""
AUTOGRADER = (str(SCRIPTS / "autograder"), "grade", ASSIGNMENT)
NBGRADER = (str(SCRIPTS / "nbgrader"), "autograde", ASSIGNMENT)
SAMPLE_SECONDS = 1.0  # reading the sizes of processes slows them down


@dataclass(frozen=True)
class Run:
    """What one command took."""

    wall: float  # seconds
    cpu: float  # seconds that the machine's processors were busy meanwhile: it should be idle else
    memory: int  # bytes: the largest sum over its processes, shared pages counted once


def measured(command: Sequence[str], folder: Path) -> Run:
    """Runs a command in a course; status 1 only says that some submission has a problem."""
    with (folder / "output.txt").open("ab") as output:
        started, before = time.monotonic(), _busy()
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, env=_environment()
        )
        memory = _peak_memory(process)
        wall = time.monotonic() - started
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: see {output.name}")
    return Run(wall, _busy() - before, memory)


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "AUTOGRADER_RESULTS": "",
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
    }


def _busy() -> float:
    # Not the time of children: rooms are forked from processes that never ask what became of them.
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def _peak_memory(process: subprocess.Popen[bytes]) -> int:
    peak = 0
    while True:
        peak = max(peak, sum(map(_proportional_bytes, _tree(process.pid))))
        with suppress(subprocess.TimeoutExpired):
            process.wait(SAMPLE_SECONDS)
            return peak


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(c) for task in tasks for c in (task / "children").read_text().split()]
    except OSError:  # it has ended meanwhile
        return
    for child in children:
        yield from _tree(child)


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


class Batch:
    """Courses in a temporary folder, with as many submissions as are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._course = folder / "course"
        self._course.mkdir()
        for name in ("course.toml", "nbgrader_config.py"):
            shutil.copy(ROOT / name, self._course)
        shutil.copytree(ROOT / "source" / ASSIGNMENT, self._course / "source" / ASSIGNMENT)
        self._run("build", "--course", str(self._course))
        answers = ROOT / "tests/submissions" / ASSIGNMENT
        self._run("samples", str(answers), "--into", str(self._course))
        samples = sorted((self._course / "submitted").glob(f"*/{ASSIGNMENT}/{NOTEBOOK}"))
        self._samples = [path for path in samples if path.parts[-3] != "not_json"]
        shutil.move(self._course / "submitted", folder / "samples")
        self._samples = [
            folder / "samples" / path.relative_to(self._course / "submitted")
            for path in self._samples
        ]

    def course(self, name: str, students: range, stock: bool = False) -> Path:
        """A course in which these students have handed in."""
        course = self._folder / name
        shutil.copytree(self._course, course)
        if stock:
            (course / "nbgrader_config.py").write_text(STOCK)
        for student in students:
            self._hand_in(course, student)
        return course

    def _hand_in(self, course: Path, student: int) -> None:
        notebook = nbformat.read(self._samples[student % len(self._samples)], as_version=4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "counts":
                cell.source += f"\n# handed in by student {student}"
        path = course / "submitted" / f"student-{student:04}" / ASSIGNMENT / NOTEBOOK
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)

    def _run(self, *arguments: str) -> None:
        command = [str(SCRIPTS / "autograder"), *arguments]
        subprocess.run(command, check=True, env=_environment(), stdout=subprocess.DEVNULL)


def against_stock(batch: Batch, count: int, block: int, workers: int) -> None:
    """Prints one table: each way of grading over stock nbgrader, on the same submissions."""
    ways: dict[str, tuple[Sequence[str], bool]] = {
        "stock nbgrader autograde": (NBGRADER, True),
        "nbgrader autograde, our settings": (NBGRADER, False),
        "autograder grade --workers 1": ((*AUTOGRADER, "--workers", "1"), False),
        f"autograder grade --workers {workers}": ((*AUTOGRADER, "--workers", str(workers)), False),
    }
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    again: list[Run] = []
    blocks = [range(i, min(i + block, count)) for i in range(0, count, block)]
    for students in tqdm(blocks, desc="blocks", unit="block"):
        for place, (way, (command, stock)) in enumerate(ways.items()):
            course = batch.course(f"{students.start}-{place}", students, stock)
            runs[way].append(measured(command, course))
        again.append(measured(command, course))
    runs["the same again, nothing changed"] = again
    print(table(runs, count))


def table(runs: dict[str, list[Run]], count: int) -> str:
    """The totals of each way, by submission and as ratios to the first."""
    stock = next(iter(runs.values()))
    rows = [
        (
            way,
            f"{sum(run.wall for run in found) / count:.3f}",
            f"{sum(run.wall for run in stock) / sum(run.wall for run in found):.1f}",
            f"{sum(run.cpu for run in found) / count:.3f}",
            f"{sum(run.cpu for run in stock) / sum(run.cpu for run in found):.1f}",
            f"{max(run.memory for run in found) / 2**20:,.0f}",
        )
        for way, found in runs.items()
    ]
    headers = ("", "seconds /\nsubmission", "stock /\nthis", "processor s /\nsubmission")
    return tabulate(rows, (*headers, "stock /\nthis", "memory,\nMiB"), disable_numparse=True)


def growth(batch: Batch, sizes: Sequence[int], workers: int) -> None:
    """Prints how the time grows with the number of submissions."""
    rows = []
    for size in tqdm(sizes, desc="sizes", unit="batch"):
        course = batch.course(f"growth-{size}", range(size))
        command = (*AUTOGRADER, "--workers", str(workers))
        first, second = measured(command, course), measured(command, course)
        rows.append((size, first.wall, first.wall / size, second.wall, second.wall / size))
        shutil.rmtree(course)
    headers = ("submissions", "seconds", "each", "again, unchanged", "each")
    print(tabulate(rows, headers, floatfmt=("d", ".1f", ".3f", ".2f", ".4f")))


def kills(batch: Batch, count: int, seed: int) -> None:
    """Kills the grader at random moments, runs it again, compares all marks; then two at once."""
    rng = random.Random(seed)
    calm = batch.course("calm", range(4))
    seconds = measured(AUTOGRADER, calm).wall
    expected = marks_of(calm)
    right = 0
    for number in tqdm(range(count), desc="kills", unit="kill"):
        course = batch.course(f"killed-{number}", range(4))
        process = _started(course)
        time.sleep(rng.uniform(0, seconds))
        process.kill()
        process.wait()
        measured(AUTOGRADER, course)
        right += marks_of(course) == expected
    course = batch.course("shared", range(4))
    both = [_started(course), _started(course)]
    ended = [process.wait() for process in both]
    print(f"killed {count} times and run again: the same marks {right} times")
    print(f"two at once: ended with {ended}, the same marks: {marks_of(course) == expected}")


def _started(course: Path) -> subprocess.Popen[bytes]:
    with (course / "output.txt").open("ab") as output:
        return subprocess.Popen(
            AUTOGRADER, cwd=course, stdout=output, stderr=output, env=_environment()
        )


def marks_of(course: Path) -> list[marks.Marks]:
    """Every cell's mark, and which feedback there is."""
    return marks.read(load(course), ASSIGNMENT)


@contextmanager
def workshop() -> Iterator[Batch]:
    """A batch in a temporary folder."""
    with TemporaryDirectory(prefix="grading-") as folder:
        yield Batch(Path(folder))


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=60, metavar="N")
    parser.add_argument("--block", type=int, default=20, metavar="N", help="graded by turns")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--sizes", type=int, nargs="*", default=[20, 60, 150, 300], metavar="N")
    parser.add_argument("--kills", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which it is killed")
    parser.add_argument("--only", choices=("stock", "growth", "kills"), help="one of the tables")
    parser.add_argument("--quick", action="store_true", help="one submission, nothing else")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.submissions, arguments.block, arguments.workers = 1, 1, 1
        arguments.only = "stock"
    with workshop() as batch:
        if arguments.only in (None, "stock"):
            against_stock(batch, arguments.submissions, arguments.block, arguments.workers)
        if arguments.only in (None, "growth"):
            growth(batch, arguments.sizes, arguments.workers)
        if arguments.only in (None, "kills"):
            kills(batch, arguments.kills, arguments.seed)


if __name__ == "__main__":
    main()
