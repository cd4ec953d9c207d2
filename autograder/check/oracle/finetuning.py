"""How the small ResNet is tuned and asked, according to PyTorch.

What a student's function does with their net is done here with one of our own that holds the same
numbers: in the right way, or in that of a misconception.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check.oracle import resnet
from autograder.check.record import Array

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Batch = tuple["Tensor", "Tensor"]
Numbers = Mapping[str, Array]
SINGLE = "float32"
COUNT = "num_batches_tracked"  # changes nothing


def small_resnet(num_classes: int) -> Any:
    """A new net; the caller's random numbers stay as they are."""
    return deepcopy(_small_resnet(num_classes))


@lru_cache(8)
def _small_resnet(num_classes: int) -> Any:
    import torch

    from autograder.places.scenes.resnet import SmallResNet

    with torch.random.fork_rng(devices=[]):
        return SmallResNet(num_classes)


def drawn(rng: np.random.Generator, num_classes: int) -> dict[str, Array]:
    """Random numbers for the state dict, none of which a right net could leave out."""
    state = small_resnet(num_classes).state_dict()
    return resnet.drawn(rng, {name: tuple(value.shape) for name, value in state.items()})


def tensors(numbers: Numbers, dtype: "torch.dtype") -> "dict[str, Tensor]":
    """The numbers as a state dict."""
    import torch

    return {
        name: torch.tensor(array, dtype=torch.int64 if array.dtype.kind == "i" else dtype)
        for name, array in numbers.items()
    }


def net_of(numbers: Numbers, dtype: "torch.dtype") -> Any:
    """A net that holds them."""
    net = small_resnet(len(numbers["fc.bias"])).to(dtype)
    net.load_state_dict(tensors(numbers, dtype))
    return net


def child_of(name: str) -> str:
    """The child of the net to which a parameter, a buffer or a module belongs."""
    return name.split(".")[0]


def freeze(net: Any, children: Sequence[str]) -> None:
    """No gradients for the parameters of these children."""
    for name, parameter in net.named_parameters():
        if child_of(name) in children:
            parameter.requires_grad_(False)


def batch_norms(net: Any) -> "Iterator[tuple[str, torch.nn.BatchNorm2d]]":
    """Every batch norm, with its name."""
    import torch

    kind = torch.nn.BatchNorm2d
    return ((name, layer) for name, layer in net.named_modules() if isinstance(layer, kind))


def train_mode(net: Any) -> None:
    """Train mode, except for frozen batch norms."""
    net.train()
    for _, layer in batch_norms(net):
        layer.train(layer.weight.requires_grad)


@dataclass(frozen=True)
class Plan:
    """What an optimizer is asked for."""

    head_rate: float
    backbone_rate: float
    weight_decay: float = 5e-4
    momentum: float = 0.9


def is_head(name: str) -> bool:
    """Whether a parameter belongs to the last layer."""
    return child_of(name) == "fc"


def grouped(plan: Plan, name: str, parameter: "Tensor") -> tuple[float, float] | None:
    """The rate and the weight decay of a parameter."""
    rate = plan.head_rate if is_head(name) else plan.backbone_rate
    return rate, plan.weight_decay if parameter.ndim > 1 else 0.0


Group = Callable[[Plan, str, "Tensor"], tuple[float, float] | None]


def optimizer(net: Any, plan: Plan, group: Group = grouped, **options: Any) -> Any:
    """SGD with a group for each parameter that is not frozen, unless ``group`` says None."""
    import torch

    groups = []
    for name, parameter in net.named_parameters():
        chosen = group(plan, name, parameter) if parameter.requires_grad else None
        if chosen:
            groups.append({"params": [parameter], "lr": chosen[0], "weight_decay": chosen[1]})
    return torch.optim.SGD(groups, **{"momentum": plan.momentum, **options})


def stepped(net: Any, optimizer: Any, batches: Sequence[Batch]) -> None:
    """One step for each batch, by plain cross-entropy, in train mode."""
    import torch

    net.train()
    for x, labels in batches:
        optimizer.zero_grad()
        torch.autograd.backward(torch.nn.functional.cross_entropy(net(x), labels))
        optimizer.step()


