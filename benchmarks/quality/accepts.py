"""False accepts: which mutants of a right answer are wrong and lose no points?"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from benchmarks.quality import baselines, truth
from benchmarks.quality.children import OutOfTime, Say, each, limited
from benchmarks.quality.lesson import Failure, Namespace, failures
from benchmarks.quality.lessons import Plan
from benchmarks.quality.mutation import Mutant
from benchmarks.quality.truth import Known, Truth

RUN_SECONDS, TRUTH_SECONDS, CHECK_SECONDS, BASELINE_SECONDS = 5, 30, 30, 15
LARGE = 50_000  # numbers in an input: only to see blocks of work, which loops have none of
HUNG = "time limit"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        mutant: the mutant.
        runs: whether it still runs on the lesson's own example.
        differs: whether it is not equivalent to the reference.
        by: the test that took its points; "" where it survives.
        hinted: whether the failing check's report had a hint.
        objected: of each of the common checks, whether it objects.
    """

    mutant: Mutant
    runs: bool = False
    differs: bool = False
    by: str = ""
    hinted: bool = False
    objected: Mapping[str, bool] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether it runs and is wrong, so that it ought to lose points."""
        return self.runs and self.differs


class Bench:
    """A lesson on which mutants are judged; what is right is computed once."""

    def __init__(self, plan: Plan, seed: int = 0) -> None:
        self.plan = plan
        self.known = truth.known(plan.truths, seed)
        self.examples = [baselines.example_of(each) for each in plan.truths]

    def verdicts(self, mutants: Sequence[Mutant], workers: int = 2) -> Iterator[Verdict]:
        """Each mutant's verdict, as they come."""
        seconds = RUN_SECONDS + TRUTH_SECONDS + CHECK_SECONDS + 4 * BASELINE_SECONDS
        for mutant, said in each(self._judge, mutants, seconds, workers):
            yield _verdict(mutant, said)

    def _judge(self, mutant: Mutant, say: Say) -> None:
        unit = mutant.unit
        extra = f"{self.plan.styles[unit.style]}\n{mutant.text}" if unit.style else ""
        reached = self.plan.lesson.reached(unit.changed, extra)
        try:
            with limited(RUN_SECONDS):
                replaced = {} if unit.style else {unit.name: mutant.text}
                scope = self.plan.lesson.namespace(replaced, extra)
                self._run(scope, unit.changed, reached)
        except (Exception, OutOfTime):
            return
        say({"runs": True})
        judged = [(t, known) for t, known in self.known if reached & set(t.names)]
        if equivalent(scope, judged, large=not unit.style):
            say({"differs": False})
            return
        say({"differs": True})
        say(points_lost(self.plan, scope, reached))
        say({"objected": self._objections(scope, reached)})

    def _run(self, scope: Namespace, changed: frozenset[str], reached: frozenset[str]) -> None:
        """Runs what is changed on the lesson's example; raises what it raises."""
        direct = any(changed & set(t.names) for t, _ in self.known)
        called = changed if direct else reached  # a helper is called by others
        for t, known in self.known:
            if called & set(t.names):
                with suppress(truth.WrongError):  # it runs, and is wrong
                    t.run(scope, known[0], called)

    def _objections(self, scope: Namespace, reached: frozenset[str]) -> dict[str, bool]:
        examples = [e for e in self.examples if reached & set(e.truth.names)]
        return {
            name: any(objects(baseline, scope, e) for e in examples)
            for name, baseline in baselines.BASELINES.items()
        }


def equivalent(
    scope: Namespace, judged: Sequence[tuple[Truth, Sequence[Known]]], large: bool = True
) -> bool:
    """Whether the answers in ``scope`` do all that is asked, in time."""
    try:
        with limited(TRUTH_SECONDS):
            for t, calls in judged:
                for known in calls:
                    if large or sum(getattr(a, "size", 1) for a in known.call.arrays) < LARGE:
                        truth.require(t, known, scope)
    except (Exception, OutOfTime):
        return False
    return True


def points_lost(plan: Plan, scope: Namespace, reached: frozenset[str]) -> dict[str, object]:
    """The first test that the answers in ``scope`` fail, and whether it says why."""
    try:
        with limited(CHECK_SECONDS):
            first: Failure | None = next(failures(plan.lesson.tests_of(reached), scope), None)
    except OutOfTime:
        return {"by": HUNG}
    if first is None:
        return {"by": ""}
    return {"by": first.test, "hinted": bool(first.record and first.record.hint)}


def objects(baseline: baselines.Objects, scope: Namespace, example: baselines.Example) -> bool:
    """Whether a common check objects; an exception is an objection."""
    try:
        with limited(BASELINE_SECONDS):
            return baseline(scope, example)
    except (Exception, OutOfTime):
        return True


def _verdict(mutant: Mutant, said: Sequence[dict[str, Any]]) -> Verdict:
    found: dict[str, Any] = {}
    for part in said:
        found |= part
    if found.get("runs"):  # a child that was killed had not said the rest
        found = {"differs": True, **found}
    if found.get("differs"):
        found = {"by": HUNG, **found}
    return Verdict(mutant, **found)
