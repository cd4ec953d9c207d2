"""Every mistake of the bank, made for real in NumPy, is named; and none is named for right work."""

import numpy as np
import pytest

from autograder import check
from autograder.check import hint, oracle
from autograder.check.compare import difference
from autograder.check.mistakes import conv_backward, conv_forward
from autograder.check.record import Outcome

STRIDED = dict(x=(3, 4, 8, 7), w=(5, 4, 3, 2), b=(5,), stride=2, padding=1)
SHAPES = [
    dict(x=(3, 2, 5, 4), w=(4, 2, 3, 2), b=(4,)),
    dict(x=(2, 3, 6, 4), w=(2, 3, 2, 3), b=(2,), padding=2),
    dict(x=(2, 3, 6, 6), w=(2, 3, 5, 3), b=(2,), padding=1),
    dict(x=(2, 2, 6, 4), w=(3, 2, 3, 3), b=(3,), padding=2),
    dict(x=(2, 2, 4, 7), w=(5, 2, 3, 3), b=(5,), padding=2),
    STRIDED,
    dict(x=(2, 2, 10, 9), w=(3, 2, 3, 4), b=(3,), stride=3),
    dict(x=(2, 3, 9, 8), w=(4, 3, 3, 2), b=(4,), dilation=2),
    dict(x=(2, 3, 8, 9), w=(4, 3, 3, 3), b=(4,), stride=2, padding=3, dilation=2),
    dict(x=(2, 4, 5, 6), w=(6, 2, 3, 2), b=(6,), groups=2),
    dict(x=(2, 3, 6, 5), w=(6, 1, 3, 3), b=(6,), stride=2, padding=1, groups=3),
    dict(x=(2, 4, 9, 8), w=(6, 2, 3, 3), b=(6,), stride=2, padding=2, dilation=2, groups=2),
    dict(x=(2, 6, 8, 9), w=(3, 2, 2, 3), b=(3,), dilation=3, groups=3),
    dict(x=np.arange(-60, 60).reshape(2, 2, 6, 5), w=(3, 2, 3, 2), b=(3,)),
]
OF = {"out": conv_forward.CONV2D, **conv_backward.GRADIENTS}
# On some shapes two mistakes answer the same; what is said then fits both well enough.
COINCIDE = {
    ("padding keeps the size", "padding fixed at 1"),  # of filters of three
    ("one position short", "size without padding"),  # where padding makes for one more
}


def drawn(shape):
    rng = np.random.default_rng(0)
    draw = {k: rng.standard_normal(v) if isinstance(v, tuple) else v for k, v in shape.items()}
    return {k: draw.pop(k) for k in "xwb"}, draw


def right_answers(arrays, options):
    out = oracle.evaluate(oracle.conv, arrays, options)
    dout = np.random.default_rng(1).standard_normal(out.shape)
    return dout, {"out": out, **oracle.gradients(oracle.conv, arrays, options, dout)}


@pytest.fixture(scope="module")
def named():
    """For each mistake the mistakes that are named where it is made, one for each shape."""
    found = {(what, mistake.name): [] for what, mistakes in OF.items() for mistake in mistakes}
    for shape in SHAPES:
        arrays, options = drawn(shape)
        dout, right = right_answers(arrays, options)
        for what, mistakes in OF.items():
            given = arrays if what == "out" else {"dout": dout, **arrays}
            answers = {mistake.name: hint._answer(mistake, given, options) for mistake in mistakes}
            made = {name: answer for name, answer in answers.items() if answer is not None}
            for name, answer in made.items():
                if difference(answer, right[what]) is not None:
                    same = (other for other in made if hint._same(answer, made[other]))
                    found[what, name].append(next(same))
    return found


EVERY = [
    pytest.param(what, mistake, id=f"{what}, {mistake.name}")
    for what, mistakes in OF.items()
    for mistake in mistakes
]


@pytest.mark.parametrize(("what", "mistake"), EVERY)
def test_each_mistake_is_named_and_no_other_in_its_place(named, what, mistake):
    first = set(named[what, mistake.name])
    alike = {other.name for other in OF[what] if other.says == mistake.says}
    assert mistake.name in first
    assert {(mistake.name, name) for name in first - alike} <= COINCIDE


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


def sizes_of(x, w, stride, padding, dilation):
    spans = [dilation * (k - 1) + 1 for k in w.shape[2:]]
    return [
        (size + 2 * padding - span) // stride + 1
        for size, span in zip(x.shape[2:], spans, strict=True)
    ]


