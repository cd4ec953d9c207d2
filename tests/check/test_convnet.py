"""The checks of a whole network: what they accept, and that they name what is wrong."""

import contextlib
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from autograder import check
from autograder.check import oracle as engine
from autograder.check.compare import difference
from autograder.check.layers.lenet import Sizes
from autograder.check.mistakes import first_weights
from autograder.check.mistakes.lenet import LENET
from autograder.check.mistakes.lenet_backward import LENET_GRADIENTS, gradient_of
from autograder.check.oracle import lenet as oracle
from autograder.check.oracle.learning import sgd
from autograder.check.record import Outcome
from tests.check.lessons import passed

LESSON = Path(__file__).parents[2] / "source" / "4-convnet" / "convnet.py"
WIDE = dict(images=(3, 1, 8, 12), channels=(4, 5), hidden=6, classes=3)
SQUARE = dict(images=(2, 1, 4, 4), channels=(3, 6), hidden=6, classes=6)
TINY = dict(images=(2, 2, 4, 8), channels=(2, 3), hidden=5, classes=3)
INIT = dict(images=(1, 3, 12, 8), channels=(32, 24), hidden=70, classes=12)


@pytest.fixture(scope="session")
def answers():
    """The lesson's own answers, by name."""
    cells = re.split(r"(?m)^(?=# %%)", LESSON.read_text(encoding="utf-8"))
    names = {"np": np, "tqdm": lambda epochs: epochs}
    for cell in cells:
        if cell.startswith("# %% solution="):
            exec(compile(cell, LESSON.name, "exec"), names)
    return SimpleNamespace(**names)


def hint_of(record):
    """The hint of a check that must have failed."""
    assert record.outcome is Outcome.FAILED, record
    return record.hint


# What is right.


