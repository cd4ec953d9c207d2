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
CENTRAL_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
CENTRAL_TOLERANCE = 1e-8
TERMS = 16

Forward = Callable[..., Any]


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
) -> list[Slope]:
    """One `Slope` per argument of ``forward``, each along a Gaussian direction.

    Args:
        forward: from the arrays, in order, to one array shaped like ``dout``.
        arrays: the arguments by name.
        gradients: what is claimed for each argument, by the argument's name.
        dout: the upstream gradient.
        rng: draws the directions.
        conditioning: max|μ|/√(σ²+ε) for a normalization, 0 for a linear layer.
    """
    found = []
    for name, array in arrays.items():
        direction = rng.standard_normal(array.shape)
        along = _along(forward, arrays, name, direction)
        claim = gradients[name]
        slope = _slope(name, _complex_step(along), dout, claim, direction, conditioning)
        if slope is None or not slope.agrees:
            central = _central_slope(name, along, dout, claim, direction, conditioning)
            # Where both measure the same slope, the sharper of the two judges.
            slope = slope if slope is not None and _same_slope(slope, central) else central
        found.append(slope)
    return found


def _along(
    forward: Forward, arrays: Mapping[str, Array], name: str, direction: Array
) -> Callable[[complex], Any]:
    """``forward`` as a function of how far the argument ``name`` is moved along ``direction``."""

    def moved(step: complex) -> Any:
        inputs = {key: array.copy() for key, array in arrays.items()}
        inputs[name] = inputs[name] + step * direction
        return np.asarray(forward(*inputs.values()))

    return moved


def _complex_step(along: Callable[[complex], Any]) -> Any | None:
    """The derivative at 0, or None where ``forward`` does not carry complex numbers through."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            out = along(1j * COMPLEX_STEP)
        except Exception:  # student code; the central difference below is the judge, not this
            return None
    return out.imag / COMPLEX_STEP if np.iscomplexobj(out) else None


def _slope(
    name: str, t: Any | None, dout: Array, claim: Array, direction: Array, conditioning: float
) -> Slope | None:
    if t is None:
        return None
    eps = max(float(np.finfo(kind).eps) for kind in (t.dtype, _floating(claim)))
    scale = float(np.abs(t * dout).sum() + np.abs(claim * direction).sum())
    tolerance = TERMS * eps * scale * (1 + conditioning)
    return Slope(name, float((t * dout).sum()), float((claim * direction).sum()), tolerance)


def _central_slope(
    name: str,
    along: Callable[[complex], Any],
    dout: Array,
    claim: Array,
    direction: Array,
    conditioning: float,
) -> Slope:
    t = (along(CENTRAL_STEP) - along(-CENTRAL_STEP)) / (2 * CENTRAL_STEP)
    scale = float(np.abs(t * dout).sum() + np.abs(claim * direction).sum())
    numerical, analytic = float((t * dout).sum()), float((claim * direction).sum())
    tolerance = CENTRAL_TOLERANCE * scale * (1 + conditioning) ** 2
    return Slope(name, numerical, analytic, tolerance)


def _same_slope(one: Slope, other: Slope) -> bool:
    return abs(one.numerical - other.numerical) <= other.tolerance


def _floating(array: Any) -> Any:
    kind = np.asarray(array).dtype
    return kind if kind.kind == "f" else np.dtype(np.float64)
