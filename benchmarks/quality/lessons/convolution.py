"""The truth of the second lesson."""

from collections.abc import Callable, Iterator, Sequence
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

# N, C_in, C_out, H, W, K_H, K_W and options.
EDGES: tuple[tuple[tuple[int, ...], dict[str, int]], ...] = (
    ((3, 2, 5, 7, 6, 3, 2), {}),
    ((2, 3, 4, 8, 7, 3, 2), {"stride": 2}),
    ((2, 3, 4, 7, 10, 2, 3), {"stride": 3, "padding": 0}),
    ((2, 2, 3, 5, 6, 3, 3), {"padding": 1}),
    ((2, 2, 3, 4, 6, 2, 3), {"padding": 2}),
    ((1, 3, 2, 6, 5, 2, 3), {"stride": 2, "padding": 1}),
    ((3, 1, 4, 6, 5, 3, 2), {"stride": 2, "padding": 3}),
    ((2, 3, 1, 6, 5, 2, 2), {"stride": 1, "padding": 1, "dilation": 1, "groups": 1}),
    ((2, 2, 3, 4, 5, 4, 5), {}),
    ((2, 2, 3, 3, 4, 5, 6), {"padding": 1, "stride": 2}),
    ((2, 3, 4, 5, 6, 1, 1), {"stride": 2}),
    ((2, 2, 3, 9, 8, 3, 2), {"dilation": 2}),
    ((2, 2, 3, 11, 9, 2, 3), {"dilation": 3, "stride": 2, "padding": 2}),
    ((2, 4, 6, 5, 6, 3, 2), {"groups": 2}),
    ((2, 3, 6, 6, 5, 2, 3), {"groups": 3, "stride": 2, "padding": 1}),
    ((2, 4, 4, 6, 7, 3, 2), {"groups": 4}),
    ((2, 6, 3, 9, 8, 2, 3), {"groups": 3, "dilation": 2, "stride": 2, "padding": 1}),
    ((1, 1, 1, 3, 4, 2, 2), {}),
    ((2, 2, 2, 1, 5, 1, 3), {"padding": 0}),
)


def _random(rng: Rng) -> tuple[tuple[int, ...], dict[str, int]]:
    groups = int(rng.integers(1, 4))
    n, c, f, kernel_height, kernel_width = (int(k) for k in rng.integers(1, 4, 5))
    stride, dilation, padding = (int(k) for k in (*rng.integers(1, 4, 2), rng.integers(0, 4)))
    least = [dilation * (k - 1) + 1 - 2 * padding for k in (kernel_height, kernel_width)]
    height, width = (max(1, k) + int(rng.integers(0, 7)) for k in least)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (n, groups * c, groups * f, height, width, kernel_height, kernel_width), options


def _layer(rng: Rng, sizes: Sequence[int], options: dict[str, int]) -> Call:
    n, c, f, height, width, kernel_height, kernel_width = sizes
    shapes = (
        (n, c, height, width),
        (f, c // options.get("groups", 1), kernel_height, kernel_width),
        (f,),
    )
    return Call(tuple(map(rng.standard_normal, shapes)), options=options)


def layers(rng: Rng) -> Iterator[Call]:
    """Every edge, forty at random, other kinds of input, and two that are large."""
    for sizes, options in EDGES:
        yield _layer(rng, sizes, options)
    for _ in range(40):
        yield _layer(rng, *_random(rng))
    usual = _layer(rng, (3, 4, 6, 8, 7, 3, 2), {"stride": 2, "padding": 1, "groups": 2})
    yield from other_kinds(usual)
    yield _layer(rng, (3, 4, 2, 80, 90, 5, 4), {"padding": 1})
    yield _layer(rng, (2, 4, 2, 240, 260, 3, 4), {"stride": 2})


def other_kinds(call: Call) -> Iterator[Call]:
    """The call with arrays that are not contiguous, and with single precision."""
    single = tuple(array.astype(np.float32) for array in call.arrays)
    yield replace(call, arrays=tuple(map(noncontiguous, call.arrays)))
    yield replace(call, arrays=single, tolerance=SINGLE)


def _drawn(*cases: tuple[tuple[int, ...], ...]) -> Callable[[Rng], Iterator[Call]]:
    def calls(rng: Rng) -> Iterator[Call]:
        for shapes in cases:
            yield Call(tuple(map(rng.standard_normal, shapes)))
        yield from other_kinds(Call(tuple(map(rng.standard_normal, cases[0]))))

    return calls


def _tensors(*arrays: Array) -> list[Any]:
    return [torch.tensor(np.array(array, dtype=np.float64)) for array in arrays]


def _corr2d(image: Array, filter: Array) -> Any:
    x, k = _tensors(image, filter)
    return functional.conv2d(x[None, None], k[None, None])[0, 0]


def _corr2d_calls(rng: Rng) -> Iterator[Call]:
    shapes = (
        ((5, 7), (3, 2)),
        ((4, 3), (1, 3)),
        ((6, 4), (6, 4)),
        ((1, 5), (1, 1)),
        ((7, 5), (2, 4)),
    )
    yield from _drawn(*shapes)(rng)
    for x, k in shapes:
        yield Call((rng.integers(0, 9, x), rng.standard_normal(k)))


def _output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    row, taps = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel_size)
    return int(functional.conv1d(row, taps, None, stride, padding, dilation).shape[2])


