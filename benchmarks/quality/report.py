"""The measurements as one page of Markdown."""

import os
import platform
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from tabulate import tabulate

from benchmarks.quality.accepts import Verdict
from benchmarks.quality.baselines import BASELINES
from benchmarks.quality.diagnosis import Diagnosis
from benchmarks.quality.measure import Measured
from benchmarks.quality.outcomes import Spread

HERE = Path(__file__).parent
PACKAGES = ("numpy", "torch", "scipy", "cosmic-ray")
SHOWN = 3  # rejections of a style
WORST = 8  # bugs that come nearest to the gradient checker's tolerance
OURS = "the lesson's checks"
PICTURE = "images/quality.png"
TRAININGS = "images/outcomes.png"
UNEXPLAINED = "*not explained yet*"

Row = Sequence[object]


def page(found: Sequence[Measured], without: Sequence[str], command: str, minutes: float) -> str:
    """The whole report."""
    lessons = [each for each in found if not each.broken]
    parts = [
        *_head(found, without),
        *_summary(lessons),
        *_accepts(lessons),
        *_rejects(lessons),
        *_diagnosis(lessons),
        *_common(lessons),
        *_slopes(lessons),
        *_outcomes(lessons),
        *_costs(lessons),
        *_conditions(command, minutes),
    ]
    return "\n\n".join(parts) + "\n"


def _head(found: Sequence[Measured], without: Sequence[str]) -> Iterator[str]:
    yield "# How good are the checks?"
    yield (
        "A check can be wrong in two ways: let a wrong answer through, or reject a right one. And "
        "it can be right without being of help. This page measures all three, lesson by lesson. "
        "It is written by a command (see the end), never by hand."
    )
    for each in found:
        if each.broken:
            yield f"**{each.lesson}** was not measured: {each.broken}."
        if each.untold:
            more = " What trainings come to is below." if each.spreads else ""
            names = ", ".join(each.untold)
            yield f"**{each.lesson}**: no truth is written down for {names}.{more}"
    if without:
        yield f"Without a truth to compare with, and so not measured: {', '.join(without)}."


def _summary(lessons: Sequence[Measured]) -> Iterator[str]:
    caught = sum(caught_by(each)[OURS] for each in lessons)
    all_ = sum(len(wrong(each)) for each in lessons)
    graded = [g for each in lessons for g in each.graded]
    gradings, hints = sum(g.gradings for g in graded), sum(g.hints for g in graded)
    lost = sum(_lost(g.rejections) for g in graded)
    bugs = sum(len(each.diagnoses) for each in lessons)
    named = sum(d.named for each in lessons for d in each.diagnoses)
    dearest = max((c.median for each in lessons for c in each.costs), default=0.0)
    rows: list[Row] = [
        ("wrong mutants caught", f"{caught:,} of {all_:,}", percent(caught, all_), "≥ 99.5%"),
        ("right gradings that lost points", f"{lost:,} of {gradings:,}", "", "0"),
        ("hints to right answers", f"{hints:,} in {gradings:,}", "", "0"),
        ("bugs named first", f"{named:,} of {bugs:,}", percent(named, bugs), "≥ 90%"),
        ("dearest tests of a lesson", f"{dearest:.2f} s", "", "< 3 s"),
        *_trained_rows([spread for each in lessons for spread in each.spreads]),
    ]
    yield table(("", "measured", "", "target"), rows)
    yield f"![the share of wrong mutants that each kind of check catches]({PICTURE})"


def _trained_rows(spreads: Sequence[Spread]) -> Iterator[Row]:
    for name, right in (("right trainings that pass", True), ("wrong ones that pass", False)):
        chosen = [spread for spread in spreads if spread.right is right]
        count = sum(len(spread.scores) + len(spread.failed) for spread in chosen)
        passed = sum(spread.passed for spread in chosen)
        if chosen:
            target = "100%" if right else "0"
            yield name, f"{passed:,} of {count:,}", percent(passed, count), target