def factor(step: int, steps: int, warmup: int) -> float:
    """Of the peak rate: a linear warm-up, then half a cosine."""
    if step < warmup:
        return (step + 1) / warmup
    return (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


class Rates:
    """PyTorch's ``LambdaLR``, without its warnings where it is misused."""

    def __init__(self, optimizer: Any, steps: int, warmup: int) -> None:
        self._groups = optimizer.param_groups
        self._peaks = [group["lr"] for group in self._groups]
        self._steps, self._warmup, self.at = steps, warmup, 0
        self.apply()

    def apply(self) -> None:
        """Sets the rates of this step."""
        for group, peak in zip(self._groups, self._peaks, strict=True):
            group["lr"] = peak * factor(self.at, self._steps, self._warmup)

    def step(self) -> None:
        """Goes on to the next."""
        self.at += 1
        self.apply()


@dataclass(frozen=True)
class Way:
    """How an epoch goes. The defaults are right; all else is a misconception.

    Attributes:
        cleared: whether gradients are set to 0 before each step.
        mode: of the net: train but for what is frozen, train, eval, or as it is.
        smoothing: of the loss.
        reduction: of the loss over the batch.
        scheduled: when the rates go on: after each step, before it, never, after the epoch,
            or twice a step.
        steps: whether there are any.
        ascends: whether the weights move along the gradient rather than against it.
        most: batches that are used.
        mixed: whether 16 bits are used where they are asked for.
    """

    cleared: bool = True
    mode: str = "right"
    smoothing: float = 0.1
    reduction: str = "mean"
    scheduled: str = "after"
    steps: bool = True
    ascends: bool = False
    most: int | None = None
    mixed: bool = True


RIGHT = Way()


def epoch(
    net: Any,
    optimizer: Any,
    rates: Rates,
    batches: Sequence[Batch],
    way: Way = RIGHT,
    precision: str = SINGLE,
) -> list[float]:
    """One step for each batch; the losses."""
    import torch

    _set_mode(net, way.mode)
    losses = []
    for x, labels in batches[: way.most]:
        if way.cleared:
            optimizer.zero_grad()
        loss = _loss(net, x, labels, way, precision)
        torch.autograd.backward(-loss if way.ascends else loss)
        _step(optimizer, rates, way)
        losses.append(float(loss.detach()))
    if way.scheduled == "epoch":
        rates.step()
    return losses


def _step(optimizer: Any, rates: Rates, way: Way) -> None:
    if way.scheduled == "before":
        rates.step()
    if way.steps:
        optimizer.step()
    for _ in range({"after": 1, "twice": 2}.get(way.scheduled, 0)):
        rates.step()


def _set_mode(net: Any, mode: str) -> None:
    if mode == "right":
        train_mode(net)
    elif mode != "as it is":
        net.train(mode == "train")


def _loss(net: Any, x: "Tensor", labels: "Tensor", way: Way, precision: str) -> "Tensor":
    import torch

    mixed = precision != SINGLE and way.mixed
    with torch.autocast("cpu", getattr(torch, precision), enabled=mixed):
        log_p = torch.log_softmax(net(x), 1)
        right = log_p.gather(1, labels[:, None])[:, 0]
        each = -((1 - way.smoothing) * right + way.smoothing * log_p.mean(1))
        return each.sum() if way.reduction == "sum" else each.mean()


@dataclass(frozen=True)
class Restored:
    """What of an interrupted training comes back. The defaults are right."""

    optimizer: bool = True
    schedule: bool = True


def resumed(
    net: Any, make: Callable[[Any], Any], halves: Sequence[Sequence[Batch]], warmup: int,
    restored: Restored,
) -> list[float]:  # fmt: skip
    """Trains on the first half, then with a new optimizer on the second; its losses."""
    steps = sum(map(len, halves))
    first = make(net)
    epoch(net, first, Rates(first, steps, warmup), halves[0])
    second = make(net)
    rates = Rates(second, steps, warmup)
    if restored.schedule:
        rates.at = len(halves[0])
    if restored.optimizer:
        # Rates are part of its state, and LambdaLR sets them only at its next step.
        there = rates.at
        rates.at = len(halves[0])
        rates.apply()
        rates.at = there
        for group, old in zip(second.param_groups, first.param_groups, strict=True):
            second.state[group["params"][0]] = first.state[old["params"][0]]
    return epoch(net, second, rates, halves[1])


def normalized(images: "Tensor") -> "Tensor":
    """(N, H, W, 3) bytes as the net takes them: (N, 3, H, W) float32."""
    import torch

    from autograder.places import scenes

    mean, std = torch.tensor(scenes.MEAN), torch.tensor(scenes.STD)
    return ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2)


def scores(net: Any, images: "Tensor") -> "Tensor":
    """(N, K) of images as bytes, in eval mode."""
    import torch

    with torch.no_grad():
        found: Tensor = net.eval()(normalized(images))
    return found


def predicted(net: Any, images: "Tensor", batch_size: int | None = None) -> "Tensor":
    """Probabilities (N, K); the size of a batch makes no difference."""
    return scores(net, images).softmax(1)


Target = Callable[["Tensor", "Tensor"], "Tensor"]


def own_scores(scores: "Tensor", labels: "Tensor") -> "Tensor":
    """The sum over the images of the score of each one's label."""
    return scores.gather(1, labels[:, None]).sum()


def maps_and_gradients(
    net: Any, x: "Tensor", labels: "Tensor", target: Target = own_scores, training: bool = False
) -> "tuple[Tensor, Tensor]":
    """The last maps (N, C, H, W), and the gradient of ``target`` for them."""
    import torch

    maps = net.train(training).features(x)
    value = target(net.fc(maps.mean((2, 3))), labels)
    (gradients,) = torch.autograd.grad(value, maps)
    return maps.detach(), gradients
