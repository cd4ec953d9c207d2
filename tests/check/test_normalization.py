"""Right normalizations in many styles pass without a hint; every known mistake is named."""

import numpy as np
import pytest

from autograder import check
from autograder.check import oracle
from autograder.check.layers import normalization as layers
from autograder.check.mistakes import folding, running_statistics
from autograder.check.mistakes import normalization as mistakes
from autograder.check.mistakes import normalization_backward as backward_mistakes
from autograder.check.record import Outcome


def parameters(count):
    return dict(
        gamma=(count,),
        beta=(count,),
        running_mean=(count,),
        running_var=check.positive(count),
    )


BATCH = dict(x=check.spread(6, 4, mean=3, std=2), **parameters(4), momentum=0.2, eps=0.1)
TEST_MODE = {**BATCH, "training": False}
BATCH_CASES = [
    BATCH,
    TEST_MODE,
    dict(x=check.spread(5, 3, std=0.01), **parameters(3)),
    dict(x=check.spread(5, 3, mean=2, std=0), **parameters(3)),
    dict(x=(1, 3), **parameters(3), training=False),
    dict(x=check.spread(20, 5, mean=10), **parameters(5), eps=0.5),
]
SPATIAL = dict(x=check.spread(2, 3, 4, 5, mean=2, std=3), **parameters(3), momentum=0.2, eps=0.1)
SPATIAL_CASES = [
    SPATIAL,
    {**SPATIAL, "training": False},
    dict(x=(4, 2, 3, 1), **parameters(2)),
    dict(x=(1, 4, 2, 3), **parameters(4), eps=0.5),
]
LAYER = dict(x=check.spread(4, 6, mean=3, std=2), gamma=(6,), beta=(6,), eps=0.1)
LAYER_CASES = [LAYER, dict(x=check.spread(5, 3, std=0.01), gamma=(3,), beta=(3,))]
GROUP = dict(x=check.spread(2, 6, 3, 4, mean=1, std=2), gamma=(6,), beta=(6,), groups=2, eps=0.1)
GROUP_CASES = [{**GROUP, "groups": groups} for groups in (1, 2, 3, 6)]


# Right answers, in the styles in which people write them.


def updated_with_operators(running, batch, momentum):
    running *= 1 - momentum
    running += momentum * batch


def updated_by_slice(running, batch, momentum):
    running[:] = (1 - momentum) * running + momentum * batch


def batch_norm_plain(x, gamma, beta, rm, rv, training=True, momentum=0.01, eps=1e-5):
    if not training:
        return gamma * (x - rm) / np.sqrt(rv + eps) + beta, None
    mu, var = np.mean(x, axis=0), np.var(x, axis=0)
    updated_with_operators(rm, mu, momentum)
    updated_with_operators(rv, var, momentum)
    x_hat = (x - mu) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x, x_hat, mu, var, gamma, eps)


def batch_norm_loops(x, gamma, beta, rm, rv, training=True, momentum=0.01, eps=1e-5):
    N, D = x.shape
    out = np.zeros((N, D))
    for j in range(D):
        mu = sum(x[i, j] for i in range(N)) / N if training else rm[j]
        var = sum((x[i, j] - mu) ** 2 for i in range(N)) / N if training else rv[j]
        for i in range(N):
            out[i, j] = gamma[j] * (x[i, j] - mu) / (var + eps) ** 0.5 + beta[j]
        if training:
            rm[j] = (1 - momentum) * rm[j] + momentum * mu
            rv[j] = (1 - momentum) * rv[j] + momentum * var
    mu, var = x.mean(axis=0), x.std(axis=0) ** 2
    return out, {"all": (x, (x - mu) / np.sqrt(var + eps), mu, var, gamma, eps)}


def batch_norm_single(x, gamma, beta, rm, rv, training=True, momentum=0.01, eps=1e-5):
    single = [a.astype(np.float32) for a in (x, gamma, beta, rm, rv)]
    out, cache = batch_norm_plain(*single, training, momentum, eps)
    rm[...], rv[...] = single[3:]
    return out, cache


def unpacked(cache):
    return cache["all"] if isinstance(cache, dict) else cache


def backward_by_graph(dout, cache):
    x, x_hat, mu, var, gamma, eps = unpacked(cache)
    N = len(x)
    std = np.sqrt(var + eps)
    dx_hat = dout * gamma
    dvar = np.sum(dx_hat * (x - mu) * -0.5 * std**-3, axis=0)
    dmu = np.sum(-dx_hat / std, axis=0) + dvar * np.mean(-2 * (x - mu), axis=0)
    dx = dx_hat / std + dvar * 2 * (x - mu) / N + dmu / N
    return dx, np.sum(dout * x_hat, axis=0), np.sum(dout, axis=0)


