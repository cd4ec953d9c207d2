"""What an error looks like is said where it can be seen, and what is said is so."""

import re

import numpy as np
import pytest

from autograder.check.compare import difference
from autograder.check.pattern import describe, misshapen


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def said(got, want):
    found = difference(got, want)
    return describe(np.asarray(got), want, found.wrong)


def change(at, how, shape=(2, 3, 5, 6)):
    """An array with something done to one part of it, and the array."""
    want = drawn(*shape)
    got = want.copy()
    got[at] = how(got[at])
    return got, want


def noise(part):
    return part + drawn(*part.shape, seed=1)


def zero(part):
    return 0 * part


X = drawn(2, 3, 5, 6)
SQUARE = drawn(3, 3, 5, 5)
PER_CHANNEL = np.array([2.0, 3.0, 5.0])[:, None, None]


@pytest.mark.parametrize(
    ("sentence", "got", "want"),
    [
        ("Every number has the wrong sign.", -X, X),
        ("Every number is 2.5 times what it should be.", 2.5 * X, X),
        ("Every number is 0.5 too large.", X + 0.5, X),
        ("Every number is 0.25 too small.", X - 0.25, X),
        ("Every number is right to about four digits.", X * (1 + 5e-5), X),
        ("Every number is 0.", 0 * X, X),
        ("The last two axes are swapped.", SQUARE.swapaxes(2, 3), SQUARE),
        ("Axes 0 and 1 are swapped.", SQUARE.swapaxes(0, 1), SQUARE),
        (
            "The axes are in another order: transpose yours by (2, 0, 1).",
            np.moveaxis(drawn(4, 4, 4), 0, 2),
            drawn(4, 4, 4),
        ),
        (
            "Axis 2 runs backwards: [:, :, 0, :] belongs at its end.",
            X[:, :, ::-1],
            X,
        ),
        (
            "Axis 1 is in another order: what is in [:, 0, :, :] belongs in [:, 1, :, :].",
            X[:, [1, 2, 0]],
            X,
        ),
        (
            "All is shifted by one along axis 2: [:, :, i + 1, :] holds what belongs in "
            "[:, :, i, :].",
            np.concatenate([drawn(2, 3, 1, 6, seed=4), X[:, :, :-1]], axis=2),
            X,
        ),
        (
            "All is shifted by one along axis 3: [:, :, :, i] holds what belongs in "
            "[:, :, :, i + 1].",
            np.concatenate([X[..., 1:], 0 * X[..., :1]], axis=3),
            X,
        ),
        (
            "Each [:, i, :, :] is off by a factor of its own (2 at 0, 3 at 1).",
            X * PER_CHANNEL,
            X,
        ),
        (
            "Each [:, i, :, :] is off by a constant of its own (+2 at 0, +3 at 1).",
            X + PER_CHANNEL,
            X,
        ),
        (
            "Each [i, :] is off by a constant of its own (+1 at 0, -1 at 1).",
            drawn(2, 5) + np.array([[1.0], [-1.0]]),
            drawn(2, 5),
        ),
        (
            "Only [:, 1, :, :] is wrong; everything else is right.",
            *change(np.s_[:, 1], noise),
        ),
        ("Only [1, :, :, :] is wrong; everything else is right.", *change(np.s_[1], noise)),
        (
            "Only [1, :, :, :] is wrong; everything else is right. What is wrong is 0.",
            *change(np.s_[1], zero),
        ),
        (
            "Only the first row, [:, :, 0, :], is wrong; everything else is right.",
            *change(np.s_[:, :, 0], noise),
        ),
        (
            "Only the last column, [:, :, :, 5], is wrong; everything else is right.",
            *change(np.s_[..., -1], noise),
        ),
        ("Only [:, :, 2, :] is wrong; everything else is right.", *change(np.s_[:, :, 2], noise)),
        ("Only [3] is wrong; everything else is right.", *change(np.s_[3:4], noise, (6,))),
        ("Only [:, 0, :, :] is right.", *change(np.s_[:, 1:], noise)),
        ("Only [:, 0, :, :] is right. What is wrong is 0.", *change(np.s_[:, 1:], zero)),
    ],
)
def test_a_pattern_is_said(sentence, got, want):
    assert said(got, want) == sentence


