"""The truth of the fourth lesson's training: first weights, batches, steps and the loop."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.quality.truth import Array, Call, Namespace, ProcedureTruth, WrongError, named

Rng = np.random.Generator
DRAWS = 60  # networks whose weights are looked at together
SPREAD = 0.06  # how far off their standard deviation may be: the next misconception is 30% away
LAYERS = ("conv1", "conv2", "fc1", "fc2")


def _inits(rng: Rng) -> Iterator[Call]:
    for channels, hidden, classes, shape in (
        ((6, 4), 9, 5, (1, 8, 8)),
        ((3, 5), 7, 11, (3, 12, 4)),
        ((4, 4), 12, 3, (2, 4, 16)),
    ):
        options = {"channels": channels, "hidden": hidden, "classes": classes, "input_shape": shape}
        yield Call((), options=options)
        yield Call((), others=(int(rng.integers(1, 99)),), options=options)


def _init_modules(
    channels: Sequence[int], hidden: int, classes: int, input_shape: Sequence[int]
) -> dict[str, Any]:
    from torch import nn

    c, height, width = input_shape
    return {
        "conv1": nn.Conv2d(c, channels[0], 5),
        "conv2": nn.Conv2d(channels[0], channels[1], 5),
        "fc1": nn.Linear(channels[1] * height * width // 16, hidden),
        "fc2": nn.Linear(hidden, classes),
    }


def _asked_init(scope: Namespace, call: Call) -> list[bool]:
    """Of the weights of many networks: what of all that is asked of them is so."""
    first = next(iter(call.others), 0)
    draw = partial(_drawn, scope["init_lenet"], call)
    nets = [draw(seed) for seed in range(first, first + DRAWS)]
    again, modules = draw(first), _init_modules(**call.options)
    return [fact for layer in LAYERS for fact in _facts_of(layer, modules[layer], nets, again)]


def _drawn(init: Any, call: Call, seed: int) -> Mapping[str, Any]:
    params: Mapping[str, Any] = init(np.random.default_rng(seed), **call.options)
    named(params, [f"{layer}_{kind}" for layer in LAYERS for kind in "wb"])
    return params


def _facts_of(
    layer: str, module: Any, nets: Sequence[Mapping[str, Any]], again: Mapping[str, Any]
) -> Iterator[bool]:
    """Shapes, biases, spread, centre, and randomness that comes from the generator alone."""
    right = module.weight.T if module.weight.ndim == 2 else module.weight
    weights = np.array([net[f"{layer}_w"] for net in nets], np.float64)
    biases = np.array([net[f"{layer}_b"] for net in nets], np.float64)
    yield weights.shape[1:] == tuple(right.shape) and biases.shape[1:] == module.bias.shape
    yield not biases.any()
    gain = torch.nn.init.calculate_gain("relu")
    std = gain / np.sqrt(torch.nn.init._calculate_correct_fan(module.weight, "fan_in"))
    yield bool(abs(weights.std() / std - 1) < SPREAD)
    yield bool(abs(weights.mean()) < SPREAD * std)
    yield len(np.unique(weights)) > 0.9 * weights.size
    yield np.array_equal(again[f"{layer}_w"], nets[0][f"{layer}_w"])


def _all_facts(call: Call) -> list[bool]:
    return [True] * 6 * len(LAYERS)


def _counts(rng: Rng) -> Iterator[Call]:
    for count, size in ((11, 4), (12, 4), (25, 8), (9, 20), (1, 1), (7, 7), (5, 1), (16, 3)):
        yield Call((count, size))


def _asked_batches(scope: Namespace, call: Call) -> list[Any]:
    """The sizes, all numbers in order, and whether chance comes from the generator alone."""
    count, size = call.arrays
    epochs = [_epoch(scope, count, size, seed) for seed in (0, 0, *range(1, 40))]
    orders = np.array([np.concatenate(epoch) for epoch in epochs])
    if not all(order.dtype.kind in "iu" for epoch in epochs for order in map(np.asarray, epoch)):
        raise WrongError("numbers that are not whole")
    return [
        [len(batch) for batch in epochs[0]],
        np.sort(orders, axis=1),
        np.array_equal(orders[0], orders[1]),
        len(np.unique(orders, axis=0)) > min(count, 4) - 1,
        len(set(orders[:, 0])) > (count + 1) // 2,  # each may come first
    ]


def _epoch(scope: Namespace, count: int, size: int, seed: int) -> list[Any]:
    return [np.asarray(b) for b in scope["minibatches"](count, size, np.random.default_rng(seed))]


def _right_batches(call: Call) -> list[Any]:
    count, size = call.arrays
    sizes = [len(part) for part in torch.arange(count).split(size)]
    return [sizes, np.tile(np.arange(count), (41, 1)), True, True, count > 1]


def _steps(rng: Rng) -> Iterator[Call]:
    shapes = {"fc1_w": (3, 4), "fc1_b": (4,), "conv_w": (2, 3, 2, 2), "scale": ()}
    for options in (
        {"learning_rate": 0.1, "momentum": 0.8},
        {"learning_rate": 0.03, "momentum": 0.5},
        {"learning_rate": 1.0, "momentum": 0.0},
        {"learning_rate": 0.2},
        {"learning_rate": 0.0, "momentum": 0.3},
    ):
        arrays = tuple(
            {name: np.asarray(rng.standard_normal(shape)) for name, shape in shapes.items()}
            for _ in range(5)  # params, velocity, and the gradients of three steps
        )
        yield Call(arrays, options=options)


def _asked_steps(scope: Namespace, call: Call) -> list[Any]:
    """Everything after three steps, in place."""
    params, velocity, *gradients = ({k: a.copy() for k, a in d.items()} for d in call.arrays)
    for grads in gradients:
        scope["sgd_step"](params, grads, velocity, **call.options)
    for grads, before in zip(gradients, call.arrays[2:], strict=True):
        if grads.keys() != before.keys() or not all(
            np.array_equal(grads[name], before[name]) for name in before
        ):
            raise WrongError("the gradients are changed")
    return [*named(params, call.arrays[0]), *named(velocity, call.arrays[0])]


def _right_steps(call: Call) -> list[Any]:
    """By torch's own optimizer."""
    params, velocity, *gradients = call.arrays
    leaves = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    optimizer = _optimizer(leaves, **call.options)
    for name, leaf in leaves.items():
        optimizer.state[leaf]["momentum_buffer"] = torch.tensor(velocity[name])
    kept = velocity
    for grads in gradients:
        for name, leaf in leaves.items():
            leaf.grad = torch.tensor(grads[name])
        optimizer.step()
        rate = call.options.get("momentum", 0.9)
        kept = {name: rate * kept[name] + grads[name] for name in grads}
    return [*(leaf.detach() for leaf in leaves.values()), *kept.values()]


