"""Misconceptions of a whole network, of gradient descent and of the training loop.

Those of the network take its parameters in the order of `oracle.convnet.NAMES`, and x; those of
its gradients take dscores before them.
"""

from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import convnet as oracle

LAYERS = ("conv1", "conv2", "fc1")


def _with(**parts: Any) -> Callable[..., Any]:
    """LeNet with other parts."""
    return lambda *params, x: oracle.lenet(*params, x=x, **parts)


def _without_relu(*missing: int) -> Callable[..., Any]:
    return _with(relus=[oracle.unchanged if i in missing else oracle.relu for i in range(3)])


def _averaged(h: Any) -> Any:
    from torch.nn import functional

    return functional.avg_pool2d(h, 2)


def _channels_last(h: Any) -> Any:
    return h.permute(0, 2, 3, 1).flatten(1)


def _columns_first(h: Any) -> Any:
    return h.transpose(2, 3).flatten(1)


def _images_last(h: Any) -> Any:
    return h.reshape(-1, len(h)).T


def _without_bias(*names: str) -> Callable[..., Any]:
    def answer(*params: Any, x: Any) -> Any:
        named = zip(oracle.NAMES, params, strict=True)
        return oracle.lenet(*(0 * p if name in names else p for name, p in named), x=x)

    return answer


LENET = (
    *(
        Mistake(
            f"no ReLU after {layer}",
            f"There is no ReLU after {layer}.",
            _without_relu(place),
        )
        for place, layer in enumerate(LAYERS)
    ),
    Mistake(
        "no ReLU at all",
        "There is no ReLU anywhere: without them the layers are, but for pooling, one linear map.",
        _without_relu(0, 1, 2),
    ),
    Mistake(
        "no ReLU after the convolutions",
        "There is no ReLU after the two convolutions.",
        _without_relu(0, 1),
    ),
    Mistake(
        "ReLU on the scores",
        "The scores went through a ReLU: a score may be negative, fc2 is the last layer.",
        _with(ending=oracle.relu),
    ),
    Mistake(
        "probabilities for scores",
        "These are probabilities. Return the scores: the loss has the softmax in it already.",
        _with(ending=lambda h: h.softmax(1)),
    ),
    Mistake(
        "log-probabilities for scores",
        "These are logarithms of probabilities. Return the scores: the loss has the softmax in it "
        "already.",
        _with(ending=lambda h: h.log_softmax(1)),
    ),
    Mistake(
        "mean for max", "You pool with the mean; LeNet here takes the max.", _with(pool=_averaged)
    ),
    Mistake(
        "channels last",
        "Flattened with the channels running fastest: keep the order (C, H, W) of the array.",
        _with(flatten=_channels_last),
    ),
    Mistake(
        "columns first",
        "Flattened with rows and columns swapped: keep the order (C, H, W) of the array.",
        _with(flatten=_columns_first),
    ),
    Mistake(
        "images mixed",
        "Flattening mixes the images: the first axis must stay N, x.reshape(N, -1).",
        _with(flatten=_images_last),
    ),
    Mistake(
        "no biases",
        "The biases are never added: each of the four layers has its own.",
        _without_bias("conv1_b", "conv2_b", "fc1_b", "fc2_b"),
    ),
    *(
        Mistake(f"no {name}", f"{name} is never added.", _without_bias(name))
        for name in oracle.NAMES
        if name.endswith("_b")
    ),
)


def _gradient(name: str, **parts: Any) -> Callable[..., Any]:
    """The gradient of the parameter ``name`` through a LeNet of these parts."""

    def answer(dscores: Any, *params: Any, x: Any) -> Any:
        leaves = [p.detach().requires_grad_() for p in params]
        oracle.lenet(*leaves, x=x, **parts).backward(dscores)  # type: ignore[no-untyped-call]
        return leaves[oracle.NAMES.index(name)].grad

    return answer


def _back_as(wrong: oracle.Part, right: oracle.Part) -> oracle.Part:
    """What forward is ``right`` and backward is ``wrong``."""
    return lambda h: wrong(h) + (right(h) - wrong(h)).detach()


_SKIPPED = _back_as(oracle.unchanged, oracle.relu)


def _by_sign_of_gradient(h: Any) -> Any:
    """A ReLU whose backward looks for where the gradient, not the input, is positive."""
    out = _SKIPPED(h)
    out.register_hook(lambda gradient: gradient.relu())  # type: ignore[no-untyped-call]
    return out


