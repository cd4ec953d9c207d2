"""The proof of quality finds what it is there to find: planted faults of checks, and of answers."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.quality import (
    accepts,
    baselines,
    diagnosis,
    lesson,
    mutation,
    rejects,
    report,
)
from benchmarks.quality.lessons import Plan
from benchmarks.quality.measure import Amount, Measured, judgeable, unfit
from benchmarks.quality.stored import stored
from benchmarks.quality.truth import (
    Call,
    FunctionTruth,
    LayerTruth,
    WrongError,
    require,
)

ROOT = Path(__file__).parents[1]
LESSON = """
# %% locked="setup"
import numpy as np
from autograder import check

# %% solution="scale"
def scale(x, factor=2):
    \"\"\"factor * x\"\"\"
    ### BEGIN SOLUTION
    block = 1024
    return x * factor
    ### END SOLUTION


# %% solution="untold"
def untold(x):
    ### BEGIN SOLUTION
    return x + 1
    ### END SOLUTION


# %% test="scale-some" points=1
"""
WEAK = "check.that(scale, np.zeros(2)).returns([0, 0])\n"
STRICT = "check.that(scale, np.arange(3.0)).returns([0, 2, 4])\n"
PICKY = STRICT + "assert isinstance(scale(np.ones(2)), np.ndarray)\n"
ROUNDABOUT = "def scale(x, factor=2):\n    return [factor * number for number in x]\n"


def calls(rng):
    for size in (1, 5):
        yield Call((rng.standard_normal(size),))
        yield Call((rng.standard_normal(size),), options={"factor": 3})


SCALE = FunctionTruth("scale", lambda x, factor=2: factor * x, calls, Call((np.arange(3.0),)))


def plan_with(test, styles=()):
    return Plan(lesson.read(LESSON + test, "tiny"), (SCALE,), {}, dict(styles), ())


def verdicts_of(plan):
    (unit,), _ = judgeable(plan)
    verdicts = accepts.Bench(plan).verdicts(mutation.of(unit))
    return {verdict.mutant.diff.split("+    ")[1]: verdict for verdict in verdicts}


def test_a_weak_check_lets_mutants_through_and_they_are_reported():
    found = list(verdicts_of(plan_with(WEAK)).values())
    survivors = [v for v in found if v.counts and not v.by]
    assert "return x / factor" in {v.mutant.diff.split("+    ")[1] for v in survivors}
    page = report.page([Measured("tiny", verdicts=found)], [], "command", 1)
    assert f"### Survivors: {len(survivors)}" in page
    before, after = "```diff\n-    return x * factor\n", "+    return x / factor\n"
    assert after in page.split(before)[1].split("```")[0]


def test_all_but_one_are_not_all():
    assert (report.percent(9999, 10_000), report.percent(3, 3)) == ("99.9%", "100.0%")


def test_a_strict_check_takes_the_points_of_all_that_differ():
    found = verdicts_of(plan_with(STRICT))
    wrong = [v for v in found.values() if v.counts]
    assert len(wrong) > 5
    assert {v.by for v in wrong} == {"scale-some"}
    assert found["x += 1"].counts  # the caller's array is not its own


def test_an_equivalent_mutant_is_known_as_such():
    found = verdicts_of(plan_with(WEAK))["block = 1025"]
    assert found.runs and not found.differs


def test_a_mutant_that_does_not_run_does_not_count():
    unit = judgeable(plan_with(STRICT))[0][0]
    text = unit.text.replace("x * factor", "x.factor")
    (found,) = accepts.Bench(plan_with(STRICT)).verdicts([mutation.Mutant(unit, "none", text)])
    assert not found.runs and not found.counts


def test_a_mutant_that_never_ends_is_caught(monkeypatch):
    monkeypatch.setattr(accepts, "TRUTH_SECONDS", 0.5)
    monkeypatch.setattr(accepts, "CHECK_SECONDS", 0.5)
    text = LESSON.replace("block = 1024", "while x[0] < 0 or factor == 3:\n        pass")
    test = STRICT.replace("arange(3.0)", "full(3, -1.0)")
    plan = Plan(lesson.read(text + test, "tiny"), (SCALE,), {}, {}, ())
    (unit,), _ = judgeable(plan)
    (found,) = accepts.Bench(plan).verdicts([mutation.Mutant(unit, "none", unit.text)])
    assert found.counts and found.by == accepts.HUNG


def test_what_has_no_truth_is_said_and_not_taken_for_equivalent():
    plan = plan_with(STRICT)
    told, untold = judgeable(plan)
    assert [unit.name for unit in told] == ["scale"]
    assert untold == ("untold",)
    page = report.page([Measured("tiny", untold=untold)], [], "command", 1)
    assert "no truth is written down for untold" in page


def test_a_correct_style_that_is_rejected_is_reported():
    (graded,) = rejects.by_style(list(rejects.graded(plan_with(PICKY, {"lists": ROUNDABOUT}), 3)))
    assert graded.unlike_truth == ""
    assert [(r.seed, r.test) for r in graded.rejections] == [(n, "scale-some") for n in range(3)]
    page = report.page([Measured("tiny", graded=[graded])], [], "command", 1)
    assert "**3 of 3 gradings rejected something.**" in page
    assert "`lists`, seed 0, `scale-some`: AssertionError" in page


def test_a_correct_style_that_is_accepted():
    (graded,) = rejects.by_style(list(rejects.graded(plan_with(STRICT, {"lists": ROUNDABOUT}), 3)))
    assert (graded.gradings, graded.rejections, graded.hints) == (3, (), 0)


def test_a_style_that_is_wrong_is_not_taken_for_correct():
    wrong = {"wrong": ROUNDABOUT.replace("factor *", "2 *")}
    (graded,) = rejects.by_style(list(rejects.graded(plan_with(STRICT, wrong), 1)))
    assert graded.rejections == ()
    assert "scale" in graded.unlike_truth


def test_a_lesson_whose_reference_loses_points_is_not_measured():
    assert "its reference loses scale-some" in unfit(plan_with("assert scale(2) == 5\n"))
    assert unfit(plan_with(STRICT)) == ""


CORR2D = """
# %% locked="setup"
import numpy as np
from autograder import check

