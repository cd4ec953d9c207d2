"""Gradient descent and the training loop, according to PyTorch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograder.check.oracle.engine import tensor
from autograder.check.record import Array

if TYPE_CHECKING:
    from torch import Tensor

Data = Sequence[Any]  # x_train, y_train, x_val, y_val
Schedule = Sequence[Sequence[Any]]  # for each epoch its batches, each the numbers of its images


def sgd(
    w: "Tensor", g: "Tensor", v: "Tensor", learning_rate: float, momentum: float
) -> tuple["Tensor", "Tensor"]:
    """One step of stochastic gradient descent with momentum, as in ``torch.optim.SGD``.

    v ← momentum · v + g, then w ← w − learning_rate · v. (The class itself would import a second's
    worth of compiler with its first step.)
    """
    v = momentum * v + g
    return w - learning_rate * v, v


def linear(x: "Tensor", params: Mapping[str, "Tensor"]) -> "Tensor":
    """The scores of a linear classifier, the net that a training loop is checked with."""
    return x.flatten(1) @ params["w"] + params["b"]


def linear_network() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`linear` as a student's network: forward(x, params) and backward(dscores, cache)."""

    def forward(x: Any, params: Mapping[str, Any]) -> tuple[Array, tuple[Any, ...]]:
        leaves = {name: tensor(params[name]) for name in ("w", "b")}
        return linear(tensor(x), leaves).numpy(), (x, params["w"], params["b"])

    def backward(dscores: Any, cache: tuple[Any, ...]) -> dict[str, Array]:
        x, *arrays = cache
        leaves = dict(zip("wb", (tensor(a).requires_grad_() for a in arrays), strict=True))
        scores = linear(tensor(x), leaves)
        scores.backward(tensor(dscores))  # type: ignore[no-untyped-call]
        return {name: leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}

    return forward, backward


def share_right(params: Mapping[str, "Tensor"], x: "Tensor", y: "Tensor") -> float:
    """The share of images whose largest score is that of their class."""
    return float((linear(x, params).argmax(1) == y).double().mean())


def loss_and_gradients(
    params: Mapping[str, "Tensor"], x: "Tensor", y: "Tensor"
) -> tuple[float, dict[str, "Tensor"]]:
    """The mean softmax loss of `linear`, and its gradients by name."""
    from torch.nn import functional

    leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
    loss = functional.cross_entropy(linear(x, leaves), y)
    loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach()), {name: p.grad for name, p in leaves.items() if p.grad is not None}


def trajectory(
    params: Mapping[str, "Tensor"],
    data: Data,
    schedule: Schedule,
    learning_rate: float,
    momentum: float,
) -> tuple[dict[str, "Tensor"], list[float], list[float]]:
    """Where training leads: the parameters, the loss of each step, the accuracy of each epoch."""
    x, y, x_val, y_val = data
    velocity = {name: 0 * p for name, p in params.items()}
    params, losses, accuracies = dict(params), [], []
    for batches in schedule:
        for batch in batches:
            loss, grads = loss_and_gradients(params, x[batch], y[batch])
            losses.append(loss)
            for name, (p, v) in _steps(params, grads, velocity, learning_rate, momentum):
                params[name], velocity[name] = p, v
        accuracies.append(share_right(params, x_val, y_val))
    return params, losses, accuracies


def _steps(
    params: Mapping[str, "Tensor"],
    grads: Mapping[str, "Tensor"],
    velocity: Mapping[str, "Tensor"],
    learning_rate: float,
    momentum: float,
) -> Iterator[tuple[str, tuple["Tensor", "Tensor"]]]:
    for name in grads:
        yield name, sgd(params[name], grads[name], velocity[name], learning_rate, momentum)
