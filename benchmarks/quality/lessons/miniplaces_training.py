"""The truth of how the sixth lesson trains a net: rates, groups, steps, and what is kept."""

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.quality import tensors
from benchmarks.quality.lessons.miniplaces_nets import (
    CLASSES,
    FROZEN,
    HEIGHT,
    SETTLED,
    WIDTH,
    Rng,
    State,
    learning_mode,
    net_of,
    numbers_of,
    require_kept,
    state_of,
    truth_of,
)
from benchmarks.quality.truth import Array, Call, Namespace, WrongError

Batches = list[tuple[Array, Array]]
SIXTEEN = 0.02  # of a loss: some of what it is computed from has 8 binary digits
PEAKS, DECAY, MOMENTUM = (0.1, 0.02), 0.05, 0.9


def factor(step: int, steps: int, warmup: int) -> float:
    """Of the peak rate, by half angles."""
    falling = math.cos(math.pi / 2 * max(0, step - warmup) / (steps - warmup)) ** 2
    return min(1, (step + 1) / warmup) if step < warmup else falling


def _plans(rng: Rng) -> Iterator[Call]:
    for steps, warmup in ((10, 4), (7, 0), (30, 6), (5, 1), (12, 11), (1, 0)):
        yield Call((), (steps, warmup))


def _asked_schedule(scope: Namespace, call: Call) -> list[Any]:
    steps, warmup = call.others
    parts = [torch.nn.Parameter(torch.ones(1)) for _ in PEAKS]
    optimizer = torch.optim.SGD(
        [{"params": [part], "lr": peak} for part, peak in zip(parts, PEAKS, strict=True)]
    )
    schedule = scope["make_schedule"](optimizer, steps, warmup)
    rates = []
    for _ in range(steps):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    return [np.array([*rates, [group["lr"] for group in optimizer.param_groups]])]


def _right_schedule(call: Call) -> list[Any]:
    steps, warmup = call.others
    return [np.outer([factor(s, steps, warmup) for s in range(steps + 1)], PEAKS)]


def _groups(rng: Rng) -> Iterator[Call]:
    """A state, what is frozen, rates, and a seed for gradients."""
    for seed, (frozen, rates, options) in enumerate((
        ((), (0.2, 0.01), {}),
        ((), (0.05, 0.3), {"weight_decay": 0.3, "momentum": 0.5}),
        (FROZEN[1], (0.1, 0.1), {"weight_decay": 0.1}),
        (FROZEN[2], (0.3, 0.02), {"momentum": 0.2}),
        (("fc", "layer1"), (0.04, 0.2), {"weight_decay": 0.2}),
    )):  # fmt: skip
        yield Call((), (state_of(), frozen, rates, seed), options)


def _gradients(net: nn.Module, seed: int) -> Iterator[list[Any]]:
    """Three times a gradient for every parameter that learns."""
    rng = np.random.default_rng(seed)
    learning = [part for part in net.parameters() if part.requires_grad]
    for _ in range(3):
        yield [torch.tensor(rng.standard_normal(tuple(part.shape))) for part in learning]


def _asked_optimizer(scope: Namespace, call: Call) -> list[Any]:
    state, frozen, rates, seed = call.others
    net = net_of(state, frozen)
    before = numbers_of(net)
    optimizer = scope["make_optimizer"](net, *rates, **call.options)
    require_kept(net, before)
    learning = [part for part in net.parameters() if part.requires_grad]
    chosen = [id(part) for group in optimizer.param_groups for part in group["params"]]
    if set(chosen) != set(map(id, learning)):
        raise WrongError("not all that learns, or something frozen")
    for gradients in _gradients(net, seed):
        for part, gradient in zip(learning, gradients, strict=True):
            part.grad = gradient
        optimizer.step()
    return numbers_of(net)


def _right_optimizer(call: Call) -> list[Any]:
    state, frozen, rates, seed = call.others
    net = net_of(state, frozen)
    named = [(name, part) for name, part in net.named_parameters() if part.requires_grad]
    steps = {name: rates[0 if name.startswith("fc") else 1] for name, _ in named}
    decay, rho = call.options.get("weight_decay", 5e-4), call.options.get("momentum", MOMENTUM)
    velocity = [torch.zeros_like(part) for _, part in named]
    for gradients in _gradients(net, seed):
        for (name, part), v, gradient in zip(named, velocity, gradients, strict=True):
            v.mul_(rho).add_(gradient + (decay if part.ndim > 1 else 0) * part.detach())
            part.data -= steps[name] * v
    return numbers_of(net)