def wrong(found: Measured) -> list[Verdict]:
    """The mutants that run and ought to lose points."""
    return [v for v in found.verdicts if v.counts]


def caught_by(found: Measured) -> dict[str, int]:
    """How many of those the lesson's checks catch, and each of the common kinds."""
    ours = sum(bool(v.by) for v in wrong(found))
    return {OURS: ours} | {
        name: sum(v.objected.get(name, True) for v in wrong(found)) for name in BASELINES
    }


def shares_caught(lessons: Sequence[Measured]) -> dict[str, dict[str, float]]:
    """The same in percent, of every lesson in which something was wrong."""
    return {
        each.lesson: {kind: share(n, len(wrong(each))) for kind, n in caught_by(each).items()}
        for each in lessons
        if wrong(each)
    }


def _accepts(lessons: Sequence[Measured]) -> Iterator[str]:
    yield "## Wrong answers: are they caught?"
    yield (
        "Mutants are right answers with one change: an axis, the end of a slice, `=` for `+=`, a "
        "term dropped, padding for stride, an argument changed in place. Those that no longer run "
        "on the lesson's own example are left out; so are those that do the same as the original "
        "on every one of many shapes and options, according to PyTorch and not to the checks. All "
        "others have to lose points."
    )
    yield table(
        ("lesson", "mutants made", "judged", "run", "equivalent", "wrong", "caught", "survive", ""),
        [_accept_row(each) for each in lessons],
    )
    yield table(
        ("answer", "wrong", "caught", "with a hint"),
        [row for each in lessons for row in _unit_rows(each.verdicts)],
    )
    yield from _survivors([v for each in lessons for v in wrong(each) if not v.by])


def _accept_row(found: Measured) -> Row:
    running = sum(v.runs for v in found.verdicts)
    count, caught = len(wrong(found)), caught_by(found)[OURS]
    return (
        found.lesson,
        found.made,
        len(found.verdicts),
        running,
        running - count,
        count,
        caught,
        count - caught,
        percent(caught, count),
    )


def _unit_rows(verdicts: Iterable[Verdict]) -> Iterator[Row]:
    units: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.counts:
            units.setdefault(verdict.mutant.unit.name, []).append(verdict)
    for name, of_unit in sorted(units.items()):
        caught = [v for v in of_unit if v.by]
        hinted = sum(v.hinted for v in caught)
        yield name, len(of_unit), len(caught), percent(hinted, len(caught))


def _survivors(survivors: Sequence[Verdict]) -> Iterator[str]:
    yield f"### Survivors: {len(survivors)}"
    places: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in sorted(survivors, key=lambda v: (v.mutant.unit.name, v.mutant.id)):
        before, _ = _sides(verdict)
        places.setdefault((verdict.mutant.unit.name, before), []).append(verdict)
    why = explanations()["survivors"]
    for (unit, before), here in places.items():
        ids = ", ".join(f"`{v.mutant.id}`" for v in here)
        reasons = " ".join(dict.fromkeys(why.get(v.mutant.id, UNEXPLAINED) for v in here))
        diff = "\n".join(filter(None, [before, *(_sides(v)[1] for v in here)]))
        yield f"**{unit}**: {ids}. {reasons}\n\n```diff\n{diff}\n```"


def _sides(verdict: Verdict) -> tuple[str, str]:
    """The lines of a change that go, and those that come."""
    lines = verdict.mutant.diff.splitlines()
    before, after = ([line for line in lines if line.startswith(sign)] for sign in "-+")
    return "\n".join(before), "\n".join(after)


