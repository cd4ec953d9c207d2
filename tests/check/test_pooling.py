"""Right pooling in many styles passes without a hint; every known mistake is named."""

import numpy as np
import pytest

from autograder import check
from autograder.check import oracle
from autograder.check.layers.pooling import avg_pool, max_pool
from autograder.check.mistakes import pooling as mistakes
from autograder.check.record import Outcome

OVERLAP = dict(x=(2, 3, 7, 9), kernel_size=3, stride=2)
CASES = [
    dict(x=(2, 3, 6, 4), kernel_size=2, stride=2),
    OVERLAP,
    dict(x=(3, 2, 8, 6), kernel_size=3, stride=2),  # does not fit
    dict(x=(3, 2, 5, 7), kernel_size=2, stride=3),  # pixels between the windows
    dict(x=(2, 2, 4, 6), kernel_size=3, stride=1),
    dict(x=(1, 2, 5, 5), kernel_size=5, stride=1),
    dict(x=check.spread(2, 3, 4, 6, mean=-5), kernel_size=2, stride=1),
    dict(x=check.ties(2, 3, 6, 5), kernel_size=2, stride=2),
    dict(x=check.ties(3, 2, 5, 7), kernel_size=3, stride=2),
    dict(x=np.zeros((2, 1, 5, 6)), kernel_size=3, stride=1),
]


def sizes(x, K, S):
    return (x.shape[2] - K) // S + 1, (x.shape[3] - K) // S + 1


def windows(x, K, S):
    return np.lib.stride_tricks.sliding_window_view(x, (K, K), axis=(2, 3))[:, :, ::S, ::S]


def pooled_by_loops(reduce):
    def forward(x, kernel_size, stride):
        N, C, _, _ = x.shape
        rows, cols = sizes(x, kernel_size, stride)
        out = np.zeros((N, C, rows, cols))
        for n, c, i, j in np.ndindex(out.shape):
            r, s = i * stride, j * stride
            out[n, c, i, j] = reduce(x[n, c, r : r + kernel_size, s : s + kernel_size])
        return out, {"x": x, "K": kernel_size, "S": stride}

    return forward


def pooled_by_windows(reduce):
    def forward(x, kernel_size, stride):
        return reduce(windows(x, kernel_size, stride), axis=(4, 5)), [x, kernel_size, stride]

    return forward


def pooled_in_single_precision(reduce):
    def forward(x, kernel_size, stride):
        out, cache = pooled_by_windows(reduce)(x.astype(np.float32), kernel_size, stride)
        return out, cache

    return forward


def back(share):
    """Loops over windows; ``share`` is what a window gets of 1."""

    def backward(dout, cache):
        x, K, S = cache.values() if isinstance(cache, dict) else cache
        dx = np.zeros_like(x)
        for n, c, i, j in np.ndindex(dout.shape):
            r, s = i * S, j * S
            seen = x[n, c, r : r + K, s : s + K]
            dx[n, c, r : r + K, s : s + K] += share(seen) * dout[n, c, i, j]
        return dx

    return backward


def winner(pick):
    """1 for one of the equals: ``pick`` chooses among the places that hold the maximum."""

    def share(seen):
        place = pick(list(zip(*np.nonzero(seen == seen.max()), strict=True)))
        marks = np.zeros(seen.shape)
        marks[place] = 1
        return marks

    return share


def vectorised_back(dout, cache):
    x, K, S = cache.values() if isinstance(cache, dict) else cache
    seen = windows(x, K, S)
    hit = seen == seen.max(axis=(4, 5), keepdims=True)
    dx = np.zeros(x.shape)
    places = windows(np.arange(x.size).reshape(x.shape), K, S)
    np.add.at(dx.reshape(-1), places, hit * dout[..., None, None])
    return dx