def masked(inside, how):
    """An array that is right only in one part."""
    want = drawn(2, 3, 5, 6)
    got = how(want)
    got[inside] = want[inside]
    return got, want


@pytest.mark.parametrize(
    ("sentence", "inside"),
    [
        ("Only the border is wrong; everything inside is right.", np.s_[..., 1:-1, 1:-1]),
        (
            "Only the last row and column are wrong; everything else is right.",
            np.s_[..., :-1, :-1],
        ),
        (
            "Only the first row and column are wrong; everything else is right.",
            np.s_[..., 1:, 1:],
        ),
        (
            "Only the four corners, which the fewest windows see, are right: look at where windows "
            "overlap.",
            np.s_[..., ::4, ::5],
        ),
    ],
)
def test_a_pattern_of_places_is_said(sentence, inside):
    assert said(*masked(inside, noise)) == sentence
    if "corners" not in sentence:
        assert said(*masked(inside, zero)) == sentence.replace(
            "right.", "right. What is wrong is 0."
        )


def test_scattered_zeros_are_said():
    want = drawn(4, 5, 6)
    got = want.copy()
    got[np.random.default_rng(3).random(want.shape) < 0.4] = 0
    assert said(got, want) == "All that is wrong is 0."


@pytest.mark.parametrize("shape", [(1,), (3,), (4, 5), (3, 3), (2, 3, 5, 6), (2, 2, 2, 2)])
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_said_of_what_has_no_pattern(shape, seed):
    found = said(drawn(*shape, seed=seed + 100), drawn(*shape, seed=seed))
    assert found == "" or (shape == (1,) and found)


def test_numbers_that_are_all_alike_are_in_no_order():
    got = np.array([[1.0, 1, 1], [1, 1, 1], [1, 1, 2]])
    sentence = "Only the last row, [2, :], is wrong; everything else is right."
    assert said(got, np.ones((3, 3))) == sentence


@pytest.mark.parametrize(
    ("sentence", "got", "want"),
    [
        (
            "Only [1, :] is right.",
            [[9, 8], [1, 2], [1, 2]],
            [[1, 2], [1, 2], [5, 6]],
        ),  # not shifted: rows are alike
        (
            "Only [:, 0, :, :] is right.",
            X * np.array([1.0, 2.0, 3.0])[:, None, None],
            X,
        ),
        (
            "Only [:, 2, :, :] is right.",
            X + np.array([1.0, 2.0, 0.0])[:, None, None],
            X,
        ),
        ("Axis 0 is in another order: what is in [0] belongs in [1].", [2.0, 3, 1], [1.0, 2, 3]),
        ("Only [0] is right.", [1.0, 1, 2, 2], [1.0, 2, 1, 3]),
    ],
)
def test_a_pattern_that_is_not_quite_there_is_not_said(sentence, got, want):
    assert said(np.array(got, float), np.array(want, float)) == sentence


def test_corners_are_not_said_where_more_is_right():
    got, want = masked(np.s_[..., ::4, ::5], noise)
    got[:, :, 2, 2] = want[:, :, 2, 2]
    assert said(got, want) == ""


CHANGES = {
    "sign": lambda a: -a,
    "factor": lambda a: 3 * a,
    "flip": lambda a: a[..., ::-1],
    "swap": lambda a: a.swapaxes(-1, -2),
    "shift": lambda a: np.roll(a, 1, axis=-2),
    "channel": lambda a: np.where(np.arange(a.shape[1])[:, None, None] == 1, 2 * a, a),
    "last row": lambda a: np.where(np.arange(a.shape[2])[:, None] == a.shape[2] - 1, 0, a),
    "border": lambda a: np.pad(a[..., 1:-1, 1:-1], [(0, 0), (0, 0), (1, 1), (1, 1)]),
    "bias": lambda a: a + np.arange(1.0, a.shape[1] + 1)[:, None, None],
    "image": lambda a: np.concatenate([a[:1], 0 * a[1:]]),
    "noise": lambda a: a + (np.random.default_rng(5).random(a.shape) < 0.1),
}