def backward_closed(dout, cache):
    _, x_hat, _, var, gamma, eps = unpacked(cache)
    N, dgamma, dbeta = len(dout), (dout * x_hat).sum(0), dout.sum(0)
    return gamma / np.sqrt(var + eps) / N * (N * dout - dbeta - x_hat * dgamma), dgamma, dbeta


def backward_by_jacobian(dout, cache):
    """Column by column, with the whole matrix of derivatives."""
    x, x_hat, _, var, gamma, eps = unpacked(cache)
    N, dx = len(x), np.zeros_like(x)
    for j in range(x.shape[1]):
        outer = np.outer(x_hat[:, j], x_hat[:, j])
        jacobian = (np.eye(N) - 1 / N - outer / N) / np.sqrt(var[j] + eps)
        dx[:, j] = gamma[j] * jacobian @ dout[:, j]
    return dx, np.einsum("nd,nd->d", dout, x_hat), np.ones(N) @ dout


BATCH_FORWARDS = [batch_norm_plain, batch_norm_loops, batch_norm_single]
BATCH_BACKWARDS = [backward_by_graph, backward_closed, backward_by_jacobian]


def spatial_by_rows(x, gamma, beta, rm, rv, **options):
    N, C, H, W = x.shape
    out, cache = batch_norm_plain(
        x.transpose(0, 2, 3, 1).reshape(-1, C), gamma, beta, rm, rv, **options
    )
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2), cache


def spatial_by_rows_back(dout, cache):
    N, C, H, W = dout.shape
    dx, dgamma, dbeta = backward_closed(dout.transpose(0, 2, 3, 1).reshape(-1, C), cache)
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta


def spatial_by_axes(x, gamma, beta, rm, rv, training=True, momentum=0.01, eps=1e-5):
    axes, wide = (0, 2, 3), (1, -1, 1, 1)
    mu, var = (x.mean(axes), x.var(axes)) if training else (rm, rv)
    std = np.sqrt(var + eps).reshape(wide)
    x_hat = (x - mu.reshape(wide)) / std
    if training:
        updated_by_slice(rm, mu, momentum)
        updated_by_slice(rv, var, momentum)
    return gamma.reshape(wide) * x_hat + beta.reshape(wide), [x_hat, gamma.reshape(wide), std]


def spatial_by_axes_back(dout, cache):
    x_hat, gamma, std = cache
    axes, count = (0, 2, 3), dout.size / dout.shape[1]
    dbeta, dgamma = dout.sum(axes, keepdims=True), (dout * x_hat).sum(axes, keepdims=True)
    dx = gamma / std * (dout - dbeta / count - x_hat * dgamma / count)
    return dx, dgamma.ravel(), dbeta.ravel()


SPATIAL_STYLES = [(spatial_by_rows, spatial_by_rows_back), (spatial_by_axes, spatial_by_axes_back)]


def layer_norm_rows(x, gamma, beta, eps=1e-5):
    mu, std = x.mean(1, keepdims=True), np.sqrt(x.var(1, keepdims=True) + eps)
    return gamma * (x - mu) / std + beta, (x, gamma, mu, std)


def layer_norm_rows_back(dout, cache):
    x, gamma, mu, std = cache
    x_hat, dx_hat, D = (x - mu) / std, dout * gamma, x.shape[1]
    dvar = (dx_hat * (x - mu) * -0.5 * std**-3).sum(1, keepdims=True)
    dmu = (-dx_hat / std).sum(1, keepdims=True)
    return (
        dx_hat / std + dvar * 2 * (x - mu) / D + dmu / D,
        (dout * x_hat).sum(0),
        dout.sum(0),
    )


def layer_norm_transposed(x, gamma, beta, eps=1e-5):
    """Batch norm of the transpose."""
    D = x.shape[1]
    out, cache = batch_norm_plain(
        x.T, np.ones(len(x)), np.zeros(len(x)), np.zeros(len(x)), np.ones(len(x)), eps=eps
    )
    assert out.shape[0] == D
    return gamma * out.T + beta, (cache, gamma)


def layer_norm_transposed_back(dout, cache):
    inner, gamma = cache
    dx, _, _ = backward_closed((dout * gamma).T, inner)
    return dx.T, (dout * inner[1].T).sum(0), dout.sum(0)


LAYER_STYLES = [
    (layer_norm_rows, layer_norm_rows_back),
    (layer_norm_transposed, layer_norm_transposed_back),
]


