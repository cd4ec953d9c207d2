import hashlib
from importlib.resources import files

import numpy as np
import pytest

from autograder.places import digits

# Of scikit-learn's load_digits: data (1797, 64) as bytes, then target (1797,) as bytes.
THEIRS = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def original():
    with files("autograder.places").joinpath("digits.npz").open("rb") as stream:
        return dict(np.load(stream))


def test_the_numbers_are_those_that_scikit_learn_distributes():
    given = original()
    assert (given["images"].shape, given["labels"].shape) == ((1797, 8, 8), (1797,))
    both = given["images"].tobytes() + given["labels"].tobytes()
    assert hashlib.sha256(both).hexdigest() == THEIRS


@pytest.mark.parametrize(("strangers", "sizes"), [(False, (1442, 355)), (True, (1442, 355))])
def test_every_image_is_in_one_of_the_two_parts(strangers, sizes):
    x_train, y_train, x_test, y_test = digits(strangers)
    assert (x_train.shape, x_test.shape) == tuple((n, 1, 28, 28) for n in sizes)
    assert x_train.dtype == x_test.dtype == np.float32
    together = np.concatenate([y_train, y_test])
    assert np.bincount(together).tolist() == np.bincount(original()["labels"]).tolist()
    assert len(np.unique(np.concatenate([x_train, x_test]).reshape(1797, -1), axis=0)) == len(
        np.unique(original()["images"].reshape(1797, -1), axis=0)
    )


@pytest.mark.parametrize("strangers", [False, True])
def test_the_test_holds_a_fifth_of_every_class_and_is_always_the_same(strangers):
    one, again = digits(strangers), digits(strangers)
    shares = np.bincount(one.y_test) / np.bincount(original()["labels"])
    assert shares == pytest.approx(np.full(10, 0.2), abs=0.01)
    assert all(map(np.array_equal, one, again))


def test_strangers_come_last():
    """Of every class the images that were written last."""
    labels, x_test = original()["labels"], digits(strangers=True).x_test
    first_tested = np.flatnonzero(labels == 3)[-len(labels[labels == 3]) // 5 :]
    assert len(first_tested) - np.sum(digits(strangers=True).y_test == 3) in (0, 1)
    threes = x_test[digits(strangers=True).y_test == 3]
    small = original()["images"][np.flatnonzero(labels == 3)[-1]]
    assert threes[-1, 0, 3:27:3, 3:27:3] == pytest.approx(small / 16)


def test_an_image_is_enlarged_three_times_and_has_a_border_of_two():
    x = digits().x_train
    assert (x.min(), x.max()) == (0, 1)
    border = np.ones((28, 28), bool)
    border[2:-2, 2:-2] = False
    assert not x[:, 0, border].any()
    # Pixel (i, j) has its centre in the middle of 3×3, where nothing else has a part.
    small = original()["images"][0] / 16
    assert x[0, 0, 3:27:3, 3:27:3] == pytest.approx(small)
    between = (2 * small[:, 3] + small[:, 4]) / 3
    assert x[0, 0, 3:27:3, 13] == pytest.approx(between)
    assert x[0, 0, 2, 3:27:3] == pytest.approx(small[0])  # the outermost has one neighbour only


def test_who_changes_an_image_changes_no_other_ones():
    digits().x_train[:] = 7
    assert digits().x_train.max() == 1
