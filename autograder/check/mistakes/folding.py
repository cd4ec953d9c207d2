"""Misconceptions of folding a batch norm into the convolution before it.

Functions take what the oracle takes.
"""

from collections.abc import Callable
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.mistakes.normalization import EPS_MISSING, EPS_OUTSIDE, NO_ROOT


def _weight(factor: Callable[[Any, Any, float], Any]) -> Callable[..., Any]:
    """Filters multiplied by factor(γ, σ², ε)."""

    def answer(w: Any, gamma: Any, running_var: Any, eps: float = 1e-5) -> Any:
        return w * factor(gamma, running_var, eps)[:, None, None, None]

    return answer


def _per_input_channel(w: Any, gamma: Any, running_var: Any, eps: float = 1e-5) -> Any:
    return w * (gamma / (running_var + eps) ** 0.5)[:, None, None]


def _along_the_filter(w: Any, gamma: Any, running_var: Any, eps: float = 1e-5) -> Any:
    return w * gamma / (running_var + eps) ** 0.5


WEIGHT = (
    Mistake("eps missing", EPS_MISSING, _weight(lambda gamma, var, eps: gamma / var**0.5)),
    Mistake("eps fixed", EPS_MISSING, _weight(lambda gamma, var, eps: gamma / (var + 1e-5) ** 0.5)),
    Mistake(
        "eps outside the root",
        EPS_OUTSIDE,
        _weight(lambda gamma, var, eps: gamma / (var**0.5 + eps)),
    ),
    Mistake("root forgotten", NO_ROOT, _weight(lambda gamma, var, eps: gamma / (var + eps))),
    Mistake(
        "gamma forgotten",
        "gamma is missing: batch norm multiplies by γ / √(σ² + ε).",
        _weight(lambda gamma, var, eps: 1 / (var + eps) ** 0.5),
    ),
    Mistake(
        "not divided",
        "√(σ² + ε) is missing: batch norm multiplies by γ / √(σ² + ε).",
        _weight(lambda gamma, var, eps: gamma),
    ),
    Mistake(
        "multiplied by sigma",
        "You multiply by √(σ² + ε): divide.",
        _weight(lambda gamma, var, eps: gamma * (var + eps) ** 0.5),
    ),
    Mistake(
        "per input channel",
        "You scale along the input channels; gamma[f] belongs to the filter w[f].",
        _per_input_channel,
    ),
    Mistake(
        "along the filter",
        "You scale along the columns of the filters; gamma[f] belongs to the filter w[f].",
        _along_the_filter,
    ),
)

Folded = Callable[[Any, Any, Any, Any, Any], Any]


def _bias(formula: Folded, *, squared: bool = False) -> Callable[..., Any]:
    """A bias by formula(b, γ, β, μ, σ), σ being √(σ² + ε) or, squared, σ² + ε."""

    def answer(
        b: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any, eps: float = 1e-5
    ) -> Any:
        var = running_var + eps
        return formula(b, gamma, beta, running_mean, var if squared else var**0.5)

    return answer


def _folded(b: Any, gamma: Any, beta: Any, mean: Any, std: Any) -> Any:
    return gamma * (b - mean) / std + beta


def _bias_with(std: Callable[[Any, float], Any]) -> Callable[..., Any]:
    """The right formula with std(σ², ε) for √(σ² + ε)."""

    def answer(
        b: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any, eps: float = 1e-5
    ) -> Any:
        return _folded(b, gamma, beta, running_mean, std(running_var, eps))

    return answer


BIAS = (
    Mistake(
        "b forgotten",
        "b is missing: the convolution's own bias is normalized too.",
        _bias(lambda b, gamma, beta, mean, std: beta - gamma * mean / std),
    ),
    Mistake(
        "b not scaled",
        "b is added as it was: it is normalized too, like everything that the convolution puts "
        "out.",
        _bias(lambda b, gamma, beta, mean, std: b + beta - gamma * mean / std),
    ),
    Mistake(
        "mean forgotten",
        "running_mean is missing: batch norm subtracts it.",
        _bias(lambda b, gamma, beta, mean, std: gamma * b / std + beta),
    ),
    Mistake(
        "mean not scaled",
        "running_mean is subtracted after the scaling; it belongs before it, with b.",
        _bias(lambda b, gamma, beta, mean, std: gamma * b / std - mean + beta),
    ),
    Mistake(
        "mean added",
        "running_mean is added: subtract it.",
        _bias(lambda b, gamma, beta, mean, std: gamma * (b + mean) / std + beta),
    ),
    Mistake(
        "beta forgotten",
        "beta is missing: batch norm adds it at the end.",
        _bias(lambda b, gamma, beta, mean, std: gamma * (b - mean) / std),
    ),
    Mistake(
        "beta scaled",
        "beta is scaled too: batch norm adds it at the end.",
        _bias(lambda b, gamma, beta, mean, std: gamma * (b - mean + beta) / std),
    ),
    Mistake(
        "gamma forgotten",
        "gamma is missing: batch norm multiplies by γ / √(σ² + ε).",
        _bias(lambda b, gamma, beta, mean, std: (b - mean) / std + beta),
    ),
    Mistake(
        "not divided",
        "√(σ² + ε) is missing: batch norm multiplies by γ / √(σ² + ε).",
        _bias_with(lambda var, eps: 1),
    ),
    Mistake("eps missing", EPS_MISSING, _bias_with(lambda var, eps: var**0.5)),
    Mistake("eps fixed", EPS_MISSING, _bias_with(lambda var, eps: (var + 1e-5) ** 0.5)),
    Mistake("eps outside the root", EPS_OUTSIDE, _bias_with(lambda var, eps: var**0.5 + eps)),
    Mistake("root forgotten", NO_ROOT, _bias_with(lambda var, eps: var + eps)),
)
