"""Misconceptions of ReLU, the matrix product and the affine layer, and of a net made of them.

Forward answers take what the oracle takes; gradients take dout before that.
"""

from collections.abc import Callable
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.mistakes.backprop import UPSTREAM, gradient_of, scaled, upstream_ignored
from autograder.check.mistakes.backprop_softmax import one_hot
from autograder.check.oracle import backprop as right

Answer = Callable[..., Any]

# ReLU.


def _leaky(slope: float) -> Answer:
    return lambda x: x.where(x > 0, slope * x)


LEAKS = (0.01, 0.1, 0.2)

RELU = (
    *(
        Mistake(
            f"leaky, {slope}",
            "Negative numbers leak through. This ReLU makes all of them 0.",
            _leaky(slope),
        )
        for slope in LEAKS
    ),
    Mistake("absolute value", "That is |x|: negative numbers become 0.", lambda x: x.abs()),
    Mistake(
        "other side",
        "The positive numbers are gone instead of the negative ones.",
        lambda x: x.clamp(max=0),
    ),
    Mistake("mask", "That is 1 where x > 0. Let x itself through.", lambda x: (x > 0) * 1.0),
    Mistake(
        "clipped at 1", "Large numbers are cut off: ReLU has no limit.", lambda x: x.clip(0, 1)
    ),
)

RELU_GRADIENTS = {
    "dx": (
        Mistake(
            "masked by dout",
            "The mask looks at dout. What decides is whether x was positive on the way forward.",
            lambda dout, x: dout.relu(),
        ),
        Mistake(
            "not masked",
            "All of dout comes back. Where x was negative nothing got through, so nothing returns.",
            lambda dout, x: dout,
        ),
        Mistake("upstream ignored", UPSTREAM, lambda dout, x: (x > 0) * 1.0),
        Mistake(
            "times the output",
            "dout is multiplied by the output; the local gradient is 1 where x > 0, else 0.",
            lambda dout, x: dout * x.relu(),
        ),
        Mistake(
            "times x",
            "dout is multiplied by x; the local gradient is 1 where x > 0, else 0.",
            lambda dout, x: dout * x,
        ),
        *(
            Mistake(
                f"leaky, {slope}",
                "A gradient leaks back where x was negative; it is 0 there.",
                gradient_of(_leaky(slope), 0),
            )
            for slope in LEAKS
        ),
        Mistake(
            "mask inverted",
            "The mask is the wrong way round: the gradient returns where x was positive.",
            lambda dout, x: dout * (x <= 0),
        ),
        Mistake(
            "slope of |x|",
            "Where x was negative the gradient is 0, not −dout.",
            lambda dout, x: dout * x.sign(),
        ),
    )
}

# The matrix product and the affine layer. Where no bias is spoken of, b is left alone.

SUMMED = "b[m] is added to row after row: its gradient is the sum of dout[:, m] over N"
AVERAGED = "This is the right gradient divided by N: dout has the 1/N of the loss in it already."
LAST_ROW = "Only the last row of the batch counts: every row contributes, add them up."
TRANSPOSED_W = "w is not transposed on the way back: dx[n, d] = Σ over m of dout[n, m] · w[d, m]."

MATMUL = (
    Mistake(
        "w transposed",
        "w is transposed: y[n, m] = Σ over d of x[n, d] · w[d, m].",
        lambda x, w: x @ w.T,
    ),
    Mistake("order", "The order is w x; it should be x w.", lambda x, w: w @ x),
    Mistake(
        "elementwise",
        "The matrices are multiplied number by number; y[n, m] is a row of x times a column of w.",
        lambda x, w: x * w,
    ),
)


def _last_rows(of: Answer, place: int) -> Answer:
    """A gradient to which only the last row of the batch contributes."""
    return lambda dout, x, *rest: gradient_of(of, place)(dout[-1:], x[-1:], *rest)


