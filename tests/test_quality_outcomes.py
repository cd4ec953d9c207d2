"""What a training comes to: the reference and its classic mistakes, with one seed after another."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import chart, lesson, outcomes, report
from benchmarks.quality.lessons import Plan, miniplaces_outcomes
from benchmarks.quality.lessons.miniplaces_outcomes import OUTCOMES
from benchmarks.quality.measure import Amount, Measured, trained
from benchmarks.quality.outcomes import Edit, Outcome, Spread
from benchmarks.quality.stored import trained as stored

ROOT = Path(__file__).parents[1]
LESSON = """
# %% locked="setup"
import numpy as np

# %% solution="fit"
def probabilities(w, x):
    ### BEGIN SOLUTION
    return 1 / (1 + np.exp(-x @ w))
    ### END SOLUTION


def fit(x, y, epochs=40, rate=1.0):
    ### BEGIN SOLUTION
    w = np.zeros(x.shape[1])
    for _ in range(epochs):
        gradient = x.T @ (probabilities(w, x) - y) / len(x)
        w -= rate * gradient
    return w
    ### END SOLUTION


# %% solution="predict"
def predict(w, x):
    ### BEGIN SOLUTION
    return probabilities(w, x) > 0.5
    ### END SOLUTION
"""


def accuracy(scope, seed):
    """Of a logistic regression on points on two sides of a line, some of them mislaid."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((400, 5))
    y = (x @ np.arange(5.0) + rng.standard_normal(400) > 0).astype(float)
    w = scope["fit"](x[:200], y[:200])
    return np.mean(scope["predict"](w, x[200:]) == y[200:])


MISTAKES = (
    Edit("ascends", "w -= rate", "w += rate"),
    Edit("no step", "        w -= rate * gradient\n", ""),
    Edit("raises", "return w\n", "return w.undefined\n"),
)
OUTCOME = Outcome("accuracy", 0.8, accuracy, MISTAKES, seeds=(0, 1, 2, 3))


def plan_with(*found, text=LESSON):
    return Plan(lesson.read(text, "tiny"), (), {}, {}, (), found)


@pytest.fixture(scope="module")
def spreads():
    found = list(trained(plan_with(OUTCOME), Amount(workers=1)))
    return {spread.answer: spread for spread in outcomes.spreads([OUTCOME], found)}


def test_the_reference_passes_every_time_and_a_mistake_never(spreads):
    assert list(spreads) == ["reference", "ascends", "no step", "raises"]
    assert [spread.passed for spread in spreads.values()] == [4, 0, 0, 0]
    assert all(spread.margin > 0 for spread in spreads.values())
    assert len(spreads["no step"].scores) == 4


def test_a_mistake_that_raises_is_told_and_does_not_pass(spreads):
    assert spreads["raises"].scores == ()
    assert spreads["raises"].failed[0].startswith("AttributeError")


def test_the_same_seed_gives_the_same_score(spreads):
    scope = plan_with().lesson.namespace()
    assert spreads["reference"].scores == tuple(accuracy(scope, seed) for seed in range(4))


@pytest.mark.parametrize(
    ("old", "where"), [("w -= speed", "nowhere"), ("probabilities(w, x)", "fit, predict")]
)
def test_a_mistake_that_no_longer_fits_the_lesson_is_an_error(old, where):
    outcome = replace(OUTCOME, mistakes=(Edit("old", old, "w"),))
    with pytest.raises(ValueError, match=where):
        list(outcomes.trials(plan_with().lesson, [outcome], 1))


def test_a_change_of_one_cell_leaves_the_others():
    changed = outcomes.edited(plan_with().lesson, MISTAKES[0])
    assert isinstance(changed, Mapping) and list(changed) == ["fit"]
    assert "w += rate" in changed["fit"] and "def probabilities" in changed["fit"]


def test_margins_are_negative_on_the_wrong_side():
    assert Spread("o", "reference", 0.8, (0.9, 0.79)).margin == pytest.approx(-0.01)
    assert Spread("o", "a mistake", 0.8, (0.1, 0.85)).margin == pytest.approx(-0.05)
    assert Spread("o", "reference", 0.8, (), ("it raised",)).margin < 0
    assert Spread("o", "reference", 0.8, (0.8,)).passed == 1


def test_a_reference_that_raised_once_has_no_margin():
    assert Spread("o", "reference", 0.8, (0.9,), ("it raised",)).margin < 0


def test_a_training_that_never_ends_is_told(monkeypatch):
    monkeypatch.setattr(outcomes, "SECONDS", 0.5)
    endless = Outcome("o", 0.5, lambda scope, seed: [0 for _ in iter(int, 1)], (), (0,))
    (trial,) = trained(plan_with(endless), Amount(workers=1))
    assert trial.error == "not done in 0.5 s"


def test_the_report_says_how_many_pass_and_by_how_much(spreads):
    page = report.page([Measured("tiny", spreads=list(spreads.values()))], [], "command", 1)
    assert "| right trainings that pass" in page and "4 of 4" in page
    (row,) = (line for line in page.splitlines() if "| no step" in line)
    assert "0 of 4" in row and "+" in row
    assert "tiny, accuracy, raises: 4 ended in AttributeError" in page
    assert report.TRAININGS in page
    assert report.TRAININGS not in report.page([Measured("tiny")], [], "command", 1)


def test_the_picture_has_a_panel_for_every_outcome(spreads):
    other = [replace(spread, outcome="again") for spread in spreads.values()]
    one, two = chart.outcomes([*spreads.values()]), chart.outcomes([*spreads.values(), *other])
    heights = [int.from_bytes(picture[20:24]) for picture in (one, two)]
    assert one.startswith(b"\x89PNG") and 1.9 < heights[1] / heights[0] < 2.1


def test_nothing_is_trained_anew_until_something_changes(tmp_path):
    runs = []

    def train(plan, amount):
        runs.append(plan)
        return []

    def ran(outcome=OUTCOME, text=LESSON, seeds=2):
        stored(plan_with(outcome, text=text), Amount(seeds=seeds), train, tmp_path)
        return len(runs)

    assert [ran(), ran()] == [1, 1]
    assert ran(replace(OUTCOME, threshold=0.7)) == 1
    assert ran(text=LESSON + '\n# %% test="fit-some" points=1\nassert fit\n') == 1
    assert ran(replace(OUTCOME, mistakes=())) == 2
    assert ran(text=LESSON.replace("rate=1.0", "rate=2.0")) == 3
    assert ran(seeds=3) == 4


def test_the_lesson_asks_for_what_is_measured():
    text = (ROOT / "source/6-miniplaces/miniplaces.py").read_text(encoding="utf-8")
    asked = re.findall(r'regime="([^"]+)", epochs=(\d+), at_least=([\d.]+)', text)
    measured = [(o.name, miniplaces_outcomes.EPOCHS, o.threshold) for o in OUTCOMES]
    assert [(name, int(epochs), float(least)) for name, epochs, least in asked] == measured
    assert all(len(outcome.seeds) == 50 for outcome in OUTCOMES)
