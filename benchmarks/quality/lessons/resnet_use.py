"""The truth of what the fifth lesson does with a network: cost, training, gradients, NumPy."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.quality import tensors
from benchmarks.quality.lessons.resnet_nets import Basic, Deep, Residual
from benchmarks.quality.truth import SINGLE, Array, Call, Namespace, ProcedureTruth, WrongError

Rng = np.random.Generator
Make = Callable[[], nn.Module]


def _classifier() -> nn.Module:
    """A net for images (N, 3, H, W) whose parameters do not come in the order of their use."""
    net = nn.Sequential()
    head = nn.Linear(5, 4)
    parts = (Basic(3, 4, 2), nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    for number, part in enumerate((*parts, nn.Flatten(), head)):
        net.add_module(str(number), part)
    return net


def _norms_only() -> nn.Module:
    """Layers without a convolution among others with one."""
    pooled = (nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 6), nn.BatchNorm1d(6))
    return nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1), *pooled, nn.Linear(6, 3))


def _grouped() -> nn.Module:
    """Every kind of convolution that the lesson speaks of."""
    return nn.Sequential(
        nn.Conv2d(4, 6, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 4, 2, stride=2, dilation=2, bias=False), nn.BatchNorm2d(4),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 2),
    )  # fmt: skip


def _truth(name: str, ask: Any, right: Any, calls: Any) -> ProcedureTruth:
    """Its example is the first of its calls, drawn anew."""
    return ProcedureTruth((name,), ask, right, calls, next(calls(np.random.default_rng(0))))


def _costly(rng: Rng) -> Iterator[Call]:
    """Nets, and the shape of one image."""
    nets: tuple[tuple[Make, tuple[int, ...]], ...] = (
        (lambda: Basic(4, 4), (4, 4, 4)),
        (lambda: Basic(3, 4, 2), (3, 8, 6)),
        (lambda: Deep(3, 2, 2), (3, 9, 7)),
        (_grouped, (4, 12, 17)),
        (_classifier, (3, 9, 12)),
        (lambda: Residual(18, 10, 4), (3, 40, 33)),
        (lambda: nn.Linear(7, 3), (7,)),
    )
    for make, shape in nets:
        for training in (True, False):
            yield Call((), (make, shape, training))


def _asked_cost(scope: Namespace, call: Call) -> list[Any]:
    make, shape, training = call.others
    net = make().train(training)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    counts = [scope["cost"](net, shape) for _ in range(2)]
    after = net.state_dict()
    if not all(torch.equal(value, before[name]) for name, value in after.items()):
        raise WrongError("the net's numbers are changed")
    if any(m._forward_hooks for m in net.modules()) or net.training is not training:
        raise WrongError("the net is not as it was")
    if any(m.training is not training for m in net.modules()):
        raise WrongError("a part of the net is in another mode")
    return [np.asarray([float(n) for n in count]) for count in counts]


def _right_cost(call: Call) -> list[Any]:
    make, shape, _ = call.others
    net = make().eval()
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, *shape))
    parameters = sum(part.numel() for part in net.parameters())
    return [np.array([parameters, counter.get_total_flops() // 2])] * 2


def _runs(rng: Rng) -> Iterator[Call]:
    """Nets with their numbers, batches, and rates."""
    for make, shape, options in (
        (_classifier, (4, 3, 8, 8), {"learning_rate": 0.1}),
        (_classifier, (5, 3, 7, 9), {"learning_rate": 0.05, "momentum": 0.5}),
        (_norms_only, (6, 3, 4, 5), {"learning_rate": 0.02, "momentum": 0.0}),
        (_norms_only, (3, 3, 5, 4), {"learning_rate": 0.1, "momentum": 0.8}),
    ):
        for count in (3, 1, 5):
            batches = [_batch(rng, shape) for _ in range(count)]
            state = tensors.state_for(make(), rng)
            yield Call((), (make, state, batches), options, tolerance=SINGLE)


def _batch(rng: Rng, shape: tuple[int, ...]) -> tuple[Array, Array]:
    return rng.standard_normal(shape), rng.integers(0, 3, shape[0])


def _net(make: Make, state: dict[str, Array], training: bool) -> Any:
    return tensors.loaded(make(), state).train(training)


def _asked_training(scope: Namespace, call: Call) -> list[Any]:
    make, state, batches = call.others
    net = _net(make, state, training=False)
    given = [(torch.tensor(x), torch.tensor(y)) for x, y in batches]
    losses = scope["train"](net, iter(given), **call.options)
    for pair, before in zip(given, batches, strict=True):
        for value, array in zip(pair, before, strict=True):
            tensors.require_same(value, array)
    if not isinstance(losses, (list, tuple)):
        raise WrongError("no list of losses")
    return [np.array([float(loss) for loss in losses]), *_numbers_of(net)]


def _numbers_of(net: nn.Module) -> list[Array]:
    return [tensors.numbers(value) for _, value in sorted(net.state_dict().items())]


def _right_training(call: Call) -> list[Any]:
    """Step by step, without an optimizer."""
    make, state, batches = call.others
    net, losses = _net(make, state, training=True), []
    rate, rho = call.options["learning_rate"], call.options.get("momentum", 0.9)
    velocity = [torch.zeros_like(part) for part in net.parameters()]
    for x, y in batches:
        loss = functional.cross_entropy(net(torch.tensor(x)), torch.tensor(y))
        gradients = torch.autograd.grad(loss, list(net.parameters()))
        velocity = [rho * v + g for v, g in zip(velocity, gradients, strict=True)]
        with torch.no_grad():
            for part, v in zip(net.parameters(), velocity, strict=True):
                part -= rate * v
        losses.append(loss.item())
    return [np.array(losses), *_numbers_of(net)]


def _labelled(rng: Rng) -> Iterator[Call]:
    """Nets with their numbers, images and labels."""
    for make, classes in ((_classifier, 4), (_norms_only, 3)):
        for shape in ((4, 3, 8, 8), (11, 3, 7, 9), (2, 3, 6, 5), (25, 3, 5, 5)):
            for _ in range(3):
                given = (rng.standard_normal(shape), rng.integers(0, classes, shape[0]))
                yield Call(given, (make, tensors.state_for(make(), rng)), tolerance=SINGLE)


def _asked_accuracy(scope: Namespace, call: Call) -> list[Any]:
    x, y = map(torch.tensor, call.arrays)
    make, state = call.others
    net = _net(make, state, training=True)
    share = float(scope["accuracy"](net, x, y))
    tensors.require_same(x, call.arrays[0])
    tensors.require_same(y, call.arrays[1])
    return [np.array(share), *_numbers_of(net)]


def _right_accuracy(call: Call) -> list[Any]:
    x, y = map(torch.tensor, call.arrays)
    make, state = call.others
    net = _net(make, state, training=False)
    right = [int(net(x[i : i + 1])[0].argmax() == y[i]) for i in range(len(y))]
    return [np.mean(right), *_numbers_of(net)]


def _asked_norms(scope: Namespace, call: Call) -> list[Any]:
    """Twice: the second time, the net has gradients already."""
    x, y = map(torch.tensor, call.arrays)
    make, state = call.others
    net, found = _net(make, state, training=True), []
    for _ in range(2):
        norms = scope["gradient_norms"](net, x, y)
        found.append(np.array([float(norm) for norm in norms]))
    tensors.require_same(x, call.arrays[0])
    tensors.require_same(y, call.arrays[1])
    return found


def _right_norms(call: Call) -> list[Any]:
    x, y = map(torch.tensor, call.arrays)
    make, state = call.others
    net = _net(make, state, training=True)
    loss = functional.cross_entropy(net(x), y)
    weights = [part for part in net.parameters() if part.ndim == 4]
    squares = [part.square().sum() for part in torch.autograd.grad(loss, weights)]
    return [np.sqrt([square.item() for square in squares])] * 2


def _fields(rng: Rng) -> Iterator[Call]:
    """Kernel size, dilation and depth of a stack, and the size of an image."""
    for k, dilation, depth, more in (
        (3, 1, 1, 4), (3, 4, 1, 30), (7, 3, 1, 22), (1, 1, 1, 5), (3, 2, 3, 20), (5, 1, 2, 8),
        (7, 3, 1, 0), (3, 1, 2, 0), (5, 2, 1, 0),
    ):  # fmt: skip
        yield Call((), (k, dilation, depth, 1 + depth * dilation * (k - 1) + more))


def _asked_field(scope: Namespace, call: Call) -> list[Any]:
    k, dilation, depth, size = call.others
    sizes = [2, *[3] * depth]
    layers = [
        nn.Conv2d(c_in, c_out, k, padding="same", dilation=dilation)
        for c_in, c_out in pairwise(sizes)
    ]
    return [np.asarray(float(scope["receptive_field"](nn.Sequential(*layers), 2, size)))]


def _right_field(call: Call) -> list[Any]:
    k, dilation, depth, _ = call.others
    return [np.asarray(1 + depth * dilation * (k - 1))]


def _scored(rng: Rng) -> Iterator[Call]:
    """Images, and the numbers of a net for so many classes, of that width."""
    shapes = ((2, 3, 32, 32), (2, 3, 40, 33), (1, 3, 64, 48))
    for classes, width, shape in zip((4, 5, 3), (4, 4, 3), shapes, strict=True):
        state = tensors.state_for(Residual(18, classes, width), rng)
        yield Call((rng.standard_normal(shape),), (classes, width, state), tolerance=SINGLE)


def _asked_scores(scope: Namespace, call: Call) -> list[Any]:
    x, state = call.arrays[0].copy(), {k: a.copy() for k, a in call.others[2].items()}
    scores = np.array(scope["numpy_resnet18"](state, x))
    pairs = [(x, call.arrays[0]), *((state[name], a) for name, a in call.others[2].items())]
    if not all(np.array_equal(after, before) for after, before in pairs):
        raise WrongError("an argument is changed")
    return [scores]


def _right_scores(call: Call) -> list[Any]:
    classes, width, state = call.others
    net = tensors.loaded(Residual(18, classes, width), state).eval()
    return [net(torch.tensor(call.arrays[0]))]


TRUTHS = (
    _truth("cost", _asked_cost, _right_cost, _costly),
    _truth("train", _asked_training, _right_training, _runs),
    _truth("accuracy", _asked_accuracy, _right_accuracy, _labelled),
    _truth("gradient_norms", _asked_norms, _right_norms, _labelled),
)
FIELD = _truth("receptive_field", _asked_field, _right_field, _fields)
SCORES = _truth("numpy_resnet18", _asked_scores, _right_scores, _scored)
