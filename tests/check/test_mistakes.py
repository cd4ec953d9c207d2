"""Every mistake of the bank, made for real in NumPy, is named; and none is named for right work."""

import numpy as np
import pytest

from autograder import check
from autograder.check import oracle
from autograder.check.mistakes import conv_backward, conv_forward
from autograder.check.record import Outcome

EVERYTHING = dict(x=(2, 4, 9, 8), w=(6, 2, 3, 3), b=(6,), stride=2, padding=2, dilation=2, groups=2)
UNGROUPED = dict(x=(3, 2, 9, 8), w=(4, 2, 3, 3), b=(4,), stride=2, padding=2)
STRIDED = dict(x=(3, 4, 8, 7), w=(5, 4, 3, 2), b=(5,), stride=2, padding=1)


def answered(mistake, arrays, options):
    return mistake.answer(*map(oracle.tensor, arrays), **options).numpy()


@pytest.mark.parametrize("mistake", conv_forward.CONV2D, ids=lambda mistake: mistake.name)
def test_each_forward_mistake_is_told_apart_from_the_others(judged, mistake):
    def forward(x, w, b, **options):
        return answered(mistake, (x, w, b), options), None

    assert judged(check.conv2d.forward, forward, **EVERYTHING).hint == mistake.says


GRADIENT_MISTAKES = [
    pytest.param(name, mistake, id=f"{name}, {mistake.name}")
    for name, mistakes in conv_backward.GRADIENTS.items()
    for mistake in mistakes
    if mistake.name != "crop p:-p at padding 0"  # with padding it is right; see test_layer
]


@pytest.mark.parametrize(("gradient", "mistake"), GRADIENT_MISTAKES)
def test_each_gradient_mistake_is_told_apart_from_the_others(judged, gradient, mistake):
    def forward(x, w, b, **options):
        return None, ((x, w, b), options)

    def backward(dout, cache):
        arrays, options = cache
        answer = answered(mistake, (dout, *arrays), options)
        return [answer if name == gradient else None for name in ("dx", "dw", "db")]

    record = judged(check.conv2d.backward, forward, backward, gradient, **UNGROUPED)
    assert record.hint == mistake.says


def padded(x, p):
    return np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))


def stride_only_in_the_size(loops, x, w, b, stride, padding):
    right, cache = loops.conv_forward(x, w, b, stride, padding)
    close, _ = loops.conv_forward(x, w, b, 1, padding)
    return close[:, :, : right.shape[2], : right.shape[3]], cache


def every_axis_padded(loops, x, w, b, stride, padding):
    wide = np.pad(x, padding)[: len(x), : x.shape[1]]
    return loops.conv_forward(wide, w, b, stride, 0)


def groups_interleaved(loops, x, w, b, stride, padding, groups):
    order = np.concatenate([x[:, g::groups] for g in range(groups)], axis=1)
    return loops.conv_forward(order, w, b, stride, padding, 1, groups)


@pytest.mark.parametrize(
    ("mistake", "says", "given"),
    [
        (stride_only_in_the_size, "its windows are one pixel apart", STRIDED),
        (every_axis_padded, "Images and channels are padded too", STRIDED),
        (groups_interleaved, "every G-th channel", {**STRIDED, "w": (6, 2, 3, 2), "b": (6,)}),
    ],
)
def test_forward(judged, loops, mistake, says, given):
    def forward(x, w, b, **options):
        return mistake(loops, x, w, b, **options)

    extra = {"groups": 2} if mistake is groups_interleaved else {}
    record = judged(check.conv2d.forward, forward, **given, **extra)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