def _skipping(*places: int) -> Sequence[oracle.Part]:
    return [_SKIPPED if i in places else oracle.relu for i in range(3)]


def _summed(h: Any) -> Any:
    return 4 * _averaged(h)


def _divided(name: str) -> Callable[..., Any]:
    def answer(dscores: Any, *params: Any, x: Any) -> Any:
        return _gradient(name)(dscores, *params, x=x) / len(x)

    return answer


def _of_ones(name: str) -> Callable[..., Any]:
    def answer(dscores: Any, *params: Any, x: Any) -> Any:
        return _gradient(name)(dscores * 0 + 1, *params, x=x)

    return answer


def _exchanged_names(name: str) -> Callable[..., Any]:
    """The gradient that belongs to the other layer of the same kind."""
    one, two = name[:-3], "21"[int(name[-3]) - 1]
    return _gradient(f"{one}{two}{name[-2:]}")


def _exchanged_caches(dscores: Any, *params: Any, x: Any) -> Any:
    """The gradient of fc2_w from the cache of fc1: its input is the flattened map."""
    kept: list[Any] = []

    def flatten(h: Any) -> Any:
        kept.append(oracle.stretched(h))
        return kept[0]

    oracle.lenet(*params, x=x, flatten=flatten)
    return kept[0].T @ dscores


def _lenet_gradient(name: str) -> tuple[Mistake, ...]:
    skipped = (
        Mistake(
            f"ReLU after {layer} skipped",
            f"On the way back the ReLU after {layer} is left out.",
            _gradient(name, relus=_skipping(place)),
        )
        for place, layer in enumerate(LAYERS)
    )
    caches = Mistake(
        "caches of fc1 and fc2 exchanged",
        "fc2 went back with the cache of fc1: every layer needs the cache of its own forward.",
        _exchanged_caches,
    )
    return (
        *((caches,) if name == "fc2_w" else ()),
        *skipped,
        Mistake(
            "every ReLU skipped",
            "On the way back no ReLU is passed: each stops the gradient where its input was not "
            "above 0.",
            _gradient(name, relus=_skipping(0, 1, 2)),
        ),
        Mistake(
            "ReLU by the gradient's sign",
            "ReLU stops the gradient where its input was below 0, not where the gradient is.",
            _gradient(name, relus=[_by_sign_of_gradient] * 3),
        ),
        Mistake(
            "channels last on the way back",
            "The gradient is not unflattened in the order in which the maps were flattened: "
            "reshape it straight to the shape that they had.",
            _gradient(name, flatten=_back_as(_channels_last, oracle.stretched)),
        ),
        Mistake(
            "pooling spread",
            "Pooling gives the gradient to all four pixels of a window; only the largest had a "
            "part in the output.",
            _gradient(name, pool=_back_as(_summed, oracle.halved)),
        ),
        Mistake(
            "divided by N",
            "This is the right gradient divided by N. The loss is a mean and has divided already.",
            _divided(name),
        ),
        Mistake(
            "dscores not used",
            "This is the answer for dscores full of ones: start from the dscores that you are "
            "given.",
            _of_ones(name),
        ),
        Mistake(
            "names exchanged",
            "That is the gradient of the other layer of this kind: look at the names in grads.",
            _exchanged_names(name),
        ),
    )


LENET_GRADIENTS = {f"d{name}": _lenet_gradient(name) for name in oracle.NAMES}


# The step takes w, g and v, and learning_rate and momentum by keyword.
Step = Callable[[Any, Any, Any, float, float], Any]


def _step(formula: Step) -> Callable[..., Any]:
    return lambda w, g, v, learning_rate, momentum: formula(w, g, v, learning_rate, momentum)


