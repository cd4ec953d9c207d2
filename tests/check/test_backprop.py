"""The first lesson's layers: each mistake is named first; right work in any style sees no hint."""

import math

import numpy as np
import pytest

from autograder.check import inputs, oracle
from autograder.check.layers import backprop as check
from autograder.check.mistakes import backprop as mistakes
from autograder.check.record import Outcome

NUMBERS = dict(w0=(), x0=(), w1=(), x1=(), w2=())
WINNING, LOSING = dict(x=2.0, y=-0.5), dict(x=-0.5, y=2.0)
PRODUCT = dict(x=(5, 3), w=(3, 4))
SQUARE = dict(x=(3, 3), w=(3, 3))
IMAGES = dict(x=(5, 2, 3), w=(6, 4), b=(4,))
SQUARE_IMAGES = dict(x=(4, 2, 2), w=(4, 4), b=(4,))
SCORES = dict(scores=(5, 7), y=inputs.labels(5, 7))
NET = dict(w1=(4, 6), b1=(6,), w2=(6, 3), b2=(3,), x=(5, 4), y=inputs.labels(5, 3))

# Where each bank of mistakes is tried.
CASES = {
    "neuron": [NUMBERS],
    "add_gate": [WINNING],
    "multiply_gate": [WINNING],
    "max_gate": [WINNING, LOSING],
    "branch": [WINNING, LOSING],
    "relu": [dict(x=(3, 5))],
    "matmul": [PRODUCT, SQUARE],
    "affine": [IMAGES, SQUARE_IMAGES],
    "softmax": [dict(scores=(5, 7))],
    "softmax_loss": [SCORES],
    "two_layer_loss": [NET],
}
# On ordinary scores these are right to all digits, or nearly.
ONLY_FAR_FROM_0 = ("overflow", "largest of all", "logarithm of 0", "log(p + ")


def bank(of):
    for name in CASES:
        layer = getattr(check, name)
        for mistake in layer.mistakes if of == "forward" else ():
            if not mistake.name.startswith(ONLY_FAR_FROM_0):
                yield pytest.param(name, mistake, id=f"{name}, {mistake.name}")
        for gradient, known in layer.gradient_mistakes.items() if of == "backward" else ():
            for mistake in known:
                if not mistake.name.startswith(ONLY_FAR_FROM_0):
                    yield pytest.param(
                        name, gradient, mistake, id=f"{name}, {gradient}, {mistake.name}"
                    )


def answered(mistake, given, settings):
    given = [oracle.tensor(array) for array in given]
    return mistake.answer(*given, **oracle.settings(settings)).detach().numpy()


def settings_of(layer, given):
    return dict(zip(layer.state, given, strict=True))


def named(judged, layer, run, mistake):
    """Whether the mistake is named wherever it can be made and is wrong, and is so somewhere."""
    records = [judged(run, **case) for case in CASES[layer]]
    wrong = [r for r in records if r.outcome is Outcome.FAILED and "raised" not in r.message]
    found = [record.hint == mistake.says for record in wrong]
    # The input of a max gate that loses gets 0, and some mistakes do the same to it.
    return any(found) if layer in ("max_gate", "branch") else all(found) and bool(found)


@pytest.mark.parametrize(("name", "mistake"), list(bank("forward")))
def test_each_forward_mistake_is_named(judged, name, mistake):
    layer = getattr(check, name)

    def forward(*given):
        arrays, state = given[: len(layer.arguments)], given[len(layer.arguments) :]
        out = answered(mistake, arrays, settings_of(layer, state))
        return (out, None) if layer.cached else out

    def run(**case):
        layer.forward(forward, **case)

    assert named(judged, name, run, mistake)


@pytest.mark.parametrize(("name", "gradient", "mistake"), list(bank("backward")))
def test_each_gradient_mistake_is_named(judged, name, gradient, mistake):
    layer = getattr(check, name)
    count = len(layer.arguments)

    def claims(dout, arrays, state):
        right = oracle.gradients(
            layer.oracle,
            dict(zip(layer.arguments, arrays, strict=True)),
            settings_of(layer, state),
            np.asarray(dout),
        )
        right[gradient] = answered(mistake, (dout, *arrays), settings_of(layer, state))
        return tuple(right.values()) if count > 1 else right[gradient]

    def flat(*given):
        arrays = dict(zip(layer.arguments, given, strict=False))
        out = oracle.evaluate(layer.oracle, arrays, settings_of(layer, given[count:]))
        return out, claims(np.ones(out.shape), given[:count], given[count:])

    def run(**case):
        if layer.cached:
            layer.backward(
                lambda *given: (None, given),
                lambda dout, given: claims(dout, given[:count], given[count:]),
                gradient,
                **case,
            )
        else:
            layer.flat(flat, **case)

    assert named(judged, name, run, mistake)