def place_of(text):
    inside = re.search(r"\[(.*?)\]", text)[1]
    return eval(f"np.s_[{inside}]")


def holds(sentence, got, want, wrong):
    """Whether a sentence is so, read anew from its words."""
    inner = {"border": np.s_[..., 1:-1, 1:-1], "last row and": np.s_[..., :-1, :-1]}
    inner["first row and"] = np.s_[..., 1:, 1:]
    rest = wrong.copy()
    if sentence.endswith("is 0.") and got[wrong].any():
        return False
    if match := re.match(r"Only the (border|last row and|first row and)", sentence):
        return not wrong[inner[match[1]]].any()
    if sentence.startswith("Only the four corners"):
        return not wrong[..., ::4, ::4].any()
    if " is wrong;" in sentence:
        rest[place_of(sentence)] = False
        return not rest.any()
    if sentence.startswith("Only ["):
        rest[place_of(sentence)] = True
        return not wrong[place_of(sentence)].any() and rest.any()
    if match := re.match(r"Every number is (\S+) times", sentence):
        return np.allclose(got, float(match[1]) * want, rtol=1e-3)
    if match := re.match(r"Each \[(.*)\] is off by a (factor|constant)", sentence):
        axis = match[1].split(", ").index("i")
        others = tuple(a for a in range(want.ndim) if a != axis)
        spread = got / want if match[2] == "factor" else got - want
        return bool((spread.std(axis=others) < 1e-6).all())
    if match := re.match(r"Axis (\d) runs backwards", sentence):
        return np.allclose(np.flip(got, int(match[1])), want)
    if sentence.startswith("The last two axes"):
        return np.allclose(got.swapaxes(-1, -2), want)
    if sentence.startswith("Every number has the wrong sign"):
        return np.allclose(got, -want)
    if match := re.match(r"All is shifted by one along axis (\d): .*i \+ 1.* holds", sentence):
        ours, right = (np.moveaxis(a, int(match[1]), 0) for a in (got, want))
        return np.allclose(ours[1:], right[:-1])
    if match := re.match(
        r"Axis (\d) is in another order: what is in (.*) belongs in (.*)\.$", sentence
    ):
        return np.allclose(got[place_of(match[2])], want[place_of(match[3])])
    return sentence in ("", "All that is wrong is 0.", "Every number is 0.")


@pytest.mark.parametrize("second", CHANGES)
@pytest.mark.parametrize("first", CHANGES)
def test_what_is_said_of_two_changes_at_once_is_so(first, second):
    want = drawn(2, 3, 5, 5)
    got = CHANGES[second](CHANGES[first](want))
    found = difference(got, want)
    if found is not None:
        assert holds(describe(got, want, found.wrong), got, want, found.wrong)


@pytest.mark.parametrize(
    ("sentence", "got"),
    [
        ("The numbers are right and in the right order: only give them the right shape.",
         X.reshape(2, -1)),
        ("The axes are in another order: transpose yours by (0, 3, 1, 2).", np.moveaxis(X, 1, -1)),
        ("The axes are in another order: transpose yours by (0, 1, 3, 2).", X.swapaxes(2, 3)),
        ("It is right as far as it should go; what lies beyond is too much.",
         np.pad(X, [(0, 0), (0, 0), (0, 1), (0, 2)])),
        ("It is right as far as it goes, but it ends too early.", X[:, :, :-1]),
        ("", X[:, :, 1:]),
        ("", drawn(6, 5, 3, 2, seed=7)),
        ("", np.float64(3)),
    ],
)  # fmt: skip
def test_what_is_in_an_array_of_another_shape(sentence, got):
    assert misshapen(np.asarray(got), X) == sentence
    assert describe(np.asarray(got), X, None) == sentence
