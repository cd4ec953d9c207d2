"""The truth of the third lesson."""

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
Calls = Callable[[Rng], Iterator[Call]]
CONDITIONING = 10.0  # as in the checks: a mean that is large beside the spread
FEWEST = 3  # of two numbers, normalized, nothing is left but their order

# N, C, H, W, kernel size, stride.
POOLS = (
    (2, 3, 6, 4, 2, 2),
    (2, 3, 7, 9, 3, 2),
    (2, 2, 8, 6, 3, 2),
    (3, 2, 5, 7, 2, 3),
    (1, 1, 4, 5, 1, 1),
    (1, 3, 4, 4, 4, 1),
    (3, 1, 6, 7, 3, 1),
    (2, 2, 5, 8, 2, 4),
    (2, 2, 4, 3, 1, 2),
    (2, 2, 3, 5, 3, 3),
)


def pools(rng: Rng) -> Iterator[Call]:
    """Windows that overlap, do not fit, or leave pixels out; no two equal numbers."""
    for *shape, kernel_size, stride in (*POOLS, *(_random_pool(rng) for _ in range(15))):
        options = {"kernel_size": kernel_size, "stride": stride}
        yield Call((rng.standard_normal(shape),), options=options)
        yield Call((rng.standard_normal(shape) - 7,), options=options)
    yield from _other_kinds(Call((rng.standard_normal((2, 3, 7, 6)),), options=options))


def _random_pool(rng: Rng) -> tuple[int, ...]:
    n, c, kernel_size, stride = (int(k) for k in rng.integers(1, 5, 4))
    height, width = (kernel_size + int(k) for k in rng.integers(0, 6, 2))
    return n, c, height, width, kernel_size, stride


def _other_kinds(call: Call) -> Iterator[Call]:
    """Arrays that are not contiguous, and single precision."""
    others = tuple(v.astype(np.float32) if _is_float(v) else v for v in call.others)
    single = tuple(array.astype(np.float32) for array in call.arrays)
    yield replace(call, arrays=tuple(map(noncontiguous, call.arrays)))
    yield replace(call, arrays=single, others=others, tolerance=SINGLE)


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _max_pool(x: Any, kernel_size: int, stride: int) -> Any:
    return functional.max_pool2d(x, kernel_size, stride)


def _avg_pool(x: Any, kernel_size: int, stride: int) -> Any:
    return functional.avg_pool2d(x, kernel_size, stride)


def _batch_norm(
    x: Any,
    gamma: Any,
    beta: Any,
    running_mean: Any,
    running_var: Any,
    training: bool = True,
    momentum: float = 0.01,
    eps: float = 1e-5,
) -> Any:
    """PyTorch's, but the running variance is the biased one (Ioffe and Szegedy use the other)."""
    before = running_mean.clone(), running_var.clone()
    out = functional.batch_norm(x, *before, gamma, beta, training, momentum, eps)
    if training:
        axes = tuple(axis for axis in range(x.dim()) if axis != 1)
        var, mean = torch.var_mean(x.detach(), axes, correction=0)
        running_mean.lerp_(mean, momentum)
        running_var.lerp_(var, momentum)
    return out


def _norm_call(rng: Rng, shape: Sequence[int], features: int, **options: Any) -> Call:
    mean, std = rng.uniform(-4, 4), rng.uniform(0.2, 3)
    x = mean + std * rng.standard_normal(shape)
    return Call((x, rng.standard_normal(features), rng.standard_normal(features)), options=options)


def _marked(call: Call, axes: tuple[int, ...], groups: int = 0) -> Call:
    """The call, called harsh where a mean is too large beside the spread around it."""
    x = call.arrays[0].astype(np.float64)
    parts = x.reshape(len(x), groups, -1) if groups else x
    spread = np.sqrt(parts.var(axis=axes) + call.options.get("eps", 1e-5))
    ratio = np.abs(parts.mean(axis=axes)) / spread
    few = np.prod([parts.shape[axis] for axis in axes]) < FEWEST
    return replace(call, harsh=bool(call.harsh or few or ratio.max() > CONDITIONING))


def _with_state(rng: Rng, call: Call) -> Call:
    features = len(call.arrays[1])
    state = (rng.standard_normal(features), rng.uniform(0.1, 2, features))
    return replace(call, others=state, forward_only=not call.options.get("training", True))


