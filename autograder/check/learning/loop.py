"""The check of the training loop, every number of whose run is known."""

import copy
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from autograder.check.call import Called, call_as_is
from autograder.check.case import Case, name_of
from autograder.check.explain import changed_arguments, raised
from autograder.check.learning.answers import Fault, compared, judge_with_torch, not_named, subject
from autograder.check.learning.linear import parameters
from autograder.check.mistakes import Mistake
from autograder.check.mistakes import training as mistakes
from autograder.check.oracle import learning as oracle
from autograder.check.oracle import tensor
from autograder.check.record import Record

Function = Callable[..., Any]

IMAGES = (7, 1, 3, 2)
ELSEWHERE = (
    "Do the checks of your loss, your step and your accuracy pass? Then follow one batch through "
    "the loop: forward, loss, backward, step."
)


def training(train: Function, *, learning_rate: float, momentum: float, concept: str = "") -> None:
    """Checks ``train(network, params, data, schedule, learning_rate, momentum)``.

    The network is a linear one of the check's own and the batches are given, so every number has
    to be that of PyTorch's run. Errors are those of `Layer.forward`.
    """
    name = name_of(train)
    call = f"{name}(network, params, data, schedule, {learning_rate}, {momentum})"
    shapes = {"x_train": np.empty(IMAGES), "x_val": np.empty(IMAGES)}
    case = subject(name, call, concept, **shapes)
    judge_with_torch(case, lambda: _judged_training(case, train, learning_rate, momentum))


def _judged_training(case: Case, train: Function, learning_rate: float, momentum: float) -> Record:
    rng, rates = case.rng, {"learning_rate": learning_rate, "momentum": momentum}
    pairs = [(rng.standard_normal(IMAGES), rng.integers(0, 3, IMAGES[0])) for _ in range(2)]
    data = dict(zip(("x", "y", "x_val", "y_val"), chain.from_iterable(pairs), strict=True))
    params = parameters(rng, 3)
    schedule = [np.split(rng.permutation(IMAGES[0]), [3, 6]) for _ in range(3)]
    arrays, options = copy.deepcopy(({**params, **data}, {"schedule": schedule, **rates}))
    given = [oracle.linear_network(), params, tuple(data.values()), schedule, *rates.values()]
    called = call_as_is(train, given, {}, data)
    fault = _not_run(called, case.name)
    if fault:
        return case.record(**fault)
    return _judged_run(case, params, called.value, arrays, options)


def _not_run(called: Called, name: str) -> Fault:
    """Why there is no run to be judged, if there is none."""
    if called.error is not None:
        return raised(called, name)
    if called.changed:
        return changed_arguments(name, called.changed)
    return not_named(called.value, name, ("loss", "accuracy"))


def _judged_run(
    case: Case,
    params: Mapping[str, Any],
    history: Mapping[str, Any],
    arrays: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Record:
    w, b, x, y, x_val, y_val = map(tensor, arrays.values())
    data = (x, y.long(), x_val, y_val.long())
    right, losses, accuracies = oracle.trajectory({"w": w, "b": b}, data, **options)
    looks: list[tuple[Any, Any, str, Sequence[Mistake]]] = [
        (params.get("w"), right["w"].numpy(), "params['w'] afterwards", mistakes.TRAINED),
        (params.get("b"), right["b"].numpy(), "params['b'] afterwards", ()),
        (history["loss"], losses, "history['loss']", mistakes.LOSSES),
        (history["accuracy"], accuracies, "history['accuracy']", mistakes.ACCURACIES),
    ]
    found = (compared(case, *look, arrays=arrays, options=options) for look in looks)
    for wrong in filter(None, found):
        return wrong if wrong.hint else wrong.but(hint=ELSEWHERE)
    return case.record(message="every weight, loss and accuracy is that of PyTorch's run")
