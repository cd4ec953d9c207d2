"""The truth of the fifth lesson: gates, blocks, networks, and what is done with networks."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.quality import tensors
from benchmarks.quality.lessons import resnet_use
from benchmarks.quality.lessons.resnet_nets import Basic, Deep, Residual
from benchmarks.quality.tensors import Made
from benchmarks.quality.truth import SINGLE, Array, Call, FunctionTruth, Namespace, ProcedureTruth

Rng = np.random.Generator
SETTLED = 1e-7  # of the largest number: after many layers whose statistics are of few numbers


def _gate(name: str, right: Any, *cases: tuple[tuple[int, ...], ...]) -> ProcedureTruth:
    """A class with ``apply``, of which another is called between the two passes."""

    def calls(rng: Rng) -> Iterator[Call]:
        for shapes in cases:
            yield Call(tuple(rng.standard_normal(shape) for shape in shapes))

    def ask(scope: Namespace, call: Call) -> list[Any]:
        return _applied(scope[name].apply, call)

    def answer(call: Call) -> list[Any]:
        return _applied(right, call)

    return ProcedureTruth((name,), ask, answer, calls, next(calls(np.random.default_rng(0))))


def _applied(apply: Any, call: Call) -> list[Any]:
    leaves = [torch.tensor(array, requires_grad=True) for array in call.arrays]
    out = apply(*leaves)
    apply(*(1.5 * leaf.detach().flip(0) + 0.25 for leaf in leaves))
    torch.autograd.backward(out, tensors.upstream(out))
    # Nobody else holds the upstream gradient, so that backward may use it as it likes.
    for leaf, before in zip(leaves, call.arrays, strict=True):
        tensors.require_same(leaf, before)
    return [tensors.numbers(out), *map(tensors.gradient, leaves)]


def _basic(given: tuple[int, ...], x: tuple[int, ...], *, training: bool = True, **how: Any) -> Any:
    return Made(given, x, how, training)


BLOCKS = (
    _basic((4, 4), (4, 4, 4, 4)),
    _basic((4, 4), (2, 4, 6, 7), training=False),
    _basic((4, 6), (2, 4, 6, 7), stride=2),
    _basic((3, 5), (3, 3, 5, 8), stride=1),
    _basic((6, 4), (2, 6, 5, 4), training=False),
    _basic((5, 5), (2, 5, 8, 11), stride=3, training=False),
    _basic((5, 5), (2, 5, 7, 6), stride=2),
    _basic((3, 4), (3, 3, 5, 8), stride=2, skip=False),
    _basic((3, 3), (2, 3, 4, 5), skip=False, training=False),
    _basic((4, 6, 2, True), (2, 4, 6, 7)),
)
DEEP_BLOCKS = (
    _basic((16, 4), (4, 16, 4, 4)),
    _basic((12, 3), (2, 12, 6, 7), training=False),
    _basic((6, 3), (2, 6, 6, 7), stride=2),
    _basic((5, 2, 2), (3, 5, 7, 10)),
    _basic((4, 2), (2, 4, 5, 6), training=False),
    _basic((8, 2), (2, 8, 4, 5), stride=2),
    _basic((24, 5), (2, 24, 4, 5)),
    _basic((4, 4), (2, 4, 5, 7), stride=3, training=False),
)


def _net(depth: int, classes: int, width: int, x: tuple[int, ...], mode: str) -> Made:
    training, backward = mode == "train", depth in (18, 50)
    return Made((depth,), x, {"num_classes": classes, "width": width}, training, backward, SETTLED)


NETS = (
    _net(18, 4, 4, (2, 3, 64, 64), "eval"),
    _net(18, 5, 4, (3, 3, 72, 96), "train"),
    _net(50, 5, 2, (3, 3, 72, 65), "train"),
    _net(34, 6, 2, (2, 3, 75, 58), "eval"),
    _net(50, 3, 3, (2, 3, 33, 40), "eval"),
    _net(101, 6, 2, (2, 3, 75, 58), "eval"),
    _net(152, 3, 2, (1, 3, 40, 33), "eval"),
)


def _same_conv(
    c_in: int, c_out: int, kernel_size: int, dilation: int = 1, groups: int = 1
) -> nn.Module:
    return nn.Conv2d(c_in, c_out, kernel_size, padding="same", dilation=dilation, groups=groups)


SAME = (
    _basic((4, 4, 3), (4, 4, 4, 4)),
    _basic((64, 32, 3), (1, 64, 5, 6), groups=4),
    _basic((4, 6, 3), (2, 4, 9, 8), dilation=2, groups=2),
    _basic((3, 6, 5), (2, 3, 7, 9), dilation=3, groups=3),
    _basic((2, 3, 1), (1, 2, 4, 5)),
    _basic((2, 3, 1), (1, 2, 4, 5), dilation=3),
    _basic((2, 2, 7, 2), (2, 2, 13, 9)),
    _basic((6, 3, 5, 1, 3), (2, 6, 5, 6)),
)


def _filter_normalized(direction: Any, weight: Any) -> Any:
    if weight.ndim < 2:
        return torch.zeros_like(direction)
    pairs = zip(direction, weight, strict=True)
    return torch.stack([d * (w.square().sum() / d.square().sum()).sqrt() for d, w in pairs])


def _directions(rng: Rng) -> Iterator[Call]:
    for shape in ((4, 4, 3, 3), (4, 3, 3, 2), (3, 6), (5,), (1, 7), (7, 1), (2, 3, 1, 1), (1,)):
        yield Call((rng.standard_normal(shape), rng.standard_normal(shape)))
        single = (rng.standard_normal(shape).astype(np.float32) for _ in range(2))
        yield Call(tuple(single), tolerance=SINGLE)


def _first_of_pair(name: str, right: Any, calls: Any) -> ProcedureTruth:
    """A forward of which only the output is looked at."""

    def ask(scope: Namespace, call: Call) -> list[Any]:
        given = [np.array(array) for array in (*call.arrays, *call.others)]
        out, _ = scope[name](*given, **call.options)
        for array, before in zip(given, (*call.arrays, *call.others), strict=True):
            tensors.require_same(torch.tensor(array), before)
        return [np.array(out)]

    def answer(call: Call) -> list[Any]:
        given = [torch.tensor(array) for array in (*call.arrays, *call.others)]
        return [right(*given, **call.options)]

    return ProcedureTruth((name,), ask, answer, calls, next(calls(np.random.default_rng(0))))


def _convolutions(rng: Rng) -> Iterator[Call]:
    for n, c, h, w, f, k, options in (
        (2, 3, 4, 4, 4, 3, {}),
        (2, 3, 7, 6, 4, 3, {"stride": 2, "padding": 1}),
        (1, 2, 9, 8, 3, 7, {"stride": 2, "padding": 3}),
        (2, 4, 5, 6, 2, 1, {"stride": 2}),
        (3, 2, 6, 5, 2, 2, {"padding": 2}),
        (2, 2, 8, 7, 3, 3, {"stride": 3, "padding": 1}),
    ):
        shapes = ((n, c, h, w), (f, c, k, k), (f,))
        yield Call(tuple(map(rng.standard_normal, shapes)), options=options)


def _normalizations(rng: Rng) -> Iterator[Call]:
    for shape, options in (
        ((4, 4, 4, 4), {}),
        ((2, 3, 4, 5), {"eps": 0.1}),
        ((1, 5, 2, 3), {"eps": 0.5, "momentum": 0.3}),
    ):
        vectors = [rng.standard_normal(shape[1]) for _ in range(3)]
        variance = rng.uniform(0.2, 2, shape[1])
        given = (rng.standard_normal(shape), *vectors, variance)
        yield Call(given, options={"training": False, **options})


def _normalized_maps(
    x: Any, gamma: Any, beta: Any, mean: Any, var: Any, training: bool, eps: float = 1e-5, **_: Any
) -> Any:
    return functional.batch_norm(x, mean, var, gamma, beta, training, 0.1, eps)


def _pools(rng: Rng) -> Iterator[Call]:
    for shape, k, stride in (
        ((2, 2, 4, 4), 2, 2),
        ((2, 3, 7, 9), 3, 2),
        ((1, 2, 8, 6), 2, 3),
        ((2, 2, 5, 6), 3, 1),
    ):
        yield Call((rng.standard_normal(shape),), options={"kernel_size": k, "stride": stride})


def _running(running_var: Array, x: Array, momentum: float = 0.1) -> Any:
    """By a batch norm of torch's."""
    norm = nn.BatchNorm2d(len(running_var), momentum=momentum).double()
    assert norm.running_var is not None
    norm.running_var.copy_(torch.tensor(running_var))
    norm(torch.tensor(x))
    return norm.running_var