MAX_FORWARD = {
    "loops": pooled_by_loops(np.max),
    "builtin max": pooled_by_loops(lambda seen: max(seen.reshape(-1).tolist())),
    "windows": pooled_by_windows(np.max),
    "single precision": pooled_in_single_precision(np.max),
}
MAX_BACKWARD = {
    "all": back(lambda seen: seen == seen.max()),
    "first": back(winner(lambda places: places[0])),
    "last": back(winner(lambda places: places[-1])),
    "first by columns": back(winner(lambda places: min(places, key=lambda p: p[::-1]))),
    "last by columns": back(winner(lambda places: max(places, key=lambda p: p[::-1]))),
    "equal parts": back(lambda seen: (seen == seen.max()) / (seen == seen.max()).sum()),
    "vectorised": vectorised_back,
}
AVG_FORWARD = {
    "loops": pooled_by_loops(np.mean),
    "sums": pooled_by_loops(lambda seen: seen.sum() / seen.size),
    "windows": pooled_by_windows(np.mean),
    "single precision": pooled_in_single_precision(np.mean),
}
avg_back = back(lambda seen: 1 / seen.size)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("style", MAX_FORWARD)
def test_right_max_pool_forward_passes(judged, style, case):
    record = judged(max_pool.forward, MAX_FORWARD[style], **case)
    assert (record.outcome, record.hint) == (Outcome.PASSED, "")


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("style", MAX_BACKWARD)
def test_right_max_pool_backward_passes_whoever_wins_among_equals(judged, style, case):
    forward = MAX_FORWARD["loops"]
    record = judged(max_pool.backward, forward, MAX_BACKWARD[style], "dx", **case)
    assert (record.outcome, record.hint) == (Outcome.PASSED, "")


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("style", AVG_FORWARD)
def test_right_avg_pool_passes(judged, style, case):
    forward = AVG_FORWARD[style]
    for record in (
        judged(avg_pool.forward, forward, **case),
        judged(avg_pool.backward, forward, avg_back, "dx", **case),
    ):
        assert (record.outcome, record.hint) == (Outcome.PASSED, "")


@pytest.mark.parametrize("style", ["loops", "windows"])
def test_numerical_slopes_agree(judged, style):
    record = judged(max_pool.gradients, MAX_FORWARD[style], MAX_BACKWARD["first"], **OVERLAP)
    assert record.outcome is Outcome.PASSED
    record = judged(avg_pool.gradients, AVG_FORWARD[style], avg_back, **OVERLAP)
    assert record.outcome is Outcome.PASSED


