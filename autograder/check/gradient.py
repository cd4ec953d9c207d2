"""The one gradient checker: does a gradient belong to a forward function?

For an upstream gradient ``dout`` and a random direction ``v`` of one argument ``a``, the derivative
``t`` of ``forward`` along ``v`` must satisfy ``<t, dout> = <da, v>``. The derivative comes from a
complex step (Squire and Trapp, SIAM Review 40(1), 1998): ``t = Im forward(a + ih·v) / h`` with
``h = 1e-30`` has no cancellation, so it is exact to rounding and untroubled by the kinks of ReLU
and pooling. Code that drops the imaginary part (``np.zeros(shape)``, ``abs``) is not at fault:
before a gradient is called wrong, a central difference has to confirm the slope that was measured.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check.record import Array

COMPLEX_STEP = 1e-30
DOUBLE = float(np.finfo(np.float64).eps)
TERMS = 16

Forward = Callable[..., Any]
Along = Callable[[complex], Any]


@dataclass(frozen=True)
class Slope:
    """Two values of one directional derivative that should be equal, and the allowance."""

    argument: str
    numerical: float
    analytic: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether they are equal within the tolerance (NaN never is)."""
        return abs(self.numerical - self.analytic) <= self.tolerance


def slopes(
    forward: Forward,
    arrays: Mapping[str, Array],
    gradients: Mapping[str, Array],
    dout: Array,
    rng: np.random.Generator,
    conditioning: float = 0.0,
    eps: float = DOUBLE,
) -> list[Slope]:
    """One `Slope` per argument of ``forward``, each along a Gaussian direction.

    Args:
        forward: from the arrays, in order, to one array shaped like ``dout``.
        arrays: the arguments by name.
        gradients: what is claimed for each argument, by the argument's name.
        dout: the upstream gradient.
        rng: draws the directions.
        conditioning: max|μ|/√(σ²+ε) for a normalization, 0 for a linear layer.
        eps: the rounding unit that ``forward`` computes with, whatever dtype it returns.
    """
    found = []
    judge = _Judge(dout, conditioning, eps)
    for name, array in arrays.items():
        direction = rng.standard_normal(array.shape)
        along = _along(forward, arrays, name, direction)
        found.append(judge.slope(name, along, np.asarray(gradients[name]), direction))
    return found


def _along(forward: Forward, arrays: Mapping[str, Array], name: str, direction: Array) -> Along:
    """``forward`` as a function of how far the argument ``name`` is moved along ``direction``."""

    def moved(step: complex) -> Any:
        inputs = {key: array.copy() for key, array in arrays.items()}
        inputs[name] = inputs[name] + step * direction
        return np.asarray(forward(*inputs.values()))

    return moved


def _complex_step(along: Along) -> Any | None:
    """The derivative at 0, or None where ``forward`` does not carry complex numbers through."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            out = along(1j * COMPLEX_STEP)
        except Exception:  # student code; the central difference below is the judge, not this
            return None
    return out.imag / COMPLEX_STEP if np.iscomplexobj(out) else None


@dataclass(frozen=True)
class _Judge:
    """What the slopes of all arguments have in common."""

    dout: Array
    conditioning: float
    eps: float

    def slope(self, name: str, along: Along, claim: Any, direction: Array) -> Slope:
        """By complex step where the code carries it; by central difference where it does not."""
        sharp = self._by_complex_step(name, along, claim, direction)
        if sharp is not None and sharp.agrees:
            return sharp
        central = self._by_central_difference(name, along, claim, direction)
        # Where both measure the same slope, the sharper of the two judges.
        if sharp is not None and abs(sharp.numerical - central.numerical) <= central.tolerance:
            return sharp
        return central

    def _by_complex_step(
        self, name: str, along: Along, claim: Any, direction: Array
    ) -> Slope | None:
        t = _complex_step(along)
        if t is None:
            return None
        eps = max(self.eps, float(np.finfo(t.dtype).eps), _eps(claim))
        return self._compared(name, t, claim, direction, TERMS * eps * (1 + self.conditioning))

    def _by_central_difference(
        self, name: str, along: Along, claim: Any, direction: Array
    ) -> Slope:
        eps = max(self.eps, _eps(claim))
        step = eps ** (1 / 3)  # balances truncation (step²) and rounding (eps / step)
        t = (along(step) - along(-step)) / (2 * step)
        share = TERMS * eps ** (2 / 3) * (1 + self.conditioning) ** 2
        return self._compared(name, t, claim, direction, share)

    def _compared(self, name: str, t: Any, claim: Any, direction: Array, share: float) -> Slope:
        scale = float(np.abs(t * self.dout).sum() + np.abs(claim * direction).sum())
        numerical, analytic = float((t * self.dout).sum()), float((claim * direction).sum())
        return Slope(name, numerical, analytic, share * scale)


def _eps(array: Any) -> float:
    return float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else DOUBLE
