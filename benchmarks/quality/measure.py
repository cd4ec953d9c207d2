"""All that is measured of one lesson, with progress bars."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from tqdm import tqdm

from benchmarks.quality import accepts, cost, diagnosis, mutation, outcomes, rejects, slopes
from benchmarks.quality.lesson import failures
from benchmarks.quality.lessons import Plan

Result = TypeVar("Result")


@dataclass(frozen=True)
class Amount:
    """How much is measured: mutants of a lesson (0 for all), seeds of a style, gradient bugs."""

    mutants: int = 0
    seeds: int = 120
    workers: int = 2


@dataclass(frozen=True)
class Measured:
    """What was found about one lesson.

    Attributes:
        lesson: its name.
        broken: why nothing could be measured; "" otherwise.
        untold: answers whose truth nobody has written down, so that they were left out.
        made: how many mutants there are; all of them are judged unless only a sample was asked for.
        verdicts: of the mutants that were judged.
        graded: of each style.
        diagnoses: of each misconception.
        correct: shares of the gradient checker's tolerance that correct code uses.
        bugs: and the multiples of it that bugs come to.
        costs: of each style.
        spreads: what its trainings come to.
        minutes: that all of this took, trainings aside.
    """

    lesson: str
    broken: str = ""
    untold: tuple[str, ...] = ()
    made: int = 0
    verdicts: list[accepts.Verdict] = field(default_factory=list)
    graded: list[rejects.Graded] = field(default_factory=list)
    diagnoses: list[diagnosis.Diagnosis] = field(default_factory=list)
    correct: list[slopes.Share] = field(default_factory=list)
    bugs: list[slopes.Share] = field(default_factory=list)
    costs: list[cost.Cost] = field(default_factory=list)
    spreads: list[outcomes.Spread] = field(default_factory=list)
    minutes: float = 0.0


def measured(plan: Plan, amount: Amount) -> Measured:
    """Everything about one lesson."""
    broken = unfit(plan)
    if broken:
        return Measured(plan.lesson.name, broken)
    told, untold = judgeable(plan)
    mutants = [mutant for unit in told for mutant in mutation.of(unit)]
    chosen = mutation.sample(mutants, amount.mutants)
    bugs = diagnosis.bugs(plan)
    gradings = len(plan.styles) * len(rejects.chunks(amount.seeds))
    styles, gradients = len(plan.styles) + 1, sum(bug.slot.startswith("d") for bug in bugs)
    bench, workers = accepts.Bench(plan), amount.workers
    graded = rejects.graded(plan, amount.seeds, workers)
    return Measured(
        plan.lesson.name,
        untold=untold,
        made=len(mutants),
        verdicts=list(bar(bench.verdicts(chosen, workers), "mutants", len(chosen))),
        graded=rejects.by_style(list(bar(graded, "correct answers", gradings))),
        diagnoses=list(bar(diagnosis.diagnosed(plan, bugs, workers), "mistakes", len(bugs))),
        correct=list(bar(slopes.of_correct(plan, workers), "correct gradients", styles)),
        bugs=list(bar(slopes.of_bugs(plan, workers), "wrong gradients", gradients)),
        costs=list(bar(cost.costs(plan), "cost", styles)),
    )


def trained(plan: Plan, amount: Amount) -> Iterator[outcomes.Trial]:
    """Every training of one lesson."""
    total = outcomes.count(plan.outcomes, amount.seeds)
    found = outcomes.trials(plan.lesson, plan.outcomes, amount.seeds, amount.workers)
    return bar(found, "trainings", total)


def judgeable(plan: Plan) -> tuple[list[mutation.Unit], tuple[str, ...]]:
    """What can be mutated because its truth is known, and the names of the rest."""
    known = {name for truth in plan.truths for name in truth.names}
    units = list(mutation.units(plan))
    told = [
        u for u in units if plan.lesson.reached(u.changed, plan.styles.get(u.style, "")) & known
    ]
    return told, tuple(unit.name for unit in units if unit not in told)


def unfit(plan: Plan) -> str:
    """Why the lesson cannot be measured: its own reference loses points, or does not run."""
    try:
        scope = plan.lesson.namespace()
        lost = next(failures(plan.lesson.tests, scope), None)
    except Exception as error:
        return f"its solutions raise {type(error).__name__}: {error}"
    if lost:
        return f"its reference loses {lost.test}: {lost.error}"
    missing = [name for truth in plan.truths for name in truth.names if name not in scope]
    return f"it defines no {', '.join(missing)}" if missing else ""


def bar(results: Iterable[Result], what: str, total: int) -> Iterator[Result]:
    """The results as they come, with a progress bar."""
    return iter(tqdm(results, desc=f"{what:>18}", total=total))