@pytest.mark.parametrize("seed", range(5))
def test_the_lessons_own_answers_pass(judged, answers, monkeypatch, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    both = answers.lenet_forward, answers.lenet_backward
    found = [
        judged(check.he_initialization, answers.init_lenet, **INIT),
        judged(check.lenet.forward, answers.lenet_forward, **WIDE),
        *(judged(check.lenet.backward, *both, name, **WIDE) for name in oracle.NAMES),
        *(judged(check.lenet.backward, *both, name, **SQUARE) for name in oracle.NAMES),
        judged(check.lenet.gradients, *both, **TINY),
        judged(check.minibatches, answers.minibatches, count=11, batch_size=4),
        judged(check.minibatches, answers.minibatches, count=9, batch_size=20),
        judged(check.sgd_step, answers.sgd_step, learning_rate=0.1, momentum=0.8),
        judged(check.sgd_step, answers.sgd_step, learning_rate=0.1, momentum=0.0),
        judged(check.accuracy, answers.accuracy, batch_size=4),
        judged(check.accuracy, answers.accuracy, batch_size=100),
        judged(check.training, answers.train, learning_rate=0.2, momentum=0.7),
    ]
    assert all(map(passed, found)), [r for r in found if not passed(r)]


def variant(answers, forward=None, backward=None):
    """LeNet of NumPy layers; each argument may exchange some of them.

    ``forward(layer, x, *rest)`` and ``backward(layer, d, cache)`` do what a layer does.
    """
    layers = {
        "conv": (partial(answers.conv_forward, padding=2), answers.conv_backward),
        "relu": (answers.relu_forward, answers.relu_backward),
        "pool": (lambda x: answers.max_pool_forward(x, 2, 2), answers.max_pool_backward),
        "flat": (
            lambda x: (x.reshape(len(x), -1), x.shape),
            lambda d, shape: d.reshape(shape),
        ),
        "fc": (answers.affine_forward, answers.affine_backward),
    }
    names = ["conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "flat", "fc1", "relu3", "fc2"]

    def pick(change, name, place):
        right = layers[re.sub(r"\d", "", name)][place]
        return (change or {}).get(name) or (change or {}).get(re.sub(r"\d", "", name)) or right

    def lenet_forward(x, params):
        caches = []
        for name in names:
            given = [params[f"{name}_w"], params[f"{name}_b"]] if f"{name}_w" in params else []
            x, cache = pick(forward, name, 0)(x, *given)
            caches.append(cache)
        return x, caches

    def lenet_backward(dscores, caches):
        d, grads = dscores, {}
        for name, cache in zip(names[::-1], caches[::-1], strict=True):
            d = pick(backward, name, 1)(d, cache)
            if isinstance(d, tuple):
                d, grads[f"{name}_w"], grads[f"{name}_b"] = d
        return grads

    return lenet_forward, lenet_backward


def nothing(x, *rest):
    return x, None


def test_pooling_before_relu_is_as_right(judged, answers):
    pool, relu = (lambda x: answers.max_pool_forward(x, 2, 2)), answers.relu_forward
    both = variant(
        answers,
        forward={"relu1": pool, "pool1": relu, "relu2": pool, "pool2": relu},
        backward={
            "relu1": answers.max_pool_backward,
            "pool1": answers.relu_backward,
            "relu2": answers.max_pool_backward,
            "pool2": answers.relu_backward,
        },
    )
    assert passed(judged(check.lenet.forward, both[0], **WIDE))
    for name in oracle.NAMES:
        assert passed(judged(check.lenet.backward, *both, name, **WIDE))
    assert passed(judged(check.lenet.gradients, *both, **TINY))


@pytest.mark.parametrize("seed", range(20))
def test_code_that_carries_no_complex_numbers_is_not_at_fault(judged, answers, monkeypatch, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))

    def real_relu(x):
        out = np.zeros(x.shape)
        out[...] = x
        return answers.relu_forward(out)

    both = variant(answers, forward={"relu": real_relu})
    assert passed(judged(check.lenet.gradients, *both, **TINY))


def test_single_precision_and_more_gradients_than_asked_are_fine(judged, answers):
    def forward(x, params):
        return answers.lenet_forward(
            x.astype("f4"), {name: p.astype("f4") for name, p in params.items()}
        )

    def backward(dscores, cache):
        return {**answers.lenet_backward(dscores.astype("f4"), cache), "x": None}

    assert passed(judged(check.lenet.forward, forward, **WIDE))
    assert passed(judged(check.lenet.backward, forward, backward, "conv1_w", **WIDE))
    assert passed(judged(check.lenet.gradients, forward, backward, **TINY))


def uniform(shape, n, rng):
    return rng.uniform(-1, 1, shape) * np.sqrt(6 / n)


def initial(weights, bias=lambda size, rng: np.zeros(size), names=oracle.NAMES):
    """An init_lenet whose weights are ``weights(shape, fan_in, rng)``."""

    def init_lenet(rng, channels, hidden, classes, input_shape):
        sizes = Sizes((1, *input_shape), channels, hidden, classes)
        return {
            name: weights(shape, first_weights.fan_in(shape), rng)
            if len(shape) > 1
            else bias(shape, rng)
            for name, shape in sizes.shapes().items()
            if name in names
        }

    return init_lenet


@pytest.mark.parametrize("seed", range(50))
def test_normal_and_uniform_first_weights_pass_with_every_seed(judged, monkeypatch, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    normal = initial(lambda shape, n, rng: rng.normal(0, np.sqrt(2 / n), shape))
    for weights in (normal, initial(uniform)):
        assert passed(judged(check.he_initialization, weights, **INIT))


def test_a_step_may_change_the_arrays_or_put_new_ones_into_the_dicts(judged):
    def in_arrays(params, grads, velocity, learning_rate, momentum):
        for name in params:
            velocity[name] *= momentum
            velocity[name] += grads[name]
            params[name] -= learning_rate * velocity[name]

    def in_dicts(params, grads, velocity, learning_rate, momentum):
        for name in params:
            velocity[name] = momentum * velocity[name] + grads[name]
            params[name] = params[name] - learning_rate * velocity[name]
        return params, velocity

    for step in (in_arrays, in_dicts):
        assert passed(judged(check.sgd_step, step, learning_rate=0.1, momentum=0.8))


def test_the_oracles_step_is_that_of_torch():
    w, g, v = torch.randn(3, 4, dtype=torch.float64)
    after = w.clone().requires_grad_()
    optimizer = torch.optim.SGD([after], lr=0.1, momentum=0.8)
    optimizer.state[after]["momentum_buffer"] = v.clone()
    after.grad = g
    optimizer.step()
    stepped, velocity = sgd(w, g, v, learning_rate=0.1, momentum=0.8)
    torch.testing.assert_close(stepped, after.detach())
    torch.testing.assert_close(velocity, optimizer.state[after]["momentum_buffer"])


# A wrong forward.

FORWARD_BUGS = {
    "no ReLU after conv1.": {"relu1": nothing},
    "no ReLU after conv2.": {"relu2": nothing},
    "no ReLU after fc1.": {"relu3": nothing},
    "no ReLU anywhere": {"relu": nothing},
    "after the two convolutions": {"relu1": nothing, "relu2": nothing},
    "The scores went through a ReLU": {
        "fc2": lambda x, w, b: (np.maximum(x @ w + b, 0), None),
    },
    "You pool with the mean": {
        "pool": lambda x: (
            x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2).mean((3, 5)),
            None,
        )
    },
    "channels running fastest": {
        "flat": lambda x: (x.transpose(0, 2, 3, 1).reshape(len(x), -1), None),
    },
    "rows and columns swapped": {
        "flat": lambda x: (x.swapaxes(2, 3).reshape(len(x), -1), None),
    },
    "Flattening mixes the images": {"flat": lambda x: (x.reshape(-1, len(x)).T, None)},
    "These are probabilities": {
        "fc2": lambda x, w, b: (
            np.exp(x @ w + b) / np.exp(x @ w + b).sum(1, keepdims=True),
            None,
        )
    },
    "fc1_b is never added": {"fc1": lambda x, w, b: (x @ w, None)},
}


@pytest.mark.parametrize("says", FORWARD_BUGS)
def test_a_known_mistake_of_forward_is_named(judged, answers, says):
    forward, _ = variant(answers, forward=FORWARD_BUGS[says])
    assert says in hint_of(judged(check.lenet.forward, forward, **WIDE))


@pytest.mark.parametrize("mistake", LENET, ids=lambda mistake: mistake.name)
def test_each_mistake_of_forward_is_told_apart_from_the_others(judged, mistake):
    def lenet_forward(x, params):
        params = [engine.tensor(params[name]) for name in oracle.NAMES]
        return mistake.answer(*params, x=engine.tensor(x)).numpy(), None

    record = judged(check.lenet.forward, lenet_forward, **WIDE)
    assert hint_of(record) == mistake.says


@pytest.mark.parametrize("padding", [0, 1])
def test_a_forgotten_padding_ends_in_a_hint_on_sizes(judged, answers, padding):
    conv = partial(answers.conv_forward, padding=padding)
    record = judged(check.lenet.forward, variant(answers, {"conv": conv})[0], **WIDE)
    assert record.message == "lenet_forward raised ValueError"
    assert "P = 2" in hint_of(record)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda x, params: params.update(fc1_w=2 * params["fc1_w"]), "params"),
        (lambda x, params: params.update(extra=1), "params"),
        (lambda x, params: x.__imul__(2), "x"),
        (lambda x, params: params["fc1_b"].__imul__(2), "fc1_b"),
    ],
)
def test_a_forward_that_changes_what_it_is_given_is_told_so(judged, answers, change, what):
    def lenet_forward(x, params):
        answer = answers.lenet_forward(x, params)
        change(x, params)
        return answer

    record = judged(check.lenet.forward, lenet_forward, **WIDE)
    assert record.outcome is Outcome.FAILED
    assert record.message == f"lenet_forward changes its argument {what}"