def _rejects(lessons: Sequence[Measured]) -> Iterator[str]:
    yield "## Right answers: are they accepted?"
    yield (
        "Right answers in many styles, each first held against PyTorch as the mutants are, then "
        "graded with one seed after another. A grading is all the tests of what a style answers."
    )
    rows = [
        (each.lesson, g.style, len(g.functions), g.gradings, _lost(g.rejections), g.hints)
        for each in lessons
        for g in each.graded
    ]
    gradings, lost = (sum(int(str(row[i])) for row in rows) for i in (3, 4))
    yield f"**{lost} of {gradings:,} gradings rejected something.**"
    yield table(("lesson", "style", "functions", "gradings", "rejected", "hints"), rows)
    for each in lessons:
        for g in each.graded:
            if g.unlike_truth:
                yield f"`{g.style}` is itself wrong: {g.unlike_truth}."
            for r in g.rejections[:SHOWN]:
                yield f"- `{r.style}`, seed {r.seed}, `{r.test}`: {r.said}"


def _lost(rejections: Iterable[object]) -> int:
    return len({(r.style, r.seed) for r in rejections})  # type: ignore[attr-defined]


def _diagnosis(lessons: Sequence[Measured]) -> Iterator[str]:
    yield "## Wrong answers: is the mistake named?"
    yield (
        "Functions that answer exactly as a misconception of the bank does. Named means that the "
        "first report of a test that fails starts with that misconception's own words."
    )
    yield table(
        ("lesson", "misconceptions", "named", "fail, not named", "lose no points", ""),
        [_diagnosis_row(each) for each in lessons if each.diagnoses],
    )
    why = explanations()["unnamed"]
    for each in lessons:
        for d in each.diagnoses:
            if not d.named:
                reason = why.get(d.bug.title, UNEXPLAINED)
                yield f"- {each.lesson}, {d.bug.title}. {_said(d)} {reason}"


def _diagnosis_row(found: Measured) -> Row:
    named = sum(d.named for d in found.diagnoses)
    free = sum(not d.test for d in found.diagnoses)
    count = len(found.diagnoses)
    return found.lesson, count, named, count - named - free, free, percent(named, count)


def _said(diagnosis: Diagnosis) -> str:
    if not diagnosis.test:
        return "No test fails."
    said = f"“{diagnosis.hint}”" if diagnosis.hint else "no hint"
    return f"`{diagnosis.test}` fails, with {said}."


def _common(lessons: Sequence[Measured]) -> Iterator[str]:
    yield "## Beside the checks of other courses"
    yield (
        "The same mutants and the same right answers, through checks of kinds that are common in "
        "courses, made by us. All look at one fixed example, square and with stride 1. The first "
        "prints relative errors, max |a − b| / max(1e-8, |a| + |b|), which a strict human takes "
        "for wrong above 1e-6; its gradients are central differences, with a random upstream "
        "gradient."
    )
    for each in lessons:
        count = len(wrong(each))
        rejected = {OURS: [bool(g.rejections) for g in each.graded]} | {
            name: [g.objected.get(name, False) for g in each.graded] for name in BASELINES
        }
        rows = [
            (name, percent(caught, count), count - caught, _of(each, rejected[name]))
            for name, caught in caught_by(each).items()
        ]
        yield f"**{each.lesson}**, {count:,} wrong mutants:"
        yield table(("", "caught", "let through", "styles rejected"), rows)


def _of(found: Measured, which: Sequence[bool]) -> str:
    return f"{sum(which)} of {len(found.graded)}"


