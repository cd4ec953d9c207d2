"""The truth of what the sixth lesson does with nets: it takes over, freezes and asks."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from autograder.places import scenes
from autograder.places.scenes.resnet import SmallResNet
from benchmarks.quality import tensors
from benchmarks.quality.truth import SINGLE, Array, Call, Namespace, ProcedureTruth, WrongError

Rng = np.random.Generator
State = dict[str, Array]
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


def truth_of(names: tuple[str, ...], ask: Any, right: Any, calls: Any) -> ProcedureTruth:
    """Its example is the first of its calls, drawn anew."""
    return ProcedureTruth(names, ask, right, calls, next(calls(np.random.default_rng(0))))


@cache
def state_of(classes: int = CLASSES, number: int = 0) -> State:
    """Numbers for a net, the same whenever they are asked for; they are copied, never changed."""
    return tensors.state_for(_new(classes), np.random.default_rng(number))


@cache
def _new(classes: int) -> nn.Module:
    return SmallResNet(classes)


def net_of(state: State, frozen: Sequence[str] = (), training: bool = False) -> Any:
    """A net in double precision with these numbers, of which these children are frozen."""
    net = tensors.loaded(deepcopy(_new(len(state["fc.bias"]))), state).train(training)
    for child in frozen:
        net.get_submodule(child).requires_grad_(False)
    return net


def numbers_of(net: nn.Module) -> list[Array]:
    """All that a net holds and that matters, in the order of the names; copies."""
    state = sorted(net.state_dict().items())
    return [value.numpy().copy() for name, value in state if not name.endswith("_tracked")]


def require_kept(net: nn.Module, before: Sequence[Array]) -> None:
    """Raises `WrongError` if a net holds other numbers than before."""
    pairs = zip(numbers_of(net), before, strict=True)
    if not all(np.array_equal(after, array) for after, array in pairs):
        raise WrongError("the net is changed")


def _images(rng: Rng, count: int, height: int, width: int) -> Array:
    """Bytes in coarse squares, so that scores differ from image to image, and if one is turned."""
    coarse = rng.integers(0, 256, (count, height // 8, width // 8, 3), np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def _states(rng: Rng) -> Iterator[Call]:
    """A state, and how many classes there are to be."""
    for given, wanted in ((CLASSES, 3), (7, 7)):
        whole = {name: array.astype(np.float32) for name, array in state_of(given).items()}
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
    names, unsaid = _backbone(state), len(_backbone(state_of())) + 2
    return [*(state[name] for name in names), np.ones(unsaid - len(names))]


def _named_children(rng: Rng) -> Iterator[Call]:
    for frozen in (FROZEN[1], *FROZEN):
        yield Call((), (state_of(), list(frozen)))


def _asked_freezing(scope: Namespace, call: Call) -> list[Any]:
    state, children = call.others
    net, given = net_of(state), list(children)
    before = numbers_of(net)
    scope["freeze"](net, given)
    if given != children:
        raise WrongError("an argument is changed")
    require_kept(net, before)
    flags = dict(net.named_parameters())
    return [np.array([flags[name].requires_grad for name in sorted(flags)])]


def _right_freezing(call: Call) -> list[Any]:
    state, children = call.others
    names = sorted(name for name, _ in SmallResNet(len(state["fc.bias"])).named_parameters())
    return [np.array([name.split(".")[0] not in children for name in names])]


def _modes(rng: Rng) -> Iterator[Call]:
    for number, frozen in enumerate((FROZEN[1], *FROZEN)):
        x = rng.standard_normal((3, 3, HEIGHT, WIDTH))
        yield Call((x,), (state_of(), frozen, number % 2 > 0), tolerance=SETTLED)


def _asked_mode(scope: Namespace, call: Call) -> list[Any]:
    net = net_of(*call.others)
    returned = scope["train_mode"](net)
    if returned is not net:
        raise WrongError("it does not return the net")
    return _passed(net, call.arrays[0])


def _right_mode(call: Call) -> list[Any]:
    return _passed(learning_mode(net_of(*call.others)), call.arrays[0])


def _passed(net: nn.Module, x: Array) -> list[Any]:
    with torch.no_grad():
        return [net(torch.tensor(x)), *numbers_of(net)]


def learning_mode(net: Any) -> Any:
    """Layers are as they should be while those that are not frozen learn."""
    for name, layer in net.train().named_modules():
        if name and not any(part.requires_grad for part in layer.parameters()):
            layer.eval()
    return net


def _asked_about(*sizes: tuple[int, int, int], batches: Sequence[int | None]) -> Any:
    """Images (count, height, width), a state, and the size of a batch if it is given."""

    def calls(rng: Rng) -> Iterator[Call]:
        for count, height, width in sizes:
            for size in batches:
                options = {} if size is None else {"batch_size": size}
                images = _images(rng, count, height, width)
                yield Call((images,), (_unsure_of(images),), options, tolerance=SINGLE)

    return calls


def _asked_probabilities(name: str) -> Callable[[Namespace, Call], list[Any]]:
    def ask(scope: Namespace, call: Call) -> list[Any]:
        images, net = torch.tensor(call.arrays[0]), net_of(call.others[0]).float().train()
        before, seen = numbers_of(net), []
        net.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
        out = scope[name](net, images, **call.options)
        if out.requires_grad or max(seen) > call.options.get("batch_size", 120):
            raise WrongError("a graph, or too many images at once")
        tensors.require_same(images, call.arrays[0])
        require_kept(net, before)
        return [tensors.numbers(out)]

    return ask


def _unsure_of(images: Array) -> State:
    """Numbers for a net that is not all but certain of one class, where bugs would not show."""
    state = state_of()
    usual = _scores(net_of(state), torch.tensor(images)).mean(0).numpy()
    return {**state, "fc.bias": state["fc.bias"] - usual}


def _scores(net: Any, images: Any) -> Any:
    """Image by image, in double precision."""
    mean, std = (torch.tensor(part).double()[:, None, None] for part in (scenes.MEAN, scenes.STD))
    inputs = ((image.permute(2, 0, 1).double() / 255 - mean) / std for image in images)
    with torch.no_grad():
        return torch.cat([net(x[None]) for x in inputs])


def _probabilities(net: Any, images: Any) -> Any:
    return _scores(net, images).softmax(1)


def _right_probabilities(call: Call) -> list[Any]:
    return [_probabilities(net_of(call.others[0]), torch.tensor(call.arrays[0]))]


def _right_twice(call: Call) -> list[Any]:
    net, images = net_of(call.others[0]), torch.tensor(call.arrays[0])
    return [(_probabilities(net, images) + _probabilities(net, images.flip(2))) / 2]


def _looks(rng: Rng) -> Iterator[Call]:
    for shape, classes in (
        ((4, 3, 32, 32), 4),
        ((3, 3, 24, 40), 5),
        ((1, 3, 17, 24), 9),
        ((5, 3, 16, 8), 3),
    ):
        given = (rng.standard_normal(shape), rng.integers(0, classes, shape[0]))
        yield Call(given, (state_of(classes),), tolerance=SETTLED)


def _asked_looks(scope: Namespace, call: Call) -> list[Any]:
    x, labels = map(torch.tensor, call.arrays)
    net = net_of(call.others[0], training=True)
    for part in net.parameters():
        part.grad = torch.ones_like(part)
    before = numbers_of(net)
    maps, gradients = scope["maps_and_gradients"](net, x, labels)
    for value, array in zip((x, labels), call.arrays, strict=True):
        tensors.require_same(value, array)
    require_kept(net, before)
    if not all(part.grad is not None and (part.grad == 1).all() for part in net.parameters()):
        raise WrongError("gradients of parameters are changed")
    return [tensors.numbers(maps), tensors.numbers(gradients)]


def _right_looks(call: Call) -> list[Any]:
    """The score is linear in the maps: its gradient is a weight over the number of places."""
    net, (x, labels) = net_of(call.others[0]), map(torch.tensor, call.arrays)
    with torch.no_grad():
        maps = net.features(x)
    weight = net.fc.weight.detach()[labels] / maps[0, 0].numel()
    return [maps, weight[:, :, None, None].expand_as(maps)]


TRUTHS = (
    truth_of(("pretrained_net",), _asked_net, _right_net, _states),
    truth_of(("freeze",), _asked_freezing, _right_freezing, _named_children),
    truth_of(("train_mode",), _asked_mode, _right_mode, _modes),
    truth_of(
        ("predict",),
        _asked_probabilities("predict"),
        _right_probabilities,
        _asked_about((4, 32, 32), (5, 24, 16), batches=(None, 2, 3)),
    ),
    truth_of(
        ("predict_twice",),
        _asked_probabilities("predict_twice"),
        _right_twice,
        _asked_about((4, 32, 32), (3, 24, 40), (2, 16, 24), batches=(None,)),
    ),
    truth_of(("maps_and_gradients",), _asked_looks, _right_looks, _looks),
)