def _steps(rng: Rng) -> Iterator[Call]:
    for shape in ((4, 4, 4, 4), (2, 4, 3, 2), (3, 3, 1, 2), (5, 2, 1, 1), (1, 3, 4, 5)):
        for options in ({}, {"momentum": 0.3}, {"momentum": 0.01}):
            given = (rng.uniform(0.2, 2, shape[1]), 2 + 3 * rng.standard_normal(shape))
            yield Call(given, options=options)


TRUTHS = (
    _gate("Multiply", torch.mul, ((4, 4),) * 2, ((3, 4),) * 2, ((2, 3, 5),) * 2, ((),) * 2),
    _gate("Rectify", torch.relu, ((4, 4),), ((3, 5),), ((2, 3, 4),)),
    _gate(
        "Linear",
        functional.linear,
        ((4, 4), (4, 4), (4,)),
        ((4, 3), (5, 3), (5,)),
        ((1, 6), (3, 6), (3,)),
        ((7, 2), (1, 2), (1,)),
    ),
    tensors.module("BasicBlock", Basic, BLOCKS),
    tensors.module("Bottleneck", Deep, DEEP_BLOCKS),
    tensors.module("ResNet", Residual, NETS),
    *resnet_use.TRUTHS,
    tensors.function("filter_normalized", _filter_normalized, _directions),
    tensors.module("same_conv", _same_conv, SAME),
    resnet_use.FIELD,
    _first_of_pair("conv_forward", functional.conv2d, _convolutions),
    _first_of_pair("spatial_batch_norm_forward", _normalized_maps, _normalizations),
    _first_of_pair("max_pool_forward", functional.max_pool2d, _pools),
    FunctionTruth("torch_running_var", _running, _steps, next(_steps(np.random.default_rng(0)))),
    resnet_use.SCORES,
)

# The student's functions that each of the checks' layers is about. Those of lessons 2 and 3 are
# measured there; what is asked of a function that is given a network has misconceptions of its
# own: tests/check/test_torch_functions.py goes through all of them.
LAYERS = {
    "multiply_function": ("Multiply", ""),
    "relu_function": ("Rectify", ""),
    "linear_function": ("Linear", ""),
    "basic_block": ("BasicBlock", ""),
    "bottleneck": ("Bottleneck", ""),
    "resnet": ("ResNet", ""),
    "filter_normalized": ("filter_normalized", ""),
    "same_conv": ("same_conv", ""),
    "torch_running_var": ("torch_running_var", ""),
}

# Right sample submissions that are measured as styles too.
SAMPLES = ("loops", "modules")
MUTATED_STYLES = ("modules",)
