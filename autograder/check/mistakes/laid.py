"""A call of a normalization, laid out such that one formula serves all kinds of them.

Batch, layer and group norm differ in the numbers that share a mean, and in little else.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Laid:
    """A call of a normalization, its arrays shaped so that they broadcast.

    Attributes:
        x: what is normalized.
        gamma: its scale.
        beta: its shift.
        dims: the axes of x over which a mean is taken.
        mean: the mean to normalize with.
        var: the variance to normalize with.
        eps: what is added to it.
        running: other statistics (mean, var) that could be mistaken for these, if there are any.
        momentum: how much of these goes into the running statistics.
    """

    x: Any
    gamma: Any
    beta: Any
    dims: tuple[int, ...]
    mean: Any
    var: Any
    eps: float
    running: tuple[Any, Any] | None = None
    momentum: float = 0.0

    @property
    def std(self) -> Any:
        """√(σ² + ε)."""
        return (self.var + self.eps) ** 0.5

    @property
    def x_hat(self) -> Any:
        """The normalized x."""
        return (self.x - self.mean) / self.std

    @property
    def count(self) -> int:
        """How many numbers share a mean."""
        return int(self.x.numel() // self.mean.numel())

    def average(self, values: Any) -> Any:
        """The mean over the numbers that share a mean."""
        return values.mean(self.dims, keepdim=True)

    def over(self, dims: tuple[int, ...]) -> "Laid":
        """The same with means over other axes."""
        return with_moments(replace(self, dims=dims))


Lay = Callable[..., Laid]
Formula = Callable[[Laid], Any]


def with_moments(laid: Laid) -> Laid:
    """The same, normalized with the mean and the variance of x over its ``dims``."""
    mean = laid.average(laid.x)
    return replace(laid, mean=mean, var=laid.average((laid.x - mean) ** 2))


def _broadcast(array: Any, x: Any) -> Any:
    """(C,) as (1, C, 1, 1), or (D,) as (1, D)."""
    return array.reshape(1, -1, *[1] * (x.dim() - 2))


def lay_batch(
    x: Any,
    gamma: Any,
    beta: Any,
    running_mean: Any,
    running_var: Any,
    training: bool = True,
    momentum: float = 0.01,
    eps: float = 1e-5,
) -> Laid:
    """Batch norm: x (N, D), or (N, C, H, W)."""
    gamma, beta, mean, var = (_broadcast(a, x) for a in (gamma, beta, running_mean, running_var))
    dims = (0, *range(2, x.dim()))
    tested = Laid(x, gamma, beta, dims, mean, var, eps)
    trained = with_moments(tested)
    if training:
        return replace(trained, running=(mean, var), momentum=momentum)
    return replace(tested, running=(trained.mean, trained.var))


def lay_layer(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Laid:
    """Layer norm: x (N, D)."""
    gamma, beta = _broadcast(gamma, x), _broadcast(beta, x)
    return with_moments(Laid(x, gamma, beta, (1,), 0, 0, eps))


def lay_group(x: Any, gamma: Any, beta: Any, groups: int, eps: float = 1e-5) -> Laid:
    """Group norm: x (N, C, H, W) becomes (N, G, C / G, H, W)."""
    gamma, beta = (a.reshape(1, groups, -1, 1, 1) for a in (gamma, beta))
    parts = x.reshape(len(x), groups, -1, *x.shape[2:])
    return with_moments(Laid(parts, gamma, beta, (2, 3, 4), 0, 0, eps))


def right(laid: Laid) -> Any:
    """What it should answer, γ·x̂ + β."""
    return laid.gamma * laid.x_hat + laid.beta


def scaled(laid: Laid, std: Any) -> Any:
    """The same with something else for √(σ² + ε)."""
    return laid.gamma * (laid.x - laid.mean) / std + laid.beta


def unbiased(laid: Laid) -> Laid:
    """The same with the variance that divides by one less."""
    return replace(laid, var=laid.var * laid.count / (laid.count - 1))


def updated(laid: Laid) -> Laid:
    """The same, normalized with the running statistics as they are after a step of training."""
    old_mean, old_var = laid.running or (laid.mean, laid.var)
    m = laid.momentum
    mean, var = (1 - m) * old_mean + m * laid.mean, (1 - m) * old_var + m * laid.var
    return replace(laid, mean=mean, var=var)
