from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.leaderboard.parse import Predictions, parse, parse_labels
from autograder.leaderboard.score import MISSED, halves, score

labels = st.integers(0, 9)
rows = st.lists(st.tuples(labels, st.tuples(*[labels] * 5)), min_size=1, max_size=40)


def named(values):
    return {f"val/{k}.jpg": value for k, value in enumerate(values)}


@given(rows)
def test_counts_are_those_of_numpy(rows):
    right = np.array([label for label, _ in rows])
    guesses = np.array([five for _, five in rows])
    scored = score(Predictions(named(five for _, five in rows)), named(right.tolist()))
    assert scored.total == len(rows)
    assert scored.top1 == (guesses[:, 0] == right).sum()
    assert scored.top5 == (guesses == right[:, None]).any(axis=1).sum()
    assert scored.top1_accuracy == (guesses[:, 0] == right).mean()
    assert scored.top5_accuracy == (guesses == right[:, None]).any(axis=1).mean()
    assert scored.top1_error == pytest.approx(1 - scored.top1_accuracy)
    assert scored.top5_error == pytest.approx(1 - scored.top5_accuracy)


def test_places_are_in_order_of_name_however_the_files_are_ordered():
    truth = {"b": 7, "a": 3, "c": 1}
    guesses = {"c": (9, 9, 9, 9, 9), "a": (0, 1, 3, 3, 4), "b": (7, 7, 0, 0, 0)}
    scored = score(Predictions(guesses), truth)
    assert list(scored.places) == [2, 0, MISSED]
    assert score(Predictions(guesses), dict(sorted(truth.items()))) == scored


def test_a_subset_is_scored_alone():
    truth = {"a": 1, "b": 2, "c": 3}
    guesses = Predictions(dict.fromkeys(truth, (2, 0, 0, 0, 0)))
    assert (score(guesses, truth, ["b"]).top1, score(guesses, truth, ["b"]).total) == (1, 1)
    assert score(guesses, truth, ["a", "c"]).top5 == 0
    assert score(guesses, truth, ["b"]).truth != score(guesses, truth).truth


def test_other_labels_are_another_truth():
    guesses = Predictions({"a": (2, 0, 0, 0, 0)})
    assert score(guesses, {"a": 1}).truth != score(guesses, {"a": 2}).truth


def test_no_images_have_no_score():
    with pytest.raises(ValueError, match="no images"):
        score(Predictions({}), {})


def test_an_image_without_a_prediction_is_not_passed_over():
    with pytest.raises(KeyError, match="b"):
        score(Predictions({"a": (1, 2, 3, 4, 5)}), {"a": 1, "b": 2})


@given(st.lists(labels, max_size=60), st.binary(min_size=1))
def test_halves_share_out_every_category(right, secret):
    truth = named(right)
    public, private = halves(truth, secret)
    assert public | private == set(truth)
    assert not public & private
    assert 0 <= len(public) - len(private) <= 1
    in_public = Counter(truth[name] for name in public)
    in_private = Counter(truth[name] for name in private)
    assert all(abs(in_public[label] - in_private[label]) <= 1 for label in right)


def test_halves_depend_on_the_secret_only():
    truth = named([3] * 40)
    again = dict(reversed(truth.items()))
    assert halves(truth, b"one") == halves(again, b"one")
    assert halves(truth, b"one") != halves(truth, b"two")
    with pytest.raises(ValueError, match="secret"):
        halves(truth, b"")


def test_the_real_label_files(miniplaces):
    truth = parse_labels((miniplaces / "val.txt").read_bytes(), "val.txt")
    train = parse_labels((miniplaces / "train.txt").read_bytes(), "train.txt")
    categories = parse_labels((miniplaces / "categories.txt").read_bytes(), "categories.txt")
    assert len(truth) == 10_000
    assert Counter(truth.values()) == dict.fromkeys(range(100), 100)
    assert Counter(train.values()) == dict.fromkeys(range(100), 1000)
    assert sorted(categories.values()) == list(range(100))


@pytest.mark.parametrize(
    ("guess", "top1", "top5"),
    [
        (lambda label: (label, 0, 0, 0, 0), 10_000, 10_000),
        (lambda label: (7, 21, 3, 99, 0), 100, 500),
        (lambda label: ((label + 1) % 100, 0, 0, 0, label), 0, 10_000),
        (lambda label: tuple((label + k) % 100 for k in range(1, 6)), 0, 0),
        (
            lambda label: (label if label < 30 else 30, label if label < 50 else 30, 1, 2, 3),
            3100,
            5000,
        ),
    ],
    ids=["perfect", "constant", "always fifth", "never", "some"],
)
def test_known_predictions_on_the_real_labels(miniplaces, written, guess, top1, top5):
    truth = parse_labels((miniplaces / "val.txt").read_bytes(), "val.txt")
    data = written({name: guess(label) for name, label in truth.items()})
    scored = score(parse(data, "team.txt", truth), truth)
    assert (scored.total, scored.top1, scored.top5) == (10_000, top1, top5)