def window(i, j, w, stride, dilation):
    return tuple(
        slice(at * stride, at * stride + dilation * (k - 1) + 1, dilation)
        for at, k in zip((i, j), w.shape[2:], strict=True)
    )


def naive_forward(
    x, w, b, stride=1, padding=0, dilation=1, groups=1,
    size=None, loops=None, taps=None, home=None, filters=None, adds=1, dtype=float,
):  # fmt: skip
    """The loops that most people write, with the places where they go wrong left open."""
    xp = padded(x, padding)
    out = np.zeros((len(x), len(w), *(size or sizes_of(x, w, stride, padding, dilation))), dtype)
    rows, cols = loops or out.shape[2:]
    for n, f, i, j in np.ndindex(len(x), filters or len(w), rows, cols):
        at = window(i, j, w, stride, taps or dilation)
        first = (home or (lambda f: f // (len(w) // groups)))(f) * w.shape[1]
        for c in range(w.shape[1]):
            out[n, f, i, j] = adds * out[n, f, i, j] + (xp[n, first + c][at] * w[f, c]).sum()
        out[n, f, i, j] += b[f]
    return out


PADDED = dict(x=(2, 2, 6, 4), w=(3, 2, 3, 3), b=(3,), padding=2)
DILATED = dict(x=(2, 3, 9, 8), w=(4, 3, 3, 2), b=(4,), dilation=2)
GROUPED = dict(x=(2, 4, 5, 6), w=(6, 2, 3, 2), b=(6,), groups=2)
WIDE = dict(x=(2, 3, 5, 8), w=(4, 3, 3, 2), b=(4,))
TALL = dict(x=(2, 3, 8, 5), w=(4, 3, 3, 2), b=(4,))
WHOLE = dict(x=np.arange(-30, 30).reshape(1, 2, 6, 5), w=(3, 2, 3, 2), b=(3,))
# What the student writes instead, from the arrays and options; or what becomes of the output.
FORWARD_BUGS = [
    ("counted without the padding", PADDED, lambda x, w, o: dict(size=sizes_of(x, w, 1, 0, 1))),
    ("are still 0: the loops end", PADDED, lambda x, w, o: dict(loops=sizes_of(x, w, 1, 0, 1))),
    ("counted with the height", WIDE, lambda x, w, o: dict(size=(3, x.shape[2] - w.shape[3] + 1))),
    ("counted with the height", WIDE, lambda x, w, o: dict(size=(3, x.shape[2] - w.shape[2] + 1))),
    ("counted with the width", TALL, lambda x, w, o: dict(size=(x.shape[3] - w.shape[2] + 1, 4))),
    ("counted with the width", TALL, lambda x, w, o: dict(size=(x.shape[3] - w.shape[3] + 1, 4))),
    ("next to each other", DILATED, lambda x, w, o: dict(taps=1)),
    ("group f modulo G", GROUPED, lambda x, w, o: dict(home=lambda f: f % o["groups"])),
    ("Only the last of a filter's", STRIDED, lambda x, w, o: dict(adds=0)),
    ("ends at C_in, not C_out", STRIDED, lambda x, w, o: dict(filters=x.shape[1])),
    ("took the integer dtype", WHOLE, lambda x, w, o: dict(dtype=x.dtype)),
]


@pytest.mark.parametrize(("says", "given", "bug"), FORWARD_BUGS)
def test_forward_with_loops(judged, says, given, bug):
    def forward(x, w, b, **options):
        return naive_forward(x, w, b, **options, **bug(x, w, options)), None

    record = judged(check.conv2d.forward, forward, **given)
    assert record.outcome is Outcome.FAILED
    if "integer" not in says:  # there each channel is cut off by itself
        assert says in record.hint


def test_an_integer_output_is_named(judged, loops):
    def forward(x, w, b, **options):
        out = np.zeros((1, 3, 4, 4), x.dtype)
        out[...] = loops.conv_forward(x, w, b, **options)[0]
        return out, None

    assert "took the integer dtype" in judged(check.conv2d.forward, forward, **WHOLE).hint


@pytest.mark.parametrize(
    ("says", "change"),
    [
        ("too large", lambda out, w, b: np.pad(out, [(0, 0), (0, 0), (0, 1), (0, 0)])),
        ("rows and columns of the output", lambda out, w, b: out.transpose(0, 1, 3, 2)),
        ("channels of the output come last", lambda out, w, b: np.moveaxis(out, 1, -1)),
        ("Images and filters are swapped", lambda out, w, b: out.swapaxes(0, 1)),
        ("for every weight", lambda out, w, b: out + (w[0].size - 1) * b[:, None, None]),
    ],
)
def test_what_becomes_of_a_right_output(judged, loops, says, change):
    def forward(x, w, b, **options):
        return change(loops.conv_forward(x, w, b, **options)[0], w, b), None

    given = dict(x=(2, 3, 8, 7), w=(4, 3, 3, 3), b=(4,), stride=2)
    assert says in judged(check.conv2d.forward, forward, **given).hint


def test_rounding_up_with_half_windows(judged, loops):
    def forward(x, w, b, **options):
        more = np.pad(x, [(0, 0), (0, 0), (0, 2), (0, 2)])
        return loops.conv_forward(more, w, b, **options)[0][:, :, :4, :3], None

    given = dict(x=(2, 3, 8, 7), w=(4, 3, 3, 3), b=(4,), stride=2)
    assert "too large" in judged(check.conv2d.forward, forward, **given).hint


def test_one_position_short(judged, loops):
    def forward(x, w, b, **options):
        return loops.conv_forward(x[:, :, :-1, :-1], w, b, **options)[0], None

    assert "lacks its last row" in judged(check.conv2d.forward, forward, **SHAPES[0]).hint


def test_padding_that_keeps_the_size(judged, loops):
    def forward(x, w, b, padding):
        rows, cols = (w.shape[2] - 1) // 2, (w.shape[3] - 1) // 2
        wide = np.pad(x, [(0, 0), (0, 0), (rows, rows), (cols, cols)])
        return loops.conv_forward(wide, w, b)[0], None

    given = dict(x=(2, 3, 7, 6), w=(4, 3, 5, 3), b=(4,), padding=1)
    assert "padding = (K − 1) / 2" in judged(check.conv2d.forward, forward, **given).hint


def test_a_filter_on_all_groups_by_broadcasting(judged):
    def forward(x, w, b, groups):
        out = np.zeros((len(x), len(w), x.shape[2] - 2, x.shape[3] - 1))
        for f, i, j in np.ndindex(out.shape[1:]):
            out[:, f, i, j] = (x[:, :, i : i + 3, j : j + 2] * w[f]).sum(axis=(1, 2, 3)) + b[f]
        return out, None

    given = dict(x=(2, 3, 6, 5), w=(6, 1, 3, 2), b=(6,), groups=3)
    assert "the channels of all groups" in judged(check.conv2d.forward, forward, **given).hint


def naive_backward(
    dout, cache, dx_adds=1, dw_adds=1, db_adds=1, flip=False,
    p_cache=None, loops=None, taps=None, home=None, filters=None,
):  # fmt: skip
    """The loops that most people write, adding or assigning; the rest as in `naive_forward`."""
    x, w, b, s, p, d, groups = cache
    p = p if p_cache is None else p_cache
    xp = padded(x, p)
    dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), np.zeros_like(b)
    rows, cols = loops or dout.shape[2:]
    for n, f, i, j in np.ndindex(len(x), filters or len(w), rows, cols):
        first = (home or (lambda f: f // (len(w) // groups)))(f) * w.shape[1]
        at = (n, slice(first, first + w.shape[1]), *window(i, j, w, s, taps or d))
        g, kernel = dout[n, f, i, j], w[f, :, ::-1, ::-1] if flip else w[f]
        dxp[at] = dx_adds * dxp[at] + g * kernel
        dw[f] = dw_adds * dw[f] + g * xp[at]
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
        return naive_backward(dout, cache, **how)

    for given in (STRIDED, dict(x=(3, 2, 5, 4), w=(4, 2, 3, 2), b=(4,))):
        record = judged(check.conv2d.backward, loops.conv_forward, backward, gradient, **given)
        assert record.outcome is Outcome.FAILED
        assert says in record.hint


BACKWARD_BUGS = [
    ("dx dw db", "end where they would without", PADDED, lambda x, w: dict(loops=(4, 2))),
    ("dx dw", "without its border of zeros", PADDED, lambda x, w: dict(loops=(4, 2), p_cache=0)),
    ("dx dw db", "the loops take one for the other", WIDE, lambda x, w: dict(loops=(3, 3))),
    ("dx dw db", "the loops take one for the other", TALL, lambda x, w: dict(loops=(4, 4))),
    ("dx dw", "for dilation=1", DILATED, lambda x, w: dict(taps=1)),
    ("dx dw", "in group f modulo G", GROUPED, lambda x, w: dict(home=lambda f: f % 2)),
    ("dx dw", "All groups are taken to read", GROUPED, lambda x, w: dict(home=lambda f: 0)),
    ("dx dw db", "Only the first C_in filters", STRIDED, lambda x, w: dict(filters=4)),
]


@pytest.mark.parametrize(("gradients", "says", "given", "bug"), BACKWARD_BUGS)
def test_backward_with_loops_that_go_elsewhere(judged, loops, gradients, says, given, bug):
    def backward(dout, cache):
        return naive_backward(dout, cache, **bug(*cache[:2]))

    for gradient in gradients.split():
        record = judged(check.conv2d.backward, loops.conv_forward, backward, gradient, **given)
        assert record.outcome is Outcome.FAILED
        assert says in record.hint


@pytest.mark.parametrize(
    ("says", "crop"),
    [
        ("cut the border off", lambda dxp, H, W: dxp),
        ("P pixels too early", lambda dxp, H, W: dxp[:, :, 2:H, 2:W]),
        ("starts at row P", lambda dxp, H, W: dxp[:, :, :H, :W]),
        ("cut off as many as", lambda dxp, H, W: dxp[:, :, 1:-1, 1:-1]),
    ],
)
def test_crops(judged, loops, says, crop):
    def backward(dout, cache):
        x, w, b, s, p, *_ = cache
        dxp, dw, db = loops.conv_backward(dout, (padded(x, p), w, b, s, 0, 1, 1))
        return crop(dxp, *x.shape[2:]), dw, db

    record = judged(check.conv2d.backward, loops.conv_forward, backward, "dx", **PADDED)
    assert says in record.hint


def dw_of_the_sum(loops, dout, cache):
    together = np.broadcast_to(dout.sum(axis=1, keepdims=True), dout.shape)
    return loops.conv_backward(together, cache)[1]


def dw_of_each_image(loops, dout, cache):
    x, *rest = cache
    parts = [
        loops.conv_backward(d[None], (i[None], *rest))[1] for d, i in zip(dout, x, strict=True)
    ]
    return np.stack(parts)


def last(axis, gradient):
    """A gradient to which only the last image (0) or the last filter (1) has come."""

    def wrong(loops, dout, cache):
        kept = np.arange(dout.shape[axis]) == dout.shape[axis] - 1
        part = dout * np.expand_dims(kept, tuple({0, 1, 2, 3} - {axis}))
        return loops.conv_backward(part, cache)[["dx", "dw", "db"].index(gradient)]

    return wrong


@pytest.mark.parametrize(
    ("gradient", "says", "wrong"),
    [
        ("dx", "Only the last filter counts", last(1, "dx")),
        ("dx", "Only the last image counts", last(0, "dx")),
        ("dw", "Only the last image counts", last(0, "dw")),
        ("db", "Only the last image counts", last(0, "db")),
        ("dw", "All filters get the same dw", dw_of_the_sum),
        ("dw", "sum dw over N as well", dw_of_each_image),
        (
            "dw",
            "give dw the shape of w",
            lambda loops, d, c: loops.conv_backward(d, c)[1].reshape(len(c[1]), -1),
        ),
        ("db", "the wrong axes", lambda loops, d, c: d.sum(axis=(1, 2, 3))),
        ("db", "the wrong axes", lambda loops, d, c: d.sum(axis=(0, 1, 2))),
        ("db", "the wrong axes", lambda loops, d, c: d.sum(axis=(0, 1, 3))),
        ("db", "rows and columns as well", lambda loops, d, c: d.sum(axis=0)),
        ("db", "an axis too many", lambda loops, d, c: d.sum(axis=(0, 2, 3))[None]),
        ("db", "an axis too many", lambda loops, d, c: d.sum(axis=(0, 2, 3))[:, None]),
        ("db", "an axis too many", lambda loops, d, c: d.sum(axis=(0, 2, 3), keepdims=True)),
    ],
)
def test_sums_and_shapes(judged, loops, gradient, says, wrong):
    def backward(dout, cache):
        return [wrong(loops, dout, cache) if name == gradient else 0 for name in ("dx", "dw", "db")]

    for given in (STRIDED, WIDE, TALL):
        record = judged(check.conv2d.backward, loops.conv_forward, backward, gradient, **given)
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