FAR = np.array([[1000.0, 0, -1000], [-1000, 0, -900]])


def naive(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


def with_probabilities(softmax, logarithm=np.log):
    def forward(scores, y):
        p = softmax(scores)[range(len(y)), y]
        return -logarithm(p).mean(), None

    return forward


@pytest.mark.filterwarnings("ignore:::.*")
@pytest.mark.parametrize("softmax", [naive, lambda scores: naive(scores - scores.max())])
def test_scores_of_1000_overflow(judged, softmax):
    far = judged(check.softmax.forward, softmax, scores=FAR)
    says = "too large for a float" if softmax is naive else "The largest of all scores"
    assert says in far.hint
    forward = with_probabilities(softmax)
    record = judged(check.softmax_loss.forward, forward, scores=FAR, y=np.array([0, 2]))
    assert record.message == "not finite"
    assert "too large for a float" in record.hint


@pytest.mark.filterwarnings("ignore:::.*")
def test_the_logarithm_of_0_is_named(judged):
    def stable(scores):
        return naive(scores - scores.max(axis=1, keepdims=True))

    forward = with_probabilities(stable)
    record = judged(check.softmax_loss.forward, forward, scores=FAR, y=np.array([0, 2]))
    assert "a probability became 0" in record.hint


@pytest.mark.parametrize("least", [1e-8, 1e-10, 1e-12, 1e-15])
def test_a_logarithm_kept_from_0_is_named(judged, least):
    def stable(scores):
        return naive(scores - scores.max(axis=1, keepdims=True))

    forward = with_probabilities(stable, lambda p: np.log(p + least))
    record = judged(check.softmax_loss.forward, forward, scores=FAR, y=np.array([2, 1]))
    assert "hides that p became 0" in record.hint


def cubic(x):
    return (x**2).sum() * x.sum()


@pytest.mark.parametrize("mistake", mistakes.NUMERICAL_GRADIENT, ids=lambda m: m.name)
def test_each_mistake_of_a_numerical_gradient_is_named(judged, mistake):
    def numerical_gradient(f, x, h=1e-5):
        return mistake.answer(f, oracle.tensor(x), h).numpy()

    record = judged(check.numerical_gradient, numerical_gradient, cubic, x=(2, 3), h=0.1)
    assert record.hint == mistake.says
    assert record.call == "numerical_gradient of cubic(x, h=0.1)"


def differences(restore, copies):
    def numerical_gradient(f, x, h=1e-5):
        x = x.copy() if copies else x
        slopes = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            old = x[place]
            x[place] = old + h
            above = f(x)
            x[place] = old - h
            slopes[place] = (above - f(x)) / (2 * h)
            if restore:
                x[place] = old
        return slopes

    return numerical_gradient


def up_and_down(f, x, h=1e-5):
    slopes = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        x[place] += h
        above = f(x)
        x[place] -= 2 * h
        slopes[place] = (above - f(x)) / (2 * h)
        x[place] += h  # back again, but for rounding
    return slopes


def by_unit_vectors(f, x, h=1e-5):
    units = np.eye(x.size).reshape(-1, *x.shape) * h
    return np.reshape([(f(x + unit) - f(x - unit)) / h / 2 for unit in units], x.shape)


@pytest.mark.parametrize(
    "right", [differences(True, True), differences(True, False), up_and_down, by_unit_vectors]
)
def test_right_numerical_gradients_pass(judged, right):
    for given in (dict(x=(2, 3), h=0.1), dict(x=(4,)), dict(x=(2, 1, 2), h=1e-3)):
        record = judged(check.numerical_gradient, right, cubic, **given)
        assert (record.outcome, record.hint) == (Outcome.PASSED, "")


def test_x_has_to_be_put_back(judged):
    for h in (1e-5, 1e-3):
        in_place = judged(check.numerical_gradient, differences(False, False), cubic, x=(2, 3), h=h)
        assert "changes its argument x" in in_place.message
    on_a_copy = judged(check.numerical_gradient, differences(False, True), cubic, x=(2, 3), h=0.1)
    assert "stays moved" in on_a_copy.hint


# Right answers in other styles: lists, loops, einsum, single precision, other caches.


def neuron_in_python(w0, x0, w1, x1, w2):
    out = 1.0 / (1.0 + math.exp(-(w0 * x0 + w1 * x1 + w2)))
    slope = out - out**2
    return [out, [slope * x0, slope * w0, slope * x1, slope * w1, slope]]


def neuron_in_arrays(w0, x0, w1, x1, w2):
    w, x = np.array([w0, w1, w2]), np.array([x0, x1, 1.0])
    e = np.exp(-w @ x)
    dw, dx = e / (1 + e) ** 2 * x, e / (1 + e) ** 2 * w
    return 1 / (1 + e), (dw[0], dx[0], dw[1], dx[1], dw[2])


@pytest.mark.parametrize("neuron", [neuron_in_python, neuron_in_arrays])
def test_right_neurons_pass(judged, neuron):
    lecture = dict(w0=2.0, x0=-1.0, w1=-3.0, x1=-2.0, w2=-3.0)
    for given in (NUMBERS, lecture):
        record = judged(check.neuron.flat, neuron, **given)
        assert (record.outcome, record.hint) == (Outcome.PASSED, "")


def test_the_lectures_numbers():
    out, (_, dx0, _, dx1, _) = neuron_in_python(2, -1, -3, -2, -3)
    assert round(out, 2) == 0.73
    # The lecture has [0.40, -0.60], since it rounds the slope to 0.20 first.
    assert [2 * round(dx0 / 2, 1), 3 * round(dx1 / 3, 1)] == pytest.approx([0.4, -0.6])


def max_by_comparing(x, y):
    return (x, [1, 0]) if x >= y else (y, [0, 1])


def max_of_an_array(x, y):
    return np.max([x, y]), np.array([x > y, y >= x])


@pytest.mark.parametrize("forward", [max_by_comparing, max_of_an_array])
def test_right_max_gates_pass(judged, forward):
    def backward(dout, cache):
        return dout * cache[0], dout * cache[1]

    for given in (WINNING, LOSING):
        found = [judged(check.max_gate.forward, forward, **given)]
        found += [
            judged(check.max_gate.backward, forward, backward, d, **given) for d in ("dx", "dy")
        ]
        assert [(r.outcome, r.hint) for r in found] == [(Outcome.PASSED, "")] * 3


def relu_zeroing(dout, x):
    dx = dout.copy()
    dx[x < 0] = 0  # at exactly 0 it passes
    return dx


RELUS = {
    "product": lambda dout, x: dout * (x > 0),
    "open at 0": relu_zeroing,
    "half open at 0": lambda dout, x: dout * np.heaviside(x, 0.5),
    "where": lambda dout, x: np.where(x > 0, dout, 0),
    "loops": lambda dout, x: np.reshape(
        [d if v > 0 else 0.0 for d, v in zip(dout.flat, x.flat, strict=True)], x.shape
    ),
    "single precision": lambda dout, x: (dout * (x > 0)).astype(np.float32),
    "from the output": lambda dout, x: dout * np.sign(np.maximum(x, 0)),
    "a list": lambda dout, x: [dout * (x > 0)],
}


@pytest.mark.parametrize("style", RELUS)
def test_right_relus_pass(judged, style):
    def forward(x):
        return np.where(x > 0, x, 0), x

    for x in ((3, 5), (2, 3, 4), inputs.ties(4, 6)):
        record = judged(check.relu.backward, forward, RELUS[style], "dx", x=x)
        assert (record.outcome, record.hint) == (Outcome.PASSED, "")


def affine_by_loops(x, w, b):
    out = np.zeros((x.shape[0], w.shape[1]))
    for n in range(len(out)):
        for m in range(w.shape[1]):
            out[n, m] = sum(x[n].ravel() * w[:, m]) + b[m]
    return out, dict(x=x, w=w)


def affine_by_loops_backward(dout, cache):
    x, w = cache["x"], cache["w"]
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for n in range(len(x)):
        for m in range(w.shape[1]):
            dx[n] += dout[n, m] * w[:, m].reshape(x.shape[1:])
            dw[:, m] += dout[n, m] * x[n].flatten()
            db[m] += dout[n, m]
    return dx, dw, db


def affine_by_einsum(x, w, b):
    rows = x.reshape(len(x), np.prod(x.shape[1:]))
    return np.einsum("nd,dm->nm", rows, w) + b[None, :], (x.shape, rows, w)


def affine_by_einsum_backward(dout, cache):
    shape, rows, w = cache
    dx = np.einsum("nm,dm->nd", dout, w).reshape(shape)
    return [dx, np.einsum("nd,nm->dm", rows, dout), np.ones(len(dout)) @ dout]


def affine_in_single_precision(x, w, b):
    x, w, b = (array.astype(np.float32) for array in (x, w, b))
    return x.reshape(x.shape[0], -1).dot(w) + b, (x.shape, x.reshape(x.shape[0], -1), w)


AFFINES = [
    (affine_by_loops, affine_by_loops_backward),
    (affine_by_einsum, affine_by_einsum_backward),
    (affine_in_single_precision, affine_by_einsum_backward),
]


@pytest.mark.parametrize(("forward", "backward"), AFFINES)
def test_right_affine_layers_pass(judged, forward, backward):
    for given in (IMAGES, SQUARE_IMAGES, dict(x=(1, 4), w=(4, 1), b=(1,))):
        found = [judged(check.affine.forward, forward, **given)]
        for name in ("dx", "dw", "db"):
            found.append(judged(check.affine.backward, forward, backward, name, **given))
        found.append(judged(check.affine.gradients, forward, backward, **given))
        assert [(r.outcome, r.hint) for r in found] == [(Outcome.PASSED, "")] * 5


def loss_with_log_sum(scores, y):
    top = np.max(scores, axis=1)
    log_sum = top + np.log(np.exp(scores.T - top).sum(axis=0))
    return np.mean(log_sum - scores[np.arange(len(y)), y]), (scores, y)


def loss_by_loops(scores, y):
    loss = 0.0
    for n in range(len(y)):
        top = max(scores[n])
        loss += math.log(sum(math.exp(s - top) for s in scores[n])) - (scores[n][y[n]] - top)
    return loss / len(y), [scores, y]


def loss_backward(dout, cache):
    scores, y = cache
    p = naive(scores - scores.max(axis=1)[:, None])
    return (p - np.eye(scores.shape[1])[y]) * (dout / len(y))


def loss_backward_by_loops(dout, cache):
    scores, y = cache
    dscores = np.zeros_like(scores)
    for n, c in np.ndindex(*scores.shape):
        p = np.exp(scores[n, c] - scores[n].max()) / np.exp(scores[n] - scores[n].max()).sum()
        dscores[n, c] = dout * (p - 1 if c == y[n] else p) / scores.shape[0]
    return dscores


@pytest.mark.parametrize("forward", [loss_with_log_sum, loss_by_loops])
@pytest.mark.parametrize("backward", [loss_backward, loss_backward_by_loops])
def test_right_losses_pass(judged, forward, backward):
    cases = [SCORES, dict(scores=(1, 3), y=inputs.labels(1, 3))]
    for given in (*cases, *(dict(scores=FAR, y=np.array(y)) for y in ([0, 2], [2, 1]))):
        found = [judged(check.softmax_loss.forward, forward, **given)]
        found += [judged(check.softmax_loss.backward, forward, backward, "dscores", **given)]
        if given["scores"] is not FAR:
            found += [judged(check.softmax_loss.gradients, forward, backward, **given)]
        assert {(r.outcome, r.hint) for r in found} == {(Outcome.PASSED, "")}


@pytest.mark.parametrize("forward", [affine_by_loops, affine_by_einsum])
def test_right_two_layer_nets_pass(judged, forward):
    back = dict(AFFINES[:2])[forward]

    def two_layer_loss(w1, b1, w2, b2, x, y):
        a, first = forward(x, w1, b1)
        scores, second = forward(np.maximum(a, 0), w2, b2)
        loss, last = loss_with_log_sum(scores, y)
        dh, dw2, db2 = back(loss_backward(1, last), second)
        return loss, (*back(dh * (a > 0), first)[1:], dw2, db2)

    images = dict(w1=(12, 5), b1=(5,), w2=(5, 4), b2=(4,), x=(6, 2, 3, 2), y=inputs.labels(6, 4))
    for given in (NET, images):
        record = judged(check.two_layer_loss.flat, two_layer_loss, **given)
        assert (record.outcome, record.hint) == (Outcome.PASSED, "")


# Mistakes as students make them, and which arguments they may not touch.


def relu_in_place(dout, x):
    dout[x <= 0] = 0
    return dout


def relu_that_spoils_x(dout, x):
    x[x <= 0] = 0
    return dout * (x > 0)


@pytest.mark.parametrize(
    ("backward", "whose"), [(relu_in_place, "dout"), (relu_that_spoils_x, "x")]
)
def test_backward_leaves_its_arguments_alone(judged, backward, whose):
    record = judged(check.relu.backward, lambda x: (x.clip(0), x), backward, "dx", x=(3, 5))
    assert f"changes its argument {whose}" in record.message


def off_by_subtracting(rows):
    def backward(dout, cache):
        scores, y = cache
        p = naive(scores)
        p[rows(y), y] -= 1
        return dout * p / len(y)

    return backward


@pytest.mark.parametrize(
    ("backward", "says"),
    [
        (off_by_subtracting(lambda y: slice(None)), "in whole columns"),
        (
            lambda dout, cache: loss_backward(dout, cache) * len(cache[1]),
            "divide its gradient by N",
        ),
        (lambda dout, cache: loss_backward(1.0, cache), "dout is missing"),
        (lambda dout, cache: -loss_backward(dout, cache), "should grow"),
    ],
)
def test_a_students_dscores(judged, backward, says):
    record = judged(check.softmax_loss.backward, loss_with_log_sum, backward, "dscores", **SCORES)
    assert says in record.hint


@pytest.mark.parametrize(
    ("gradient", "change", "says"),
    [
        ("db", lambda dx, dw, db, dout: (dx, dw, dout.sum(axis=0, keepdims=True)), "it is (1, M)"),
        ("db", lambda dx, dw, db, dout: (dx, dw, dout.mean(axis=0)), "not the mean"),
        ("dx", lambda dx, dw, db, dout: (dx.reshape(len(dx), -1), dw, db), "the shape of x"),
        ("dw", lambda dx, dw, db, dout: (dx, dw.T, db), "dw is transposed"),
        ("dw", lambda dx, dw, db, dout: (dx, dw / len(dx), db), "divided by N"),
    ],
)
def test_a_students_affine_gradients(judged, gradient, change, says):
    def backward(dout, cache):
        return change(*affine_by_loops_backward(dout, cache), dout)

    record = judged(check.affine.backward, affine_by_loops, backward, gradient, **IMAGES)
    assert says in record.hint


def test_a_sum_that_overflows_is_named_on_the_way_back(judged):
    @np.errstate(over="ignore", divide="ignore")
    def backward(dout, cache):
        scores, y = cache
        log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return dout * (np.exp(log_p) - np.eye(scores.shape[1])[y]) / len(y)

    for given in (SCORES, dict(scores=FAR, y=np.array([0, 2]))):
        record = judged(
            check.softmax_loss.backward, loss_with_log_sum, backward, "dscores", **given
        )
        if given is SCORES:
            assert (record.outcome, record.hint) == (Outcome.PASSED, "")
    assert "too large for a float" in record.hint


def test_a_net_whose_relu_is_forgotten_on_the_way_back(judged):
    def two_layer_loss(w1, b1, w2, b2, x, y):
        scores, second = affine_by_loops(np.maximum(x @ w1 + b1, 0), w2, b2)
        loss, last = loss_with_log_sum(scores, y)
        dh, dw2, db2 = affine_by_loops_backward(loss_backward(1, last), second)
        return loss, (x.T @ dh, dh.sum(axis=0), dw2, db2)

    assert (
        "missing on the way back" in judged(check.two_layer_loss.flat, two_layer_loss, **NET).hint
    )


def test_gradients_of_numbers_may_come_as_one_array(judged):
    def forward(x, y):
        return x * y, np.array([y, x])

    def backward(dout, cache):
        return dout * cache

    record = judged(check.multiply_gate.backward, forward, backward, "dx", x=(), y=())
    assert record.outcome is Outcome.PASSED
    record = judged(
        check.multiply_gate.backward, forward, lambda d, c: d * c[::-1], "dx", x=(), y=()
    )
    assert record.outcome is Outcome.FAILED


@pytest.mark.parametrize("wrapped", [list, np.ndarray.tolist, lambda dx: (dx,), lambda dx: [dx]])
def test_one_gradient_may_come_as_lists_or_in_a_tuple(judged, wrapped):
    def backward(dout, cache):
        return wrapped(dout * (cache > 0))

    record = judged(check.relu.backward, lambda x: (np.maximum(x, 0), x), backward, "dx", x=(3, 4))
    assert record.outcome is Outcome.PASSED