SGD_PARAMS = (
    Mistake(
        "update on a copy",
        "Nothing happened to the params that were handed in. p = p − … only gives a new array "
        "the name p: change the array, or put the new one into the dict.",
        _step(lambda w, g, v, lr, m: w),
    ),
    Mistake(
        "no learning rate",
        "The learning rate is never used.",
        _step(lambda w, g, v, lr, m: w - (m * v + g)),
    ),
    Mistake(
        "uphill",
        "The step goes uphill: subtract it.",
        _step(lambda w, g, v, lr, m: w + lr * (m * v + g)),
    ),
    Mistake(
        "momentum not used",
        "This is the step without momentum: w ← w − η g.",
        _step(lambda w, g, v, lr, m: w - lr * g),
    ),
    Mistake(
        "momentum subtracted",
        "The old velocity is subtracted; v ← ρ v + g adds it.",
        _step(lambda w, g, v, lr, m: w - lr * (g - m * v)),
    ),
    Mistake(
        "learning rate twice",
        "The learning rate is multiplied in twice, in v and in w.",
        _step(lambda w, g, v, lr, m: w - lr * (m * v + lr * g)),
    ),
    Mistake(
        "learning rate in the velocity",
        "Your velocity has the learning rate in it. Here v ← ρ v + g, and only w ← w − η v "
        "multiplies by η.",
        _step(lambda w, g, v, lr, m: w - m * v - lr * g),
    ),
    Mistake(
        "velocity downhill",
        "Your velocity points downhill and is added. Here v ← ρ v + g, and w ← w − η v.",
        _step(lambda w, g, v, lr, m: w + m * v - lr * g),
    ),
    Mistake(
        "damped",
        "The gradient is multiplied by 1 − ρ; v ← ρ v + g takes all of it.",
        _step(lambda w, g, v, lr, m: w - lr * (m * v + (1 - m) * g)),
    ),
    Mistake(
        "old velocity",
        "The step goes along the old velocity: update v first, then w.",
        _step(lambda w, g, v, lr, m: w - lr * v),
    ),
    Mistake(
        "looks ahead",
        "This is Nesterov's momentum. The plain one is w ← w − η v.",
        _step(lambda w, g, v, lr, m: w - lr * (g + m * (m * v + g))),
    ),
    Mistake(
        "velocity not damped",
        "The old velocity is added whole: v ← ρ v + g.",
        _step(lambda w, g, v, lr, m: w - lr * (v + g)),
    ),
)
SGD_VELOCITY = (
    Mistake(
        "velocity not kept",
        "The velocity that was handed in is as it was: the next step would know nothing of this "
        "one.",
        _step(lambda w, g, v, lr, m: v),
    ),
    Mistake(
        "velocity forgotten",
        "The velocity is only the new gradient: v ← ρ v + g.",
        _step(lambda w, g, v, lr, m: g),
    ),
    Mistake(
        "learning rate in the velocity",
        "The velocity has the learning rate in it: v ← ρ v + g, without η.",
        _step(lambda w, g, v, lr, m: lr * (m * v + g)),
    ),
)


def _shares(counts: Callable[[Any, Any], Any], batched: bool = False) -> Callable[..., Any]:
    """The mean of what ``counts`` makes of scores and labels, or the mean of the batches' means."""

    def answer(scores: Any, y: Any, batch_size: int) -> Any:
        right = counts(scores, y.long()).double()
        if not batched:
            return right.mean()
        means = [part.mean() for part in right.split(batch_size)]
        return sum(means) / len(means)

    return answer


def _right(scores: Any, y: Any) -> Any:
    return scores.argmax(1) == y


def _whole_batches(scores: Any, y: Any, batch_size: int) -> Any:
    count = len(y) // batch_size * batch_size
    return _right(scores[:count], y[:count].long()).double()


ACCURACY = (
    Mistake(
        "share of the wrong",
        "That is the share of the images that are wrong.",
        _shares(lambda scores, y: scores.argmax(1) != y),
    ),
    Mistake(
        "smallest score",
        "That is how often the smallest score is that of the label: the prediction is the largest.",
        _shares(lambda scores, y: scores.argmin(1) == y),
    ),
    Mistake(
        "percent",
        "That is in percent: return a share, from 0 to 1.",
        lambda scores, y, batch_size: 100 * _right(scores, y.long()).double().mean(),
    ),
    Mistake(
        "how many",
        "That is how many are right: divide by the number of images.",
        lambda scores, y, batch_size: _right(scores, y.long()).double().sum(),
    ),
    Mistake(
        "mean of means",
        "That is the mean of the batches' accuracies: the last batch is "
        "smaller and must count for less.",
        _shares(_right, batched=True),
    ),
    Mistake(
        "last batch skipped",
        "The last images, which do not fill a batch, are left out.",
        lambda scores, y, batch_size: _whole_batches(scores, y, batch_size).mean(),
    ),
    Mistake(
        "last batch not counted",
        "The last images, which do not fill a batch, count as wrong: you never look at them.",
        lambda scores, y, batch_size: _whole_batches(scores, y, batch_size).sum() / len(y),
    ),
    Mistake(
        "first batch only",
        "That is the accuracy of the first batch.",
        lambda scores, y, batch_size: _right(scores, y.long())[:batch_size].double().mean(),
    ),
)