def _all_marked(calls: Calls, axes: Callable[[Call], tuple[int, ...]]) -> Calls:
    def marked(rng: Rng) -> Iterator[Call]:
        for call in calls(rng):
            yield _marked(call, axes(call), call.options.get("groups", 0))

    return marked


def _all_but_channels(call: Call) -> tuple[int, ...]:
    return tuple(axis for axis in range(call.arrays[0].ndim) if axis != 1)


def _batches(*shapes: tuple[int, ...]) -> Calls:
    """Training and test mode, every option, features that are constant or almost."""

    def calls(rng: Rng) -> Iterator[Call]:
        for shape in shapes:
            for options in (
                {},
                {"eps": 0.1},
                {"momentum": 0.3},
                {"momentum": 0.6, "eps": 0.5},
                {"training": False},
                {"training": False, "eps": 0.2, "momentum": 0.5},
            ):
                yield _with_state(rng, _norm_call(rng, shape, shape[1], **options))
            usual = _with_state(rng, _norm_call(rng, shape, shape[1], eps=0.1))
            x, *rest = usual.arrays
            yield replace(usual, arrays=(0 * x + 2, *rest))
            yield replace(usual, arrays=(0.01 * x, *rest), options={}, harsh=True)
            yield from _other_kinds(usual)
        alone = _norm_call(rng, (1, *shapes[0][1:]), shapes[0][1], training=False)
        yield _with_state(rng, alone)

    return _all_marked(calls, _all_but_channels)


def _columns(rng: Rng) -> Iterator[Call]:
    for shape in ((6, 4), (3, 5), (20, 2), (4, 1)):
        yield Call((3 + 2 * rng.standard_normal(shape),))
    yield Call((1000 + rng.standard_normal((9, 3)),))
    yield Call((noncontiguous(rng.standard_normal((5, 3))),))


def _columns_with_eps(rng: Rng) -> Iterator[Call]:
    for call in _columns(rng):
        yield call
        yield replace(call, options={"eps": 0.3})


def _tensors(*arrays: Array) -> list[Any]:
    return [torch.tensor(np.array(array, dtype=np.float64)) for array in arrays]


def _moments(x: Array) -> Any:
    (columns,) = _tensors(x)
    var, mean = torch.var_mean(columns, 0, correction=0)
    return torch.stack([mean, var])


def _identity(x: Array, eps: float = 1e-5) -> Any:
    mean, var = _moments(x)
    return torch.stack([(var + eps).sqrt(), mean])


def _fold_weight(w: Array, gamma: Array, running_var: Array, eps: float = 1e-5) -> Any:
    filters, scale, var = _tensors(w, gamma, running_var)
    maps = filters.transpose(0, 1)
    shift = torch.zeros_like(var)
    return functional.batch_norm(maps, shift, var, scale, shift, False, 0, eps).transpose(0, 1)


def _fold_bias(
    b: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = 1e-5,
) -> Any:
    bias, scale, shift, mean, var = _tensors(b, gamma, beta, running_mean, running_var)
    return functional.batch_norm(bias[None], mean, var, scale, shift, False, 0, eps)[0]


def _filters(rng: Rng) -> Iterator[Call]:
    for shape in ((4, 3, 3, 2), (3, 3, 2, 2), (1, 2, 1, 3), (2, 2, 2, 2)):
        w, gamma = rng.standard_normal(shape), rng.standard_normal(shape[0])
        for options in ({}, {"eps": 0.2}):
            yield Call((w, gamma, rng.uniform(1e-4, 2, shape[0])), options=options)


def _biases(rng: Rng) -> Iterator[Call]:
    for features in (1, 3, 5):
        for options in ({}, {"eps": 0.2}):
            arrays = rng.standard_normal((4, features))
            yield Call((*arrays, rng.uniform(1e-4, 2, features)), options=options)


