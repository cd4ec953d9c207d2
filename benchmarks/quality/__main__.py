"""Measures how good the checks are and writes docs/quality.md."""

import os

# The libraries read these when they are loaded, hence before their imports.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.quality import chart, outcomes, report, stored
from benchmarks.quality.lessons import ROOT, paths, plan_of
from benchmarks.quality.measure import Amount, measured, trained

COMMAND = "python -m benchmarks.quality"
QUICK = Amount(mutants=40, seeds=2)


def main(argv: Sequence[str] | None = None) -> None:
    """Measures what the command line asks for."""
    options = arguments(argv)
    amount = QUICK if options.quick else Amount(options.mutants, options.seeds, options.workers)
    found, without = [], []
    for path in paths():
        if options.lesson not in ("", path.parent.name):
            continue
        plan = plan_of(path)
        if plan is None:
            without.append(path.parent.name)
        else:
            print(path.parent.name, file=sys.stderr)
            trainings = stored.trained(plan, amount, trained) if plan.outcomes else []
            spreads = outcomes.spreads(plan.outcomes, trainings)
            found.append(replace(stored.stored(plan, amount, measured), spreads=spreads))
    minutes = sum(each.minutes for each in found)
    page = report.page(found, without, " ".join([COMMAND, *said(options)]), minutes)
    options.output.write_text(page, encoding="utf-8")
    picture = options.output.parent / report.PICTURE
    picture.parent.mkdir(exist_ok=True)
    picture.write_bytes(chart.caught(report.shares_caught(found)))
    spreads = [spread for each in found for spread in each.spreads]
    if spreads:
        (options.output.parent / report.TRAININGS).write_bytes(chart.outcomes(spreads))


def said(options: argparse.Namespace) -> list[str]:
    """The options that make a difference to what is measured."""
    if options.quick:
        return ["--quick"]
    values = {"mutants": options.mutants, "seeds": options.seeds}
    return [f"--{name}={n}" for name, n in values.items() if n != getattr(Amount(), name)]


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a sample of everything, a minute")
    parser.add_argument("--lesson", default="", metavar="NAME", help="only this one: 2-convolution")
    parser.add_argument("--mutants", type=int, default=0, metavar="N", help="of a lesson; 0: all")
    parser.add_argument("--seeds", type=int, default=120, metavar="N", help="for each right answer")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    page = ROOT / "docs" / "quality.md"
    parser.add_argument("--output", type=Path, default=page, metavar="PATH")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