def _optimizer(leaves: Mapping[str, Any], learning_rate: float, momentum: float = 0.9) -> Any:
    return torch.optim.SGD(leaves.values(), lr=learning_rate, momentum=momentum, foreach=False)


def _linear_forward(x: Array, params: Mapping[str, Array]) -> tuple[Array, Any]:
    flat = x.reshape(len(x), -1)
    return flat @ params["w"] + params["b"], (flat, params["w"])


def _linear_backward(dscores: Array, cache: Any) -> dict[str, Array]:
    flat, _ = cache
    return {"w": flat.T @ dscores, "b": dscores.sum(axis=0)}


def _judged(rng: Rng) -> Iterator[Call]:
    for count, size, classes in ((11, 4, 3), (12, 4, 5), (7, 100, 4), (9, 1, 2), (250, 0, 3)):
        for _ in range(3):
            params = {"w": rng.standard_normal((6, classes)), "b": rng.standard_normal(classes)}
            x, y = rng.standard_normal((count, 1, 3, 2)), rng.integers(0, classes, count)
            yield Call((params, x, y), options={"batch_size": size} if size else {})


def _asked_accuracy(scope: Namespace, call: Call) -> list[Any]:
    params, x, y = call.arrays
    given = {k: p.copy() for k, p in params.items()}, x.copy(), y.copy()
    share = scope["accuracy"](_linear_forward, *given, **call.options)
    if not (np.array_equal(given[1], x) and np.array_equal(given[2], y)):
        raise WrongError("an argument is changed")
    return [share]


def _right_accuracy(call: Call) -> list[Any]:
    params, x, y = call.arrays
    scores = torch.tensor(_linear_forward(x, params)[0])
    return [(scores.argmax(1) == torch.tensor(y)).double().mean()]


def _runs(rng: Rng) -> Iterator[Call]:
    for rates in ({"learning_rate": 0.2, "momentum": 0.7}, {"learning_rate": 0.1}):
        for count, epochs, size in ((7, 3, 3), (10, 1, 4), (5, 4, 5), (6, 2, 1)):
            params = {"w": rng.standard_normal((6, 3)), "b": rng.standard_normal(3)}
            pairs = [(rng.standard_normal((n, 1, 3, 2)), rng.integers(0, 3, n)) for n in (count, 4)]
            data = (*pairs[0], *pairs[1])
            schedule = [
                [order[i : i + size] for i in range(0, count, size)]
                for order in (rng.permutation(count) for _ in range(epochs))
            ]
            yield Call((params, data, schedule), options=rates)


def _asked_training(scope: Namespace, call: Call) -> list[Any]:
    params, data, schedule = call.arrays
    params, given = {k: p.copy() for k, p in params.items()}, tuple(a.copy() for a in data)
    network = _linear_forward, _linear_backward
    history = scope["train"](network, params, given, schedule, **call.options)
    if not all(map(np.array_equal, given, data)):
        raise WrongError("the data are changed")
    return [*named(params, "wb"), *named(history, ("loss", "accuracy"))]


def _right_training(call: Call) -> list[Any]:
    """The same with autograd and torch's own optimizer."""
    params, (x, y, x_val, y_val), schedule = call.arrays
    leaves = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    optimizer, losses, shares = _optimizer(leaves, **call.options), [], []

    def scores(images: Array) -> Any:
        return torch.tensor(images).flatten(1) @ leaves["w"] + leaves["b"]

    for epoch in schedule:
        for batch in epoch:
            loss = functional.cross_entropy(scores(x[batch]), torch.tensor(y[batch]))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.detach())
        shares.append((scores(x_val).argmax(1) == torch.tensor(y_val)).double().mean())
    leaves_now = [leaf.detach() for leaf in leaves.values()]
    return [*leaves_now, torch.stack(losses), torch.stack(shares)]


def _truth(name: str, ask: Any, right: Any, calls: Any) -> ProcedureTruth:
    """Its example is the first of its calls, drawn anew."""
    return ProcedureTruth((name,), ask, right, calls, next(calls(np.random.default_rng(0))))


TRUTHS = (
    _truth("init_lenet", _asked_init, _all_facts, _inits),
    _truth("minibatches", _asked_batches, _right_batches, _counts),
    _truth("sgd_step", _asked_steps, _right_steps, _steps),
    _truth("accuracy", _asked_accuracy, _right_accuracy, _judged),
    _truth("train", _asked_training, _right_training, _runs),
)