def _slopes(lessons: Sequence[Measured]) -> Iterator[str]:
    yield "## The gradient checker"
    yield (
        "It compares a slope of the student's forward with what their gradient says it is. Between "
        "the largest part of its tolerance that right code uses and the smallest multiple that a "
        "bug comes to should be a wide gap. Only layers whose lesson measures slopes count, and "
        "bugs that make a difference of a thousandth or more."
    )
    rows: list[Row] = []
    for each in lessons:
        if each.correct and each.bugs:
            worst = max(each.correct, key=lambda s: s.share)
            least = min(each.bugs, key=lambda s: s.share)
            cases = sum(s.cases for s in each.correct)
            spent = next(s.milliseconds for s in each.correct if s.name == "reference")
            right = f"{100 * worst.share:.2g}% ({worst.name})"
            wrong = f"{least.share:.1e} × ({least.name})"
            rows.append(
                (each.lesson, cases, right, sum(s.cases for s in each.bugs), wrong, f"{spent:.1f}")
            )
    yield table(
        (
            "lesson",
            "slopes of right code",
            "most of the tolerance",
            "slopes of bugs",
            "least beyond it",
            "ms a slope",
        ),
        rows,
    )
    for each in lessons:
        if each.bugs:
            smallest = sorted(each.bugs, key=lambda s: s.share)[:WORST]
            yield table(
                (f"{each.lesson}: bug", "cases", "least multiple of the tolerance"),
                [(s.name, s.cases, f"{s.share:.1e}") for s in smallest],
            )


def _outcomes(lessons: Sequence[Measured]) -> Iterator[str]:
    spreads = [(each.lesson, spread) for each in lessons for spread in each.spreads]
    if not spreads:
        return
    yield "## What training comes to"
    yield (
        "Where a lesson grades what a training comes to, chance has a part in it. The reference is "
        "trained with one seed after another, and so is the reference with one classic mistake. "
        "The first has to reach the threshold every time, the others never; the margin is how far "
        "the nearest of them stays on its side."
    )
    yield f"![the score of every training, beside the threshold]({TRAININGS})"
    headers = ("lesson", "outcome", "answer", "passed", "least", "median", "most", "≥", "margin")
    yield table(headers, [_outcome_row(lesson, spread) for lesson, spread in spreads])
    for lesson, spread in spreads:
        for error, count in Counter(spread.failed).items():
            yield f"- {lesson}, {spread.outcome}, {spread.answer}: {count} ended in {error}"


def _outcome_row(lesson: str, spread: Spread) -> Row:
    trainings = len(spread.scores) + len(spread.failed)
    ends = (min, lambda scores: spread.middle, max)
    scores = [f"{end(spread.scores):.3f}" if spread.scores else "" for end in ends]
    passed, margin = f"{spread.passed} of {trainings}", f"{spread.margin:+.3f}"
    return lesson, spread.outcome, spread.answer, passed, *scores, f"{spread.threshold:g}", margin


def _costs(lessons: Sequence[Measured]) -> Iterator[str]:
    yield "## What it costs"
    yield "Processor seconds of all tests of one submission of a lesson, one core, after imports."
    rows: list[Row] = []
    for each in lessons:
        if each.costs:
            slowest = max(each.costs, key=lambda c: c.median)
            reference = next(c for c in each.costs if c.answers == "reference")
            dearest = f"{slowest.median:.2f} ({slowest.answers})"
            rows.append((each.lesson, f"{reference.median:.2f}", dearest))
    yield table(("lesson", "reference", "dearest style"), rows)


def _conditions(command: str, minutes: float) -> Iterator[str]:
    yield "## Again"
    yield f"`make quality`, or with these options: `{command}`."  # no block: tests run those
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    yield (
        f"Measuring took {minutes:.0f} minutes on {processor()} ({os.cpu_count()} cores, other "
        f"programs beside it), Python {platform.python_version()}, {versions}."
    )


def processor() -> str:
    """The name of the machine's processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = Counter(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(iter(names), platform.machine())


def explanations() -> Mapping[str, Mapping[str, str]]:
    """What people have written about survivors and misconceptions that are not named."""
    return tomllib.loads((HERE / "explanations.toml").read_text(encoding="utf-8"))


def percent(part: int, whole: int) -> str:
    """A share; all but one are never 100%."""
    return f"{share(part, whole):.1f}%" if whole else ""


def share(part: int, whole: int) -> float:
    """In percent, rounded down to a tenth."""
    return 1000 * part // whole / 10


def table(headers: Sequence[str], rows: Sequence[Row]) -> str:
    """A table in Markdown."""
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)