def group_norm_axes(x, gamma, beta, groups, eps=1e-5):
    N, C, H, W = x.shape
    parts = x.reshape(N, groups, C // groups, H, W)
    mu, var = parts.mean((2, 3, 4), keepdims=True), parts.var((2, 3, 4), keepdims=True)
    x_hat = ((parts - mu) / np.sqrt(var + eps)).reshape(x.shape)
    g, b = gamma[None, :, None, None], beta[None, :, None, None]
    return g * x_hat + b, (x_hat, g, var, groups, eps)


def group_norm_axes_back(dout, cache):
    x_hat, gamma, var, groups, eps = cache
    N, C, H, W = dout.shape
    shape, axes = (N, groups, C // groups, H, W), (2, 3, 4)
    g, h = (dout * gamma).reshape(shape), x_hat.reshape(shape)
    m = C // groups * H * W
    total, along = g.sum(axes, keepdims=True), (g * h).sum(axes, keepdims=True)
    dx = (m * g - total - h * along) / m / np.sqrt(var + eps)
    return dx.reshape(dout.shape), (dout * x_hat).sum((0, 2, 3)), dout.sum((0, 2, 3))


def group_norm_loops(x, gamma, beta, groups, eps=1e-5):
    out, x_hat, stds = np.zeros_like(x), np.zeros_like(x), np.zeros((len(x), groups))
    size = x.shape[1] // groups
    for n in range(len(x)):
        for k in range(groups):
            run = slice(k * size, (k + 1) * size)
            part = x[n, run]
            stds[n, k] = (part.std() ** 2 + eps) ** 0.5
            x_hat[n, run] = (part - part.mean()) / stds[n, k]
        for c in range(x.shape[1]):
            out[n, c] = gamma[c] * x_hat[n, c] + beta[c]
    return out, (x_hat, gamma, stds)


def group_norm_loops_back(dout, cache):
    x_hat, gamma, stds = cache
    dx, size = np.zeros_like(dout), dout.shape[1] // stds.shape[1]
    for n, k in np.ndindex(stds.shape):
        run = slice(k * size, (k + 1) * size)
        g, h = dout[n, run] * gamma[run, None, None], x_hat[n, run]
        dx[n, run] = (g - g.mean() - h * (g * h).mean()) / stds[n, k]
    return dx, (dout * x_hat).sum((0, 2, 3)), dout.sum((0, 2, 3))


GROUP_STYLES = [(group_norm_axes, group_norm_axes_back), (group_norm_loops, group_norm_loops_back)]

STYLES = [
    *((layers.batch_norm, f, g, BATCH_CASES) for f in BATCH_FORWARDS for g in BATCH_BACKWARDS),
    *((layers.spatial_batch_norm, f, g, SPATIAL_CASES) for f, g in SPATIAL_STYLES),
    *((layers.layer_norm, f, g, LAYER_CASES) for f, g in LAYER_STYLES),
    *((layers.group_norm, f, g, GROUP_CASES) for f, g in GROUP_STYLES),
]
# Next to a spread of 0.01, the steps of a numerical derivative are no longer small.
TINY = [*BATCH_CASES[2:4], LAYER_CASES[1]]
RIGHT = [
    pytest.param(layer, forward, backward, case, id=f"{forward.__name__} {backward.__name__} {i}")
    for layer, forward, backward, cases in STYLES
    for i, case in enumerate(cases)
]


@pytest.mark.parametrize(("layer", "forward", "backward", "case"), RIGHT)
def test_right_answers_pass_without_a_hint(judged, layer, forward, backward, case):
    found = [judged(layer.forward, forward, **case)]
    if case.get("training", True):
        for gradient in ("dx", "dgamma", "dbeta"):
            found.append(judged(layer.backward, forward, backward, gradient, **case))
        if forward is not batch_norm_single and case not in TINY:
            found.append(judged(layer.gradients, forward, backward, **case))
    assert [(record.outcome, record.hint) for record in found] == [(Outcome.PASSED, "")] * len(
        found
    )


def fold_weight(w, gamma, running_var, eps=1e-5):
    return np.stack(
        [w[f] * gamma[f] / np.sqrt(running_var[f] + eps) for f in range(len(w))]
    ).astype(np.float32)


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    std = np.sqrt(running_var + eps)
    return b * gamma / std + beta - running_mean * gamma / std


WEIGHT = dict(w=(4, 3, 3, 2), gamma=(4,), running_var=check.positive(4), eps=0.1)
BIAS = dict(
    b=(4,), beta=(4,), running_mean=(4,), gamma=(4,), running_var=check.positive(4), eps=0.1
)


def test_right_folding_passes(judged):
    assert judged(layers.fold_weight.forward, fold_weight, **WEIGHT).outcome is Outcome.PASSED
    assert judged(layers.fold_bias.forward, fold_bias, **BIAS).outcome is Outcome.PASSED


# Every mistake of the bank is the first to be named.


def answered(mistake, arrays, options):
    return mistake.answer(*map(oracle.tensor, arrays), **oracle.settings(options)).detach().numpy()


def bank(layer, case, known, only=lambda mistake: True):
    return [
        pytest.param(layer, case, mistake, id=mistake.name) for mistake in known if only(mistake)
    ]


TRAINING_ONLY = {
    "running statistics in training",
    "updated statistics",
    "unbiased variance",
    "mean of squares",
    "one mean for everything",
    "axis of layer norm",
    "per pixel",
    "per image",
    "over channels",
    "over channels and pixels",
    "reshaped without transposing",
}
TEST_ONLY = {"batch statistics in test mode", "running variance taken for sigma", "root forgotten"}
SMALL = {"x": check.spread(6, 4, std=0.003), "eps": 1e-3}  # 1e-5 is far from 0 and from 1e-3
SMALL_RUNNING = {**TEST_MODE, "running_var": np.full(4, 1e-5), "eps": 1e-3}
SMALL_WEIGHT = {**WEIGHT, "running_var": np.array([1e-5, 2e-5, 1e-4, 1e-5]), "eps": 1e-3}
SMALL_BIAS = {**BIAS, "running_var": np.array([1e-5, 2e-5, 1e-4, 1e-5]), "eps": 1e-3}


def not_in(names):
    return lambda mistake: mistake.name not in names | {"eps fixed"}


def only(name):
    return lambda mistake: mistake.name == name


SPATIAL_SMALL = {**SPATIAL, "x": check.spread(2, 3, 4, 5, std=0.003), "eps": 1e-3}
GROUP_SMALL = {**GROUP, "x": check.spread(2, 6, 3, 4, std=0.003), "eps": 1e-3}
SQUARE = dict(w=(3, 3, 2, 2), gamma=(3,), running_var=check.positive(3), eps=0.1)
ALONG = dict(w=(3, 2, 2, 3), gamma=(3,), running_var=check.positive(3), eps=0.1)
FORWARD_BANK = [
    *bank(layers.batch_norm, BATCH, mistakes.BATCH_NORM, not_in(TEST_ONLY - {"root forgotten"})),
    *bank(layers.batch_norm, TEST_MODE, mistakes.BATCH_NORM, not_in(TRAINING_ONLY | TEST_ONLY)),
    *bank(
        layers.batch_norm,
        TEST_MODE,
        mistakes.BATCH_NORM,
        lambda mistake: mistake.name in TEST_ONLY - {"root forgotten", "running variance taken"},
    ),
    *bank(layers.batch_norm, {**BATCH, **SMALL}, mistakes.BATCH_NORM, only("eps fixed")),
    *bank(layers.batch_norm, SMALL_RUNNING, mistakes.BATCH_NORM, only("eps fixed")),
    *bank(
        layers.spatial_batch_norm,
        SPATIAL,
        mistakes.SPATIAL_BATCH_NORM,
        not_in(TEST_ONLY - {"root forgotten"}),
    ),
    *bank(
        layers.spatial_batch_norm, SPATIAL_SMALL, mistakes.SPATIAL_BATCH_NORM, only("eps fixed")
    ),
    *bank(layers.layer_norm, LAYER, mistakes.LAYER_NORM, not_in(set())),
    *bank(layers.layer_norm, {**LAYER, **SMALL, "gamma": (4,), "beta": (4,)}, mistakes.LAYER_NORM,
          only("eps fixed")),
    *bank(layers.group_norm, GROUP, mistakes.GROUP_NORM, not_in(set())),
    *bank(layers.group_norm, GROUP_SMALL, mistakes.GROUP_NORM, only("eps fixed")),
    *bank(
        layers.fold_weight,
        WEIGHT,
        folding.WEIGHT,
        not_in({"per input channel", "along the filter"}),
    ),
    *bank(layers.fold_weight, SQUARE, folding.WEIGHT, only("per input channel")),
    *bank(layers.fold_weight, ALONG, folding.WEIGHT, only("along the filter")),
    *bank(layers.fold_weight, SMALL_WEIGHT, folding.WEIGHT, only("eps fixed")),
    *bank(layers.fold_bias, BIAS, folding.BIAS, not_in(set())),
    *bank(layers.fold_bias, SMALL_BIAS, folding.BIAS, only("eps fixed")),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "case", "mistake"), FORWARD_BANK)
def test_each_forward_mistake_is_told_apart_from_the_others(judged, layer, case, mistake):
    def forward(*arrays, **options):
        count = len(layer.arguments)
        state = dict(zip(layer.state, arrays[count:], strict=True))
        out = answered(mistake, arrays[:count], {**state, **options})
        return (out, None) if layer.cached else out

    record = judged(layer.forward, forward, **case)
    assert (record.outcome, record.hint) == (Outcome.FAILED, mistake.says)


def gradient_bank(layer, case, known):
    return [
        pytest.param(layer, case, gradient, mistake, id=f"{gradient}, {mistake.name}")
        for gradient, several in known.items()
        for mistake in several
    ]


GRADIENT_BANK = [
    *gradient_bank(layers.batch_norm, BATCH, backward_mistakes.BATCH),
    *gradient_bank(layers.spatial_batch_norm, SPATIAL, backward_mistakes.SPATIAL),
    *gradient_bank(layers.layer_norm, LAYER, backward_mistakes.LAYER),
    *gradient_bank(layers.group_norm, GROUP, backward_mistakes.GROUP),
]


@pytest.mark.parametrize(("layer", "case", "gradient", "mistake"), GRADIENT_BANK)
def test_each_gradient_mistake_is_told_apart_from_the_others(
    judged, layer, case, gradient, mistake
):
    def forward(x, gamma, beta, *state, **options):
        settings = {**dict(zip(layer.state, state, strict=True)), **options}
        return None, ((x, gamma, beta), {k: np.copy(v) for k, v in settings.items()})

    def backward(dout, cache):
        arrays, settings = cache
        settings = {k: v if v.ndim else v.item() for k, v in settings.items()}
        answer = answered(mistake, (dout, *arrays), settings)
        return [answer if name == gradient else None for name in ("dx", "dgamma", "dbeta")]

    record = judged(layer.backward, forward, backward, gradient, **case)
    assert (record.outcome, record.hint) == (Outcome.FAILED, mistake.says)


STATE_BANK = [
    pytest.param(layer, case, name, mistake, id=f"{name}, {mistake.name}")
    for layer, case, known in (
        (layers.batch_norm, BATCH, running_statistics.BATCH),
        (layers.spatial_batch_norm, SPATIAL, running_statistics.SPATIAL),
    )
    for name, several in known.items()
    for mistake in several
]


@pytest.mark.parametrize(("layer", "case", "name", "mistake"), STATE_BANK)
def test_each_mistake_of_the_running_statistics_is_told_apart(judged, layer, case, name, mistake):
    right = batch_norm_plain if layer is layers.batch_norm else spatial_by_rows

    def forward(x, gamma, beta, running_mean, running_var, **options):
        settings = {"running_mean": running_mean, "running_var": running_var, **options}
        wrong = answered(mistake, (x, gamma, beta), settings)
        out, cache = right(x, gamma, beta, running_mean, running_var, **options)
        settings[name][...] = wrong
        return out, cache

    given = {**case, "training": mistake.name != "updated in test mode"}
    record = judged(layer.forward, forward, **given)
    assert (record.outcome, record.hint) == (Outcome.FAILED, mistake.says)
    assert record.message.startswith(f"{name} afterwards")


@pytest.mark.parametrize("name", ["replaced", "momentum reversed"])
def test_without_momentum_a_hint_is_true_of_both(judged, name):
    (mistake,) = (m for m in running_statistics.BATCH["running_mean"] if m.name == name)

    def forward(x, gamma, beta, running_mean, running_var, **options):
        settings = {"running_mean": running_mean, "running_var": running_var, **options}
        wrong = answered(mistake, (x, gamma, beta), settings)
        out, cache = batch_norm_plain(x, gamma, beta, running_mean, running_var, **options)
        running_mean[...] = wrong
        return out, cache

    record = judged(layers.batch_norm.forward, forward, **{**BATCH, "momentum": 0})
    assert record.hint.startswith("Only this batch is left")


# The same once more, as students write them.


def written(*, var="x.var(0)", use="(x - mu) / np.sqrt(var + eps)", y="gamma * x_hat + beta",
            test="(x - rm) / np.sqrt(rv + eps)", test_y="gamma * x_hat + beta",
            keep="rm[:] = (1 - m) * rm + m * mu; rv[:] = (1 - m) * rv + m * var"):  # fmt: skip
    """batch_norm_forward with one line changed."""
    text = f"""
def forward(x, gamma, beta, rm, rv, training=True, momentum=0.01, eps=1e-5):
    m = momentum
    if training:
        mu = x.mean(0)
        var = {var}
        x_hat = {use}
        {keep}
        return {y}, None
    x_hat = {test}
    return {test_y}, None
"""
    names = {"np": np}
    exec(text, names)
    return names["forward"]


def test_written_out_batch_norm_is_right(judged):
    for case in BATCH_CASES:
        assert judged(layers.batch_norm.forward, written(), **case).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("change", "case", "says"),
    [
        (dict(use="(x - mu) / (np.sqrt(var) + eps)"), BATCH, "outside of the root"),
        (dict(use="(x - mu) / np.sqrt(var)"), BATCH, "ε has no effect"),
        (dict(var="x.var(0, ddof=1)"), BATCH, "one less than there are numbers"),
        (dict(var="(x ** 2).mean(0)"), BATCH, "the mean of x²"),
        (dict(use="(x - mu) / (var + eps)"), BATCH, "divide by its root"),
        (dict(use="(x - rm) / np.sqrt(rv + eps)"), BATCH, "In training, take"),
        (dict(y="x_hat"), BATCH, "You return x̂"),
        (dict(test_y="x_hat"), TEST_MODE, "You return x̂"),
        (dict(test="(x - rm) / np.sqrt(rv)"), TEST_MODE, "ε has no effect"),
        (dict(test="(x - rm) / (np.sqrt(rv) + eps)"), TEST_MODE, "outside of the root"),
        (dict(test="(x - x.mean(0)) / np.sqrt(x.var(0) + eps)"), TEST_MODE, "there, take"),
        (dict(test="(x - rm) / (rv + eps)"), TEST_MODE, "divide by its root"),
        (dict(keep="rm = (1 - m) * rm + m * mu; rv = (1 - m) * rv + m * var"), BATCH,
         "It is what it was"),
        (dict(keep="rm[:] = m * rm + (1 - m) * mu"), BATCH, "other way round"),
        (dict(keep="rm += m * mu"), BATCH, "kept whole"),
        (dict(keep="rm[:] = mu"), BATCH, "Only this batch is left"),
        (dict(keep="rm[:] = 0.99 * rm + 0.01 * mu"), BATCH, "momentum = 0.01"),
        (dict(var="x.var(0) + eps", use="(x - mu) / np.sqrt(var)"), BATCH, "in the running"),
        (dict(keep="rm[:] = (1 - m) * rm + m * mu; rv[:] = (1 - m) * rv + m * x.var(0, ddof=1)"),
         BATCH, "divides by N − 1"),
        (dict(keep="rm[:] = (1 - m) * rm + m * mu; rv[:] = (1 - m) * rv + m * x.std(0)"),
         BATCH, "running_var is a variance"),
        (dict(keep="rm[:] = (1 - m) * rm + m * mu"), BATCH, "It is what it was"),
    ],
)  # fmt: skip
def test_batch_norm_as_written(judged, change, case, says):
    record = judged(layers.batch_norm.forward, written(**change), **case)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


