"""How fast are the lesson's pooling and batch norm? Ratios against named peers, in one run."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

# Before NumPy and torch: it sets the number of threads, which they read when they are loaded.
from turns import extra_memory, keep_freed_memory, ratio, take_turns  # isort: skip

import jupytext
import numpy as np
import torch
from tabulate import tabulate
from torch.nn import functional

SOURCE = Path(__file__).parents[1] / "source"
LESSON = SOURCE / "3-pooling-normalization" / "pooling_normalization.py"
CELLS = (
    "max-pool-forward",
    "max-pool-backward",
    "avg-pool",
    "batch-norm-forward",
    "batch-norm-backward-simple",
    "spatial-batch-norm",
)
HEADERS = (
    "layer",
    "dtype",
    "pass",
    "time /\ntorch",
    "naive loops /\ntime",
    "extra memory /\n(input + output)",
)

Array = np.ndarray[Any, Any]
DType = type[np.floating[Any]]
Run = Callable[[], Any]
Functions = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Data:
    """What a layer computes with, and the gradient of its output."""

    x: Array
    parameters: tuple[Array, ...]
    state: tuple[Array, ...]
    dout: Array

    def one_channel(self) -> "Data":
        """The layer on its first channel or feature alone."""
        several = (self.parameters, self.state)
        parameters, state = (tuple(array[:1] for array in arrays) for arrays in several)
        return Data(self.x[:, :1], parameters, state, self.dout[:, :1])


@dataclass(frozen=True)
class Layer:
    """A layer of the lesson: its functions, its peers, and how the output is shaped."""

    name: str
    shape: tuple[int, ...]
    forward: str
    backward: str
    torch: Callable[..., Any]  # of x, parameters and state
    naive: Callable[[Data], tuple[Run, Run]]
    options: tuple[int, ...] = ()
    normalizes: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({','.join(map(str, self.shape))})"


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    layer: str
    dtype: str
    direction: str
    over_torch: float
    naive_over: float | None
    extra_memory: float | None


def from_lesson(path: Path) -> Functions:
    """What the solution cells `CELLS` of the lesson define."""
    cells = {cell.metadata.get("solution"): cell.source for cell in jupytext.read(path).cells}
    names: dict[str, Any] = {"np": np}
    for cell in CELLS:
        exec(compile(cells[cell], f"{path}:{cell}", "exec"), names)
    return names


def draw(layer: Layer, dtype: DType) -> Data:
    """Random arrays for a layer."""
    random = np.random.default_rng(0)

    def normal(shape: Sequence[int]) -> Array:
        return random.standard_normal(shape).astype(dtype)

    x, count = normal(layer.shape), 2 if layer.normalizes else 0
    parameters = tuple(normal(layer.shape[1:2]) for _ in range(count))
    state = tuple(normal(layer.shape[1:2]) ** 2 for _ in range(count))
    tensors = [torch.from_numpy(array) for array in (x, *parameters, *state)]
    return Data(x, parameters, state, normal(layer.torch(*tensors).shape))


def lesson_passes(functions: Functions, layer: Layer, data: Data) -> tuple[Run, Run]:
    """The lesson's solution, its backward pass with the cache of one forward pass."""
    given = (data.x, *data.parameters, *data.state, *layer.options)
    forward = partial(functions[layer.forward], *given)
    backward, cache = functions[layer.backward], forward()[1]
    # Gradients as a tuple, also where there is only one.
    return forward, lambda: _tuple(backward(data.dout, cache))


