"""The truth of what the sixth lesson does with nets: it takes over, freezes, trains and asks."""

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from autograder.places import scenes
from autograder.places.scenes.resnet import SmallResNet
from benchmarks.quality import tensors
from benchmarks.quality.truth import SINGLE, Array, Call, Namespace, ProcedureTruth, WrongError

Rng = np.random.Generator
State = dict[str, Array]
Batches = list[tuple[Array, Array]]
CLASSES, HEIGHT, WIDTH = 4, 24, 32
CHILDREN = ("conv1", "bn1", "layer1", "layer2", "layer3", "fc")
FROZEN: tuple[tuple[str, ...], ...] = (
    (),
    ("conv1", "bn1", "layer1"),
    CHILDREN[:5],
    ("layer2", "fc"),
    ("bn1",),
    ("layer3",),
)
SETTLED = 1e-7  # of the largest number: after a few steps through many layers
SIXTEEN = 0.02  # of a loss: some of what it is computed from has 8 binary digits
PEAKS, DECAY, MOMENTUM = (0.1, 0.02), 0.05, 0.9


def _truth(names: tuple[str, ...], ask: Any, right: Any, calls: Any) -> ProcedureTruth:
    """Its example is the first of its calls, drawn anew."""
    return ProcedureTruth(names, ask, right, calls, next(calls(np.random.default_rng(0))))


def _state(rng: Rng, classes: int = CLASSES) -> State:
    return tensors.state_for(SmallResNet(classes), rng)


def _net(state: State, frozen: Sequence[str] = (), training: bool = False) -> Any:
    """A net in double precision with these numbers, of which these children are frozen."""
    net = tensors.loaded(SmallResNet(len(state["fc.bias"])), state).train(training)
    for child in frozen:
        net.get_submodule(child).requires_grad_(False)
    return net


def _numbers_of(net: nn.Module) -> list[Array]:
    """All that a net holds and that matters, in the order of the names; copies."""
    state = sorted(net.state_dict().items())
    return [np.array(value) for name, value in state if not name.endswith("_tracked")]


def _require_kept(net: nn.Module, before: Sequence[Array]) -> None:
    """Raises `WrongError` if a net holds other numbers than before."""
    pairs = zip(_numbers_of(net), before, strict=True)
    if not all(np.array_equal(after, array) for after, array in pairs):
        raise WrongError("the net is changed")


def _images(rng: Rng, count: int, height: int = HEIGHT, width: int = WIDTH) -> Array:
    return rng.integers(0, 256, (count, height, width, 3), np.uint8)


# --- pretrained_net


def _states(rng: Rng) -> Iterator[Call]:
    """A state, and how many classes there are to be."""
    for given, wanted in ((CLASSES, 3), (CLASSES, CLASSES), (12, 7)):
        whole = {name: array.astype(np.float32) for name, array in _state(rng, given).items()}
        counts = {name: a for name, a in whole.items() if name.endswith("_tracked")}
        head = {name: a for name, a in whole.items() if name.startswith("fc.")}
        rest = {name: a for name, a in whole.items() if name not in counts and name not in head}
        yield Call((), (rest | head, wanted))
        yield Call((), (counts | head | rest, wanted))
        yield Call((), (rest, wanted))
    yield Call((), ({}, 5))


def _asked_net(scope: Namespace, call: Call) -> list[Any]:
    state, classes = call.others
    given = {name: torch.tensor(array) for name, array in state.items()}
    nets = [scope["pretrained_net"](dict(given), classes) for _ in range(2)]
    if not all(isinstance(net, SmallResNet) for net in nets):
        raise WrongError("no small ResNet")
    if not all(part.requires_grad for part in nets[0].parameters()):
        raise WrongError("something is frozen")
    found = [nets[0].state_dict()[name].numpy().copy() for name in _backbone(state)]
    found += [_as_drawn(nets, state, classes)]
    nets[0].load_state_dict({name: 0 * v for name, v in nets[0].state_dict().items()})
    for name, array in state.items():
        tensors.require_same(given[name], array)
    return found


def _backbone(state: State) -> list[str]:
    return [n for n in sorted(state) if not n.startswith("fc.") and not n.endswith("_tracked")]


def _as_drawn(nets: Sequence[nn.Module], state: State, classes: int) -> Array:
    """Of each tensor that the state does not say, whether it is as PyTorch draws it, each time."""
    kept, fresh = set(_backbone(state)), SmallResNet(classes).state_dict()
    one, two = (net.state_dict() for net in nets)
    return np.array([
        _alike(one[name], two[name], fresh[name])
        for name in sorted(fresh) if name not in kept and not name.endswith("_tracked")
    ])  # fmt: skip