def back_with(*, dvar="(dx_hat * (x - mu) * -0.5 * std**-3).sum(0)",
              dmu="-(dx_hat / std).sum(0)", dx="dx_hat / std + dvar * 2 * (x - mu) / N + dmu / N",
              dx_hat="dout * gamma", std="np.sqrt(var + eps)"):  # fmt: skip
    """batch_norm_backward with one line changed."""
    text = f"""
def backward(dout, cache):
    x, x_hat, mu, var, gamma, eps = cache
    N = len(x)
    std = {std}
    dx_hat = {dx_hat}
    dvar = {dvar}
    dmu = {dmu}
    return {dx}, (dout * x_hat).sum(0), dout.sum(0)
"""
    names = {"np": np}
    exec(text, names)
    return names["backward"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(dvar="0"), "path through the variance is missing"),
        (dict(dmu="0"), "path through the mean is missing"),
        (dict(dvar="0", dmu="0"), "μ and σ as constants"),
        (dict(dx_hat="dout"), "gamma is missing"),
        (dict(std="np.sqrt(var)"), "ε is missing on the way back"),
        (dict(dx="dx_hat / std + dvar * 2 * (x - mu) + dmu"), "1/N is missing"),
        (dict(dvar="(dx_hat * (x - mu) * 0.5 * std**-3).sum(0)"), "wrong sign"),
        (dict(dx="dx_hat / std + dvar * (x - mu) / N + dmu / N"), "half as large"),
    ],
)
def test_batch_norm_backward_as_written(judged, change, says):
    right = judged(layers.batch_norm.backward, batch_norm_plain, back_with(), "dx", **BATCH)
    assert right.outcome is Outcome.PASSED
    record = judged(
        layers.batch_norm.backward, batch_norm_plain, back_with(**change), "dx", **BATCH
    )
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