def _sizes(rng: Rng) -> Iterator[Call]:
    yield Call((11, 3))
    yield Call((11, 4), options={"stride": 3})
    yield Call((9, 4), options={"padding": 2})
    yield Call((13, 3), options={"dilation": 4})
    for _ in range(200):
        k, stride, dilation = (int(n) for n in rng.integers(1, 6, 3))
        padding = int(rng.integers(0, 4))
        size = max(1, dilation * (k - 1) + 1 - 2 * padding) + int(rng.integers(0, 9))
        yield Call((size, k), options={"stride": stride, "padding": padding, "dilation": dilation})


def _convolution(c_in: int, c_out: int, kernel_size: int, groups: int) -> torch.nn.Conv2d:
    return torch.nn.Conv2d(c_in, c_out, kernel_size, groups=groups)


def _num_parameters(c_in: int, c_out: int, kernel_size: int, groups: int = 1) -> int:
    layer = _convolution(c_in, c_out, kernel_size, groups)
    return sum(parameter.numel() for parameter in layer.parameters())


def _num_multiply_adds(
    c_in: int,
    c_out: int,
    kernel_size: int,
    height: int,
    width: int,
    groups: int = 1,
    **geometry: int,
) -> int:
    layer = _convolution(c_in, c_out, kernel_size, groups)
    out = functional.conv2d(
        torch.zeros(1, c_in, height, width), layer.weight, None, groups=groups, **geometry
    )
    return out.numel() * layer.weight[0].numel()


def _counts(rng: Rng) -> Iterator[Call]:
    yield Call((4, 6, 3))
    for _ in range(40):
        groups, c, f, k = (int(n) for n in rng.integers(1, 6, 4))
        yield Call((groups * c, groups * f, k), options={"groups": groups})


def _work(rng: Rng) -> Iterator[Call]:
    yield Call((4, 6, 3, 9, 7))
    for call in _counts(rng):
        height, width = (int(n) for n in 17 + rng.integers(0, 9, 2))
        stride, dilation, padding = (int(n) for n in rng.integers(1, 5, 3))
        geometry = {"stride": stride, "padding": padding - 1, "dilation": dilation}
        yield Call((*call.arrays, height, width), options={**call.options, **geometry})


