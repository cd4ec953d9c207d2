"""Checks of functions that only ask a net: probabilities, and gradients of its last maps."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check.case import name_of
from autograder.check.explain import kind
from autograder.check.finetuning.nets import (
    CLASSES,
    Function,
    Subject,
    conclude_precisely,
    conclude_with,
    failed,
    first_wrong,
    made,
    pixels,
    same,
    state_of,
    subject,
    unchanged,
)
from autograder.check.mistakes import finetuning_looks as mistakes
from autograder.check.modules import judge
from autograder.check.modules.judge import Refused, attempt, wrong
from autograder.check.oracle import finetuning as oracle
from autograder.check.record import Array, Record

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SPREAD = 2.0  # of right and wrong scores of each class


def predicted(
    predict: Function,
    make: Function,
    *,
    images: Any,
    batch_size: int | None = None,
    concept: str = "",
) -> None:
    """Checks ``predict(net, images, batch_size)``; the net is in train mode when handed over.

    Args:
        predict: the student's.
        make: their ``pretrained_net``.
        images: bytes (N, H, W, 3), or what draws them.
        batch_size: if it is given.
        concept: see `Record`.

    Raises:
        CheckFailed: the probabilities are wrong, or asking changes the net.
        GraderBroke: the check itself failed; nothing is said about the student.
    """
    options = {} if batch_size is None else {"batch_size": batch_size}
    told = "".join(f", {key}={value}" for key, value in options.items())
    case = subject(predict, f"net, images{told}", concept, f"images: {images!r}")

    def known(net: Any, given: "Tensor") -> dict[str, Any]:
        return {m.says: lambda m=m: m.answer(net(), given, batch_size) for m in mistakes.PREDICTED}

    conclude_with(
        case, lambda: _judged(case, predict, make, images, options, oracle.predicted, known)
    )


def predicted_twice(
    predict_twice: Function, make: Function, *, images: Any, concept: str = ""
) -> None:
    """Checks ``predict_twice(net, images)``; all else is as for `predicted`."""
    case = subject(predict_twice, "net, images", concept, f"images: {images!r}")

    def right(net: Any, given: "Tensor") -> "Tensor":
        return (oracle.predicted(net, given) + oracle.predicted(net, given.flip(2))) / 2

    def known(net: Any, given: "Tensor") -> dict[str, Any]:
        once = {m.says: lambda m=m: m.answer(net(), given) for m in mistakes.TWICE}
        train, scores = mistakes.PREDICTED[:2]
        for mistake in (train, scores):
            once[mistake.says] = lambda m=mistake: (
                (m.answer(net(), given, None) + m.answer(net(), given.flip(2), None)) / 2
            )
        return once

    conclude_with(case, lambda: _judged(case, predict_twice, make, images, {}, right, known))


def _judged(
    case: Subject,
    predict: Function,
    make: Function,
    images: Any,
    options: Mapping[str, Any],
    right: Function,
    known: Function,
) -> Record:
    import torch

    rng = case.stream()
    given = pixels(rng, images)
    numbers = _telling(oracle.drawn(rng, CLASSES), given)
    net = made(make, numbers, torch.float32)
    attempt(case.name, lambda: net.train())
    before = state_of(net, case.name)
    out = unchanged(case.name, {"images": given}, lambda images: predict(net, images, **options))
    if not isinstance(out, torch.Tensor):
        return case.record(**judge.no_tensor(case.name, out))
    ours = partial(oracle.net_of, numbers, torch.float32)  # a new one for each answer
    answers = ((says, judge.array(answer())) for says, answer in known(ours, given).items())
    fault = wrong(judge.array(out), judge.array(right(ours(), given)), answers)
    if not fault and not same(before, state_of(net, case.name)):
        fault = failed(f"{case.name} changes the net", hint=mistakes.MOVED)
    if not fault and out.requires_grad:
        fault = failed("the probabilities require a gradient", hint=mistakes.WITH_GRAPH)
    return case.record(**(fault or {"message": "the probabilities are PyTorch's"}))


def _telling(numbers: dict[str, Array], images: "Tensor") -> dict[str, Array]:
    """Numbers with another head: one for which no class is all but certain.

    That holds of the right scores and of wrong ones: where every mistake is sure of a class, two
    mistakes that are sure of the same are not told apart.
    """
    import torch

    net = oracle.net_of(numbers, torch.float32)
    x = oracle.normalized(images)
    with torch.no_grad():
        divided = images.permute(0, 3, 1, 2) / 255
        found = [net.eval()(x), net(divided), net.train()(x)]
    right, everything = judge.array(found[0]), judge.array(torch.cat(found))
    scale = SPREAD / everything.std(0)
    weight = numbers["fc.weight"] * scale[:, None]
    bias = (numbers["fc.bias"] - right.mean(0)) * scale
    return {**numbers, "fc.weight": weight, "fc.bias": bias}


def score_gradients(
    function: Function,
    make: Function,
    *,
    x: tuple[int, ...],
    num_classes: int,
    concept: str = "",
) -> None:
    """Checks ``maps_and_gradients(net, x, labels)``; the net is in train mode when handed over.

    Its parameters have gradients already, which are to stay. All else is as for `predicted`.
    """
    case = subject(function, "net, x, labels", concept, f"x: {x}, labels: {x[:1]}")
    conclude_precisely(
        case, lambda dtype: _judged_gradients(case, function, make, x, num_classes, dtype)
    )


def _judged_gradients(
    case: Subject,
    function: Function,
    make: Function,
    shape: tuple[int, ...],
    num_classes: int,
    dtype: "torch.dtype",
) -> Record:
    import torch

    rng = case.stream()
    numbers = oracle.drawn(rng, num_classes)
    x = torch.tensor(rng.standard_normal(shape), dtype=dtype)
    labels = torch.tensor(rng.permutation(num_classes)[: len(x)])
    net = made(make, numbers, dtype)
    attempt(name_of(make), lambda: torch.autograd.backward(net.eval()(x).sum()))
    attempt(name_of(make), lambda: net.train())
    before, state = _gradients(net, case.name), state_of(net, case.name)
    given = {"x": x, "labels": labels}
    out = unchanged(case.name, given, lambda x, labels: function(net, x, labels))
    got = _two(case, out)

    def answer(found: Callable[..., Any]) -> dict[str, Array]:
        two = found(oracle.net_of(numbers, dtype), x, labels)
        return dict(zip(("maps", "gradients"), map(judge.array, two), strict=True))

    known = ((m.says, lambda m=m: answer(m.answer)) for m in mistakes.GRADIENTS)
    fault = first_wrong(got, answer(oracle.maps_and_gradients), known)
    if not fault and not same(state, state_of(net, case.name)):
        fault = failed(f"{case.name} changes the net", hint=mistakes.MOVED)
    if not fault and not _alike(before, _gradients(net, case.name)):
        message = "the gradients of the net's parameters are not what they were"
        fault = failed(message, hint=mistakes.LEFT_BEHIND)
    return case.record(**(fault or {"message": "maps and gradients are PyTorch's"}))


def _two(case: Subject, out: Any) -> dict[str, Array]:
    import torch

    pair = isinstance(out, (tuple, list)) and len(out) == 2
    if not pair or not all(isinstance(part, torch.Tensor) for part in out):
        got = kind(out)
        raise Refused(failed(f"{case.name} should return two tensors, (maps, gradients)", got=got))
    return dict(zip(("maps", "gradients"), map(judge.array, out), strict=True))


def _gradients(net: Any, name: str) -> dict[str, Array | None]:
    def read() -> dict[str, Array | None]:
        found = ((key, value.grad) for key, value in net.named_parameters())
        return {str(key): None if part is None else judge.array(part).copy() for key, part in found}

    gradients: dict[str, Array | None] = attempt(name, read)
    return gradients


def _alike(before: Mapping[str, Array | None], after: Mapping[str, Array | None]) -> bool:
    return all(
        (before[name] is None and after[name] is None)
        or (
            before[name] is not None
            and after[name] is not None
            and np.array_equal(before[name], after[name])  # type: ignore[arg-type]
        )
        for name in before
    )
