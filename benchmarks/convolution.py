"""How fast is the lesson's convolution? Ratios against named peers, measured in one run."""

import argparse
import runpy
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
import matplotlib.pyplot as plt
import numpy as np
import torch
from tabulate import tabulate
from torch.nn.functional import conv2d

LESSON = Path(__file__).parents[1] / "source" / "2-convolution" / "convolution.py"
CELLS = ("conv-forward", "conv-backward")
HEADERS = (
    "layer",
    "dtype",
    "pass",
    "time /\ntorch",
    "time / bare\nproducts",
    "naive loops /\ntime",
    "extra memory /\n(input + output)",
)

Array = np.ndarray[Any, Any]
DType = type[np.floating[Any]]
Functions = Mapping[str, Callable[..., Any]]
Passes = tuple[Callable[[], Any], Callable[[], Any]]  # forward, backward


@dataclass(frozen=True)
class Layer:
    """A convolution layer with x: (N, C_in, H, W) and w: (C_out, C_in, K_H, K_W)."""

    name: str
    x: tuple[int, int, int, int]
    w: tuple[int, int, int, int]
    stride: int
    padding: int

    def __str__(self) -> str:
        x, w = (",".join(map(str, shape)) for shape in (self.x, self.w))
        return f"{self.name} ({x})*({w}) s{self.stride} p{self.padding}"


@dataclass(frozen=True)
class Data:
    """What a layer computes with: input, weights, bias, and the gradient of the output."""

    x: Array
    w: Array
    b: Array
    dout: Array

    def first_image(self) -> "Data":
        """The same layer on a batch of one."""
        return Data(self.x[:1], self.w, self.b, self.dout[:1])


@dataclass(frozen=True)
class Row:
    """One row of the table: the reference against its peers on one layer, dtype and pass."""

    layer: str
    dtype: str
    direction: str
    over_torch: float
    over_products: float
    naive_over: float
    extra_memory: float


LAYERS = (
    Layer("CS231n", (100, 3, 31, 31), (25, 3, 3, 3), stride=2, padding=1),
    Layer("body", (32, 64, 32, 32), (64, 64, 3, 3), stride=1, padding=1),
    Layer("stem", (8, 3, 128, 128), (64, 3, 7, 7), stride=2, padding=3),
)


def from_lesson(path: Path) -> Functions:
    """What the solution cells `CELLS` of a lesson in percent format define."""
    cells = {cell.metadata.get("solution"): cell.source for cell in jupytext.read(path).cells}
    names: dict[str, Any] = {"np": np}
    for cell in CELLS:
        exec(compile(cells[cell], f"{path}:{cell}", "exec"), names)
    return names


def from_module(name: str) -> Functions:
    """What the module in a file defines; raises ArgumentTypeError where it lacks a function."""
    if not Path(name).is_file():
        raise argparse.ArgumentTypeError(f"{name}: no such file")
    names = runpy.run_path(name)
    missing = {"conv_forward", "conv_backward"} - names.keys()
    if missing:
        raise argparse.ArgumentTypeError(f"{name}: does not define {' and '.join(sorted(missing))}")
    return names


def draw(layer: Layer, dtype: DType) -> Data:
    """Random arrays of the layer's shapes."""
    random = np.random.default_rng(0)
    x, w = torch.empty(layer.x, device="meta"), torch.empty(layer.w, device="meta")
    out = conv2d(x, w, stride=layer.stride, padding=layer.padding)
    shapes = (layer.x, layer.w, layer.w[:1], tuple(out.shape))
    return Data(*(random.standard_normal(shape).astype(dtype) for shape in shapes))


def reference_passes(functions: Functions, data: Data, layer: Layer) -> Passes:
    """The lesson's solution, its backward pass with the cache of one forward pass."""
    arrays = (data.x, data.w, data.b)
    forward = partial(functions["conv_forward"], *arrays, layer.stride, layer.padding)
    return forward, partial(functions["conv_backward"], data.dout, forward()[1])


def torch_passes(data: Data, layer: Layer) -> Passes:
    """PyTorch: forward without a graph, backward through a graph that is kept."""
    leaves = [torch.from_numpy(array).requires_grad_() for array in (data.x, data.w, data.b)]
    forward = partial(conv2d, *leaves, stride=layer.stride, padding=layer.padding)
    dout = torch.from_numpy(data.dout)
    backward = partial(torch.autograd.grad, forward(), leaves, dout, retain_graph=True)
    return torch.no_grad()(forward), backward


def product_passes(data: Data) -> Passes:
    """Only the matrix products, one an image (two backward), on operands already laid out."""
    n, c_out = data.dout.shape[:2]
    w = data.w.reshape(c_out, -1)
    dout = data.dout.reshape(n, c_out, -1)
    columns = np.ones((n, w.shape[1], dout.shape[2]), w.dtype)
    out, dw, dcolumns = np.empty_like(dout), np.empty((n, *w.shape), w.dtype), columns.copy()

    def backward() -> None:
        np.matmul(dout, columns.swapaxes(1, 2), out=dw)
        np.matmul(w.T, dout, out=dcolumns)

    return partial(np.matmul, w, columns, out=out), backward


def naive_passes(data: Data, layer: Layer) -> Passes:
    """Four loops over the output, the way most of us write it first."""
    return partial(naive_forward, data, layer), partial(naive_backward, data, layer)


def naive_forward(data: Data, layer: Layer) -> Array:
    """Each output pixel multiplies one patch by one filter and sums."""
    x, out = padded(data.x, layer), np.empty_like(data.dout)
    for n, f, i, j in np.ndindex(out.shape):
        out[n, f, i, j] = np.sum(x[n][patch(i, j, layer)] * data.w[f]) + data.b[f]
    return out


