"""False rejects: correct answers in many styles, graded with many seeds."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.check import seed
from autograder.check.record import Record
from autograder.rooms import names
from benchmarks.quality import baselines, truth
from benchmarks.quality.accepts import LARGE, objects
from benchmarks.quality.baselines import BASELINES, Example
from benchmarks.quality.children import Say, each
from benchmarks.quality.lesson import failures
from benchmarks.quality.lessons import Plan
from benchmarks.quality.truth import Known, Truth

SECONDS = 600  # of one part
AT_ONCE = 15  # seeds
LOOSE = 1e-3  # of the largest number: single precision may have lost some digits


@dataclass(frozen=True)
class Job:
    """A style to be graded with some seeds."""

    style: str
    seeds: range


@dataclass(frozen=True)
class Rejection:
    """A correct answer that lost a test's points."""

    style: str
    seed: int
    test: str
    said: str


@dataclass(frozen=True)
class Graded:
    """What grading one style came to.

    Attributes:
        style: its name.
        functions: that it answers.
        gradings: how often it was graded.
        rejections: the tests that it lost.
        hints: how many reports told it of a mistake.
        unlike_truth: why it is no correct answer; "" if it is one.
        objected: of each of the common checks, whether it objects.
    """

    style: str
    functions: tuple[str, ...] = ()
    gradings: int = 0
    rejections: tuple[Rejection, ...] = ()
    hints: int = 0
    unlike_truth: str = ""
    objected: Mapping[str, bool] = field(default_factory=dict)


def graded(plan: Plan, seeds: int, workers: int = 2) -> Iterator[Graded]:
    """Every style of a lesson, in parts of `AT_ONCE` seeds; the first part says all the rest."""
    known = truth.known(plan.truths)
    examples = [baselines.example_of(t) for t in plan.truths]
    jobs = [Job(style, chunk) for chunk in chunks(seeds) for style in plan.styles]

    def work(job: Job, say: Say) -> None:
        say(_graded(plan, job, known, examples))

    for job, said in each(work, jobs, SECONDS, workers):
        if said:
            yield said[0]
        else:
            lost = Rejection(job.style, job.seeds.start, "all", f"not done in {SECONDS} s")
            yield Graded(job.style, rejections=(lost,))


def chunks(seeds: int) -> list[range]:
    """The seeds in parts, each for a child process."""
    return [range(first, min(first + AT_ONCE, seeds)) for first in range(0, seeds, AT_ONCE)]


def _graded(
    plan: Plan, job: Job, known: Sequence[tuple[Truth, list[Known]]], examples: Sequence[Example]
) -> Graded:
    text = plan.styles[job.style]
    scope, defined = plan.lesson.namespace(extra=text), names.defines(text)
    own = [t for t in plan.truths if defined & set(t.names)]
    tests = plan.lesson.tests_of(defined)
    reports: list[Record] = []
    rejections = []
    for number in job.seeds:
        os.environ[seed.VARIABLE] = str(number)
        for failure in failures(tests, scope, reports):
            hint = failure.record.hint if failure.record else ""
            said = " / ".join(filter(None, (failure.error, hint)))
            rejections.append(Rejection(job.style, number, failure.test, said))
    found = Graded(
        job.style,
        tuple(name for t in own for name in t.names),
        len(job.seeds),
        tuple(rejections),
        sum(bool(report.hint) for report in reports),
    )
    if job.seeds.start:
        return found
    objected = {
        name: any(objects(baseline, scope, e) for e in examples if e.truth in own)
        for name, baseline in BASELINES.items()
    }
    wrong = _unlike([(t, calls) for t, calls in known if t in own], scope)
    return Graded(**{**vars(found), "unlike_truth": wrong, "objected": objected})


def _unlike(judged: Sequence[tuple[Truth, list[Known]]], scope: truth.Namespace) -> str:
    for t, calls in judged:
        for known in calls:
            if sum(getattr(a, "size", 1) for a in known.call.arrays) < LARGE:
                try:
                    truth.require(t, known, scope, LOOSE)
                except Exception as error:
                    return f"{type(error).__name__}: {error}"
    return ""


def by_style(parts: Sequence[Graded]) -> list[Graded]:
    """The parts of each style put together."""
    together: dict[str, Graded] = {}
    for part in sorted(parts, key=lambda p: (p.style, not p.objected)):
        before = together.get(part.style, Graded(part.style))
        together[part.style] = Graded(
            part.style,
            before.functions or part.functions,
            before.gradings + part.gradings,
            before.rejections + part.rejections,
            before.hints + part.hints,
            before.unlike_truth or part.unlike_truth,
            before.objected or part.objected,
        )
    return list(together.values())
