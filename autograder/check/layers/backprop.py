"""The layers of the first lesson."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autograder.check.case import name_of
from autograder.check.layer import Layer
from autograder.check.mistakes import backprop as mistakes
from autograder.check.mistakes import backprop_layers, backprop_softmax
from autograder.check.oracle import backprop as oracle

ROUNDED = 1e-12  # a number that was moved up by h and back by h need not be the same to the bit


def _open_at_0(dout: Any, x: Any) -> Any:
    """A ReLU that lets the gradient through at exactly 0."""
    return dout * (x >= 0)


def _half_open_at_0(dout: Any, x: Any) -> Any:
    """A ReLU with the mean of its two slopes at exactly 0."""
    return dout * (1 + x.sign()) / 2


neuron = Layer(
    ("w0", "x0", "w1", "x1", "w2"),
    oracle.neuron,
    mistakes.NEURON,
    mistakes.NEURON_GRADIENTS,
    linear=False,
)
add_gate = Layer(("x", "y"), oracle.add, mistakes.ADD, mistakes.ADD_GRADIENTS, cached=True)
multiply_gate = Layer(
    ("x", "y"), oracle.multiply, mistakes.MULTIPLY, mistakes.MULTIPLY_GRADIENTS, cached=True
)
max_gate = Layer(
    ("x", "y"),
    oracle.maximum,
    mistakes.MAXIMUM,
    mistakes.MAXIMUM_GRADIENTS,
    cached=True,
    linear=False,
)
branch = Layer(("x", "y"), oracle.branch, mistakes.BRANCH, mistakes.BRANCH_GRADIENTS, linear=False)
relu = Layer(
    ("x",),
    oracle.relu,
    backprop_layers.RELU,
    backprop_layers.RELU_GRADIENTS,
    cached=True,
    linear=False,
    conventions={"dx": (_open_at_0, _half_open_at_0)},
)
matmul = Layer(
    ("x", "w"), oracle.matmul, backprop_layers.MATMUL, backprop_layers.MATMUL_GRADIENTS, cached=True
)
affine = Layer(
    ("x", "w", "b"),
    oracle.affine,
    backprop_layers.AFFINE,
    backprop_layers.AFFINE_GRADIENTS,
    cached=True,
)
softmax = Layer(("scores",), oracle.softmax, backprop_softmax.SOFTMAX, linear=False)
softmax_loss = Layer(
    ("scores",),
    oracle.softmax_loss,
    backprop_softmax.SOFTMAX_LOSS,
    backprop_softmax.SOFTMAX_LOSS_GRADIENTS,
    cached=True,
    linear=False,
    state=("y",),
)
two_layer_loss = Layer(
    ("w1", "b1", "w2", "b2"),
    oracle.two_layer_loss,
    backprop_layers.TWO_LAYER,
    backprop_layers.TWO_LAYER_GRADIENTS,
    linear=False,
    state=("x", "y"),
)


def numerical_gradient(
    function: Callable[..., Any], f: Callable[[Any], Any], *, concept: str = "", **given: Any
) -> None:
    """Checks a student's ``numerical_gradient(f, x, h)`` on one ``f``.

    Args:
        function: the student's.
        f: from one array to a number; it must work on NumPy arrays and torch tensors alike.
        concept: see `Layer.forward`.
        **given: ``x`` as for `Layer.forward`, and ``h``.

    Raises:
        CheckFailed: it is not the central difference of ``f``, or ``x`` is left changed by more
            than rounding.
        GraderBroke: the check itself failed; nothing is said about the student.
    """

    def applied(x: Any, **options: Any) -> Any:
        moved = x.copy()
        answer = function(f, moved, **options)
        if not np.allclose(moved, x, rtol=ROUNDED, atol=ROUNDED):
            x[...] = moved  # where it is seen
        return answer

    applied.__name__ = f"{name_of(function)} of {name_of(f)}"
    known = tuple(replace(m, answer=partial(m.answer, f)) for m in mistakes.NUMERICAL_GRADIENT)
    layer = Layer(("x",), partial(oracle.central_difference, f), known, linear=False)
    layer.forward(applied, concept=concept, **given)