def _per_example(factor: Answer, of: Answer, place: int) -> Answer:
    return scaled(gradient_of(of, place), factor)


def _by_n(x: Any, *rest: Any, **settings: Any) -> float:
    return 1 / len(x)


def _sums_multiplied(dout: Any, x: Any, *rest: Any) -> Any:
    """The outer product of the sums over N, where the sum of outer products should be."""
    return x.flatten(1).sum(0)[:, None] * dout.sum(0)


def _product_mistakes_dx(of: Answer) -> tuple[Mistake, ...]:
    return (
        Mistake("w not transposed", TRANSPOSED_W, lambda dout, x, w, *b: (dout @ w).view(x.shape)),
        Mistake("upstream ignored", UPSTREAM, upstream_ignored(of, 0)),
        Mistake("divided by N", AVERAGED, _per_example(_by_n, of, 0)),
        Mistake(
            "dx transposed",
            "dx is transposed: the gradient has the shape of x, always.",
            lambda dout, x, w, *b: w @ dout.T,
        ),
        Mistake(
            "summed over N",
            "dx is summed over the batch: every row of x has a gradient of its own.",
            lambda dout, x, w, *b: (dout @ w.T).sum(0),
        ),
    )


def _product_mistakes_dw(of: Answer) -> tuple[Mistake, ...]:
    return (
        Mistake(
            "dw transposed",
            "dw is transposed: the gradient has the shape of w, (D, M).",
            lambda dout, x, w, *b: dout.T @ x.flatten(1),
        ),
        Mistake(
            "x not transposed",
            "x is not transposed: dw[d, m] = Σ over n of x[n, d] · dout[n, m].",
            lambda dout, x, w, *b: x.flatten(1) @ dout,
        ),
        Mistake("upstream ignored", UPSTREAM, upstream_ignored(of, 1)),
        Mistake("divided by N", AVERAGED, _per_example(_by_n, of, 1)),
        Mistake("last row only", LAST_ROW, _last_rows(of, 1)),
        Mistake(
            "sums multiplied",
            "x and dout are summed over N and then multiplied. Multiply row by row, then sum.",
            _sums_multiplied,
        ),
    )


MATMUL_GRADIENTS = {
    "dx": _product_mistakes_dx(right.matmul),
    "dw": _product_mistakes_dw(right.matmul),
}


def _columns_first(x: Any) -> Any:
    """Each example's numbers in column-major order: (N, D)."""
    return x.permute(0, *range(x.dim() - 1, 0, -1)).flatten(1)


def _sizes_reversed(x: Any) -> Any:
    """As x, with column-major numbers read back row by row."""
    return _columns_first(x).view(x.shape)


AFFINE = (
    Mistake(
        "bias missing",
        "The bias is missing: add b[m] to column m.",
        lambda x, w, b: right.affine(x, w, 0 * b),
    ),
    Mistake("bias subtracted", "The bias is subtracted.", lambda x, w, b: right.affine(x, w, -b)),
    Mistake(
        "bias once per input",
        "The bias is added once for each of the D inputs; add it once.",
        lambda x, w, b: right.affine(x, w, b * len(w)),
    ),
    Mistake(
        "N and D mixed",
        "The reshape mixes the examples: first make x (N, D), do not make it (D, N) and transpose.",
        lambda x, w, b: x.reshape(len(w), len(x)).T @ w + b,
    ),
    Mistake(
        "flattened by columns",
        "The numbers of an example are read in another order: flatten with the last axis fastest.",
        lambda x, w, b: _columns_first(x) @ w + b,
    ),
    Mistake(
        "w transposed",
        "w is transposed: it is (D, M).",
        lambda x, w, b: x.flatten(1) @ w.T + b,
    ),
    Mistake(
        "with ReLU",
        "Negative outputs are cut off: an affine layer has no ReLU in it.",
        lambda x, w, b: right.affine(x, w, b).relu(),
    ),
)