def _alike(one: Any, two: Any, fresh: Any) -> bool:
    if one.shape != fresh.shape or fresh.max() == fresh.min():
        return torch.equal(one, fresh)
    spread = one.std() / fresh.std() if one.numel() > 100 else 1.0
    return bool(0.7 < spread < 1.4) and not torch.equal(one, two)


def _right_net(call: Call) -> list[Any]:
    state, _ = call.others
    names, unsaid = _backbone(state), len(_backbone(_state(np.random.default_rng(0)))) + 2
    return [*(state[name] for name in names), np.ones(unsaid - len(names))]


# --- freeze and train_mode


def _named_children(rng: Rng) -> Iterator[Call]:
    for frozen in (FROZEN[1], *FROZEN):
        yield Call((), (_state(rng), list(frozen)))


def _asked_freezing(scope: Namespace, call: Call) -> list[Any]:
    state, children = call.others
    net, given = _net(state), list(children)
    before = _numbers_of(net)
    scope["freeze"](net, given)
    if given != children:
        raise WrongError("an argument is changed")
    _require_kept(net, before)
    flags = dict(net.named_parameters())
    return [np.array([flags[name].requires_grad for name in sorted(flags)])]


def _right_freezing(call: Call) -> list[Any]:
    state, children = call.others
    names = sorted(name for name, _ in SmallResNet(len(state["fc.bias"])).named_parameters())
    return [np.array([name.split(".")[0] not in children for name in names])]


def _modes(rng: Rng) -> Iterator[Call]:
    for frozen in (FROZEN[1], *FROZEN):
        for training in (False, True):
            x = rng.standard_normal((3, 3, HEIGHT, WIDTH))
            yield Call((x,), (_state(rng), frozen, training), tolerance=SETTLED)


def _asked_mode(scope: Namespace, call: Call) -> list[Any]:
    net = _net(*call.others)
    returned = scope["train_mode"](net)
    if returned is not net:
        raise WrongError("it does not return the net")
    return _passed(net, call.arrays[0])


def _right_mode(call: Call) -> list[Any]:
    return _passed(_learning(_net(*call.others)), call.arrays[0])


def _passed(net: nn.Module, x: Array) -> list[Any]:
    with torch.no_grad():
        return [net(torch.tensor(x)), *_numbers_of(net)]


def _learning(net: Any) -> Any:
    """Layers are as they should be while those that are not frozen learn."""
    for name, layer in net.train().named_modules():
        if name and not any(part.requires_grad for part in layer.parameters()):
            layer.eval()
    return net


# --- make_schedule and make_optimizer


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
    for seed, (frozen, options) in enumerate((
        ((), {}),
        ((), {"weight_decay": 0.3, "momentum": 0.5}),
        (FROZEN[1], {"weight_decay": 0.1}),
        (FROZEN[2], {"momentum": 0.2}),
        (("fc", "layer1"), {"weight_decay": 0.2}),
    )):  # fmt: skip
        for rates in ((0.2, 0.01), (0.05, 0.3), (0.1, 0.1)):
            yield Call((), (_state(rng), frozen, rates, seed), options)


def _gradients(net: nn.Module, seed: int) -> Iterator[list[Any]]:
    """Three times a gradient for every parameter that learns."""
    rng = np.random.default_rng(seed)
    learning = [part for part in net.parameters() if part.requires_grad]
    for _ in range(3):
        yield [torch.tensor(rng.standard_normal(tuple(part.shape))) for part in learning]


def _asked_optimizer(scope: Namespace, call: Call) -> list[Any]:
    state, frozen, rates, seed = call.others
    net = _net(state, frozen)
    before = _numbers_of(net)
    optimizer = scope["make_optimizer"](net, *rates, **call.options)
    _require_kept(net, before)
    learning = [part for part in net.parameters() if part.requires_grad]
    chosen = [id(part) for group in optimizer.param_groups for part in group["params"]]
    if set(chosen) != set(map(id, learning)):
        raise WrongError("not all that learns, or something frozen")
    for gradients in _gradients(net, seed):
        for part, gradient in zip(learning, gradients, strict=True):
            part.grad = gradient
        optimizer.step()
    return _numbers_of(net)


def _right_optimizer(call: Call) -> list[Any]:
    state, frozen, rates, seed = call.others
    net = _net(state, frozen)
    named = [(name, part) for name, part in net.named_parameters() if part.requires_grad]
    steps = {name: rates[0 if name.startswith("fc") else 1] for name, _ in named}
    decay, rho = call.options.get("weight_decay", 5e-4), call.options.get("momentum", MOMENTUM)
    velocity = [torch.zeros_like(part) for _, part in named]
    for gradients in _gradients(net, seed):
        for (name, part), v, gradient in zip(named, velocity, gradients, strict=True):
            v.mul_(rho).add_(gradient + (decay if part.ndim > 1 else 0) * part.detach())
            part.data -= steps[name] * v
    return _numbers_of(net)