# The training loop takes w, b, x, y, x_val and y_val, and schedule, learning_rate and momentum.
def _run(params: Any, data: Any, schedule: Any, learning_rate: float, momentum: float) -> Any:
    x, y, x_val, y_val = data
    labelled = (x, y.long(), x_val, y_val.long())
    return oracle.trajectory(params, labelled, schedule, learning_rate, momentum)


def _trained(change: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """The weights after a run of which ``change(data, schedule)`` says what is different."""

    def answer(w: Any, b: Any, *data: Any, **settings: Any) -> Any:
        given = {"data": data, **settings}
        return _run({"w": w, "b": b}, **{**given, **change(data, **settings)})[0]["w"]

    return answer


def _velocity_reset(w: Any, b: Any, *data: Any, schedule: Any, **settings: Any) -> Any:
    params = {"w": w, "b": b}
    for epoch in schedule:
        params = _run(params, data, [epoch], **settings)[0]
    return params["w"]


def _labels_of_others(data: Any, schedule: Any, **settings: Any) -> dict[str, Any]:
    """Images x[batch] with the labels y[: len(batch)]."""
    from torch import cat

    x, y, *rest = data
    batches = [batch for epoch in schedule for batch in epoch]
    starts = [sum(map(len, batches[:i])) for i in range(len(batches))]
    pairs = zip(starts, batches, strict=True)
    steps = [list(range(start, start + len(batch))) for start, batch in pairs]
    images = cat([x[batch] for batch in batches])
    labels = cat([y[: len(batch)] for batch in batches])
    return {"data": (images, labels, *rest), "schedule": [steps]}


TRAINED = (
    Mistake(
        "update on a copy",
        "The params that were handed in are as they were: training must change them.",
        lambda w, b, *data, **settings: w,
    ),
    Mistake(
        "uphill",
        "Training went uphill: the loss grows with every step.",
        _trained(lambda data, learning_rate, **_: {"learning_rate": -learning_rate}),
    ),
    Mistake(
        "one epoch",
        "Training ended after the first epoch.",
        _trained(lambda data, schedule, **_: {"schedule": schedule[:1]}),
    ),
    Mistake(
        "one batch an epoch",
        "Only the first batch of each epoch is used.",
        _trained(lambda data, schedule, **_: {"schedule": [e[:1] for e in schedule]}),
    ),
    Mistake(
        "last batch of an epoch only",
        "Only the last batch of each epoch makes a step.",
        _trained(lambda data, schedule, **_: {"schedule": [e[-1:] for e in schedule]}),
    ),
    Mistake(
        "last batch skipped",
        "The last batch of each epoch is left out.",
        _trained(lambda data, schedule, **_: {"schedule": [e[:-1] for e in schedule]}),
    ),
    Mistake(
        "no momentum",
        "Momentum is lost: either it is not passed on, or the velocity starts at 0 with "
        "every step.",
        _trained(lambda data, **_: {"momentum": 0.0}),
    ),
    Mistake(
        "velocity reset",
        "The velocity starts at 0 with every epoch: it belongs to the whole training.",
        _velocity_reset,
    ),
    Mistake(
        "all images each step",
        "Every step uses all the images: take x[batch] and y[batch].",
        _trained(
            lambda data, schedule, **_: {
                "schedule": [[list(range(len(data[0])))] * len(e) for e in schedule]
            }
        ),
    ),
    Mistake(
        "labels of other images",
        "Images and labels do not belong together: take y[batch] as well.",
        _trained(_labels_of_others),
    ),
    Mistake(
        "own momentum",
        "That is training with momentum 0.9, whatever momentum you are given.",
        _trained(lambda data, **_: {"momentum": 0.9}),
    ),
    Mistake(
        "trained on the validation images",
        "You train on the validation images: they must stay unseen.",
        _trained(lambda data, **_: {"data": (*data[2:], *data[2:])}),
    ),
)


def _losses(w: Any, b: Any, *data: Any, **settings: Any) -> Any:
    return _run({"w": w, "b": b}, data, **settings)[1]


def _losses_after(w: Any, b: Any, *data: Any, schedule: Any, **settings: Any) -> Any:
    """The loss of each batch after its own step."""
    from torch import tensor

    steps = [batch for epoch in schedule for batch in epoch]
    x, y = data[0], data[1].long()
    found = []
    for count, batch in enumerate(steps, start=1):
        params = _run({"w": w, "b": b}, data, [steps[:count]], **settings)[0]
        found.append(oracle.loss_and_gradients(params, x[batch], y[batch])[0])
    return tensor(found)


def _losses_of_epochs(w: Any, b: Any, *data: Any, schedule: Any, **settings: Any) -> Any:
    from torch import tensor

    losses = tensor(_losses(w, b, *data, schedule=schedule, **settings))
    parts = losses.split([len(e) for e in schedule])  # type: ignore[no-untyped-call]
    return tensor([part.mean() for part in parts])


LOSSES = (
    Mistake(
        "one loss an epoch", "One loss for each step, not one for each epoch.", _losses_of_epochs
    ),
    Mistake(
        "loss after the step",
        "That is the loss after the step: note it down before.",
        _losses_after,
    ),
)


def _judged_on(images: int, labels: int) -> Callable[..., Any]:
    """The accuracies on other data than the validation's."""

    def answer(w: Any, b: Any, *data: Any, **settings: Any) -> Any:
        from torch import tensor

        other = (data[0], data[1], data[images], data[labels])
        return tensor(_run({"w": w, "b": b}, other, **settings)[2])

    return answer


def _errors(w: Any, b: Any, *data: Any, **settings: Any) -> Any:
    from torch import tensor

    return 1 - tensor(_run({"w": w, "b": b}, data, **settings)[2])


ACCURACIES = (
    Mistake(
        "accuracy on the training images",
        "That is the accuracy on the images that you train on; it is asked of those that the "
        "net has not seen.",
        _judged_on(0, 1),
    ),
    Mistake("share of the wrong", "That is the share of the images that are wrong.", _errors),
)


def fan_in(shape: tuple[int, ...]) -> int:
    """How many inputs each output adds up: w (C_out, C_in, K, K) or w (inputs, outputs)."""
    return prod(shape[1:]) if len(shape) == 4 else shape[0]


def fan_out(shape: tuple[int, ...]) -> int:
    """How many outputs each input has a part in."""
    return shape[0] * prod(shape[2:]) if len(shape) == 4 else shape[1]


def he(shape: tuple[int, ...]) -> float:
    """The standard deviation of K. He et al., "Delving deep into rectifiers", ICCV 2015."""
    return sqrt(2 / fan_in(shape))


# Each answers with the standard deviation of weights of a shape.
INITIAL = (
    Mistake(
        "zeros",
        "The weights are 0: all filters of a layer would get the same gradient and stay alike.",
        lambda shape: 0.0,
    ),
    Mistake(
        "not scaled",
        "The weights have standard deviation 1 in every layer: scale them by √(2 / fan-in).",
        lambda shape: 1.0,
    ),
    Mistake(
        "one hundredth",
        "The weights have standard deviation 0.01 in every layer: it must depend on the fan-in.",
        lambda shape: 0.01,
    ),
    Mistake(
        "without the 2",
        "The variance is 1 / fan-in. ReLU makes 0 of half of the numbers, so it should be 2 / "
        "fan-in.",
        lambda shape: sqrt(1 / fan_in(shape)),
    ),
    Mistake(
        "variance for standard deviation",
        "2 / fan-in is the variance; multiply by its square root.",
        lambda shape: 2 / fan_in(shape),
    ),
    Mistake(
        "fan-out",
        "You divide by the fan-out. The fan-in is how many numbers each output adds up.",
        lambda shape: sqrt(2 / fan_out(shape)),
    ),
    Mistake(
        "mean of fan-in and fan-out",
        "The variance is 2 / (fan-in + fan-out), Glorot's; for ReLU take 2 / fan-in.",
        lambda shape: sqrt(2 / (fan_in(shape) + fan_out(shape))),
    ),
    Mistake(
        "window forgotten",
        "The fan-in of a convolution is C_in · K · K: each output adds up a whole window.",
        lambda shape: sqrt(2 / (shape[1] if len(shape) == 4 else shape[0])),
    ),
    Mistake(
        "first axis",
        "You take the first axis for the fan-in. For a convolution that is C_out; its fan-in is "
        "C_in · K · K.",
        lambda shape: sqrt(2 / shape[0]),
    ),
    Mistake(
        "half the uniform range",
        "Uniform numbers between ±a have the variance a² / 3: take a = √(6 / fan-in).",
        lambda shape: he(shape) / sqrt(3),
    ),
)