AFFINE_GRADIENTS = {
    "dx": (
        Mistake(
            "not reshaped",
            "dx is right but flat, (N, D): give it back the shape of x.",
            lambda dout, x, w, b: dout @ w.T if x.dim() > 2 else None,
        ),
        Mistake(
            "reshaped by columns",
            "dx has its numbers in another order: undo the flattening of x just as you did it.",
            lambda dout, x, w, b: _sizes_reversed((dout @ w.T).view(x.shape)),
        ),
        *_product_mistakes_dx(right.affine),
    ),
    "dw": (
        *_product_mistakes_dw(right.affine),
        Mistake(
            "flattened by columns",
            "The numbers of x are read in another order than on the way forward.",
            lambda dout, x, w, b: _columns_first(x).T @ dout,
        ),
    ),
    "db": (
        Mistake(
            "(1, M)",
            f"{SUMMED}, of shape (M,) like b. Yours has one axis too many: it is (1, M).",
            lambda dout, x, w, b: dout.sum(0, keepdim=True),
        ),
        Mistake(
            "(M, 1)",
            f"{SUMMED}, of shape (M,) like b. Yours has one axis too many: it is (M, 1).",
            lambda dout, x, w, b: dout.sum(0)[:, None],
        ),
        Mistake(
            "mean for sum",
            f"{SUMMED}, not the mean.",
            lambda dout, x, w, b: dout.mean(0),
        ),
        Mistake("not summed", f"{SUMMED}.", lambda dout, x, w, b: dout),
        Mistake(
            "summed over M",
            f"{SUMMED}; you sum over M.",
            lambda dout, x, w, b: dout.sum(1),
        ),
        Mistake(
            "summed over everything",
            f"{SUMMED}; you sum over M as well.",
            lambda dout, x, w, b: dout.sum(),
        ),
        Mistake(
            "summed over everything, M times",
            f"{SUMMED}; you sum over M as well.",
            lambda dout, x, w, b: dout.sum() + 0 * b,
        ),
        Mistake("upstream ignored", UPSTREAM, upstream_ignored(right.affine, 2)),
        Mistake("last row only", LAST_ROW, lambda dout, x, w, b: dout[-1]),
        Mistake(
            "times b",
            "dout is multiplied by b: b is only added, its local gradient is 1.",
            lambda dout, x, w, b: dout.sum(0) * b,
        ),
    ),
}

# The two-layer net: misconceptions about how the parts are put together.


def _no_relu(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, y: Any) -> Any:
    return right.softmax_loss(right.affine(right.affine(x, w1, b1), w2, b2), y)


def _relu_on_scores(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, y: Any) -> Any:
    hidden = right.affine(x, w1, b1).relu()
    return right.softmax_loss(right.affine(hidden, w2, b2).relu(), y)


TWO_LAYER = (
    Mistake("no ReLU", "The ReLU between the two layers is missing.", _no_relu),
    Mistake(
        "ReLU on the scores",
        "There is a ReLU after the second layer too; scores may be negative.",
        _relu_on_scores,
    ),
    Mistake(
        "b1 missing",
        "b1 is missing.",
        lambda w1, b1, w2, b2, x, y: right.two_layer_loss(w1, 0 * b1, w2, b2, x, y),
    ),
    Mistake(
        "b2 missing",
        "b2 is missing.",
        lambda w1, b1, w2, b2, x, y: right.two_layer_loss(w1, b1, w2, 0 * b2, x, y),
    ),
    Mistake(
        "sum over N",
        "This is the sum over the batch; the loss is its mean: divide by N.",
        lambda w1, b1, w2, b2, x, y: right.two_layer_loss(w1, b1, w2, b2, x, y) * len(x),
    ),
    Mistake(
        "wrong sign",
        "The sign is wrong: the loss is *minus* the logarithm.",
        lambda w1, b1, w2, b2, x, y: -right.two_layer_loss(w1, b1, w2, b2, x, y),
    ),
)