def _batch(rng: Rng, count: int) -> tuple[Array, Array]:
    return rng.standard_normal((count, 3, HEIGHT, WIDTH)), rng.integers(0, CLASSES, count)


def _epochs(rng: Rng) -> Iterator[Call]:
    """A state, what is frozen, the batches of each epoch, steps of warm-up, and the precision."""
    for frozen, counts, warmup, precision in (
        ((), (2,), 0, "float32"),
        (FROZEN[1], (3,), 1, "float32"),
        ((), (2, 1), 2, "float32"),
        (FROZEN[2], (2,), 0, "float32"),
        ((), (1,), 0, "bfloat16"),
    ):
        epochs = [[_batch(rng, 4) for _ in range(count)] for count in counts]
        tolerance = SETTLED if precision == "float32" else SIXTEEN
        yield Call((), (state_of(), frozen, epochs, warmup, precision), tolerance=tolerance)


def _parts(net: nn.Module, steps: int, warmup: int) -> tuple[Any, Any]:
    """An optimizer of what learns, and a schedule."""
    learning = [part for part in net.parameters() if part.requires_grad]
    optimizer = torch.optim.SGD(learning, PEAKS[0], MOMENTUM, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: factor(s, steps, warmup))
    return optimizer, schedule


def _asked_epochs(scope: Namespace, call: Call) -> list[Any]:
    state, frozen, epochs, warmup, precision = call.others
    net = net_of(state, frozen)
    if precision != "float32":
        return _asked_precisely(scope, net.float(), call)
    optimizer, schedule = _parts(net, sum(map(len, epochs)), warmup)
    for part in optimizer.param_groups[0]["params"]:
        part.grad = torch.ones_like(part)  # of an epoch before
    losses = []
    for batches in epochs:
        net.eval()
        losses += _losses(scope, (net, optimizer, schedule), batches)
    return [np.array(losses), optimizer.param_groups[0]["lr"], *numbers_of(net)]


def _losses(
    scope: Namespace, made: tuple[Any, Any, Any], batches: Batches, **options: Any
) -> list[float]:
    dtype = next(made[0].parameters()).dtype
    given = [(torch.tensor(x, dtype=dtype), torch.tensor(y)) for x, y in batches]
    copies = [(x.numpy().copy(), y) for (x, _), (_, y) in zip(given, batches, strict=True)]
    losses = scope["train_epoch"](*made, iter(given), **options)
    for pair, before in zip(given, copies, strict=True):
        for value, array in zip(pair, before, strict=True):
            tensors.require_same(value, array)
    if not isinstance(losses, list) or any(getattr(n, "requires_grad", False) for n in losses):
        raise WrongError("no list of numbers")
    return [float(loss) for loss in losses]


def _right_epochs(call: Call) -> list[Any]:
    """Step by step, without an optimizer and a scheduler."""
    state, frozen, epochs, warmup, precision = call.others
    net, losses = learning_mode(net_of(state, frozen)), []
    if precision != "float32":
        return _right_precisely(net.float(), epochs, precision)
    learning = [part for part in net.parameters() if part.requires_grad]
    velocity = [torch.zeros_like(part) for part in learning]
    batches, steps = list(chain.from_iterable(epochs)), sum(map(len, epochs))
    for step, (x, y) in enumerate(batches):
        loss = _loss(net, torch.tensor(x), torch.tensor(y))
        for part, v, g in zip(learning, velocity, torch.autograd.grad(loss, learning), strict=True):
            v.mul_(MOMENTUM).add_(g + DECAY * part.detach())
            part.data -= PEAKS[0] * factor(step, steps, warmup) * v
        losses.append(loss.item())
    return [np.array(losses), PEAKS[0] * factor(steps, steps, warmup), *numbers_of(net)]


def _loss(net: nn.Module, x: Any, labels: Any) -> Any:
    return functional.cross_entropy(net(x), labels, label_smoothing=0.1)