def test_a_backward_of_test_mode_is_named(judged):
    def forward(x, gamma, beta, rm, rv, training=True, momentum=0.01, eps=1e-5):
        out, _ = batch_norm_plain(x, gamma, beta, rm, rv, training, momentum, eps)
        return out, (x, gamma, rm, rv, eps)

    def backward(dout, cache):
        x, gamma, rm, rv, eps = cache
        std = np.sqrt(rv + eps)
        return dout * gamma / std, (dout * (x - rm) / std).sum(0), dout.sum(0)

    for gradient, says in (("dx", "gradient of test mode"), ("dgamma", "by the running")):
        record = judged(layers.batch_norm.backward, forward, backward, gradient, **BATCH)
        assert record.outcome is Outcome.FAILED
        assert says in record.hint


def reshaped(x, gamma, beta, rm, rv, **options):
    out, cache = batch_norm_plain(x.reshape(-1, x.shape[1]), gamma, beta, rm, rv, **options)
    return out.reshape(x.shape), cache


def per_pixel(x, gamma, beta, rm, rv, training=True, momentum=0.01, eps=1e-5):
    x_hat = (x - x.mean(0)) / np.sqrt(x.var(0) + eps)
    return gamma[:, None, None] * x_hat + beta[:, None, None], None


@pytest.mark.parametrize(
    ("forward", "says"), [(reshaped, "mixes channels and pixels"), (per_pixel, "over N only")]
)
def test_spatial_batch_norm_as_written(judged, forward, says):
    assert says in judged(layers.spatial_batch_norm.forward, forward, **SPATIAL).hint