# --- train_epoch


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
        yield Call((), (_state(rng), frozen, epochs, warmup, precision), tolerance=tolerance)


def _parts(net: nn.Module, steps: int, warmup: int) -> tuple[Any, Any]:
    """An optimizer of what learns, and a schedule."""
    learning = [part for part in net.parameters() if part.requires_grad]
    optimizer = torch.optim.SGD(learning, PEAKS[0], MOMENTUM, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: factor(s, steps, warmup))
    return optimizer, schedule


def _asked_epochs(scope: Namespace, call: Call) -> list[Any]:
    state, frozen, epochs, warmup, precision = call.others
    net = _net(state, frozen)
    if precision != "float32":
        return _asked_precisely(scope, net.float(), call)
    optimizer, schedule = _parts(net, sum(map(len, epochs)), warmup)
    for part in optimizer.param_groups[0]["params"]:
        part.grad = torch.ones_like(part)  # of an epoch before
    losses = []
    for batches in epochs:
        net.eval()
        losses += _losses(scope, (net, optimizer, schedule), batches)
    return [np.array(losses), optimizer.param_groups[0]["lr"], *_numbers_of(net)]


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
    net, losses = _learning(_net(state, frozen)), []
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
    return [np.array(losses), PEAKS[0] * factor(steps, steps, warmup), *_numbers_of(net)]


def _loss(net: nn.Module, x: Any, labels: Any) -> Any:
    return functional.cross_entropy(net(x), labels, label_smoothing=0.1)


def _asked_precisely(scope: Namespace, net: Any, call: Call) -> list[Any]:
    """The first loss, whether it differs from that of 32 bits, and what the weights have."""
    state, _, ((batch,),), warmup, precision = call.others
    single = _first_loss(_net(state).float().train(), batch, "float32")
    (loss,) = _losses(scope, (net, *_parts(net, 1, warmup)), [batch], precision=precision)
    kept = all(part.dtype == torch.float32 for part in net.parameters())
    return [loss, abs(loss - single) > 1e-5 * single, kept]


def _right_precisely(net: Any, epochs: Sequence[Batches], precision: str) -> list[Any]:
    return [_first_loss(net, epochs[0][0], precision), 1, 1]


def _first_loss(net: Any, batch: tuple[Array, Array], precision: str) -> float:
    x, labels = torch.tensor(batch[0], dtype=torch.float32), torch.tensor(batch[1])
    with torch.autocast("cpu", getattr(torch, precision), enabled=precision != "float32"):
        return float(_loss(net, x, labels).detach())


# --- save and resume


def _breaks(rng: Rng) -> Iterator[Call]:
    """Two states, what is frozen, and batches before the break and after it."""
    for frozen in ((), FROZEN[1]):
        halves = [[_batch(rng, 3) for _ in range(2)] for _ in range(2)]
        yield Call((), (_state(rng), _state(rng), frozen, halves), tolerance=SETTLED)


def _trained(made: tuple[Any, Any, Any], batches: Batches) -> None:
    net, optimizer, schedule = made
    for x, y in batches:
        optimizer.zero_grad()
        torch.autograd.backward(_loss(_learning(net), torch.tensor(x), torch.tensor(y)))
        optimizer.step()
        schedule.step()


def _made(state: State, frozen: Sequence[str]) -> tuple[Any, Any, Any]:
    net = _net(state, frozen)
    return (net, *_parts(net, 4, 1))


def _asked_checkpoint(scope: Namespace, call: Call) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "run.pt")
        return [*_none_there(scope, call, path), *_gone_on(scope, call, path)]


def _none_there(scope: Namespace, call: Call, path: str) -> list[Any]:
    made = _made(call.others[1], call.others[2])
    before = _numbers_of(made[0])
    epoch = scope["resume"](path, *made)
    _require_kept(made[0], before)
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
    before = _numbers_of(made[0])
    scope["save"](path, *made, 3)
    _require_kept(made[0], before)
    with suppress(OSError), mock.patch.object(torch, "save", _broken_off):
        scope["save"](path, *_made(other, frozen), 5)
    epoch = scope["resume"](path, *again)
    there = [epoch, _at(again), *_numbers_of(again[0])]
    _trained(again, second)
    return [*there, _at(again), *_numbers_of(again[0])]


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
    there = [3, _at(made), *_numbers_of(made[0])]
    _trained(made, second)
    return [0, _at(_made(other, frozen)), *there, _at(made), *_numbers_of(made[0])]


