"""How a network that is a function of a state dict learns, according to PyTorch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Network = Callable[[dict[str, "Tensor"], "Tensor", bool], "Tensor"]
Batch = tuple["Tensor", "Tensor"]
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Way:
    """How a training loop goes. The defaults are right; all else is a misconception.

    Attributes:
        cleared: when gradients are set to 0: before each step, never, or between backward and
            the step.
        training: the net's mode.
        momentum: whether there is any.
        reduction: of the loss over the batch.
        ascends: whether the weights move along the gradient rather than against it.
        late: whether losses are taken after the step.
    """

    cleared: str = "before"
    training: bool = True
    momentum: bool = True
    reduction: str = "mean"
    ascends: bool = False
    late: bool = False


RIGHT = Way()


def trajectory(
    network: Network,
    state: dict[str, "Tensor"],
    batches: Sequence[Batch],
    learning_rate: float,
    momentum: float,
    way: Way = RIGHT,
) -> tuple[dict[str, "Tensor"], list[float]]:
    """The state dict after one step of SGD for each batch, and the losses."""
    import torch
    from torch.nn import functional

    def loss_of(x: "Tensor", y: "Tensor") -> "Tensor":
        scores = network(state, x, way.training)
        return functional.cross_entropy(scores, y, reduction=way.reduction)

    learned = [value.requires_grad_() for name, value in state.items() if _learns(name)]
    rho = momentum if way.momentum else 0.0
    step = torch.optim.SGD(learned, learning_rate, rho, maximize=way.ascends)
    losses = []
    for x, y in batches:
        if way.cleared == "before":
            step.zero_grad()
        loss = loss_of(x, y)
        loss.backward()  # type: ignore[no-untyped-call]
        if way.cleared == "after backward":
            step.zero_grad()
        step.step()
        losses.append(float((loss_of(x, y) if way.late else loss).detach()))
    return {name: value.detach() for name, value in state.items()}, losses


def _learns(name: str) -> bool:
    return not name.endswith(STATISTICS)


def loss_gradients(
    network: Network, state: dict[str, "Tensor"], x: "Tensor", y: "Tensor", training: bool
) -> Mapping[str, "Tensor"]:
    """The gradient of the mean loss for everything that is learned, by name."""
    import torch
    from torch.nn import functional

    leaves = {name: value.requires_grad_() for name, value in state.items() if _learns(name)}
    loss = functional.cross_entropy(network(state, x, training), y)
    found = torch.autograd.grad(loss, list(leaves.values()))
    return dict(zip(leaves, found, strict=True))
