"""Residual networks as functions of a state dict.

Written from K. He, X. Zhang, S. Ren and J. Sun, *Deep Residual Learning for Image Recognition*
(2016), figures 2 and 5 and table 1, with two things as torchvision has them: its names, and the
stride of a bottleneck on the 3×3 convolution.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autograder.check.record import Array

if TYPE_CHECKING:
    from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
Numbers = MutableMapping[str, "Tensor"]

LAYERS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
DEEP = 50  # from here on blocks are bottlenecks
EXPANSION = 4
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Style:
    """How a network is put together. The defaults are right; all else is a misconception.

    Attributes:
        add: when the shortcut is added: before the last ReLU, after it, never; or joined to the
            channels.
        shortcut_from: what is carried past the branch.
        shortcut_relu: whether the shortcut has a ReLU of its own.
        shortcut_norm: whether it is normalized where it has a convolution.
        quiet: convolutions after which the ReLU is missing.
        last_relu: whether there is a ReLU after the addition.
        stride_on: which convolution has the stride; None is the 3×3 of a bottleneck, else the
            first.
        norms_swapped: whether the first two batch norms have changed places.
        input_in_place: whether the branch starts with a ReLU that overwrites its input.
        detached: whether no gradient comes back through the shortcut.
        frozen: whether no gradient comes back through the branch.
        statistics: whose mean and variance normalize: of the batch in training and the running
            ones otherwise ("mode"), or one of both always.
        stem_relu, stem_pool: what follows the first batch norm.
        head: what makes one number of a map.
        strides: of the four layers.
        every_block: whether each block of a layer has its stride, not only the first.
        probabilities: whether scores go through a softmax.
    """

    add: str = "before"
    shortcut_from: str = "input"
    shortcut_relu: bool = False
    shortcut_norm: bool = True
    quiet: tuple[int, ...] = ()
    last_relu: bool = True
    stride_on: int | None = None
    norms_swapped: bool = False
    input_in_place: bool = False
    detached: bool = False
    frozen: bool = False
    statistics: str = "mode"
    stem_relu: bool = True
    stem_pool: str = "max"
    head: str = "mean"
    strides: tuple[int, ...] = (1, 2, 2, 2)
    every_block: bool = False
    probabilities: bool = False


RIGHT = Style()


@dataclass(frozen=True)
class Draft:
    """Which names and shapes a state dict has. The defaults are right.

    Attributes:
        bias: whether the convolutions have one.
        shortcut: where there is a convolution in it: where shapes differ, always, never, or only
            where the image shrinks, or only where the channels differ.
        shortcut_kernel: its size.
        shortcut_norm: whether it has a batch norm.
        expansion: of bottlenecks.
        layers: how many blocks, if not those of the table.
        doubled: whether the channels double from layer to layer.
    """

    bias: bool = False
    shortcut: str = "different"
    shortcut_kernel: int = 1
    shortcut_norm: bool = True
    expansion: int = EXPANSION
    layers: tuple[int, ...] = ()
    doubled: bool = True


PLAN = Draft()


def basic_block_shapes(
    c_in: int, channels: int, stride: int = 1, skip: bool = True, draft: Draft = PLAN
) -> Shapes:
    """What the state dict of a basic block holds."""
    convolutions = [(c_in, channels, 3), (channels, channels, 3)]
    return _block(convolutions, stride, skip, draft)


def bottleneck_shapes(c_in: int, channels: int, stride: int = 1, draft: Draft = PLAN) -> Shapes:
    """What the state dict of a bottleneck holds."""
    wide = draft.expansion * channels
    convolutions = [(c_in, channels, 1), (channels, channels, 3), (channels, wide, 1)]
    return _block(convolutions, stride, True, draft)


def resnet_shapes(
    depth: int, num_classes: int = 1000, width: int = 64, draft: Draft = PLAN
) -> Shapes:
    """What the state dict of a ResNet holds, by torchvision's names."""
    deep, c = depth >= DEEP, width
    found = {**_conv("conv1", 3, width, 7, draft.bias), **_norm("bn1", width)}
    for number, count in enumerate(draft.layers or LAYERS[depth]):
        channels = width * 2**number if draft.doubled else width
        for place in range(count):
            make = bottleneck_shapes if deep else basic_block_shapes
            shapes = make(c, channels, 2 if number and not place else 1, draft=draft)
            found |= {f"layer{number + 1}.{place}.{name}": s for name, s in shapes.items()}
            c = channels * (draft.expansion if deep else 1)
    return {**found, "fc.weight": (num_classes, c), "fc.bias": (num_classes,)}