def _asked_precisely(scope: Namespace, net: Any, call: Call) -> list[Any]:
    """The first loss, whether it differs from that of 32 bits, and what the weights have."""
    state, _, ((batch,),), warmup, precision = call.others
    single = _first_loss(net_of(state).float().train(), batch, "float32")
    (loss,) = _losses(scope, (net, *_parts(net, 1, warmup)), [batch], precision=precision)
    kept = all(part.dtype == torch.float32 for part in net.parameters())
    return [loss, abs(loss - single) > 1e-5 * single, kept]


def _right_precisely(net: Any, epochs: Sequence[Batches], precision: str) -> list[Any]:
    return [_first_loss(net, epochs[0][0], precision), 1, 1]


def _first_loss(net: Any, batch: tuple[Array, Array], precision: str) -> float:
    x, labels = torch.tensor(batch[0], dtype=torch.float32), torch.tensor(batch[1])
    with torch.autocast("cpu", getattr(torch, precision), enabled=precision != "float32"):
        return float(_loss(net, x, labels).detach())


def _breaks(rng: Rng) -> Iterator[Call]:
    """Two states, what is frozen, and batches before the break and after it."""
    for frozen in ((), FROZEN[1]):
        halves = [[_batch(rng, 3) for _ in range(2)] for _ in range(2)]
        yield Call((), (state_of(), state_of(number=1), frozen, halves), tolerance=SETTLED)


def _trained(made: tuple[Any, Any, Any], batches: Batches) -> None:
    net, optimizer, schedule = made
    for x, y in batches:
        optimizer.zero_grad()
        torch.autograd.backward(_loss(learning_mode(net), torch.tensor(x), torch.tensor(y)))
        optimizer.step()
        schedule.step()


def _made(state: State, frozen: Sequence[str]) -> tuple[Any, Any, Any]:
    net = net_of(state, frozen)
    return (net, *_parts(net, 4, 1))


def _asked_checkpoint(scope: Namespace, call: Call) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "run.pt")
        return [*_none_there(scope, call, path), *_gone_on(scope, call, path)]


def _none_there(scope: Namespace, call: Call, path: str) -> list[Any]:
    made = _made(call.others[1], call.others[2])
    before = numbers_of(made[0])
    epoch = scope["resume"](path, *made)
    require_kept(made[0], before)
    return [epoch, _at(made)]


def _at(made: tuple[Any, Any, Any]) -> Array:
    """Where optimizer and schedule are."""
    _, optimizer, schedule = made
    return np.array([len(optimizer.state), schedule.last_epoch, optimizer.param_groups[0]["lr"]])


def _gone_on(scope: Namespace, call: Call, path: str) -> list[Any]:
    """After a save that is replaced, one that is good, and one that breaks off."""
    state, other, frozen, (first, second) = call.others
    made, again = _made(state, frozen), _made(other, frozen)
    scope["save"](path, *made, 7)
    _trained(made, first)
    before = numbers_of(made[0])
    scope["save"](path, *made, 3)
    require_kept(made[0], before)
    with suppress(OSError), mock.patch.object(torch, "save", _broken_off):
        scope["save"](path, *_made(other, frozen), 5)
    epoch = scope["resume"](path, *again)
    there = [epoch, _at(again), *numbers_of(again[0])]
    _trained(again, second)
    return [*there, _at(again), *numbers_of(again[0])]


def _broken_off(state: Any, file: Any, **_: Any) -> None:
    """Half a file, and then the power fails."""
    if isinstance(file, (str, Path)):
        Path(file).write_bytes(b"PK")
    else:
        file.write(b"PK")
    raise OSError("no power")


def _right_checkpoint(call: Call) -> list[Any]:
    """Without a break."""
    state, other, frozen, (first, second) = call.others
    made = _made(state, frozen)
    _trained(made, first)
    there = [3, _at(made), *numbers_of(made[0])]
    _trained(made, second)
    return [0, _at(_made(other, frozen)), *there, _at(made), *numbers_of(made[0])]


TRUTHS = (
    truth_of(("make_schedule",), _asked_schedule, _right_schedule, _plans),
    truth_of(("make_optimizer",), _asked_optimizer, _right_optimizer, _groups),
    truth_of(("train_epoch",), _asked_epochs, _right_epochs, _epochs),
    truth_of(("save", "resume"), _asked_checkpoint, _right_checkpoint, _breaks),
)