def _receptive_field(layers: Sequence[tuple[int, int, int]]) -> int:
    """From the first to the last pixel of a long row that has a gradient from one output."""
    row = torch.zeros(1, 1, 6000, dtype=torch.float64, requires_grad=True)
    out: Any = row
    for kernel_size, stride, dilation in layers:
        taps = torch.ones(1, 1, kernel_size, dtype=torch.float64)
        out = functional.conv1d(out, taps, None, stride, 0, dilation)
    out[0, 0, out.shape[2] // 2].backward()
    assert row.grad is not None
    seen = row.grad[0, 0].nonzero()
    return int(seen.max() - seen.min()) + 1


def _stacks(rng: Rng) -> Iterator[Call]:
    for depth in (0, 1, 1, 2, 2, 3, 3, 3, 4, 4):
        kernels, steps, gaps = (rng.integers(1, most, depth) for most in (6, 4, 4))
        stack = zip(kernels.tolist(), steps.tolist(), gaps.tolist(), strict=True)
        yield Call((list(stack),))


def _filter_matrix(w: Array, size: int) -> Any:
    (taps,) = _tensors(w)
    basis = torch.eye(size, dtype=torch.float64)[:, None, :]
    return functional.conv1d(basis, taps[None, None], padding=len(taps) // 2)[:, 0].T


def _input_matrix(x: Array, kernel_size: int) -> Any:
    (row,) = _tensors(x)
    return functional.pad(row, (kernel_size // 2,) * 2).unfold(0, kernel_size, 1)


def _rows(longest: Callable[[int, int], tuple[int, int]]) -> Callable[[Rng], Iterator[Call]]:
    def calls(rng: Rng) -> Iterator[Call]:
        for k in (1, 3, 5, 7):
            for size in (1, 2, 4, 6, 9):
                length, other = longest(k, size)
                yield Call((rng.standard_normal(length), other))
        yield Call((noncontiguous(rng.standard_normal(5)), 5))
        yield Call((rng.integers(1, 9, 5), 3))

    return calls


def _im2col(x: Array, kernel_size: int, stride: int = 1, padding: int = 0) -> Any:
    return functional.unfold(_tensors(x)[0], kernel_size, stride=stride, padding=padding)


def _images(rng: Rng) -> Iterator[Call]:
    for sizes, options in (*EDGES, *(_random(rng) for _ in range(20))):
        n, c, _, height, width, k, _ = sizes
        settings: dict[str, Any] = {
            key: options[key] for key in ("stride", "padding") if key in options
        }
        if min(height, width) + 2 * settings.get("padding", 0) >= k:
            yield Call((rng.standard_normal((n, c, height, width)), k), options=settings)
    x = rng.standard_normal((2, 3, 7, 6))
    for kind in (noncontiguous(x), x.astype(np.float32), np.rint(9 * x).astype(int)):
        yield Call((kind, 3), options={"stride": 2, "padding": 1})


def _conv1x1(x: Any, w: Any, b: Any) -> Any:
    image, matrix, bias = _tensors(x, w, b)
    return functional.conv2d(image, matrix[:, :, None, None], bias)


def _conv1d(x: Any, w: Any, b: Any, stride: int = 1) -> Any:
    row, taps, bias = _tensors(x, w, b)
    return functional.conv1d(row, taps, bias, stride)


def _conv1d_calls(rng: Rng) -> Iterator[Call]:
    shapes = (
        ((2, 3, 9), (4, 3, 3), (4,)),
        ((1, 1, 5), (2, 1, 5), (2,)),
        ((3, 2, 8), (1, 2, 2), (1,)),
    )
    yield from _drawn(*shapes)(rng)
    for each in shapes:
        for stride in (2, 3):
            yield Call(tuple(map(rng.standard_normal, each)), options={"stride": stride})


def _conv3d(x: Any, w: Any, b: Any) -> Any:
    return functional.conv3d(*_tensors(x, w, b))


def _example(*shapes: tuple[int, ...], **options: int) -> Call:
    rng = np.random.default_rng(0)
    return Call(tuple(map(rng.standard_normal, shapes)), options=options)


TRUTHS = (
    FunctionTruth("corr2d", _corr2d, _corr2d_calls, _example((5, 5), (3, 3))),
    FunctionTruth("output_size", _output_size, _sizes, Call((7, 3))),
    FunctionTruth("num_parameters", _num_parameters, _counts, Call((3, 10, 5))),
    FunctionTruth(
        "num_multiply_adds",
        _num_multiply_adds,
        _work,
        Call((3, 10, 5, 32, 32), options={"padding": 2}),
    ),
    FunctionTruth("receptive_field", _receptive_field, _stacks, Call(([(3, 1, 1)] * 3,))),
    LayerTruth(
        "conv_forward",
        "conv_backward",
        functional.conv2d,
        layers,
        _example((2, 3, 5, 5), (4, 3, 3, 3), (4,), padding=1),
    ),
    FunctionTruth(
        "filter_matrix",
        _filter_matrix,
        _rows(lambda k, size: (k, size)),
        Call((np.array([1.0, 2, 3]), 5)),
    ),
    FunctionTruth(
        "input_matrix",
        _input_matrix,
        _rows(lambda k, size: (size, k)),
        Call((np.arange(1.0, 6), 3)),
    ),
    FunctionTruth(
        "im2col",
        _im2col,
        _images,
        Call((np.random.default_rng(0).standard_normal((2, 3, 5, 5)), 3)),
    ),
    FunctionTruth(
        "conv1x1",
        _conv1x1,
        _drawn(
            ((2, 5, 3, 4), (6, 5), (6,)), ((1, 1, 2, 3), (2, 1), (2,)), ((2, 3, 1, 5), (1, 3), (1,))
        ),
        _example((2, 5, 4, 4), (6, 5), (6,)),
    ),
    FunctionTruth("conv1d", _conv1d, _conv1d_calls, _example((2, 3, 8), (4, 3, 3), (4,))),
    FunctionTruth(
        "conv3d",
        _conv3d,
        _drawn(
            ((2, 3, 5, 4, 6), (4, 3, 2, 3, 2), (4,)),
            ((1, 1, 3, 4, 5), (2, 1, 3, 4, 5), (2,)),
            ((2, 2, 4, 3, 5), (3, 2, 1, 2, 3), (3,)),
        ),
        _example((2, 3, 4, 4, 4), (4, 3, 2, 2, 2), (4,)),
    ),
)

# The student's functions that each of the checks' layers is about.
LAYERS = {
    "corr2d": ("corr2d", ""),
    "conv2d": ("conv_forward", "conv_backward"),
    "conv1d": ("conv1d", ""),
    "conv3d": ("conv3d", ""),
    "conv1x1": ("conv1x1", ""),
    "im2col": ("im2col", ""),
    "filter_matrix": ("filter_matrix", ""),
}

# Right sample submissions that are measured as styles too.
SAMPLES = ()
MUTATED_STYLES = ("four_loops",)