def _layer_norm(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    return functional.layer_norm(x, gamma.shape, gamma, beta, eps)


def _group_norm(x: Any, gamma: Any, beta: Any, groups: int, eps: float = 1e-5) -> Any:
    return functional.group_norm(x, groups, gamma, beta, eps)


def _rows(rng: Rng) -> Iterator[Call]:
    for shape in ((4, 6), (5, 3), (1, 4), (7, 2)):
        for options in ({}, {"eps": 0.3}):
            usual = _norm_call(rng, shape, shape[1], **options)
            yield usual
            yield replace(usual, arrays=(0.01 * usual.arrays[0], *usual.arrays[1:]), harsh=True)
            yield from _other_kinds(usual)


def _groups(rng: Rng) -> Iterator[Call]:
    for shape in ((2, 6, 3, 4), (3, 4, 2, 5), (1, 2, 3, 1), (2, 6, 1, 2)):
        for groups in (1, 2, 3, 4, 6):
            if shape[1] % groups == 0 and shape[1] * shape[2] * shape[3] >= FEWEST * groups:
                for options in ({}, {"eps": 0.3}):
                    yield _norm_call(rng, shape, shape[1], groups=groups, **options)
    yield from _other_kinds(_norm_call(rng, (2, 4, 3, 5), 4, groups=2, eps=0.1))


def _example(*shape: int, **options: Any) -> Call:
    return _norm_call(np.random.default_rng(0), shape, shape[1], **options)


def _example_with_state(*shape: int) -> Call:
    return _with_state(np.random.default_rng(1), _example(*shape))


POOL_EXAMPLE = Call(
    (np.random.default_rng(0).standard_normal((2, 3, 4, 4)),),
    options={"kernel_size": 2, "stride": 2},
)
FOUR_COLUMNS = Call((np.random.default_rng(0).standard_normal((6, 4)),))

TRUTHS = (
    LayerTruth("max_pool_forward", "max_pool_backward", _max_pool, pools, POOL_EXAMPLE),
    LayerTruth("avg_pool_forward", "avg_pool_backward", _avg_pool, pools, POOL_EXAMPLE),
    FunctionTruth("moments", _moments, _columns, FOUR_COLUMNS),
    *(
        LayerTruth(
            "batch_norm_forward",
            backward,
            _batch_norm,
            _batches((6, 4), (3, 5), (4, 3), (17, 1)),
            _example_with_state(6, 4),
            CONDITIONING,
        )
        for backward in ("batch_norm_backward", "batch_norm_backward_simple")
    ),
    FunctionTruth("identity_parameters", _identity, _columns_with_eps, FOUR_COLUMNS),
    LayerTruth(
        "spatial_batch_norm_forward",
        "spatial_batch_norm_backward",
        _batch_norm,
        _batches((2, 3, 4, 5), (4, 2, 3, 1), (1, 4, 2, 3), (3, 1, 2, 2)),
        _example_with_state(2, 3, 4, 4),
        CONDITIONING,
    ),
    FunctionTruth(
        "fold_weight",
        _fold_weight,
        _filters,
        Call((np.ones((4, 3, 3, 3)), np.arange(1.0, 5), np.arange(2.0, 6))),
    ),
    FunctionTruth(
        "fold_bias", _fold_bias, _biases, Call(tuple(np.arange(n, n + 4.0) for n in range(1, 6)))
    ),
    LayerTruth(
        "layer_norm_forward",
        "layer_norm_backward",
        _layer_norm,
        _all_marked(_rows, lambda call: (1,)),
        _example(4, 6),
        CONDITIONING,
    ),
    LayerTruth(
        "group_norm_forward",
        "group_norm_backward",
        _group_norm,
        _all_marked(_groups, lambda call: (2,)),
        _example(2, 4, 4, 4, groups=2),
        CONDITIONING,
    ),
)

# The student's functions that each of the checks' layers is about.
LAYERS = {
    "max_pool": ("max_pool_forward", "max_pool_backward"),
    "avg_pool": ("avg_pool_forward", "avg_pool_backward"),
    "batch_norm": ("batch_norm_forward", "batch_norm_backward"),
    "spatial_batch_norm": ("spatial_batch_norm_forward", "spatial_batch_norm_backward"),
    "layer_norm": ("layer_norm_forward", "layer_norm_backward"),
    "group_norm": ("group_norm_forward", "group_norm_backward"),
    "fold_weight": ("fold_weight", ""),
    "fold_bias": ("fold_bias", ""),
}

# Right sample submissions that are measured as styles too.
SAMPLES = ("graph_form", "loops", "single_precision")
MUTATED_STYLES = ("loops",)