# A wrong backward.


def by_sign(d, cache):
    return d * (d > 0)


def spread(d, cache):
    return d.repeat(2, axis=2).repeat(2, axis=3)


def channels_last(d, shape):
    n, c, height, width = shape
    return d.reshape(n, height, width, c).transpose(0, 3, 1, 2)


def skip(d, cache):
    return d


BACKWARD_BUGS = [
    ("fc1_w", "ReLU after fc1 is left out", {"relu3": skip}),
    ("conv2_w", "ReLU after conv2 is left out", {"relu2": skip}),
    ("conv1_w", "ReLU after conv1 is left out", {"relu1": skip}),
    ("conv1_b", "no ReLU is passed", {"relu": skip}),
    ("conv2_b", "not where the gradient is", {"relu": by_sign}),
    ("conv2_w", "not unflattened in the order", {"flat": channels_last}),
    ("conv1_w", "not unflattened in the order", {"flat": channels_last}),
    ("conv1_w", "gives the gradient to all four pixels", {"pool": spread}),
]


@pytest.mark.parametrize(("name", "says", "change"), BACKWARD_BUGS)
def test_a_known_mistake_of_backward_is_named(judged, answers, name, says, change):
    both = variant(answers, backward=change)
    record = judged(check.lenet.backward, *both, name, **WIDE)
    assert says in hint_of(record)
    assert record.message.startswith(f"grads['{name}']: ")
    assert judged(check.lenet.gradients, *both, **TINY).outcome is Outcome.FAILED


