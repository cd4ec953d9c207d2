"""Misconceptions of the training loop.

They take w, b, x, y, x_val and y_val, and schedule, learning_rate and momentum by keyword.
"""

from collections.abc import Callable
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import learning as oracle


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
