"""The truth of the training lesson tells right from wrong, whatever the lesson's checks say."""

import numpy as np
import pytest

from benchmarks.quality import truth
from benchmarks.quality.lessons import ROOT, plan_of

PLAN = plan_of(ROOT / "source" / "4-convnet" / "convnet.py")


@pytest.fixture(scope="module")
def reference():
    return PLAN.lesson.namespace()


def wrong(name, scope):
    """Whether an answer to ``name`` is found wrong."""
    judged = next(t for t in PLAN.truths if name in t.names)
    calls = truth.known([judged])[0][1]
    try:
        for known in calls:
            truth.require(judged, known, scope)
    except truth.WrongError:
        return True
    return False


@pytest.mark.parametrize("name", [t.names[0] for t in PLAN.truths])
def test_the_reference_is_right(reference, name):
    assert not wrong(name, reference)


def one_more(count, batch_size, rng):
    order = rng.permutation(count)
    return [*(order[i : i + batch_size] for i in range(0, count, batch_size)), order[:1]]


def always_the_same(count, batch_size, rng):
    order = np.random.default_rng(0).permutation(count)
    return [order[i : i + batch_size] for i in range(0, count, batch_size)]


def with_gradients_changed(params, grads, velocity, learning_rate, momentum=0.9):
    for name in params:
        velocity[name] = momentum * velocity[name] + grads[name]
        params[name] -= learning_rate * velocity[name]
        grads[name] *= 0


PLANTED = [
    ("minibatches", one_more),
    ("minibatches", always_the_same),
    ("sgd_step", with_gradients_changed),
    ("accuracy", lambda f, p, x, y, batch_size=100: np.mean(f(x, p)[0].argmax(1)[:-1] == y[:-1])),
    ("output_shape", lambda layer, shape: shape),
    ("cost", lambda layer, shape: (0, 0)),
]


@pytest.mark.parametrize(("name", "function"), PLANTED)
def test_a_planted_fault_is_found(reference, name, function):
    assert wrong(name, {**reference, name: function})


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("init_lenet", lambda params: {k: 1.3 * p for k, p in params.items()}),
        ("init_lenet", lambda params: {k: p + (k == "fc2_b") for k, p in params.items()}),
        ("init_lenet", lambda params: {k: p for k, p in params.items() if k != "fc2_b"}),
        ("train", lambda history: {**history, "loss": [2 * loss for loss in history["loss"]]}),
        ("lenet_backward", lambda grads: {**grads, "conv1_b": 0 * grads["conv1_b"]}),
    ],
)
def test_a_changed_answer_is_found(reference, name, change):
    def changed(*given, **options):
        return change(reference[name](*given, **options))

    assert wrong(name, {**reference, name: changed})