def _block(
    convolutions: list[tuple[int, int, int]], stride: int, skip: bool, draft: Draft
) -> Shapes:
    found: Shapes = {}
    for number, (before, after, k) in enumerate(convolutions, 1):
        found |= _conv(f"conv{number}", before, after, k, draft.bias) | _norm(f"bn{number}", after)
    c_in, c_out = convolutions[0][0], convolutions[-1][1]
    wanted = {
        "different": stride != 1 or c_in != c_out,
        "always": True,
        "never": False,
        "stride": stride != 1,
        "channels": c_in != c_out,
    }[draft.shortcut]
    if wanted and skip:
        found |= _conv("downsample.0", c_in, c_out, draft.shortcut_kernel, draft.bias)
        found |= _norm("downsample.1", c_out) if draft.shortcut_norm else {}
    return found


def _conv(name: str, c_in: int, c_out: int, k: int, bias: bool) -> Shapes:
    return {f"{name}.weight": (c_out, c_in, k, k), **({f"{name}.bias": (c_out,)} if bias else {})}


def _norm(name: str, channels: int) -> Shapes:
    vectors = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{kind}": (channels,) for kind in vectors} | {f"{name}.num_batches_tracked": ()}


def drawn(rng: np.random.Generator, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Random numbers for a state dict, none of which a right network could leave out."""
    return {name: _numbers(rng, name, shape) for name, shape in shapes.items()}


def _numbers(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    if name.endswith("num_batches_tracked"):
        return np.zeros((), np.int64)
    if name.endswith("running_var"):
        return rng.uniform(0.5, 2.0, shape)
    if len(shape) == 1:
        return _vector(rng, name, shape)
    return rng.standard_normal(shape) * float(np.sqrt(2 / np.prod(shape[1:])))


def _vector(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    if name.endswith("weight"):  # of a batch norm
        return rng.uniform(0.4, 1.2, shape)
    array = 0.4 * rng.standard_normal(shape)
    if name.endswith("bias"):
        # So low that whole windows are below 0: else max pooling hides that a ReLU is missing.
        array[0] -= 1.5
    return array


@dataclass(frozen=True)
class _Part:
    """A part of a network: the numbers below a prefix, and how it is used."""

    state: Numbers
    prefix: str
    training: bool
    style: Style

    def has(self, name: str) -> bool:
        return f"{self.prefix}{name}.weight" in self.state

    def conv(self, name: str, x: "Tensor", stride: int = 1) -> "Tensor":
        from torch.nn import functional

        w = self.state[f"{self.prefix}{name}.weight"]
        return functional.conv2d(x, w, None, stride, (w.shape[2] - 1) // 2)

    def norm(self, name: str, x: "Tensor") -> "Tensor":
        """Batch norm; in training the running statistics in ``state`` move."""
        from torch.nn import functional

        vectors = ("running_mean", "running_var", "weight", "bias")
        mean, var, gamma, beta = (self.state[f"{self.prefix}{name}.{kind}"] for kind in vectors)
        ways = {"mode": self.training, "batch": True, "running": False}
        batch = ways[self.style.statistics]
        if batch and self.training:
            self.state[f"{self.prefix}{name}.num_batches_tracked"] += 1
        if not self.training:
            mean, var = mean.clone(), var.clone()
        return functional.batch_norm(x, mean, var, gamma, beta, batch, 0.1, 1e-5)

    def below(self, prefix: str) -> "_Part":
        return _Part(self.state, f"{self.prefix}{prefix}.", self.training, self.style)


def block(
    state: Numbers,
    x: "Tensor",
    training: bool,
    *,
    stride: int = 1,
    skip: bool = True,
    style: Style = RIGHT,
    **_: int,
) -> "Tensor":
    """A basic block or a bottleneck, whichever the state dict has; x is (N, C, H, W)."""
    return _blocked(_Part(state, "", training, style), x, stride, skip)


def _blocked(part: _Part, x: "Tensor", stride: int, skip: bool = True) -> "Tensor":
    style, count = part.style, 3 if part.has("conv3") else 2
    if style.input_in_place:
        x = x.relu()
    at = count - 2 if style.stride_on is None else style.stride_on % count
    h = kept = x
    for i in range(count):
        # Two norms can only be swapped where they have as many channels.
        name = f"bn{2 - i if style.norms_swapped and i < 2 else i + 1}"
        h = part.norm(name, part.conv(f"conv{i + 1}", h, stride if i == at else 1))
        if i < count - 1 and i not in style.quiet:
            h = h.relu()
        kept = h if i == 0 and style.shortcut_from == "first" else kept
    h = h.detach() if style.frozen else h
    return _joined(part, h, kept, stride) if skip and style.add != "never" else _last(style, h)


def _last(style: Style, h: "Tensor") -> "Tensor":
    return h.relu() if style.last_relu else h


def _joined(part: _Part, h: "Tensor", x: "Tensor", stride: int) -> "Tensor":
    import torch

    style = part.style
    shortcut = x.detach() if style.detached else x
    if part.has("downsample.0") and style.shortcut_from == "input":
        shortcut = part.conv("downsample.0", shortcut, stride)
        shortcut = part.norm("downsample.1", shortcut) if style.shortcut_norm else shortcut
    shortcut = shortcut.relu() if style.shortcut_relu else shortcut
    if style.add == "after":
        return h.relu() + shortcut
    if style.add == "channels":
        return _last(style, torch.cat([h, shortcut], 1))
    return _last(style, h + shortcut)


def resnet(
    state: Numbers,
    x: "Tensor",
    training: bool,
    *,
    depth: int,
    style: Style = RIGHT,
    **_: int,
) -> "Tensor":
    """The scores (N, classes) of images (N, 3, H, W)."""
    from torch.nn import functional

    part = _Part(state, "", training, style)
    h = part.norm("bn1", part.conv("conv1", x, 2))
    h = h.relu() if style.stem_relu else h
    if style.stem_pool == "max":
        h = functional.max_pool2d(h, 3, 2, 1)
    elif style.stem_pool == "mean":
        h = functional.avg_pool2d(h, 3, 2, 1)
    for name, stride in _blocks(depth, style):
        h = _blocked(part.below(name), h, stride)
    return _scores(state, h, style)


def _scores(state: Numbers, h: "Tensor", style: Style) -> "Tensor":
    heads: dict[str, Callable[[Tensor], Tensor]] = {
        "mean": lambda maps: maps.mean((2, 3)),
        "max": lambda maps: maps.amax((2, 3)),
        "sum": lambda maps: maps.sum((2, 3)),
        "corner": lambda maps: maps[:, :, 0, 0],
    }
    scores = heads[style.head](h) @ state["fc.weight"].T + state["fc.bias"]
    return scores.softmax(1) if style.probabilities else scores


def _blocks(depth: int, style: Style) -> Iterator[tuple[str, int]]:
    """The names of the blocks, and their strides."""
    for number, count in enumerate(LAYERS[depth]):
        for place in range(count):
            strided = place == 0 or style.every_block
            yield f"layer{number + 1}.{place}", style.strides[number] if strided else 1
