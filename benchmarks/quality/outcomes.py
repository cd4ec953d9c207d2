"""Outcomes of training: does the right way reach the threshold every time, and do mistakes miss it?

Where a lesson grades what a training comes to, chance has a part in it. The threshold has to lie
below all that right code reaches, and above all that code with a classic mistake does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import median

from benchmarks.quality.children import Say, each
from benchmarks.quality.lesson import Lesson, Namespace

SECONDS = 1800  # of all trainings with one seed
REFERENCE = "reference"


@dataclass(frozen=True)
class Edit:
    """A classic mistake, as a change of the reference's own solutions.

    Attributes:
        name: of the mistake.
        old: text that the solutions hold exactly once.
        new: what stands there instead.
    """

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Outcome:
    """What a lesson grades after a training.

    Attributes:
        name: what is measured, such as ``accuracy on scenes``.
        threshold: the least score that gets the points.
        score: takes what the answers define and a seed; trains, predicts, and says how good that
            is. Everything that depends on chance has to come from the seed.
        mistakes: none of which should reach the threshold.
        seeds: that are tried, of the reference and of each mistake.
    """

    name: str
    threshold: float
    score: Callable[[Namespace, int], float]
    mistakes: tuple[Edit, ...]
    seeds: tuple[int, ...] = tuple(range(10))


@dataclass(frozen=True)
class Trial:
    """One training: whose, with which seed, and what it came to; ``error`` if to nothing."""

    outcome: str
    answer: str
    seed: int
    score: float = float("nan")
    error: str = ""


@dataclass(frozen=True)
class Spread:
    """What the trainings of one answer came to.

    Attributes:
        outcome: its name.
        answer: the reference, or the name of a mistake.
        threshold: that of the outcome.
        scores: of all trainings that ended.
        failed: what the others raised.
    """

    outcome: str
    answer: str
    threshold: float
    scores: tuple[float, ...]
    failed: tuple[str, ...] = ()

    @property
    def passed(self) -> int:
        """How many reached the threshold."""
        return sum(score >= self.threshold for score in self.scores)

    @property
    def right(self) -> bool:
        """Whether this is an answer that should reach it."""
        return self.answer == REFERENCE

    @property
    def margin(self) -> float:
        """How far the nearest score is on the side where it belongs; negative on the other."""
        if self.right:
            worst = min(self.scores, default=float("-inf"))
            return (float("-inf") if self.failed else worst) - self.threshold
        return self.threshold - max(self.scores, default=float("-inf"))

    @property
    def middle(self) -> float:
        """The median score."""
        return median(self.scores) if self.scores else float("nan")


def edited(lesson: Lesson, edit: Edit) -> Mapping[str, str]:
    """The solution cell that this mistake changes, by its id.

    Raises:
        ValueError: the solutions do not hold the old text exactly once; whoever changed the
            lesson has to look at the mistake again.
    """
    found = [id for id, text in lesson.answers.items() for _ in range(text.count(edit.old))]
    if len(found) != 1:
        where = ", ".join(found) or "nowhere"
        raise ValueError(f"{lesson.name}, {edit.name}: {edit.old!r} should be once, is: {where}")
    return {found[0]: lesson.answers[found[0]].replace(edit.old, edit.new)}


def count(outcomes: Sequence[Outcome], seeds: int) -> int:
    """How many trainings that are."""
    return sum(len(o.seeds[:seeds]) * (1 + len(o.mistakes)) for o in outcomes)


def trials(
    lesson: Lesson, outcomes: Sequence[Outcome], seeds: int, workers: int = 2
) -> Iterator[Trial]:
    """Every training, as they end; of each outcome with the first ``seeds`` of its seeds.

    Raises:
        ValueError: a mistake no longer fits the lesson (before anything is trained).
    """
    trainings = [
        (outcome, replaced, Trial(outcome.name, answer, seed))
        for outcome in outcomes
        for answer, replaced in _answers(lesson, outcome).items()
        for seed in outcome.seeds[:seeds]
    ]
    # Those of one seed are one job, so that what is drawn for it can be drawn once.
    order = sorted({trial.seed for *_, trial in trainings})
    jobs = [[one for one in trainings if one[2].seed == seed] for seed in order]

    def work(job: Sequence[tuple[Outcome, Mapping[str, str], Trial]], say: Say) -> None:
        for outcome, replaced, trial in job:
            try:
                score = float(outcome.score(lesson.namespace(replaced), trial.seed))
            except Exception as error:  # a mistake may well end in one
                say({"error": f"{type(error).__name__}: {error}"})
            else:
                say({"score": score})

    for job, said in each(work, jobs, SECONDS, workers):
        late = {"error": f"not done in {SECONDS} s"}
        for (*_, trial), found in zip_longest(job, said, fillvalue=late):
            yield Trial(**{**vars(trial), **found})


def _answers(lesson: Lesson, outcome: Outcome) -> dict[str, Mapping[str, str]]:
    """The solution cells of each answer that are not the reference's."""
    return {REFERENCE: {}} | {edit.name: edited(lesson, edit) for edit in outcome.mistakes}


def spreads(outcomes: Sequence[Outcome], found: Sequence[Trial]) -> list[Spread]:
    """The trainings of each answer put together: of each outcome the reference, then mistakes."""
    return [
        _spread(outcome, answer, [trial for trial in found if trial.outcome == outcome.name])
        for outcome in outcomes
        for answer in (REFERENCE, *(edit.name for edit in outcome.mistakes))
    ]


def _spread(outcome: Outcome, answer: str, found: Sequence[Trial]) -> Spread:
    own = sorted((t for t in found if t.answer == answer), key=lambda trial: trial.seed)
    scores = tuple(trial.score for trial in own if not trial.error)
    failed = tuple(trial.error for trial in own if trial.error)
    return Spread(outcome.name, answer, outcome.threshold, scores, failed)
