"""Cost: how long all checks of one submission of one lesson take, on one core, after imports."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.quality.children import Say, each
from benchmarks.quality.lesson import failures
from benchmarks.quality.lessons import Plan

SECONDS, ROUNDS = 300, 5


@dataclass(frozen=True)
class Cost:
    """Processor seconds of all tests of a submission: median, and the slowest round."""

    answers: str
    median: float
    slowest: float


def costs(plan: Plan) -> Iterator[Cost]:
    """The reference's, and that of every style; one at a time."""

    def work(style: str, say: Say) -> None:
        rounds = []
        scope = plan.lesson.namespace(extra=plan.styles.get(style, ""))
        list(failures(plan.lesson.tests, scope))  # compiled and loaded, as in a warm process
        for _ in range(ROUNDS):
            started = time.process_time()
            list(failures(plan.lesson.tests, scope))
            rounds.append(time.process_time() - started)
        say(Cost(style, median(rounds), max(rounds)))

    for _, said in each(work, ["reference", *plan.styles], SECONDS, workers=1):
        yield from said