def changed_gradients(answers, change):
    def lenet_backward(dscores, cache):
        return change(answers.lenet_backward(dscores, cache), dscores, cache)

    return answers.lenet_forward, lenet_backward


def exchanged(grads):
    return {**grads, "fc1_w": grads["fc2_w"], "fc2_w": grads["fc1_w"]}


@pytest.mark.parametrize(
    ("name", "says", "change"),
    [
        ("fc2_b", "divided by N", lambda grads, d, c: {k: g / len(d) for k, g in grads.items()}),
        ("fc1_w", "the gradient of the other layer", lambda grads, d, c: exchanged(grads)),
    ],
)  # fmt: skip
def test_gradients_that_are_wrong_at_the_end_are_named(judged, answers, name, says, change):
    both = changed_gradients(answers, change)
    assert says in hint_of(judged(check.lenet.backward, *both, name, **SQUARE))


def test_a_gradient_under_anothers_name_is_told_by_its_shape(judged, answers):
    both = changed_gradients(answers, lambda grads, d, c: {**grads, "fc2_w": grads["fc2_b"]})
    record = judged(check.lenet.backward, *both, "fc2_w", **WIDE)
    assert hint_of(record) == "That is the shape of grads['fc2_b']."


def test_a_gradient_that_a_wrong_forward_spoils_is_told_so(judged, answers):
    forward, _ = variant(answers, forward={"relu3": lambda x: (x, x)})
    both = forward, variant(answers)[1]
    record = judged(check.lenet.backward, *both, "fc2_w", **WIDE)
    assert hint_of(record) == "lenet_forward is not right yet: mend it first."


def test_dscores_that_are_not_used_are_named(judged, answers):
    def lenet_backward(dscores, cache):
        return answers.lenet_backward(np.ones_like(dscores), cache)

    both = answers.lenet_forward, lenet_backward
    assert "full of ones" in hint_of(judged(check.lenet.backward, *both, "conv1_w", **WIDE))


def test_exchanged_caches_of_equal_layers_are_named(judged, answers):
    def lenet_backward(dscores, cache):
        return answers.lenet_backward(dscores, {**cache, "fc1": cache["fc2"], "fc2": cache["fc1"]})

    both = answers.lenet_forward, lenet_backward
    assert "with the cache of fc1" in hint_of(
        judged(check.lenet.backward, *both, "fc2_w", **SQUARE)
    )


def test_caches_in_the_wrong_order_end_in_a_hint(judged, answers):
    forward, backward = variant(answers)

    def lenet_backward(dscores, caches):
        return backward(dscores, caches[::-1])

    record = judged(check.lenet.backward, forward, lenet_backward, "fc2_w", **WIDE)
    assert record.message.startswith("lenet_backward raised ")
    assert "from the last to the first" in hint_of(record)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda grads: list(grads.values()), "lenet_backward must return a dict of arrays"),
        (lambda grads: None, "lenet_backward must return a dict of arrays"),
        (lambda grads: {k: g for k, g in grads.items() if k != "fc1_b"},
         "there is no 'fc1_b' in the dict"),
        (lambda grads: {f"d{k}": g for k, g in grads.items()}, "there is no 'conv1_w' in the dict"),
    ],
)  # fmt: skip
def test_gradients_are_asked_for_by_name(judged, answers, answer, message):
    both = changed_gradients(answers, lambda grads, dscores, cache: answer(grads))
    record = judged(check.lenet.backward, *both, "fc2_w", **WIDE)
    assert (record.outcome, record.message) == (Outcome.FAILED, message)


GRADIENT_MISTAKES = [
    pytest.param(name, mistake, sizes, id=f"{name}, {mistake.name}")
    for name in oracle.NAMES
    for mistake in LENET_GRADIENTS[f"d{name}"]
    for sizes in [SQUARE if "exchanged" in mistake.name else WIDE]
]


