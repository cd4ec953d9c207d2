"""The truth of the first lesson."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.quality.truth import (
    SINGLE,
    Array,
    Call,
    FunctionTruth,
    LayerTruth,
    noncontiguous,
)

Rng = np.random.Generator
Calls = Callable[[Rng], Iterator[Call]]
ROUNDED = 1e-6  # a difference of two numbers that are almost equal, divided by a small one


def _numbers(count: int) -> Calls:
    def calls(rng: Rng) -> Iterator[Call]:
        for _ in range(30):
            yield _call(rng, *[()] * count)

    return calls


def _call(rng: Rng, *shapes: tuple[int, ...]) -> Call:
    return Call(tuple(np.asarray(rng.standard_normal(shape)) for shape in shapes))


def _arrays(*cases: tuple[tuple[int, ...], ...]) -> Calls:
    def calls(rng: Rng) -> Iterator[Call]:
        for shapes in cases:
            usual = _call(rng, *shapes)
            yield usual
            yield from _other_kinds(usual)

    return calls


def _other_kinds(call: Call) -> Iterator[Call]:
    """Arrays that are not contiguous, and single precision."""
    single = tuple(array.astype(np.float32) for array in call.arrays)
    yield replace(call, arrays=tuple(map(noncontiguous, call.arrays)))
    yield replace(call, arrays=single, tolerance=SINGLE)


def _neuron(w0: Any, x0: Any, w1: Any, x1: Any, w2: Any) -> Any:
    return torch.sigmoid(torch.stack([w0, w1]) @ torch.stack([x0, x1]) + w2)


def _branch(x: Any, y: Any) -> Any:
    return (x + y) * torch.maximum(x, y)


def _affine(x: Any, w: Any, b: Any) -> Any:
    return functional.linear(x.flatten(1), w.T, b)


def _two_layers(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, y: Any) -> Any:
    return functional.cross_entropy(_affine(_affine(x, w1, b1).relu(), w2, b2), y)


def _softmax(scores: Array) -> Any:
    return torch.softmax(torch.tensor(np.asarray(scores, dtype=np.float64)), 1)


def _jacobian_bytes(N: int, D: int, M: int, itemsize: int = 4) -> Any:  # noqa: N803, the task's
    jacobians = torch.zeros(N, M, N, D), torch.zeros(N, M, D, M)
    return torch.tensor([float(jacobian.numel() * itemsize) for jacobian in jacobians])


def _sizes(rng: Rng) -> Iterator[Call]:
    for _ in range(20):
        sizes = tuple(int(n) for n in rng.integers(1, 7, 3))
        yield Call(sizes)
        yield Call(sizes, options={"itemsize": 8})


def _central_difference(f: Callable[[Any], Any], x: Array, h: float = 1e-5) -> Any:
    at = torch.tensor(np.asarray(x, dtype=np.float64))
    steps = h * torch.eye(at.numel(), dtype=at.dtype).reshape(-1, *at.shape)
    slopes = [(f(at + step) - f(at - step)) / (2 * h) for step in steps]
    return torch.stack(slopes).reshape(at.shape)


def _cubic(x: Any) -> Any:
    return (x**2).sum() * x.sum()


def _quartic(x: Any) -> Any:
    return (x**4).sum()


def _functions(rng: Rng) -> Iterator[Call]:
    for f in (_cubic, _quartic):
        for shape in ((), (1,), (4,), (2, 3), (2, 1, 3)):
            for options in ({}, {"h": 0.1}, {"h": 0.02}):
                x = np.asarray(rng.standard_normal(shape))
                yield Call((f, x), options=options, tolerance=ROUNDED)
    yield Call((_cubic, noncontiguous(rng.standard_normal((3, 2)))), tolerance=ROUNDED)


def _scores(rng: Rng) -> Iterator[Call]:
    for shape in ((5, 7), (1, 3), (4, 4), (6, 2), (3, 1)):
        usual = _call(rng, shape)
        yield usual
        yield from _other_kinds(usual)
        for mean, std in ((500, 3), (-800, 1), (0, 1000)):
            yield Call((mean + std * rng.standard_normal(shape),), harsh=True)
    yield Call((np.array([[1000.0, 0, -1000], [-1000, -1000, -1000]]),), harsh=True)


def _labelled(rng: Rng) -> Iterator[Call]:
    for call in _scores(rng):
        yield replace(call, others=(rng.integers(0, call.arrays[0].shape[1], len(call.arrays[0])),))


def _networks(*inputs: tuple[int, ...]) -> Calls:
    def calls(rng: Rng) -> Iterator[Call]:
        for shape in inputs:
            for hidden, classes in ((6, 3), (5, 4), (1, 2), (4, 4)):
                yield _network(rng, shape, hidden, classes)

    return calls


def _network(rng: Rng, shape: tuple[int, ...], hidden: int, classes: int) -> Call:
    pixels = int(np.prod(shape[1:]))
    weights = _call(rng, (pixels, hidden), (hidden,), (hidden, classes), (classes,))
    return replace(weights, others=(rng.standard_normal(shape), rng.integers(0, classes, shape[0])))


def _example(*shapes: tuple[int, ...]) -> Call:
    return _call(np.random.default_rng(0), *shapes)


NUMBERS, NETWORK = _example((), ()), _network(np.random.default_rng(0), (4, 4), 4, 4)
SCORES = _example((4, 4))
LABELLED = replace(SCORES, others=(np.array([2, 0, 3, 3]),))

TRUTHS = (
    LayerTruth("neuron", "", _neuron, _numbers(5), _example((), (), (), (), ())),
    LayerTruth("add_forward", "add_backward", torch.add, _numbers(2), NUMBERS),
    LayerTruth("multiply_forward", "multiply_backward", torch.mul, _numbers(2), NUMBERS),
    LayerTruth("max_forward", "max_backward", torch.maximum, _numbers(2), NUMBERS),
    LayerTruth("branch", "", _branch, _numbers(2), NUMBERS),
    LayerTruth(
        "relu_forward",
        "relu_backward",
        torch.relu,
        _arrays(((3, 4),), ((7,),), ((2, 3, 1, 5),)),
        _example((4, 4)),
    ),
    FunctionTruth("jacobian_bytes", _jacobian_bytes, _sizes, Call((4, 4, 4))),
    LayerTruth(
        "matmul_forward",
        "matmul_backward",
        torch.matmul,
        _arrays(((4, 3), (3, 2)), ((1, 5), (5, 2)), ((4, 4), (4, 4)), ((3, 1), (1, 6))),
        _example((4, 4), (4, 4)),
    ),
    FunctionTruth(
        "numerical_gradient",
        _central_difference,
        _functions,
        Call((_quartic, np.arange(1.0, 5).reshape(2, 2)), tolerance=ROUNDED),
    ),
    LayerTruth(
        "affine_forward",
        "affine_backward",
        _affine,
        _arrays(
            ((5, 6), (6, 4), (4,)),
            ((5, 2, 3), (6, 4), (4,)),
            ((1, 2, 1, 3), (6, 2), (2,)),
            ((4, 2, 2), (4, 4), (4,)),
            ((3, 1), (1, 1), (1,)),
        ),
        _example((4, 4), (4, 4), (4,)),
    ),
    FunctionTruth("softmax", _softmax, _scores, SCORES),
    LayerTruth(
        "softmax_loss_forward",
        "softmax_loss_backward",
        functional.cross_entropy,
        _labelled,
        LABELLED,
    ),
    LayerTruth("two_layer_flat", "", _two_layers, _networks((5, 4), (7, 3), (1, 2)), NETWORK),
    LayerTruth("two_layer_loss", "", _two_layers, _networks((5, 4), (6, 2, 3), (1, 2)), NETWORK),
)

# The student's functions that each of the checks' layers is about.
LAYERS = {
    "neuron": ("neuron", ""),
    "add_gate": ("add_forward", "add_backward"),
    "multiply_gate": ("multiply_forward", "multiply_backward"),
    "max_gate": ("max_forward", "max_backward"),
    "branch": ("branch", ""),
    "relu": ("relu_forward", "relu_backward"),
    "matmul": ("matmul_forward", "matmul_backward"),
    "affine": ("affine_forward", "affine_backward"),
    "softmax": ("softmax", ""),
    "softmax_loss": ("softmax_loss_forward", "softmax_loss_backward"),
    "two_layer_loss": ("two_layer_loss", ""),
}

# Right sample submissions that are measured as styles too.
SAMPLES = ()
MUTATED_STYLES = ("loops",)
