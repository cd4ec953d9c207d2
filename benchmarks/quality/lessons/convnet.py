"""The truth of the fourth lesson: sizes and costs, the layers, and the network made of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.quality.lessons import backprop, convnet_training
from benchmarks.quality.lessons.pooling_normalization import pools
from benchmarks.quality.truth import (
    SINGLE,
    Array,
    Call,
    FunctionTruth,
    LayerTruth,
    Namespace,
    ProcedureTruth,
    WrongError,
    named,
    noncontiguous,
)

Rng = np.random.Generator
Spec = tuple[Any, ...]
PARAMS = ("conv1_w", "conv1_b", "conv2_w", "conv2_b", "fc1_w", "fc1_b", "fc2_w", "fc2_b")


def _module(layer: Spec, shape: Sequence[int]) -> nn.Module:
    """The layer as torch has it, with parameters that have shapes but no numbers."""
    match layer:
        case ("conv", c_out, k, p, s):
            return nn.Conv2d(shape[0], c_out, k, stride=s, padding=p, device="meta")
        case ("pool", k, s):
            return nn.MaxPool2d(k, s)
        case ("linear", d_out):
            return nn.Linear(shape[0], d_out, device="meta")
        case ("flatten",):
            return nn.Flatten()
    return nn.ReLU()


def _output_shape(layer: Spec, shape: Sequence[int]) -> Any:
    return torch.tensor(_module(layer, shape)(torch.empty(1, *shape, device="meta")).shape[1:])


def _weight_shape(layer: Spec, shape: Sequence[int]) -> Any:
    weight = getattr(_module(layer, shape), "weight", torch.empty(()))
    return torch.tensor((weight.T if layer[0] == "linear" else weight).shape)


def _cost(layer: Spec, shape: Sequence[int]) -> Any:
    module = _module(layer, shape)
    with FlopCounterMode(display=False) as counter:
        module(torch.empty(1, *shape, device="meta"))
    parameters = sum(p.numel() for p in module.parameters())
    return torch.tensor([parameters, counter.get_total_flops() // 2])


def _layers(rng: Rng) -> Iterator[Call]:
    for _ in range(40):
        c, height, width, many, k, p, s = (int(n) for n in rng.integers(1, 6, 7))
        maps = (c, height + k, width + k)
        yield Call((("conv", many, k, p, s), maps))
        yield Call((("pool", k, s), maps))
        yield Call((("relu",), maps))
        yield Call((("relu",), (many,)))
        yield Call((("flatten",), maps))
        yield Call((("linear", many), (c + 7,)))


CONVOLUTION = Call((("conv", 4, 3, 1, 1), (4, 4, 4)))

# N, C_in, H, W, C_out, K, stride, padding.
CONVOLUTIONS = (
    (2, 3, 6, 7, 4, 5, 1, 2),
    (3, 2, 8, 7, 5, 3, 2, 1),
    (2, 2, 5, 6, 3, 2, 1, 0),
    (1, 1, 5, 5, 1, 3, 1, 1),
    (2, 3, 7, 9, 2, 3, 2, 0),
    (2, 4, 4, 6, 3, 1, 1, 0),
    (3, 2, 9, 8, 2, 3, 4, 2),
)


def _convolutions(rng: Rng) -> Iterator[Call]:
    for n, c_in, height, width, c_out, k, stride, padding in CONVOLUTIONS:
        x, w = rng.standard_normal((n, c_in, height, width)), _normal(rng, c_out, c_in, k, k)
        options = {"stride": stride, "padding": padding}
        yield Call((x, w, rng.standard_normal(c_out)), options=options)
    arrays = (x, w, rng.standard_normal(c_out))
    yield Call(arrays)
    yield Call(tuple(map(noncontiguous, arrays)), options=options)
    yield Call(tuple(a.astype(np.float32) for a in arrays), options=options, tolerance=SINGLE)
    many = (_normal(rng, 100, 2, 20, 20), _normal(rng, 3, 2, 5, 5), rng.standard_normal(3))
    yield Call(many, options={"padding": 2})  # several blocks of work


def _affines(rng: Rng) -> Iterator[Call]:
    for n, inputs, outputs in ((4, 6, 3), (1, 5, 2), (7, 2, 9), (4, 4, 4), (3, 1, 1)):
        arrays = (_normal(rng, n, inputs), _normal(rng, inputs, outputs), _normal(rng, outputs))
        yield Call(arrays)
        yield Call(tuple(map(noncontiguous, arrays)))
        yield Call(tuple(a.astype(np.float32) for a in arrays), tolerance=SINGLE)


def _normal(rng: Rng, *shape: int) -> Array:
    return np.asarray(rng.standard_normal(shape))


def _affine(x: Any, w: Any, b: Any) -> Any:
    return functional.linear(x, w.T, b)


def _scores(params: Mapping[str, Any], x: Any) -> Any:
    """LeNet-5 as torch puts it together."""
    h = x
    for layer in ("conv1", "conv2"):
        w, b = params[f"{layer}_w"], params[f"{layer}_b"]
        h = functional.max_pool2d(functional.conv2d(h, w, b, padding="same").relu(), 2)
    h = functional.linear(h.flatten(1), params["fc1_w"].T, params["fc1_b"]).relu()
    return functional.linear(h, params["fc2_w"].T, params["fc2_b"])


def _right_lenet(call: Call) -> list[Any]:
    x, dscores, *arrays = call.arrays
    leaves = [torch.tensor(np.asarray(a, np.float64), requires_grad=True) for a in arrays]
    scores = _scores(dict(zip(PARAMS, leaves, strict=True)), torch.tensor(x, dtype=torch.float64))
    scores.backward(torch.tensor(dscores, dtype=torch.float64))
    return [scores, *(leaf.grad for leaf in leaves)]


def _asked_lenet(scope: Namespace, call: Call) -> list[Any]:
    """Scores and gradients, with another forward between the two passes."""
    x, dscores, *arrays = (array.copy() for array in call.arrays)
    params = dict(zip(PARAMS, arrays, strict=True))
    scores, cache = scope["lenet_forward"](x, params)
    scores = scores.copy()
    scope["lenet_forward"](x[::-1] + 1, {name: 2 * p for name, p in params.items()})
    grads = scope["lenet_backward"](dscores, cache)
    after = (x, dscores, *(params[name] for name in PARAMS))
    if not all(map(np.array_equal, after, call.arrays)):
        raise WrongError("an argument is changed")
    return [scores, *named(grads, PARAMS)]


def _images(rng: Rng) -> Iterator[Call]:
    for sizes in (
        (3, 1, 8, 12, 4, 5, 6, 3),
        (2, 3, 12, 4, 3, 4, 7, 5),
        (2, 1, 4, 4, 3, 6, 6, 6),
        (1, 2, 4, 8, 1, 2, 3, 2),
        (5, 1, 8, 8, 2, 2, 2, 4),
    ):
        usual = _network(rng, *sizes)
        yield usual
        yield Call(tuple(map(noncontiguous, usual.arrays)))
        yield Call(tuple(a.astype(np.float32) for a in usual.arrays), tolerance=SINGLE)


def _network(rng: Rng, n: int, c: int, height: int, width: int, *sizes: int) -> Call:
    """x, dscores and the parameters of a net that keeps its numbers near 1."""
    one, two, hidden, classes = sizes
    weights = ((one, c, 5, 5), (two, one, 5, 5), (two * height * width // 16, hidden))
    arrays = [_normal(rng, n, c, height, width), _normal(rng, n, classes)]
    for shape in (*weights, (hidden, classes)):
        inputs = np.prod(shape[1:]) if len(shape) == 4 else shape[0]
        outputs = shape[0] if len(shape) == 4 else shape[1]
        arrays += [_normal(rng, *shape) * np.sqrt(2 / inputs), _normal(rng, outputs) / 2]
    return Call(tuple(arrays))


_RNG = np.random.default_rng(0)
_FIRST = [t for t in backprop.TRUTHS if t.names[0] in ("relu_forward", "softmax_loss_forward")]

TRUTHS = (
    FunctionTruth("output_shape", _output_shape, _layers, CONVOLUTION),
    FunctionTruth("weight_shape", _weight_shape, _layers, CONVOLUTION),
    FunctionTruth("cost", _cost, _layers, CONVOLUTION),
    LayerTruth(
        "conv_forward",
        "conv_backward",
        functional.conv2d,
        _convolutions,
        Call((_normal(_RNG, 2, 3, 5, 5), _normal(_RNG, 4, 3, 3, 3), _normal(_RNG, 4))),
    ),
    LayerTruth(
        "max_pool_forward",
        "max_pool_backward",
        functional.max_pool2d,
        pools,
        Call((_normal(_RNG, 2, 3, 4, 4),), options={"kernel_size": 2, "stride": 2}),
    ),
    LayerTruth(
        "affine_forward",
        "affine_backward",
        _affine,
        _affines,
        Call((_normal(_RNG, 4, 4), _normal(_RNG, 4, 4), _normal(_RNG, 4))),
    ),
    *_FIRST,
    ProcedureTruth(
        ("lenet_forward", "lenet_backward"),
        _asked_lenet,
        _right_lenet,
        _images,
        _network(_RNG, 2, 1, 8, 8, 2, 2, 4, 4),
    ),
    *convnet_training.TRUTHS,
)

# What its network and its training are asked has misconceptions of its own, not those of a layer:
# tests/check/test_convnet.py goes through all of them.
LAYERS: dict[str, tuple[str, str]] = {}

# Right sample submissions that are measured as styles too.
SAMPLES = ("loops", "stack", "taps")
MUTATED_STYLES = ("loops",)