def _tuple(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


def torch_passes(layer: Layer, data: Data) -> tuple[Run, Run]:
    """PyTorch: forward without a graph, backward through a graph that is kept."""
    leaves = [torch.tensor(array, requires_grad=True) for array in (data.x, *data.parameters)]
    state = [torch.tensor(array) for array in data.state]
    forward = partial(layer.torch, *leaves, *state)
    dout = torch.from_numpy(data.dout)
    backward = partial(torch.autograd.grad, forward(), leaves, dout, retain_graph=True)
    return torch.no_grad()(forward), backward


def naive_pool(kernel_size: int, stride: int, largest: bool) -> Callable[[Data], tuple[Run, Run]]:
    """Four loops over the output."""

    def windows(data: Data) -> Iterator[tuple[tuple[int, ...], tuple[Any, ...]]]:
        for place in np.ndindex(data.dout.shape):
            n, c, i, j = place
            rows = slice(i * stride, i * stride + kernel_size)
            yield place, (n, c, rows, slice(j * stride, j * stride + kernel_size))

    def forward(data: Data) -> Array:
        out = np.empty_like(data.dout)
        for place, seen in windows(data):
            out[place] = data.x[seen].max() if largest else data.x[seen].mean()
        return out

    def backward(data: Data) -> Array:
        dx = np.zeros_like(data.x)
        for place, seen in windows(data):
            part = data.x[seen]
            share = part == part.max() if largest else 1 / part.size
            dx[seen] += data.dout[place] * share
        return dx

    return lambda data: (partial(forward, data), partial(backward, data))


def naive_batch_norm(data: Data) -> tuple[Run, Run]:
    """A loop over every number, as it is written in C."""
    (gamma,), (beta,) = data.parameters
    xs, douts = data.x.ravel(), data.dout.ravel()

    def normalized() -> tuple[list[float], float]:
        mean = sum(xs) / len(xs)
        std = (sum((x - mean) ** 2 for x in xs) / len(xs) + 1e-5) ** 0.5
        return [(x - mean) / std for x in xs], std

    def forward() -> list[float]:
        return [gamma * x_hat + beta for x_hat in normalized()[0]]

    x_hats, std = normalized()

    def backward() -> list[float]:
        dbeta, dgamma = sum(douts), sum(d * h for d, h in zip(douts, x_hats, strict=True))
        return [
            gamma / std * (d - dbeta / len(xs) - h * dgamma / len(xs))
            for d, h in zip(douts, x_hats, strict=True)
        ]

    return forward, backward


def batch_norm(x: Any, gamma: Any, beta: Any, mean: Any, var: Any) -> Any:
    """PyTorch's, in training mode, with the lesson's momentum."""
    return functional.batch_norm(x, mean, var, gamma, beta, training=True, momentum=0.01)


def pool(largest: bool, kernel_size: int, stride: int) -> Layer:
    """A pooling layer on 32 images with 64 channels of 32×32."""
    name, peer = ("max", functional.max_pool2d) if largest else ("avg", functional.avg_pool2d)
    return Layer(
        f"{name} pool {kernel_size}×{kernel_size} s{stride}",
        (32, 64, 32, 32),
        f"{name}_pool_forward",
        f"{name}_pool_backward",
        partial(peer, kernel_size=kernel_size, stride=stride),
        naive_pool(kernel_size, stride, largest),
        options=(kernel_size, stride),
    )


def norm(name: str, prefix: str, shape: tuple[int, ...], backward: str) -> Layer:
    """A batch norm."""
    forward = f"{prefix}batch_norm_forward"
    return Layer(name, shape, forward, backward, batch_norm, naive_batch_norm, normalizes=True)


LAYERS = (
    pool(True, 2, 2),
    pool(True, 3, 2),
    pool(False, 2, 2),
    pool(False, 3, 2),
    norm("batch norm", "", (256, 1024), "batch_norm_backward_simple"),
    norm("batch norm", "spatial_", (32, 64, 32, 32), "spatial_batch_norm_backward"),
)


def require_agreement(passes: tuple[Run, Run], layer: Layer, data: Data) -> None:
    """Only right answers are worth timing: raises AssertionError where torch's are different."""
    answers = (passes[0]()[0], *passes[1]())
    torch_forward, torch_backward = torch_passes(layer, data)
    for got, tensor in zip(answers, (torch_forward(), *torch_backward()), strict=True):
        want = tensor.numpy()
        tolerance = 1000 * np.finfo(want.dtype).eps * np.abs(want).max()
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance)


def measure(functions: Functions, layer: Layer, dtype: DType, rounds: int) -> Iterator[Row]:
    """The rows of a layer: forward, backward, and both together."""
    data = draw(layer, dtype)
    ours, torchs = lesson_passes(functions, layer, data), torch_passes(layer, data)
    require_agreement(ours, layer, data)
    naive = layer.naive(data.one_channel())
    name = (str(layer), np.dtype(dtype).name)
    each = []
    for which, direction in enumerate(("forward", "backward")):
        mine, peers = take_turns([ours[which], torchs[which]], rounds)
        (loops,) = take_turns([naive[which]], 1)
        each.append((mine, peers))
        memory = extra_memory(ours[which]) / (data.x.nbytes + data.dout.nbytes)
        scaled = median(loops) * layer.shape[1] / median(mine)
        yield Row(*name, direction, ratio(mine, peers), scaled, memory)
    both = [[a + b for a, b in zip(*times, strict=True)] for times in zip(*each, strict=True)]
    yield Row(*name, "both", ratio(*both), None, None)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="3 rounds, float32 only")
    return parser.parse_args()


def main() -> None:
    """Measures every layer and prints the table."""
    options = arguments()
    torch.set_num_threads(1)
    keep_freed_memory()
    functions = from_lesson(LESSON)
    dtypes: list[DType] = [np.float32] if options.quick else [np.float32, np.float64]
    rounds = 3 if options.quick else 30
    rows: list[Row] = []
    for dtype in dtypes:
        for layer in LAYERS:
            print(f"measuring {layer} {dtype.__name__}", file=sys.stderr)
            rows += measure(functions, layer, dtype, rounds)
    formats = ("", "", "", ".2f", ",.0f", ".2f")
    print(tabulate([astuple(row) for row in rows], HEADERS, floatfmt=formats))
    print(
        f"\nNumPy {np.__version__}, torch {torch.__version__} using "
        f"{torch.backends.cpu.get_cpu_capability()}; one thread; processor time; median of "
        f"{rounds} rounds.\nnaive loops: measured on one channel and scaled to all."
    )


if __name__ == "__main__":
    main()