def test_the_lectures_example(judged):
    x = np.array([[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])[None, None]
    out, _ = MAX_FORWARD["windows"](x, 2, 2)
    assert out.tolist() == [[[[6, 8], [3, 4]]]]
    record = judged(max_pool.forward, MAX_FORWARD["windows"], x=x, kernel_size=2, stride=2)
    assert record.outcome is Outcome.PASSED


def answered(mistake, arrays, options):
    return mistake.answer(*map(oracle.tensor, arrays), **options).numpy()


def bank(**layers):
    return [
        pytest.param(layer, mistake, id=f"{name}, {mistake.name}")
        for name, (layer, known) in layers.items()
        for mistake in known
    ]


FORWARD_BANK = bank(max=(max_pool, mistakes.MAX_POOL), avg=(avg_pool, mistakes.AVG_POOL))
BACKWARD_BANK = bank(max=(max_pool, mistakes.MAX_POOL_DX), avg=(avg_pool, mistakes.AVG_POOL_DX))
# Where rounding down shows, and where windows K apart still fit as often as the output asks for.
ROUNDED = dict(x=(3, 2, 8, 11), kernel_size=3, stride=2)
NEGATIVE = dict(x=check.spread(3, 2, 8, 11, mean=-1), kernel_size=3, stride=2)
FAR_APART = dict(x=(2, 3, 7, 8), kernel_size=2, stride=3)


@pytest.mark.parametrize(("layer", "mistake"), FORWARD_BANK)
def test_each_forward_mistake_is_told_apart_from_the_others(judged, layer, mistake):
    def forward(x, **options):
        return answered(mistake, [x], options), None

    case = NEGATIVE if mistake.name == "zero-initialised maximum" else ROUNDED
    assert judged(layer.forward, forward, **case).hint == mistake.says


@pytest.mark.parametrize(("layer", "mistake"), BACKWARD_BANK)
def test_each_backward_mistake_is_told_apart_from_the_others(judged, layer, mistake):
    def forward(x, **options):
        return None, (x, options)

    def backward(dout, cache):
        return answered(mistake, (dout, cache[0]), cache[1])

    shown_by = {
        "stride is the kernel size": FAR_APART,
        "nothing for negative maxima": NEGATIVE,
    }
    case = shown_by.get(mistake.name, ROUNDED)
    record = judged(layer.backward, forward, backward, "dx", **case)
    assert (record.outcome, record.hint) == (Outcome.FAILED, mistake.says)


# The same once more, as students write them.


def zero_start(x, kernel_size, stride):
    out, cache = MAX_FORWARD["loops"](x, kernel_size, stride)
    for place in np.ndindex(out.shape):
        best = 0
        n, c, i, j = place
        for u in range(kernel_size):
            for v in range(kernel_size):
                best = max(best, x[n, c, i * stride + u, j * stride + v])
        out[place] = best
    return out, cache


def rows_for_columns(x, kernel_size, stride):
    out, cache = MAX_FORWARD["loops"](x, kernel_size, stride)
    rows, _ = sizes(x, kernel_size, stride)
    return out[:, :, :rows, :rows], cache


def every_channel(x, kernel_size, stride):
    out, cache = MAX_FORWARD["loops"](x, kernel_size, stride)
    K, S = kernel_size, stride
    for n, _, i, j in np.ndindex(out.shape):
        out[n, :, i, j] = x[n, :, i * S : i * S + K, j * S : j * S + K].max()
    return out, cache


def slice_ends_early(x, kernel_size, stride):
    out, cache = MAX_FORWARD["loops"](x, kernel_size, stride)
    K, S = kernel_size, stride
    for n, c, i, j in np.ndindex(out.shape):
        out[n, c, i, j] = x[n, c, i * S : i * S + K - 1, j * S : j * S + K - 1].max()
    return out, cache


@pytest.mark.parametrize(
    ("forward", "says"),
    [
        (zero_start, "must not start at 0"),
        (rows_for_columns, "The output is square"),
        (every_channel, "each channel is pooled by itself"),
        (slice_ends_early, "the end is not included"),
        (lambda x, **o: MAX_FORWARD["loops"](x, o["kernel_size"], 1), "This is the answer for"),
        (pooled_by_windows(np.min), "smallest number"),
        (pooled_by_windows(np.mean), "average pooling"),
    ],
)
def test_max_pool_forward_as_written(judged, forward, says):
    record = judged(max_pool.forward, forward, **(NEGATIVE if forward is zero_start else ROUNDED))
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


def assigned_windows(dout, cache):
    x, K, S = cache.values()
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        seen = x[n, c, i * S : i * S + K, j * S : j * S + K]
        dx[n, c, i * S : i * S + K, j * S : j * S + K] = (seen == seen.max()) * dout[n, c, i, j]
    return dx


def assigned_winners(dout, cache):
    x, K, S = cache.values()
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        seen = x[n, c, i * S : i * S + K, j * S : j * S + K]
        u, v = np.unravel_index(seen.argmax(), seen.shape)
        dx[n, c, i * S + u, j * S + v] = dout[n, c, i, j]
    return dx


def assigned_slices(dout, cache):
    x, K, S = cache.values()
    dx, out = np.zeros_like(x), windows(x, K, S).max(axis=(4, 5))
    rows, cols = (S * (size - 1) + 1 for size in dout.shape[2:])
    for u in range(K):
        for v in range(K):
            part = (slice(None), slice(None), slice(u, u + rows, S), slice(v, v + cols, S))
            dx[part] = (x[part] == out) * dout
    return dx


@pytest.mark.parametrize("backward", [assigned_windows, assigned_winners, assigned_slices])
@pytest.mark.parametrize("case", [OVERLAP, ROUNDED], ids=str)
def test_overlapping_windows_that_overwrite_are_named(judged, backward, case):
    record = judged(max_pool.backward, MAX_FORWARD["loops"], backward, "dx", **case)
    assert (record.outcome, record.hint) == (Outcome.FAILED, mistakes.OVERWRITTEN)
    apart = dict(x=(2, 3, 6, 4), kernel_size=2, stride=2)
    right = judged(max_pool.backward, MAX_FORWARD["loops"], backward, "dx", **apart)
    assert right.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("share", "says"),
    [
        (lambda seen: (seen == seen.max()).T, "row and column are swapped"),
        (lambda seen: np.ones(seen.shape), "Every pixel of a window"),
        (lambda seen: np.ones(seen.shape) / seen.size, "as average pooling does"),
        (lambda seen: seen * (seen == seen.max()), "by the maximum itself"),
        (lambda seen: seen == max(0, seen.max()), "is negative gets nothing"),
    ],
)
def test_max_pool_backward_as_written(judged, share, says):
    case = NEGATIVE if "negative" in says else ROUNDED
    record = judged(max_pool.backward, MAX_FORWARD["loops"], back(share), "dx", **case)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


@pytest.mark.parametrize(
    ("share", "says"),
    [
        (lambda seen: 1, "gets all of dout"),
        (lambda seen: 1 / len(seen), "You divide by K"),
        (lambda seen: 1 / 2**2, "You divide by S·S"),
        (lambda seen: seen == seen.max(), "as in max pooling"),
    ],
)
def test_avg_pool_backward_as_written(judged, share, says):
    record = judged(avg_pool.backward, AVG_FORWARD["loops"], back(share), "dx", **ROUNDED)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


def test_a_choice_that_no_convention_makes_is_wrong(judged):
    """Half of dout for the winner, at ties and elsewhere; and twice of it for the first."""
    for factor in (0.5, 2):
        share = back(lambda seen, factor=factor: factor * winner(lambda p: p[0])(seen))
        record = judged(max_pool.backward, MAX_FORWARD["loops"], share, "dx", **CASES[-2])
        assert record.outcome is Outcome.FAILED