def naive_backward(data: Data, layer: Layer) -> tuple[Array, Array, Array]:
    """Each output pixel sends its gradient to the patch and to the filter that made it."""
    x, dw, p = padded(data.x, layer), np.zeros_like(data.w), layer.padding
    dx = np.zeros_like(x)
    for n, f, i, j in np.ndindex(data.dout.shape):
        dw[f] += data.dout[n, f, i, j] * x[n][patch(i, j, layer)]
        dx[n][patch(i, j, layer)] += data.dout[n, f, i, j] * data.w[f]
    height, width = x.shape[2:]
    return dx[:, :, p : height - p, p : width - p], dw, data.dout.sum(axis=(0, 2, 3))


def padded(x: Array, layer: Layer) -> Array:
    """The images with the layer's border of zeros."""
    p = layer.padding
    return np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))


def patch(i: int, j: int, layer: Layer) -> tuple[slice, slice, slice]:
    """Where in a padded image the output pixel (i, j) looks."""
    (k_h, k_w), s = layer.w[2:], layer.stride
    return slice(None), slice(i * s, i * s + k_h), slice(j * s, j * s + k_w)


def require_agreement(passes: Passes, data: Data, layer: Layer) -> None:
    """Only right answers are worth timing: raises AssertionError where torch's are different."""
    forward, backward = passes
    out = forward()
    answers = (out[0] if isinstance(out, tuple) else out, *backward())
    torch_forward, torch_backward = torch_passes(data, layer)
    for got, tensor in zip(answers, (torch_forward(), *torch_backward()), strict=True):
        want = tensor.numpy()
        tolerance = 1000 * np.finfo(want.dtype).eps * np.abs(want).max()
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance)


def measure(functions: Functions, layer: Layer, dtype: DType, rounds: int) -> Iterator[Row]:
    """The forward and the backward row of a layer."""
    data, image = draw(layer, dtype), draw(layer, dtype).first_image()
    reference = reference_passes(functions, data, layer)
    naive = naive_passes(image, layer)
    require_agreement(reference, data, layer)
    require_agreement(naive, image, layer)
    every = (reference, torch_passes(data, layer), product_passes(data))
    for which, direction in enumerate(("forward", "backward")):
        ours, torchs, products = take_turns([passes[which] for passes in every], rounds)
        # One image, a few rounds, out of turn: the loops take hundreds of times as long.
        (loops,) = take_turns([naive[which]], max(1, rounds // 10))
        yield Row(
            layer=str(layer),
            dtype=np.dtype(dtype).name,
            direction=direction,
            over_torch=ratio(ours, torchs),
            over_products=ratio(ours, products),
            naive_over=median(loops) * layer.x[0] / median(ours),
            extra_memory=extra_memory(reference[which]) / (data.x.nbytes + data.dout.nbytes),
        )


def table(rows: Sequence[Row]) -> str:
    """The rows as text. Ratios of times below 1 mean that the lesson's solution is faster."""
    formats = ("", "", "", ".2f", ".2f", ",.0f", ".2f")
    return tabulate([astuple(row) for row in rows], HEADERS, floatfmt=formats)


def conditions(rounds: int) -> str:
    """What was compared with what, in a few lines under the table."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return (
        f"NumPy {np.__version__} with {blas['name']} {blas['version']}, "
        f"torch {torch.__version__} using {torch.backends.cpu.get_cpu_capability()}; "
        f"one thread; processor time; median of {rounds} rounds.\n"
        "bare products: np.matmul of (C_out, C_in K_H K_W) by (C_in K_H K_W, H' W'), one an image; "
        "backward the two for dw and dx.\n"
        "naive loops: over n, c_out, i, j; measured on one image and scaled to the batch."
    )


def draw_figure(rows: Sequence[Row], path: Path) -> None:
    """Bars of the two ratios of times of each row, with a line at 1."""
    figure, axes = plt.subplots(figsize=(8, 0.45 * len(rows) + 1.5), layout="constrained")
    places = np.arange(len(rows))
    axes.barh(places - 0.2, [row.over_torch for row in rows], 0.4, label="time / torch")
    axes.barh(places + 0.2, [row.over_products for row in rows], 0.4, label="time / bare products")
    axes.set_yticks(places, [f"{row.layer}\n{row.dtype} {row.direction}" for row in rows], size=7)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("ratio of times, one thread; left of the line is faster than the peer")
    axes.legend()
    figure.savefig(path)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="3 rounds, two layers, float32 only")
    parser.add_argument(
        "--reference",
        type=from_module,
        metavar="FILE.py",
        help="take conv_forward and conv_backward from this module instead of the lesson",
    )
    parser.add_argument("--figure", type=Path, metavar="PATH", help="also draw the ratios here")
    return parser.parse_args()


def main() -> None:
    """Measures every layer and prints the table."""
    options = arguments()
    torch.set_num_threads(1)
    keep_freed_memory()
    functions = options.reference or from_lesson(LESSON)
    dtypes: list[DType] = [np.float32] if options.quick else [np.float32, np.float64]
    rounds = 3 if options.quick else 30
    rows: list[Row] = []
    for dtype in dtypes:
        for layer in LAYERS[:2] if options.quick else LAYERS:
            print(f"measuring {layer} {dtype.__name__}", file=sys.stderr)
            rows += measure(functions, layer, dtype, rounds)
    print(table(rows), conditions(rounds), sep="\n\n")
    if options.figure:
        draw_figure(rows, options.figure)


if __name__ == "__main__":
    main()