@pytest.mark.parametrize(("name", "mistake", "sizes"), GRADIENT_MISTAKES)
def test_each_mistake_of_backward_is_told_apart_unless_it_changes_nothing(
    judged, name, mistake, sizes
):
    right = []

    def forward(x, params):
        kept = [*(engine.tensor(params[key]) for key in oracle.NAMES), engine.tensor(x)]
        return oracle.lenet(*kept[:-1], x=kept[-1]).numpy(), kept

    def backward(dscores, cache):
        *params, x = cache
        with contextlib.suppress(RuntimeError):
            answer = mistake.answer(engine.tensor(dscores), *params, x=x).numpy()
            plain = gradient_of(name)(engine.tensor(dscores), *params, x=x).numpy()
            right.append(difference(answer, plain, np.abs(plain).max()) is None)
            return {key: answer if key == name else 0 for key in oracle.NAMES}
        return dict.fromkeys(oracle.NAMES)

    record = judged(check.lenet.backward, forward, backward, name, **sizes)
    if right == [True]:
        assert passed(record)
    elif mistake.name == "every ReLU skipped" and name.startswith("fc1"):
        assert "ReLU after fc1 is left out" in hint_of(record)  # there, it is the same
    elif right:
        shown = record.message.endswith("wrong shape") or hint_of(record) == mistake.says
        assert shown


# Wrong first weights.


@pytest.mark.parametrize(
    ("says", "weights"),
    [
        ("The weights are 0", lambda shape, n, rng: np.zeros(shape)),
        ("deviation 1 in every", lambda shape, n, rng: rng.standard_normal(shape)),
        ("deviation 0.01 in every", lambda shape, n, rng: 0.01 * rng.standard_normal(shape)),
        ("so it should be 2 / fan-in", lambda shape, n, rng: rng.normal(0, n**-0.5, shape)),
        ("multiply by its square root", lambda shape, n, rng: rng.normal(0, 2 / n, shape)),
        ("divide by the fan-out",
         lambda shape, n, rng: rng.normal(0, np.sqrt(2 / first_weights.fan_out(shape)), shape)),
        ("Glorot's", lambda shape, n, rng:
         rng.normal(0, np.sqrt(2 / (n + first_weights.fan_out(shape))), shape)),
        ("C_in · K · K: each output", lambda shape, n, rng:
         rng.normal(0, np.sqrt(2 / (shape[1] if len(shape) == 4 else n)), shape)),
        ("That is C_out".lower(), lambda shape, n, rng:
         rng.normal(0, np.sqrt(2 / shape[0]), shape)),
        ("take a = √(6 / fan-in)",
         lambda shape, n, rng: rng.uniform(-1, 1, shape) * np.sqrt(2 / n)),
        ("equally likely", lambda shape, n, rng: rng.random(shape) * np.sqrt(2 / n)),
    ],
)  # fmt: skip
def test_wrong_first_weights_are_named(judged, says, weights):
    hint = hint_of(judged(check.he_initialization, initial(weights), **INIT))
    assert says in (hint if says != "that is c_out" else hint.lower())


def right_weights(shape, n, rng):
    return rng.normal(0, np.sqrt(2 / n), shape)


def test_random_biases_are_named(judged):
    init = initial(right_weights, bias=lambda size, rng: rng.standard_normal(size))
    record = judged(check.he_initialization, init, **INIT)
    assert record.message == "conv1_b is not 0"
    assert "Biases start at 0" in hint_of(record)


def test_missing_names_and_wrong_shapes_are_named(judged):
    init = initial(right_weights, names=oracle.NAMES[:-1])
    assert "no 'fc2_b'" in judged(check.he_initialization, init, **INIT).message
    init = initial(lambda shape, n, rng: right_weights(shape, n, rng).T)
    record = judged(check.he_initialization, init, **INIT)
    assert (record.outcome, record.message) == (Outcome.FAILED, "conv1_w: wrong shape")


def test_a_generator_of_ones_own_is_named(judged):
    own = initial(lambda shape, n, rng: right_weights(shape, n, np.random.default_rng(0)))
    assert "make one of your own" in hint_of(judged(check.he_initialization, own, **INIT))
    some = initial(
        lambda shape, n, rng: right_weights(
            shape, n, rng if len(shape) == 4 else np.random.default_rng(0)
        )
    )
    assert "make one of your own" in hint_of(judged(check.he_initialization, some, **INIT))
    fresh = initial(lambda shape, n, rng: right_weights(shape, n, np.random.default_rng()))
    assert "cannot be repeated" in hint_of(judged(check.he_initialization, fresh, **INIT))


def test_one_filter_for_all_of_a_layer_is_named(judged):
    init = initial(
        lambda shape, n, rng: (
            np.stack(shape[0] * [right_weights(shape[1:], n, rng)])
            if len(shape) == 4
            else right_weights(shape, n, rng)
        )
    )
    assert "draw every weight for itself" in hint_of(judged(check.he_initialization, init, **INIT))