# --- predict, predict_twice, maps_and_gradients


def _asked_about(*sizes: tuple[int, int, int], batches: Sequence[int | None]) -> Any:
    """Images (count, height, width), a state, and the size of a batch if it is given."""

    def calls(rng: Rng) -> Iterator[Call]:
        for count, height, width in sizes:
            for size in batches:
                options = {} if size is None else {"batch_size": size}
                images = _images(rng, count, height, width)
                yield Call((images,), (_state(rng),), options, tolerance=SINGLE)

    return calls


def _asked_probabilities(name: str) -> Callable[[Namespace, Call], list[Any]]:
    def ask(scope: Namespace, call: Call) -> list[Any]:
        images, net = torch.tensor(call.arrays[0]), _net(call.others[0]).float().train()
        before, seen = _numbers_of(net), []
        net.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
        out = scope[name](net, images, **call.options)
        if out.requires_grad or max(seen) > call.options.get("batch_size", 120):
            raise WrongError("a graph, or too many images at once")
        tensors.require_same(images, call.arrays[0])
        _require_kept(net, before)
        return [tensors.numbers(out)]

    return ask


def _probabilities(net: Any, images: Any) -> Any:
    """Image by image, in double precision."""
    mean, std = (torch.tensor(part).double()[:, None, None] for part in (scenes.MEAN, scenes.STD))
    inputs = ((image.permute(2, 0, 1).double() / 255 - mean) / std for image in images)
    with torch.no_grad():
        return torch.cat([net(x[None]) for x in inputs]).softmax(1)


def _right_probabilities(call: Call) -> list[Any]:
    return [_probabilities(_net(call.others[0]), torch.tensor(call.arrays[0]))]


def _right_twice(call: Call) -> list[Any]:
    net, images = _net(call.others[0]), torch.tensor(call.arrays[0])
    return [(_probabilities(net, images) + _probabilities(net, images.flip(2))) / 2]


def _looks(rng: Rng) -> Iterator[Call]:
    for shape, classes in (
        ((4, 3, 32, 32), 4),
        ((3, 3, 24, 40), 5),
        ((1, 3, 17, 24), 9),
        ((5, 3, 16, 8), 3),
    ):
        given = (rng.standard_normal(shape), rng.integers(0, classes, shape[0]))
        yield Call(given, (_state(rng, classes),), tolerance=SETTLED)


def _asked_looks(scope: Namespace, call: Call) -> list[Any]:
    x, labels = map(torch.tensor, call.arrays)
    net = _net(call.others[0], training=True)
    for part in net.parameters():
        part.grad = torch.ones_like(part)
    before = _numbers_of(net)
    maps, gradients = scope["maps_and_gradients"](net, x, labels)
    for value, array in zip((x, labels), call.arrays, strict=True):
        tensors.require_same(value, array)
    _require_kept(net, before)
    if not all(part.grad is not None and (part.grad == 1).all() for part in net.parameters()):
        raise WrongError("gradients of parameters are changed")
    return [tensors.numbers(maps), tensors.numbers(gradients)]


def _right_looks(call: Call) -> list[Any]:
    """The score is linear in the maps: its gradient is a weight over the number of places."""
    net, (x, labels) = _net(call.others[0]), map(torch.tensor, call.arrays)
    with torch.no_grad():
        maps = net.features(x)
    weight = net.fc.weight.detach()[labels] / maps[0, 0].numel()
    return [maps, weight[:, :, None, None].expand_as(maps)]


TRUTHS = (
    _truth(("pretrained_net",), _asked_net, _right_net, _states),
    _truth(("freeze",), _asked_freezing, _right_freezing, _named_children),
    _truth(("train_mode",), _asked_mode, _right_mode, _modes),
    _truth(("make_schedule",), _asked_schedule, _right_schedule, _plans),
    _truth(("make_optimizer",), _asked_optimizer, _right_optimizer, _groups),
    _truth(("train_epoch",), _asked_epochs, _right_epochs, _epochs),
    _truth(("save", "resume"), _asked_checkpoint, _right_checkpoint, _breaks),
    _truth(
        ("predict",),
        _asked_probabilities("predict"),
        _right_probabilities,
        _asked_about((4, 32, 32), (5, 24, 32), (1, 17, 40), batches=(None, 2, 3, 1)),
    ),
    _truth(
        ("predict_twice",),
        _asked_probabilities("predict_twice"),
        _right_twice,
        _asked_about((4, 32, 32), (3, 24, 40), (1, 17, 24), (121, 8, 16), batches=(None,)),
    ),
    _truth(("maps_and_gradients",), _asked_looks, _right_looks, _looks),
)