# %% solution="corr2d"
def corr2d(X, K):
    ### BEGIN SOLUTION
    return np.einsum("ijuv,uv", np.lib.stride_tricks.sliding_window_view(X, K.shape), K)
    ### END SOLUTION


# %% test="corr2d-one" points=1
check.corr2d.forward(corr2d, X=(5, 6), K={kernel})
"""


@pytest.mark.parametrize(
    ("kernel", "named"),
    [
        ((2, 3), [True] * 5),
        ((1, 1), [False, False, True, True, False]),  # turned, transposed, as large as X: unseen
    ],
)
def test_misconceptions_that_a_test_cannot_see_are_not_named(kernel, named):
    text = CORR2D.format(kernel=kernel)
    plan = Plan(lesson.read(text, "tiny"), (), {"corr2d": ("corr2d", "")}, {}, ())
    bugs = diagnosis.bugs(plan)
    found = {d.bug.name: d for d in diagnosis.diagnosed(plan, bugs)}
    assert [found[bug.name].named for bug in bugs] == named
    page = report.page([Measured("tiny", diagnoses=list(found.values()))], [], "command", 1)
    assert ("corr2d out: kernel flipped. No test fails." in page) is not named[0]


TIMES = LayerTruth(
    "forward",
    "backward",
    torch.mul,
    lambda rng: (),
    Call((np.arange(1.0, 5).reshape(2, 2), np.full((2, 2), 3.0))),
)


def forward(x, y):
    return x * y, (x, y)


def right(dout, cache):
    return dout * cache[1], dout * cache[0]


def eats_its_argument(x, factor=2):
    y = x * factor
    x[...] = 0
    return y


def test_the_truth_sees_an_argument_that_is_changed():
    known = SCALE.known(SCALE.example)
    require(SCALE, known, {"scale": lambda x, factor=2: x * factor})
    with pytest.raises(WrongError, match="an argument is changed"):
        require(SCALE, known, {"scale": eats_its_argument})


LAST = {}


def remembers(x, y):
    LAST["cache"] = (x, y)
    return x * y, None


def spoils_upstream(dout, cache):
    gradients = right(dout, cache)
    dout[...] = 0
    return gradients


@pytest.mark.parametrize(
    ("forwards", "backward", "fault"),
    [
        (forward, right, None),
        (remembers, lambda dout, _: right(dout, LAST["cache"]), "forward"),  # another in between
        (forward, spoils_upstream, "an argument is changed"),
        (forward, lambda dout, cache: right(dout, cache)[::-1], "forward"),
        (forward, lambda dout, cache: right(dout, cache)[:1], "another number of gradients"),
    ],
)
def test_the_truth_of_a_layer(forwards, backward, fault):
    scope, known = {"forward": forwards, "backward": backward}, TIMES.known(TIMES.example)
    if fault is None:
        require(TIMES, known, scope)
    else:
        with pytest.raises(WrongError, match=fault):
            require(TIMES, known, scope)


@pytest.mark.parametrize(
    ("backward", "objecting"),
    [
        (right, []),
        (lambda dout, cache: cache[::-1], ["relative error, numeric gradient"]),  # dout forgotten
        (lambda dout, cache: (dout, dout), ["relative error", "allclose", "allclose on one"]),
        (lambda dout, cache: (dout[0], dout), ["relative", "allclose", "allclose on", "shape"]),
    ],
)
def test_the_common_checks_see_what_they_look_at(backward, objecting):
    scope = {"forward": forward, "backward": backward}
    example = baselines.example_of(TIMES)
    found = {n: accepts.objects(b, scope, example) for n, b in baselines.BASELINES.items()}
    if backward is not right and len(objecting) == 1:
        found.pop("allclose on one element")  # by the luck of the draw
    assert [name for name, objects in found.items() if objects] == [
        next(name for name in baselines.BASELINES if name.startswith(start)) for start in objecting
    ]


@pytest.mark.parametrize(
    ("line", "operator", "changed"),
    [
        ("y = x[1:3]", "moved_slice", "y = x[1:3 - 1]"),
        ("y = x.sum(axis=(0, 2))", "missing_element", "y = x.sum(axis=(2,))"),
        ("y = x.sum(keepdims=True)", "missing_keyword", "y = x.sum()"),
        ("y = x.sum(0)", "confused_function", "y = x.mean(0)"),
        ("y += x", "other_assignment", "y = x"),
        ("return x, y", "swapped_elements", "return y, x"),
        ("H, W = x.shape; y = H", "neighbouring_name", "H, W = x.shape; y = W"),
        ('y = einsum("ij->ji", x)', "other_subscripts", 'y = einsum("ji->ji", x)'),
        ("y = x + 1", "missing_term", "y = (x)"),
        ("y = x.T", "missing_transpose", "y = x"),
        ("y = x + 1", "ReplaceBinaryOperator_Add_Sub", "y = x - 1"),
    ],
)
def test_operators(line, operator, changed):
    text = f"def f(x, y):\n    {line}\n"
    unit = mutation.Unit("f", text, frozenset([2]), frozenset(["f"]))
    found = [m.text.splitlines()[1].strip() for m in mutation.of(unit) if m.operator == operator]
    assert changed in found


def test_only_the_lines_of_a_student_are_mutated_and_each_mutant_is_new():
    text = "def f(x, y=1):\n    return x + 1\n"
    mutants = mutation.of(mutation.Unit("f", text, frozenset([2]), frozenset(["f"])))
    assert {mutant.text.splitlines()[0] for mutant in mutants} == {"def f(x, y=1):"}
    assert len({mutant.text for mutant in mutants}) == len(mutants)


def test_an_explanation_is_merged_in_by_the_mutants_id(monkeypatch):
    unit = mutation.Unit("f", "a\n", frozenset([1]), frozenset())
    verdict = accepts.Verdict(mutation.Mutant(unit, "o", "b\n"), runs=True, differs=True)
    found = [Measured("tiny", verdicts=[verdict])]
    assert report.UNEXPLAINED in report.page(found, [], "command", 1)
    known = {"survivors": {verdict.mutant.id: "Because."}, "unnamed": {}}
    monkeypatch.setattr(report, "explanations", lambda: known)
    assert f"**f**: `{verdict.mutant.id}`. Because." in report.page(found, [], "command", 1)


@pytest.mark.slow
def test_the_quick_command(tmp_path):
    page = tmp_path / "quality.md"
    command = [sys.executable, "-m", "benchmarks.quality", "--quick", "--lesson", "1-backprop"]
    subprocess.run([*command, "--output", page], cwd=ROOT, check=True, capture_output=True)
    text = page.read_text(encoding="utf-8")
    assert "is itself wrong" not in text
    for part in ("are they caught?", "are they accepted?", "gradient checker", "What it costs"):
        assert part in text


def test_the_package_does_not_depend_on_it():
    sources = (ROOT / "autograder").rglob("*.py")
    assert not [path for path in sources if "benchmarks" in path.read_text(encoding="utf-8")]


def test_a_lesson_is_not_measured_again_until_something_changes(tmp_path):
    runs = []

    def measure(plan, amount):
        runs.append(plan)
        return Measured(plan.lesson.name, made=len(runs))

    def made(test, seeds=2, styles=()):
        return stored(plan_with(test, styles), Amount(seeds=seeds), measure, tmp_path).made

    assert [made(WEAK), made(WEAK)] == [1, 1]
    assert made(STRICT) == 2
    assert made(STRICT, seeds=3) == 3
    assert made(STRICT, styles={"lists": ROUNDABOUT}) == 4
    assert made(WEAK) == 1