# Wrong batches.


def cut(order, size):
    return [order[i : i + size] for i in range(0, len(order), size)]


@pytest.mark.parametrize(
    ("message", "says", "batches"),
    [
        ("3 of 11 images are never seen", "The last batch may be smaller",
         lambda n, size, rng: cut(rng.permutation(n), size)[: n // size]),
        ("comes twice", "cut; drawing each time",
         lambda n, size, rng: [rng.integers(0, n, size) for _ in range(3)]),
        ("not shuffled", "rng.permutation", lambda n, size, rng: cut(np.arange(n), size)),
        ("with one seed give different orders", "cannot be repeated",
         lambda n, size, rng: cut(np.random.default_rng().permutation(n), size)),
        ("with different seeds give one order", "one of your own",
         lambda n, size, rng: cut(np.random.default_rng(0).permutation(n), size)),
        ("wrong sizes", "Only the last batch",
         lambda n, size, rng: cut(rng.permutation(n), size + 1)),
        ("wrong sizes", "none is empty", lambda n, size, rng:
         [*cut(rng.permutation(n), size), np.arange(0)]),
        ("a number of no image", "", lambda n, size, rng: cut(1 + rng.permutation(n), size)),
        ("must return a list", "", lambda n, size, rng: [rng.random(size)]),
    ],
)  # fmt: skip
def test_wrong_batches_are_named(judged, message, says, batches):
    record = judged(check.minibatches, batches, count=11, batch_size=4)
    assert message in record.message
    assert says in hint_of(record)


def test_batches_may_come_from_a_generator_even_one_without_an_end(judged, answers):
    def minibatches(count, batch_size, rng):
        yield from answers.minibatches(count, batch_size, rng)

    def endless(count, batch_size, rng):
        while True:
            yield from answers.minibatches(count, batch_size, rng)

    assert passed(judged(check.minibatches, minibatches, count=11, batch_size=4))
    record = judged(check.minibatches, endless, count=11, batch_size=4)
    assert "comes twice in an epoch" in record.message


# A wrong step.


def step(formula, velocity=lambda w, g, v, lr, m: m * v + g):
    def sgd_step(params, grads, velocities, learning_rate, momentum):
        for name in params:
            given = params[name], grads[name], velocities[name], learning_rate, momentum
            velocities[name], params[name] = velocity(*given), formula(*given)

    return sgd_step


def right_step(w, g, v, lr, m):
    return w - lr * (m * v + g)


def on_a_copy(params, grads, velocity, learning_rate, momentum):
    for name, w in params.items():
        velocity[name] = momentum * velocity[name] + grads[name]
        w = w - learning_rate * velocity[name]


def first_only(params, grads, velocity, learning_rate, momentum):
    for name in params:
        velocity[name] = momentum * velocity[name] + grads[name]
        params[name] -= learning_rate * velocity[name]
        return params
    return None


@pytest.mark.parametrize(
    ("says", "function"),
    [
        ("gives a new array", on_a_copy),
        ("Nothing happened to the params", first_only),
        ("uphill", step(lambda w, g, v, lr, m: w + lr * (m * v + g))),
        ("multiplies the gradient", step(lambda w, g, v, lr, m: w - lr * (v + m * g))),
        ("without momentum", step(lambda w, g, v, lr, m: w - lr * g)),
        ("old velocity is subtracted", step(lambda w, g, v, lr, m: w - lr * (g - m * v))),
        ("learning rate is never used", step(lambda w, g, v, lr, m: w - (m * v + g))),
        ("multiplied in twice", step(lambda w, g, v, lr, m: w - lr * (m * v + lr * g))),
        ("has the learning rate in it", step(lambda w, g, v, lr, m: w - m * v - lr * g)),
        ("points downhill", step(lambda w, g, v, lr, m: w + m * v - lr * g)),
        ("multiplied by 1 − ρ", step(lambda w, g, v, lr, m: w - lr * (m * v + (1 - m) * g))),
        ("along the old velocity", step(lambda w, g, v, lr, m: w - lr * v)),
        ("Nesterov", step(lambda w, g, v, lr, m: w - lr * (g + m * (m * v + g)))),
        ("added whole", step(lambda w, g, v, lr, m: w - lr * (v + g))),
        ("know nothing of this one", step(right_step, lambda w, g, v, lr, m: v)),
        ("only the new gradient", step(right_step, lambda w, g, v, lr, m: g)),
        ("without η", step(right_step, lambda w, g, v, lr, m: lr * (m * v + g))),
    ],
)
def test_a_wrong_step_is_named(judged, says, function):
    record = judged(check.sgd_step, function, learning_rate=0.1, momentum=0.8)
    assert says in hint_of(record)


def test_a_step_that_changes_the_gradients_is_told_so(judged):
    def sgd_step(params, grads, velocity, learning_rate, momentum):
        for name in params:
            grads[name] += momentum * velocity[name]
            velocity[name] = grads[name].copy()
            params[name] -= learning_rate * velocity[name]

    record = judged(check.sgd_step, sgd_step, learning_rate=0.1, momentum=0.8)
    assert (record.outcome, "grads" in record.message) == (Outcome.FAILED, True)


# A wrong accuracy.


def batched(x, size):
    return [x[i : i + size] for i in range(0, len(x), size)]


def right_in(forward, params, x, y):
    return forward(x, params)[0].argmax(1) == y


def mean_of_means(forward, params, x, y, batch_size):
    pairs = zip(batched(x, batch_size), batched(y, batch_size), strict=True)
    return np.mean([right_in(forward, params, *pair).mean() for pair in pairs])


def whole_batches(forward, params, x, y, batch_size):
    count = len(x) // batch_size * batch_size
    return right_in(forward, params, x[:count], y[:count])


@pytest.mark.parametrize(
    ("says", "function"),
    [
        ("that are wrong", lambda *given, batch_size: 1 - right_in(*given).mean()),
        ("smallest score", lambda f, p, x, y, batch_size: (f(x, p)[0].argmin(1) == y).mean()),
        ("percent", lambda f, p, x, y, batch_size: 100 * right_in(f, p, x, y).mean()),
        ("how many are right", lambda f, p, x, y, batch_size: right_in(f, p, x, y).sum()),
        ("must count for less", mean_of_means),
        ("are left out", lambda *a, batch_size: whole_batches(*a, batch_size).mean()),
        ("count as wrong", lambda f, p, x, y, batch_size:
         whole_batches(f, p, x, y, batch_size).sum() / len(y)),
        ("of the first batch", lambda f, p, x, y, batch_size:
         right_in(f, p, x[:batch_size], y[:batch_size]).mean()),
    ],
)  # fmt: skip
def test_a_wrong_accuracy_is_named(judged, says, function):
    def accuracy(forward, params, x, y, batch_size):
        return function(forward, params, x, y, batch_size=batch_size)

    assert says in hint_of(judged(check.accuracy, accuracy, batch_size=4))


def test_argmax_over_the_wrong_axis_fails(judged):
    def accuracy(forward, params, x, y, batch_size):
        return (forward(x, params)[0].argmax(0) == y[:4]).mean()

    record = judged(check.accuracy, accuracy, batch_size=100)
    assert record.outcome is Outcome.FAILED


# A wrong training loop.


def loop(answers, **changed):
    """A train that differs from the right one in what is given by name."""

    def train(network, params, data, schedule, learning_rate, momentum):
        forward, backward = network
        x, y, x_val, y_val = changed.get("data", lambda *d: d)(*data)
        params = changed.get("params", lambda p: p)(params)
        zeros = {name: np.zeros_like(p) for name, p in params.items()}
        velocity, history = dict(zeros), {"loss": [], "accuracy": []}
        for batches in changed.get("epochs", lambda s: s)(schedule):
            if changed.get("reset") == "epoch":
                velocity = dict(zeros)
            for batch in changed.get("batches", lambda e: e)(batches):
                if changed.get("reset") == "step":
                    velocity = dict(zeros)
                labels = changed.get("labels", lambda y, batch: y[batch])(y, batch)
                scores, cache = forward(x[batch], params)
                loss, loss_cache = answers.softmax_loss_forward(scores, labels)
                grads = backward(answers.softmax_loss_backward(1.0, loss_cache), cache)
                rho = changed.get("momentum", momentum)
                sign = changed.get("sign", 1)
                answers.sgd_step(params, grads, velocity, sign * learning_rate, rho)
                if changed.get("loss") == "after":
                    scores, _ = forward(x[batch], params)
                    loss, _ = answers.softmax_loss_forward(scores, labels)
                history["loss"].append(loss)
            if changed.get("accuracy") == "training":
                history["accuracy"].append(answers.accuracy(forward, params, x, y))
            else:
                history["accuracy"].append(answers.accuracy(forward, params, x_val, y_val))
        return changed.get("history", lambda h: h)(history)

    return train


def no_sum(e):
    everything = np.concatenate(e)
    return [everything] * len(e)


TRAINING_BUGS = [
    ("must change them", dict(params=lambda p: {k: v.copy() for k, v in p.items()})),
    ("went uphill", dict(sign=-1)),
    ("ended after the first epoch", dict(epochs=lambda s: s[:1])),
    ("Only the first batch", dict(batches=lambda e: e[:1])),
    ("Only the last batch", dict(batches=lambda e: e[-1:])),
    ("last batch of each epoch is left out", dict(batches=lambda e: e[:-1])),
    ("Momentum is lost", dict(reset="step")),
    ("Momentum is lost", dict(momentum=0)),
    ("with every epoch", dict(reset="epoch")),
    ("uses all the images", dict(batches=no_sum)),
    ("do not belong together", dict(labels=lambda y, batch: y[: len(batch)])),
    ("whatever momentum you are given", dict(momentum=0.9)),
    ("must stay unseen", dict(data=lambda x, y, x_val, y_val: (x_val, y_val, x_val, y_val))),
    ("after the step", dict(loss="after")),
    ("has not seen", dict(accuracy="training")),
    ("share of the images that are wrong",
     dict(history=lambda h: {**h, "accuracy": [1 - a for a in h["accuracy"]]})),
    ("One loss for each step",
     dict(history=lambda h: {**h, "loss": np.reshape(h["loss"], (3, -1)).mean(1)})),
]  # fmt: skip


@pytest.mark.parametrize(("says", "changed"), TRAINING_BUGS)
def test_a_wrong_training_loop_is_named(judged, answers, says, changed):
    train = loop(answers, **changed)
    assert says in hint_of(judged(check.training, train, learning_rate=0.2, momentum=0.7))


def test_a_loop_with_an_unknown_mistake_is_sent_to_what_it_is_made_of(judged, answers):
    train = loop(answers, labels=lambda y, batch: y[batch][::-1])
    record = judged(check.training, train, learning_rate=0.2, momentum=0.7)
    assert "your loss, your step and your accuracy" in hint_of(record)


def test_the_right_loop_of_these_tests_passes(judged, answers):
    train = loop(answers)
    assert passed(judged(check.training, train, learning_rate=0.2, momentum=0.7))


@pytest.mark.parametrize("history", [None, {"loss": []}, [1.0]])
def test_a_history_is_asked_for_by_name(judged, answers, history):
    train = loop(answers, history=lambda h: history)
    record = judged(check.training, train, learning_rate=0.2, momentum=0.7)
    assert record.outcome is Outcome.FAILED
    assert "dict" in record.message


# The lesson as a whole.


@pytest.mark.parametrize("seed", range(20))
def test_six_images_are_learned_by_heart_whatever_the_first_weights(answers, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((6, 1, 8, 8)), np.array([0, 1, 2, 0, 1, 2])
    for init in (answers.init_lenet, initial(uniform)):
        small = init(rng, channels=(4, 6), hidden=32, classes=3, input_shape=(1, 8, 8))
        network = answers.lenet_forward, answers.lenet_backward
        answers.train(network, small, (x, y, x[:1], y[:1]), [[np.arange(6)]] * 60, 0.02)
        assert answers.accuracy(answers.lenet_forward, small, x, y) == 1


def test_the_numbers_in_the_lesson_are_those_of_the_lecture(answers):
    layers = [("conv", 20, 5, 2, 1), ("pool", 2, 2), ("conv", 50, 5, 2, 1), ("pool", 2, 2),
              ("flatten",), ("linear", 500), ("linear", 10)]  # fmt: skip
    shapes, costs = [(1, 28, 28)], []
    for layer in layers:
        costs.append(answers.cost(layer, shapes[-1]))
        shapes.append(answers.output_shape(layer, shapes[-1]))
    assert shapes[1:] == [(20, 28, 28), (20, 14, 14), (50, 14, 14), (50, 7, 7), (2450,), (500,),
                          (10,)]  # fmt: skip
    assert np.sum(costs, axis=0).tolist() == [1_256_080, 6_522_000]
    params = answers.init_lenet(np.random.default_rng(0))
    assert sum(p.size for p in params.values()) == 1_256_080
    assert 784 * 1580 + 1580 + 1580 * 10 + 10 == 1_256_110