def naive_backward(dout, cache, dx_adds, dw_adds, db_adds, flip=False):
    """The loops that most people write, adding or assigning."""
    x, w, b, s, p, *_ = cache
    xp = padded(x, p)
    dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), np.zeros_like(b)
    for n, f, i, j in np.ndindex(dout.shape):
        rows, cols = slice(i * s, i * s + w.shape[2]), slice(j * s, j * s + w.shape[3])
        g, kernel = dout[n, f, i, j], w[f, :, ::-1, ::-1] if flip else w[f]
        dxp[n, :, rows, cols] = dx_adds * dxp[n, :, rows, cols] + g * kernel
        dw[f] = dw_adds * dw[f] + g * xp[n, :, rows, cols]
        db[f] = db_adds * db[f] + g
    return dxp[:, :, p : p + x.shape[2], p : p + x.shape[3]], dw, db


@pytest.mark.parametrize(
    ("gradient", "says", "how"),
    [
        ("dx", "Each filter and each window overwrites", dict(dx_adds=0)),
        ("dw", "Only the last window counts", dict(dw_adds=0)),
        ("db", "Only the last window counts", dict(db_adds=0)),
        ("dx", "use w[f] as it is", dict(flip=True)),
    ],
)
def test_backward_with_loops(judged, loops, gradient, says, how):
    def backward(dout, cache):
        return naive_backward(dout, cache, **{**dict(dx_adds=1, dw_adds=1, db_adds=1), **how})

    for given in (STRIDED, dict(x=(3, 2, 5, 4), w=(4, 2, 3, 2), b=(4,))):
        record = judged(check.conv2d.backward, loops.conv_forward, backward, gradient, **given)
        assert record.outcome is Outcome.FAILED
        assert says in record.hint


def test_a_gradient_in_anothers_place_is_told_so(judged, loops):
    def backward(dout, cache):
        return loops.conv_backward(dout, cache)[::-1]

    record = judged(check.conv2d.backward, loops.conv_forward, backward, "db", **STRIDED)
    assert record.hint == "That is the shape of dx: return dx, dw, db, in this order."


def permuted(*order):
    def im2col(loops, x, kernel_size):
        columns = loops.im2col(x, kernel_size)
        parts = columns.reshape(len(x), x.shape[1], kernel_size, kernel_size, -1)
        return parts.transpose(0, *order, 4).reshape(columns.shape)

    return im2col


@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        (permuted(2, 3, 1), "channels run fastest"),
        (permuted(1, 3, 2), "rows and columns are swapped"),
        (lambda loops, x, k: loops.im2col(x, k).swapaxes(1, 2), "Every window is a row"),
    ],
)
def test_im2col(judged, loops, mistake, says):
    def im2col(x, kernel_size):
        return mistake(loops, x, kernel_size)

    record = judged(check.im2col.forward, im2col, x=(2, 3, 5, 6), kernel_size=3)
    assert says in record.hint


def test_filter_matrix_reversed(judged, loops):
    def filter_matrix(w, size):
        return loops.filter_matrix(w[::-1], size)

    record = judged(check.filter_matrix.forward, filter_matrix, w=(3,), size=5)
    assert "The filter runs backwards" in record.hint


@pytest.mark.parametrize(
    ("says", "change"),
    [
        ("The bias b is missing", lambda out, x, w, b: out - b[:, None, None, None]),
        (
            "once for every slice",
            lambda out, x, w, b: out + (w.shape[2] - 1) * b[:, None, None, None],
        ),
    ],
)
def test_conv3d(judged, loops, says, change):
    def conv3d(x, w, b):
        return change(loops.conv3d(x, w, b), x, w, b)

    given = dict(x=(2, 3, 5, 4, 6), w=(4, 3, 2, 3, 2), b=(4,))
    assert says in judged(check.conv3d.forward, conv3d, **given).hint


@pytest.mark.parametrize(
    ("says", "change"),
    [
        ("You flip K", lambda loops, X, K: loops.corr2d(X, K[::-1, ::-1])),
        ("The last row and column", lambda loops, X, K: loops.corr2d(X, K)[:-1, :-1]),
    ],
)
def test_corr2d(judged, loops, says, change):
    def corr2d(X, K):
        return change(loops, X, K)

    assert says in judged(check.corr2d.forward, corr2d, X=(4, 6), K=(2, 3)).hint
