"""Misconceptions of the gradients of the normalizations.

Functions take dout, shaped like x, and then what the oracle takes. Most are a claim, the same for
all kinds of normalization; see `laid`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.mistakes.laid import (
    Formula,
    Laid,
    Lay,
    lay_batch,
    lay_group,
    lay_layer,
    right,
    unbiased,
    updated,
)
from autograder.check.mistakes.normalization import EPS_OUTSIDE, PER_PIXEL, RESHAPED, UNBIASED

Claim = Callable[[Laid, Any], Any]  # from the call and dout, laid out, to one gradient
Named = tuple[str, str, Claim]


def _dx(gradient: Any, laid: Laid) -> Any:
    """The right dx for a gradient with respect to x̂: its parts along 1 and along x̂ removed."""
    along = laid.average(gradient * laid.x_hat)
    return (gradient - laid.average(gradient) - laid.x_hat * along) / laid.std


def _sums_for_means(laid: Laid, dout: Any) -> Any:
    g, count = dout * laid.gamma, laid.count
    along = count * laid.average(g * laid.x_hat)
    return (g - count * laid.average(g) - laid.x_hat * along) / laid.std


def _variance_constant(laid: Laid, dout: Any) -> Any:
    g = dout * laid.gamma
    return (g - laid.average(g)) / laid.std


def _mean_constant(laid: Laid, dout: Any) -> Any:
    g = dout * laid.gamma
    return (g - laid.x_hat * laid.average(g * laid.x_hat)) / laid.std


def _sign_of_variance(laid: Laid, dout: Any) -> Any:
    g = dout * laid.gamma
    return (g - laid.average(g) + laid.x_hat * laid.average(g * laid.x_hat)) / laid.std


def _half_of_variance(laid: Laid, dout: Any) -> Any:
    g = dout * laid.gamma
    return (g - laid.average(g) - laid.x_hat * laid.average(g * laid.x_hat) / 2) / laid.std


def _x_for_x_hat(laid: Laid, dout: Any) -> Any:
    g = dout * laid.gamma
    return (g - laid.average(g) - laid.x * laid.average(g * laid.x)) / laid.std


def _unbiased_dx(laid: Laid, dout: Any) -> Any:
    """The gradient through a variance that divides by m − 1."""
    g, other = dout * laid.gamma, unbiased(laid)
    along = laid.average(g * other.x_hat) * laid.count / (laid.count - 1)
    return (g - laid.average(g) - other.x_hat * along) / other.std


def _eps_outside_dx(laid: Laid, dout: Any) -> Any:
    """The gradient of (x − μ) / (σ + ε)."""
    g, sigma = dout * laid.gamma, laid.var**0.5
    centred = laid.x - laid.mean
    along = laid.average(g * centred) / (sigma * (sigma + laid.eps))
    return (g - laid.average(g) - centred * along) / (sigma + laid.eps)


def _running_dx(laid: Laid, dout: Any) -> Any:
    return dout * laid.gamma / updated(laid).std


AVERAGED = "This is the right gradient divided by N: the loss is a sum over dout, not a mean."

DX: tuple[Named, ...] = (
    (
        "statistics constant",
        "You treat μ and σ as constants. They depend on x: two more paths lead back to it, "
        "through the mean and through the variance.",
        lambda n, dout: dout * n.gamma / n.std,
    ),
    (
        "variance constant",
        "The path through the variance is missing: x also changes σ².",
        _variance_constant,
    ),
    ("mean constant", "The path through the mean is missing: x also changes μ.", _mean_constant),
    (
        "gamma forgotten",
        "gamma is missing: the gradient with respect to x̂ is dout · γ.",
        lambda n, dout: _dx(dout, n),
    ),
    (
        "eps forgotten",
        "ε is missing on the way back: there too, σ stands for √(σ² + ε).",
        lambda n, dout: _dx(dout * n.gamma, replace(n, eps=0.0)),
    ),
    (
        "sums for means",
        "A sum is not divided by how many numbers share a mean: 1/N is missing.",
        _sums_for_means,
    ),
    (
        "sign of the variance",
        "The path through the variance has the wrong sign: a larger σ makes x̂ smaller.",
        _sign_of_variance,
    ),
    (
        "factor 2 missing",
        "The path through the variance is half as large as it should be: a square has the "
        "derivative 2·(x − μ).",
        _half_of_variance,
    ),
    (
        "not divided by sigma",
        "Divide by √(σ² + ε): dx is γ / √(σ² + ε) times the rest.",
        lambda n, dout: _dx(dout * n.gamma, n) * n.std,
    ),
    (
        "divided by the variance",
        "You divide by σ² + ε; dx is γ / √(σ² + ε) times the rest.",
        lambda n, dout: _dx(dout * n.gamma, n) / n.std,
    ),
    (
        "x for x-hat",
        "You use x where the normalized x̂ should stand.",
        _x_for_x_hat,
    ),
    ("unbiased", UNBIASED, _unbiased_dx),
    ("eps outside the root", EPS_OUTSIDE, _eps_outside_dx),
    (
        "gamma squared",
        "You multiply by gamma twice.",
        lambda n, dout: _dx(dout * n.gamma**2, n),
    ),
    (
        "divided by N",
        AVERAGED,
        lambda n, dout: _dx(dout * n.gamma, n) / len(n.x),
    ),
)

TEST_MODE_DX = (
    "running statistics",
    "This is the gradient of test mode: in training, μ and σ come from the batch and depend on x.",
    _running_dx,
)
# gamma is outside of the sums where all that is averaged has the same gamma; only there.
GAMMA_PULLED_OUT = (
    "gamma pulled out",
    "gamma stands outside of the means, as in batch norm. Here the numbers that share a mean have "
    "different gammas: multiply dout by gamma first.",
    lambda n, dout: n.gamma * _dx(dout, n),
)


def _per_parameter(values: Any, laid: Laid) -> Any:
    """Summed over everything that shares a gamma: (C,)."""
    shared = [axis for axis, size in enumerate(laid.gamma.shape) if size == 1]
    return values.sum(shared).flatten()


def _of_gamma(weight: Formula) -> Claim:
    return lambda laid, dout: _per_parameter(dout * weight(laid), laid)


def _mean_per_parameter(weight: Formula) -> Claim:
    return lambda laid, dout: _of_gamma(weight)(laid, dout) * laid.gamma.numel() / laid.x.numel()


def _ones(laid: Laid) -> Any:
    return laid.x * 0 + 1


def _running_x_hat(laid: Laid) -> Any:
    return updated(laid).x_hat


SWAPPED = "dgamma and dbeta are swapped: return dx, dgamma, dbeta, in this order."

DGAMMA: tuple[Named, ...] = (
    (
        "x for x-hat",
        "You multiply dout by x; gamma multiplies the normalized x̂.",
        _of_gamma(lambda n: n.x),
    ),
    (
        "not divided by sigma",
        "You multiply dout by x − μ; gamma multiplies x̂, which is also divided by √(σ² + ε).",
        _of_gamma(lambda n: n.x - n.mean),
    ),
    (
        "output for x-hat",
        "You multiply dout by the output y; gamma multiplies x̂.",
        _of_gamma(right),
    ),
    ("swapped", SWAPPED, _of_gamma(_ones)),
    (
        "mean for sum",
        "gamma acts on many numbers: add up what each of them contributes; this is the mean.",
        _mean_per_parameter(lambda n: n.x_hat),
    ),
    (
        "eps forgotten",
        "ε is missing in x̂: √(σ² + ε).",
        _of_gamma(lambda n: replace(n, eps=0.0).x_hat),
    ),
    (
        "eps outside the root",
        EPS_OUTSIDE,
        _of_gamma(lambda n: (n.x - n.mean) / (n.var**0.5 + n.eps)),
    ),
    (
        "times gamma",
        "You multiply by gamma too: the gradient of γ·x̂ with respect to γ is x̂.",
        _of_gamma(lambda n: n.x_hat * n.gamma),
    ),
)

TEST_MODE_DGAMMA = (
    "running statistics",
    "This is x̂ by the running statistics; in training it comes from the batch's.",
    _of_gamma(_running_x_hat),
)

DBETA: tuple[Named, ...] = (
    ("swapped", SWAPPED, _of_gamma(lambda n: n.x_hat)),
    (
        "mean for sum",
        "beta is added to many numbers: its gradient is the sum of their dout, not the mean.",
        _mean_per_parameter(_ones),
    ),
    (
        "times gamma",
        "You multiply by gamma; beta is added after it.",
        _of_gamma(lambda n: _ones(n) * n.gamma),
    ),
)
DGAMMA_OVER_N = (
    "divided by N",
    AVERAGED,
    lambda n, dout: _of_gamma(lambda k: k.x_hat)(n, dout) / len(n.x),
)
DBETA_OVER_N = ("divided by N", AVERAGED, lambda n, dout: _of_gamma(_ones)(n, dout) / len(n.x))


def _backward(lay: Lay, claim: Claim) -> Callable[..., Any]:
    def answer(dout: Any, x: Any, gamma: Any, beta: Any, **options: Any) -> Any:
        laid = lay(x, gamma, beta, **options)
        found = claim(laid, dout.reshape(laid.x.shape))
        return found.reshape(x.shape) if found.dim() > 1 else found

    return answer


def _mistakes(lay: Lay, claims: tuple[Named, ...]) -> tuple[Mistake, ...]:
    return tuple(Mistake(name, says, _backward(lay, claim)) for name, says, claim in claims)


def _over(dims: tuple[int, ...]) -> Claim:
    """The dx of a normalization that averages over other axes."""

    def claim(laid: Laid, dout: Any) -> Any:
        other = laid.over(dims)
        return _dx(dout * other.gamma, other)

    return claim


def _summed(dims: tuple[int, ...], lay: Lay, weight: Formula) -> Callable[..., Any]:
    """A gradient of gamma or beta summed over these axes of x alone, whatever shape is left."""

    def answer(dout: Any, x: Any, gamma: Any, beta: Any, **options: Any) -> Any:
        each = dout * weight(lay(x, gamma, beta, **options)).reshape(x.shape)
        return each.sum(dims) if dims else each

    return answer


ROWS = (
    (
        "not summed",
        "Not summed: one gamma and one beta act on many numbers, add up what each contributes.",
        (),
    ),
    (
        "summed over features",
        "Summed over the wrong axis: one number is left for each row, not for each column.",
        (1,),
    ),
)
MAPS = (
    ROWS[0],
    ("not summed over N", "All images share gamma and beta: sum over N as well.", (2, 3)),
    (
        "not summed over pixels",
        "All pixels of a channel share gamma and beta: sum over H and W as well.",
        (0,),
    ),
)


def _axes_kept(lay: Lay, weight: Formula) -> Mistake:
    """The right sums, shaped like the gamma that broadcasts over x."""

    def answer(dout: Any, x: Any, gamma: Any, beta: Any, **options: Any) -> Any:
        each = dout * weight(lay(x, gamma, beta, **options)).reshape(x.shape)
        return each.sum([0, *range(2, x.dim())], keepdim=True)

    says = "The numbers are right, but they are wrapped in axes of length 1: as many axes as gamma."
    return Mistake("axes kept", says, answer)


def _partly_summed(
    lay: Lay, sums: tuple[tuple[str, str, tuple[int, ...]], ...], weight: Formula
) -> tuple[Mistake, ...]:
    wrong = (Mistake(name, says, _summed(dims, lay, weight)) for name, says, dims in sums)
    return (*wrong, _axes_kept(lay, weight))


def _mixed(rows: Any, dout: Any) -> dict[str, Any]:
    """The gradients for what is laid out already."""
    return {
        "dx": _dx(dout * rows.gamma, rows),
        "dgamma": (dout * rows.x_hat).sum(0),
        "dbeta": dout.sum(0),
    }


def _reshaped(name: str) -> Callable[..., Any]:
    """A gradient of the forward that calls `reshape(-1, C)` where C is not the last axis."""

    def answer(dout: Any, x: Any, gamma: Any, beta: Any, **options: Any) -> Any:
        rows = lay_batch(x.reshape(-1, x.shape[1]), gamma, beta, **options)
        found = _mixed(rows, dout.reshape(rows.x.shape))[name]
        return found.reshape(x.shape) if name == "dx" else found

    return answer


def _dout_reshaped(name: str) -> Callable[..., Any]:
    """The same, where x was brought into rows in the right way and only dout was not."""

    def answer(dout: Any, x: Any, gamma: Any, beta: Any, **options: Any) -> Any:
        last = x.movedim(1, -1)
        rows = lay_batch(last.reshape(-1, x.shape[1]), gamma, beta, **options)
        found = _mixed(rows, dout.reshape(rows.x.shape))[name]
        return found.reshape(last.shape).movedim(-1, 1) if name == "dx" else found

    return answer


def _divided_by_images(laid: Laid, dout: Any) -> Any:
    """Sums over N, H and W that are divided by N."""
    g, pixels = dout * laid.gamma, laid.count / len(laid.x)
    along = laid.average(g * laid.x_hat)
    return (g - pixels * laid.average(g) - laid.x_hat * pixels * along) / laid.std


def _x_hat(laid: Laid) -> Any:
    return laid.x_hat


BATCH: Mapping[str, tuple[Mistake, ...]] = {
    "dx": (
        *_mistakes(lay_batch, (*DX, TEST_MODE_DX)),
        Mistake(
            "axis of layer norm",
            "You average along each row. Batch norm's means are over the batch.",
            _backward(lay_batch, _over((1,))),
        ),
    ),
    "dgamma": (
        *_mistakes(lay_batch, (*DGAMMA, TEST_MODE_DGAMMA)),
        *_partly_summed(lay_batch, ROWS, _x_hat),
    ),
    "dbeta": (*_mistakes(lay_batch, DBETA), *_partly_summed(lay_batch, ROWS, _ones)),
}

SPATIAL: Mapping[str, tuple[Mistake, ...]] = {
    "dx": (
        Mistake("reshaped without transposing", RESHAPED, _reshaped("dx")),
        Mistake("dout reshaped without transposing", RESHAPED, _dout_reshaped("dx")),
        Mistake("per pixel", PER_PIXEL, _backward(lay_batch, _over((0,)))),
        Mistake(
            "divided by N for N·H·W",
            "The sums run over N, H and W, but are divided by N alone.",
            _backward(lay_batch, _divided_by_images),
        ),
        *_mistakes(lay_batch, (*DX, TEST_MODE_DX)),
    ),
    "dgamma": (
        Mistake("reshaped without transposing", RESHAPED, _reshaped("dgamma")),
        Mistake("dout reshaped without transposing", RESHAPED, _dout_reshaped("dgamma")),
        *_mistakes(lay_batch, (*DGAMMA, TEST_MODE_DGAMMA, DGAMMA_OVER_N)),
        *_partly_summed(lay_batch, MAPS, _x_hat),
    ),
    "dbeta": (
        Mistake("reshaped without transposing", RESHAPED, _reshaped("dbeta")),
        *_mistakes(lay_batch, (*DBETA, DBETA_OVER_N)),
        *_partly_summed(lay_batch, MAPS, _ones),
    ),
}

LAYER: Mapping[str, tuple[Mistake, ...]] = {
    "dx": (
        *_mistakes(lay_layer, (GAMMA_PULLED_OUT, *DX)),
        Mistake(
            "axis of batch norm",
            "Your means are over the batch, as in batch norm. Layer norm's are along each row.",
            _backward(lay_layer, _over((0,))),
        ),
    ),
    "dgamma": (*_mistakes(lay_layer, DGAMMA), *_partly_summed(lay_layer, ROWS, _x_hat)),
    "dbeta": (*_mistakes(lay_layer, DBETA), *_partly_summed(lay_layer, ROWS, _ones)),
}

GROUP: Mapping[str, tuple[Mistake, ...]] = {
    "dx": (
        *_mistakes(lay_group, (GAMMA_PULLED_OUT, *DX)),
        Mistake(
            "averaged over the batch",
            "You average over N as well; here each image has its own mean.",
            _backward(lay_group, _over((0, 2, 3, 4))),
        ),
        Mistake(
            "channels each by themselves",
            "Every channel has its own mean: the C/G channels of a group share one.",
            _backward(lay_group, _over((3, 4))),
        ),
    ),
    "dgamma": (
        *_mistakes(lay_group, (*DGAMMA, DGAMMA_OVER_N)),
        *_partly_summed(lay_group, MAPS, _x_hat),
    ),
    "dbeta": (
        *_mistakes(lay_group, (*DBETA, DBETA_OVER_N)),
        *_partly_summed(lay_group, MAPS, _ones),
    ),
}
