"""What do hostile submissions get out of a grader? Ours beside stock nbgrader, attack by attack.

Run it from the repository's folder: ``python -m benchmarks.attacks``.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tabulate import tabulate
from tqdm import tqdm

from tests.attacks.hostile import ATTACKS, contained, scene
from tests.attacks.hostile.attack import Attack
from tests.attacks.hostile.batch import Outcome, grade
from tests.attacks.hostile.findings import Finding
from tests.attacks.hostile.scene import FULL, LAST, VICTIM, Scene

# Small, so that endless attacks end soon; stock nbgrader has 10 s for a cell.
LIMITS = {
    "call_seconds": 2,
    "cell_seconds": 4,
    "notebook_seconds": 30,
    "memory_mb": 768,
    "disk_mb": 64,
}
STOCK_SECONDS, BATCH_SECONDS = 240, 3600
REFUSED = "not run: would endanger the machine"
HEADERS = ("attack", "honest", "got", "leaked", "others touched", "left behind", "batch")

Row = tuple[str, ...]


def batch_of(template: Scene, attacks: Sequence[Attack], grader: str, folder: Path) -> Outcome:
    """All attacks in one batch, with a right submission before and one behind them."""
    return grade(template.copy(folder / grader), attacks, grader, BATCH_SECONDS)


def one_by_one(
    template: Scene, attacks: Sequence[Attack], folder: Path, workers: int
) -> Iterator[tuple[Attack, Outcome | str]]:
    """Each attack on a fresh course of stock nbgrader's; or why it was not run."""
    stock = template.copy(folder / "stock")
    scene.make_stock(stock)

    def run(attack: Attack) -> Outcome | str:
        if attack.dangerous and not contained.fence(rooms=False):
            return REFUSED
        try:
            copy = stock.copy(folder / attack.name)
            return grade(copy, [attack], "stock", STOCK_SECONDS)
        except (RuntimeError, OSError) as error:
            return f"no result: {str(error)[-200:]}"
        finally:
            shutil.rmtree(folder / attack.name, ignore_errors=True)

    with ThreadPoolExecutor(workers) as pool:
        outcomes = pool.map(run, attacks)
        progress = tqdm(outcomes, desc="stock nbgrader", total=len(attacks), unit="attack")
        yield from zip(attacks, progress, strict=True)


def row(attack: Attack, finding: Finding, ended: str) -> Row:
    """What the table says of one attack; an empty field is a promise kept."""
    got = "not graded" if finding.got is None else f"{finding.got:g}"
    unfair = finding.got is not None and finding.got != attack.honest
    return (
        attack.name,
        f"{attack.honest:g}",
        f"{got} !" if unfair else got,
        ", ".join(finding.learned),
        ", ".join([*finding.touched, *(f"live {what}" for what in finding.live)]),
        ", ".join(finding.left),
        ended or (f"{len(finding.ungraded)} ungraded" if finding.ungraded else ""),
    )


def rows_of_batch(attacks: Sequence[Attack], outcome: Outcome) -> list[Row]:
    """Rows of a batch that was graded in one run."""
    findings = {finding.name: finding for finding in outcome.findings}
    return [
        row(attack, findings[attack.name], _reported(findings[attack.name])) for attack in attacks
    ]


def _reported(finding: Finding) -> str:
    if finding.got is not None:
        return ""
    return "reported" if finding.said else "LOST"


def row_of_stock(attack: Attack, outcome: Outcome | str) -> Row:
    """The row of an attack that stock nbgrader graded by itself."""
    if isinstance(outcome, str):
        return (attack.name, f"{attack.honest:g}", "", "", "", "", outcome)
    status = outcome.statuses[-1]
    ended = "hung" if status is None else "stopped" if status else ""
    return row(attack, outcome.findings[0], ended)


def summary(name: str, rows: Sequence[Row]) -> str:
    """One line: how many attacks got what."""
    ran = [r for r in rows if r[2]]
    counts = [
        sum(r[2].endswith("!") for r in ran),
        *(sum(bool(r[c]) for r in ran) for c in range(3, 7)),
    ]
    titles = (
        "a wrong mark",
        "leaked",
        "touched others",
        "left something behind",
        "disturbed grading",
    )
    parts = ", ".join(f"{count} {title}" for count, title in zip(counts, titles, strict=True))
    return f"{name}: of {len(ran)} attacks {parts}"


def report(name: str, rows: Sequence[Row]) -> str:
    """A table and its summary."""
    table = tabulate(rows, HEADERS, maxcolwidths=[32, 6, 12, 22, 44, 30, 24])
    return f"{table}\n\n{summary(name, rows)}\n"


def others(outcome: Outcome) -> str:
    """Whether those who attacked nobody were graded right."""
    said = ", ".join(f"{student}: {outcome.others[student]:g}" for student in (VICTIM, LAST))
    return f"of {FULL} points {said}; {outcome.seconds:.0f} s; exit status {outcome.statuses}"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--stock", action="store_true", help="also run each on stock nbgrader (slow)"
    )
    parser.add_argument(
        "--plain", action="store_true", help="also run `nbgrader autograde` with our settings"
    )
    parser.add_argument("--not-ours", action="store_true", help="leave out `autograder grade`")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="these attacks, or kinds of attacks"
    )
    parser.add_argument("--list", action="store_true", help="say what each attack does, and stop")
    parser.add_argument(
        "--workers", type=int, default=1, help="courses of stock nbgrader at a time"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found here, too")
    return parser.parse_args()


def chosen(only: Sequence[str] | None) -> list[Attack]:
    """The attacks of these names or kinds; SystemExit if there are none."""
    found = [a for a in ATTACKS if not only or a.name in only or a.kind in only]
    if not found:
        sys.exit(f"no such attack; kinds: {', '.join(sorted({a.kind for a in ATTACKS}))}")
    return found


def main() -> None:
    """Prints a table for each grader."""
    options = arguments()
    attacks = chosen(options.only)
    if options.list:
        print(tabulate([(a.kind, a.name, a.what) for a in attacks], maxcolwidths=[24, 30, 90]))
        return
    kept: dict[str, list[dict[str, object]]] = {}
    with tempfile.TemporaryDirectory(prefix="attacks-") as name:
        folder = Path(name)
        template = scene.build(folder / "template", LIMITS)
        graders = ["autograder"] * (not options.not_ours) + ["plain"] * options.plain
        for grader in graders:
            print(f"grading {len(attacks)} hostile submissions: {grader}", file=sys.stderr)
            outcome = batch_of(template, attacks, grader, folder)
            print(
                report(grader, rows_of_batch(attacks, outcome)), others(outcome), sep="", end="\n\n"
            )
            kept[grader] = [asdict(finding) for finding in outcome.findings]
        if options.stock:
            found = list(one_by_one(template, attacks, folder, options.workers))
            print(report("stock nbgrader", [row_of_stock(*pair) for pair in found]))
            kept["stock"] = [
                asdict(o.findings[0]) if isinstance(o, Outcome) else {"name": a.name, "said": o}
                for a, o in found
            ]
    if options.json:
        options.json.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
