"""What was measured of a lesson, kept until anything that it rests on changes.

A whole measurement takes half an hour; one lesson was edited, or the machine was switched off.
"""

import hashlib
import pickle  # only of what this program has written itself
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.quality.lessons import ROOT, Plan
from benchmarks.quality.measure import Amount, Measured

FOLDER = ROOT / "build" / "quality"


def stored(
    plan: Plan, amount: Amount, measure: Callable[[Plan, Amount], Measured], folder: Path = FOLDER
) -> Measured:
    """What ``measure`` finds, or what it found when everything was as it is now."""
    path = folder / f"{plan.lesson.name}-{_digest(plan, amount)}.pickle"
    if path.is_file():
        found: Measured = pickle.loads(path.read_bytes())
        return found
    started = time.monotonic()
    found = replace(measure(plan, amount), minutes=(time.monotonic() - started) / 60)
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(pickle.dumps(found))
    partial.replace(path)
    return found


def _digest(plan: Plan, amount: Amount) -> str:
    """Of the lesson, the checks, this program, and how much is measured."""
    said = [plan.lesson, plan.styles, amount.mutants, amount.seeds]
    digest = hashlib.sha256(repr(said).encode())
    for path in _code():
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _code() -> Iterator[Path]:
    for folder in ("autograder/check", "benchmarks/quality"):
        yield from sorted((ROOT / folder).rglob("*.py"))
