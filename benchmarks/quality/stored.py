"""What was measured of a lesson, kept until anything that it rests on changes.

A whole measurement takes half an hour; one lesson was edited, or the machine was switched off.
Trainings take longest and rest on less, so they are kept by themselves.
"""

import hashlib
import inspect
import pickle  # only of what this program has written itself
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from benchmarks.quality.lessons import ROOT, Plan
from benchmarks.quality.measure import Amount, Measured
from benchmarks.quality.outcomes import Trial

Found = TypeVar("Found")
FOLDER = ROOT / "build" / "quality"
CHECKS, HARNESS, PLACES = "autograder/check", "benchmarks/quality", "autograder/places"


def stored(
    plan: Plan, amount: Amount, measure: Callable[[Plan, Amount], Measured], folder: Path = FOLDER
) -> Measured:
    """What ``measure`` finds, or what it found when everything was as it is now."""

    def measured() -> Measured:
        started = time.monotonic()
        found = measure(plan, amount)
        return replace(found, minutes=(time.monotonic() - started) / 60)

    said = [plan.lesson, plan.styles, amount.mutants, amount.seeds]
    digest = _digest(said, _code(CHECKS, HARNESS))
    return _kept(folder / f"{plan.lesson.name}-{digest}.pickle", measured)


def trained(
    plan: Plan,
    amount: Amount,
    train: Callable[[Plan, Amount], Iterable[Trial]],
    folder: Path = FOLDER,
) -> list[Trial]:
    """What ``train`` finds of the lesson's outcomes; another threshold does not train anew."""
    said = [plan.lesson.setup, plan.lesson.answers]
    said += [(o.name, o.seeds[: amount.seeds], o.mistakes) for o in plan.outcomes]
    scoring = {path for outcome in plan.outcomes for path in _scoring(outcome.score)}
    digest = _digest(said, [*sorted(scoring), *_code(PLACES)])
    path = folder / f"{plan.lesson.name}-trained-{digest}.pickle"
    return _kept(path, lambda: list(train(plan, amount)))


def _scoring(score: Callable[..., float]) -> Iterator[Path]:
    """The file of ``score``, and those of our functions and classes that are named in it."""
    names = vars(inspect.getmodule(score)).values()
    used = [value for value in names if inspect.isfunction(value) or inspect.isclass(value)]
    files = (Path(inspect.getfile(value)) for value in (score, *used))
    return (path for path in files if path.is_relative_to(ROOT))


def _kept(path: Path, make: Callable[[], Found]) -> Found:
    if path.is_file():
        found: Found = pickle.loads(path.read_bytes())
        return found
    found = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(pickle.dumps(found))
    partial.replace(path)
    return found


def _digest(said: object, code: Iterable[Path]) -> str:
    """Of what is measured, of how much, and of the programs that it rests on."""
    digest = hashlib.sha256(repr(said).encode())
    for path in code:
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _code(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))