def test_dout_reshaped_without_transposing_is_named(judged):
    def backward(dout, cache):
        dx, dgamma, dbeta = backward_closed(dout.reshape(-1, dout.shape[1]), cache)
        N, C, H, W = dout.shape
        return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta

    for gradient in ("dx", "dgamma", "dbeta"):
        record = judged(
            layers.spatial_batch_norm.backward, spatial_by_rows, backward, gradient, **SPATIAL
        )
        assert record.hint == mistakes.RESHAPED


def test_layer_norm_with_the_formula_of_batch_norm_is_named(judged):
    def backward(dout, cache):
        x, gamma, mu, std = cache
        h, D = (x - mu) / std, x.shape[1]
        rest = D * dout - dout.sum(1, keepdims=True) - h * (dout * h).sum(1, keepdims=True)
        return gamma / std / D * rest, (dout * h).sum(0), dout.sum(0)

    record = judged(layers.layer_norm.backward, layer_norm_rows, backward, "dx", **LAYER)
    assert "gamma stands outside" in record.hint


def test_interleaved_groups_are_named(judged):
    def forward(x, gamma, beta, groups, eps=1e-5):
        N, C, H, W = x.shape
        parts = x.reshape(N, C // groups, groups, H, W)
        mu, var = parts.mean((1, 3, 4), keepdims=True), parts.var((1, 3, 4), keepdims=True)
        x_hat = ((parts - mu) / np.sqrt(var + eps)).reshape(x.shape)
        return gamma[:, None, None] * x_hat + beta[:, None, None], None

    record = judged(layers.group_norm.forward, forward, **{**GROUP, "groups": 3})
    assert record.hint == mistakes.INTERLEAVED


def group_norm_of(view, axes):
    """group_norm_forward with x viewed in another shape and averaged over other axes of it."""

    def forward(x, gamma, beta, groups, eps=1e-5):
        parts = x.reshape(view(*x.shape, groups))
        mu, var = parts.mean(axes, keepdims=True), parts.var(axes, keepdims=True)
        x_hat = ((parts - mu) / np.sqrt(var + eps)).reshape(x.shape)
        return gamma[:, None, None] * x_hat + beta[:, None, None], None

    return forward


@pytest.mark.parametrize(
    ("view", "axes", "says"),
    [
        (lambda n, c, h, w, g: (n, c, h, w), (2, 3), "Every channel has its own mean"),
        (lambda n, c, h, w, g: (n, c, h, w), (1, 2, 3), "All channels share one mean"),
        (lambda n, c, h, w, g: (n, c // g, g, h, w), (2, 3, 4), "groups have G channels each"),
        (lambda n, c, h, w, g: (n, g, c // g, h, w), (0, 2, 3, 4), "You average over N as well"),
        (lambda n, c, h, w, g: (n, c, h, w), (0, 2, 3), "This is batch norm"),
        (lambda n, c, h, w, g: (n, g, c // g, h, w), (2,), "Every pixel has its own mean"),
        (lambda n, c, h, w, g: (-1,), (0,), "one mean and one variance of all"),
    ],
)
def test_group_norm_as_written(judged, view, axes, says):
    record = judged(layers.group_norm.forward, group_norm_of(view, axes), **GROUP)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


@pytest.mark.parametrize(
    ("gradient", "change", "says"),
    [
        ("dgamma", lambda dout, x, h, mu, g: (dout * x).sum(0), "You multiply dout by x;"),
        ("dgamma", lambda dout, x, h, mu, g: (dout * (x - mu)).sum(0), "dout by x − μ"),
        ("dgamma", lambda dout, x, h, mu, g: (dout * h).mean(0), "this is the mean"),
        ("dgamma", lambda dout, x, h, mu, g: dout * h, "Not summed"),
        ("dgamma", lambda dout, x, h, mu, g: (dout * h).sum(1), "one number is left for each row"),
        ("dgamma", lambda dout, x, h, mu, g: (dout * h).sum(0) * g, "You multiply by gamma too"),
        ("dgamma", lambda dout, x, h, mu, g: (dout * h).sum(0, keepdims=True), "wrapped in axes"),
        ("dgamma", lambda dout, x, h, mu, g: dout.sum(0), "are swapped"),
        ("dbeta", lambda dout, x, h, mu, g: dout.mean(0), "not the mean"),
        ("dbeta", lambda dout, x, h, mu, g: (g * dout).sum(0), "beta is added after it"),
        ("dbeta", lambda dout, x, h, mu, g: (dout * h).sum(0), "are swapped"),
    ],
)
def test_dgamma_and_dbeta_as_written(judged, gradient, change, says):
    def backward(dout, cache):
        x, x_hat, mu, _, gamma, _ = cache
        wrong = change(dout, x, x_hat, mu, gamma)
        return [wrong if name == gradient else None for name in ("dx", "dgamma", "dbeta")]

    record = judged(layers.batch_norm.backward, batch_norm_plain, backward, gradient, **BATCH)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda b, g, beta, mu, s, v, e: beta - g * mu / s, "own bias is normalized too"),
        (lambda b, g, beta, mu, s, v, e: b + beta - g * mu / s, "added as it was"),
        (lambda b, g, beta, mu, s, v, e: g * b / s + beta, "batch norm subtracts it"),
        (lambda b, g, beta, mu, s, v, e: g * b / s - mu + beta, "after the scaling"),
        (lambda b, g, beta, mu, s, v, e: g * (b + mu) / s + beta, "running_mean is added"),
        (lambda b, g, beta, mu, s, v, e: g * (b - mu) / s, "beta is missing"),
        (lambda b, g, beta, mu, s, v, e: g * (b - mu + beta) / s, "beta is scaled too"),
        (lambda b, g, beta, mu, s, v, e: (b - mu) / s + beta, "gamma is missing"),
        (lambda b, g, beta, mu, s, v, e: g * (b - mu) + beta, "√(σ² + ε) is missing"),
        (lambda b, g, beta, mu, s, v, e: g * (b - mu) / np.sqrt(v) + beta, "ε has no effect"),
        (lambda b, g, beta, mu, s, v, e: g * (b - mu) / (v**0.5 + e) + beta, "outside of the root"),
        (lambda b, g, beta, mu, s, v, e: g * (b - mu) / (v + e) + beta, "divide by its root"),
    ],
)
def test_fold_bias_as_written(judged, change, says):
    def wrong(b, gamma, beta, running_mean, running_var, eps):
        std = np.sqrt(running_var + eps)
        return change(b, gamma, beta, running_mean, std, running_var, eps)

    record = judged(layers.fold_bias.forward, wrong, **BIAS)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


@pytest.mark.parametrize(
    ("change", "case", "says"),
    [
        (lambda g, v, e: (g / np.sqrt(v))[:, None, None, None], WEIGHT, "ε has no effect"),
        (lambda g, v, e: (g / (v + e))[:, None, None, None], WEIGHT, "divide by its root"),
        (lambda g, v, e: (1 / np.sqrt(v + e))[:, None, None, None], WEIGHT, "gamma is missing"),
        (lambda g, v, e: g[:, None, None, None], WEIGHT, "√(σ² + ε) is missing"),
        (lambda g, v, e: (g * np.sqrt(v + e))[:, None, None, None], WEIGHT, "divide"),
        (lambda g, v, e: (g / np.sqrt(v + e))[:, None, None], SQUARE, "along the input channels"),
        (lambda g, v, e: g / np.sqrt(v + e), ALONG, "along the columns"),
    ],
)
def test_fold_weight_as_written(judged, change, case, says):
    def wrong(w, gamma, running_var, eps):
        return w * change(gamma, running_var, eps)

    record = judged(layers.fold_weight.forward, wrong, **case)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


def test_test_mode_is_about_running_statistics_that_stay_as_they_are(judged):
    def forward(x, gamma, beta, rm, rv, training=True, **options):
        out, cache = batch_norm_plain(x, gamma, beta, rm, rv, training, **options)
        if not training:
            rm += 1
        return out, cache

    record = judged(layers.batch_norm.forward, forward, **TEST_MODE)
    assert record.outcome is Outcome.FAILED
    assert record.message == "running_mean afterwards: wrong values"


def test_there_are_many_mistakes_to_tell_apart():
    forward = (mistakes.BATCH_NORM, mistakes.SPATIAL_BATCH_NORM, mistakes.LAYER_NORM)
    several = [*forward, mistakes.GROUP_NORM, folding.WEIGHT, folding.BIAS]
    for known in (backward_mistakes.BATCH, backward_mistakes.GROUP, running_statistics.BATCH):
        several += known.values()
    assert len({mistake.says for known in several for mistake in known}) >= 80