def _first_layer(mask: Answer) -> Answer:
    """dw1 and db1 as x and ones times what ``mask`` makes of dL/dh and the first layer's output."""

    def answer(dout: Any, w1: Any, b1: Any, w2: Any, b2: Any, x: Any, y: Any) -> Any:
        a = right.affine(x, w1, b1)
        scores = right.affine(a.relu(), w2, b2)
        dscores = dout * (scores.softmax(1) - one_hot(scores, y)) / len(x)
        return x.flatten(1), mask(dscores @ w2.T, a)

    return answer


def _dw1(mask: Answer) -> Answer:
    def answer(dout: Any, *given: Any, **settings: Any) -> Any:
        x, da = _first_layer(mask)(dout, *given, **settings)
        return x.T @ da

    return answer


def _db1(mask: Answer) -> Answer:
    return lambda dout, *given, **settings: _first_layer(mask)(dout, *given, **settings)[1].sum(0)


def _dw2_before_relu(dout: Any, w1: Any, b1: Any, w2: Any, b2: Any, x: Any, y: Any) -> Any:
    a = right.affine(x, w1, b1)
    scores = right.affine(a.relu(), w2, b2)
    return a.T @ (dout * (scores.softmax(1) - one_hot(scores, y)) / len(x))


def _rows(*given: Any, x: Any, y: Any) -> int:
    return len(x)


def _one_by_rows(*given: Any, x: Any, y: Any) -> float:
    return 1 / len(x)


def _minus_one(*given: Any, **settings: Any) -> float:
    return -1.0


def _of_the_loss(place: int) -> tuple[Mistake, ...]:
    answer = gradient_of(right.two_layer_loss, place)
    return (
        Mistake(
            "not divided by N",
            "The loss is a mean over N: divide dscores by N as well.",
            scaled(answer, _rows),
        ),
        Mistake(
            "divided twice",
            "The gradient is divided by N twice: once, in dscores, is enough.",
            scaled(answer, _one_by_rows),
        ),
        Mistake(
            "wrong sign",
            "The sign is wrong: dscores is the probabilities minus the 1 of the right class.",
            scaled(answer, _minus_one),
        ),
    )


def _of_the_mask(layer: Callable[[Answer], Answer]) -> tuple[Mistake, ...]:
    return (
        Mistake(
            "ReLU forgotten backward",
            "The ReLU is missing on the way back: where its input was negative nothing returns.",
            layer(lambda dh, a: dh),
        ),
        Mistake(
            "masked by dh",
            "On the way back the ReLU's mask looks at the gradient; it should look at its input.",
            layer(lambda dh, a: dh.relu()),
        ),
        Mistake(
            "times the hidden values",
            "dh is multiplied by the hidden values; the ReLU's local gradient is 1 or 0.",
            layer(lambda dh, a: dh * a.relu()),
        ),
    )


def _transposed(place: int) -> Mistake:
    return Mistake(
        "transposed",
        "This gradient is transposed: it has the shape of its weight, always.",
        lambda *given, **settings: gradient_of(right.two_layer_loss, place)(*given, **settings).T,
    )


def _kept_axis(place: int) -> Mistake:
    return Mistake(
        "(1, M)",
        f"{SUMMED}, with the shape of b. Yours has one axis too many.",
        lambda *given, **settings: gradient_of(right.two_layer_loss, place)(*given, **settings)[
            None
        ],
    )


TWO_LAYER_GRADIENTS = {
    "dw1": (*_of_the_mask(_dw1), *_of_the_loss(0), _transposed(0)),
    "db1": (*_of_the_mask(_db1), *_of_the_loss(1), _kept_axis(1)),
    "dw2": (
        Mistake(
            "hidden values before the ReLU",
            "The second layer's input is what comes out of the ReLU, not what goes into it.",
            _dw2_before_relu,
        ),
        *_of_the_loss(2),
        _transposed(2),
    ),
    "db2": (*_of_the_loss(3), _kept_axis(3)),
}
