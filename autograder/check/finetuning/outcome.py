"""The check of a whole training by what comes out: scenes that the net has never seen."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check.case import name_of
from autograder.check.explain import kind
from autograder.check.finetuning.nets import (
    Function,
    State,
    Subject,
    conclude_with,
    failed,
    state_of,
    subject,
    unchanged,
)
from autograder.check.mistakes import finetuning_outcome as mistakes
from autograder.check.modules import judge
from autograder.check.modules.judge import Refused
from autograder.check.oracle import finetuning as oracle
from autograder.check.record import Array, Record

if TYPE_CHECKING:
    from torch import Tensor

CLASSES = 12
TRAINED, OTHERS = 240, 240  # images
CLEAR = 0.25  # a difference between shares that chance does not make


def learned_scenes(
    fit: Function,
    predict: Function,
    *,
    regime: str,
    epochs: int,
    at_least: float,
    frozen: Sequence[str] = (),
    concept: str = "",
) -> None:
    """Checks that ``fit(images, labels, 12, regime, epochs, seed)`` makes a net that knows scenes.

    Its images are drawn for this submission, and so are others, of which ``predict(net, images)``
    is asked one class at a time: who has forgotten eval mode lets each batch be normalized by
    itself, and what all its images have in common is lost.

    Args:
        fit: the student's.
        predict: the student's.
        regime: its name.
        epochs: over `TRAINED` images.
        at_least: the share of `OTHERS` images that have to be right.
        frozen: children of the net that have to be as they were pretrained.
        concept: see `Record`.

    Raises:
        CheckFailed: too few are right, or what is frozen has changed.
        GraderBroke: the check itself failed; nothing is said about the student.
    """
    case = subject(fit, f'images, labels, {CLASSES}, "{regime}", {epochs}', concept)
    conclude_with(case, lambda: _judged(case, fit, predict, regime, epochs, at_least, frozen))


def _judged(
    case: Subject,
    fit: Function,
    predict: Function,
    regime: str,
    epochs: int,
    at_least: float,
    frozen: Sequence[str],
) -> Record:
    import torch

    seed = int(case.stream().integers(2**31))
    trained, others = drawn("train", TRAINED, seed), drawn("val", OTHERS, seed)
    given = {"images": trained.images, "labels": trained.labels}
    net = unchanged(case.name, given, lambda x, y: fit(x, y, CLASSES, regime, epochs, seed))
    if not isinstance(net, torch.nn.Module):
        return case.record(**failed(f"{case.name} should return the net", got=kind(net)))
    state = state_of(net, case.name)
    fault = _moved(case, state, frozen)
    if fault:
        return case.record(**fault)
    share = others.share(lambda images: _answers(predict, net, images), by_class=True)
    told = f"{share:.0%} of {OTHERS} other scenes are right"
    if share >= at_least:
        return case.record(message=told)
    found = Evidence(case, predict, net, state, trained, others, share, regime)
    return case.record(
        **failed(
            "too few scenes are right",
            got=told,
            expected=f"at least {at_least:.0%}; chance is {1 / CLASSES:.0%}",
            where=f"of the {TRAINED} that it was trained on, {found.on_trained:.0%} are right",
            hint=next(found.hints(), ""),
        )
    )


@dataclass(frozen=True)
class Asked:
    """Scenes, and what they are."""

    images: "Tensor"
    labels: "Tensor"

    def share(self, answer: "Callable[[Tensor], Tensor]", by_class: bool) -> float:
        """The share of right answers, asked one class at a time or all at once."""
        import torch

        groups: list[Any] = [torch.arange(len(self.labels))]
        if by_class:
            groups = [torch.where(self.labels == label)[0] for label in range(CLASSES)]
        right = [
            (answer(self.images[group]).argmax(1) == self.labels[group]).sum() for group in groups
        ]
        return float(torch.stack(right).sum()) / len(self.labels)


def drawn(split: str, count: int, seed: int) -> Asked:
    """The first scenes of the lesson's classes, as they are drawn for this seed."""
    import torch

    from autograder.places import scenes

    found = scenes.dataset(split, count, seed=seed, classes=scenes.TASK, progress=False)
    return Asked(torch.tensor(found.images), torch.tensor(found.labels))


def _answers(predict: Function, net: Any, images: "Tensor") -> "Tensor":
    """What the student's ``predict`` says; raises `Refused` unless it is (N, `CLASSES`)."""
    import torch

    name = name_of(predict)
    out: Tensor = unchanged(name, {"images": images}, lambda images: predict(net, images))
    if not isinstance(out, torch.Tensor):
        raise Refused(judge.no_tensor(name, out))
    if out.shape != (len(images), CLASSES):
        shapes = {"got": str((*out.shape,)), "expected": str((len(images), CLASSES))}
        raise Refused(failed(f"{name} should return a row for each image", **shapes))
    return out.detach()


def _pretrained() -> State:
    from autograder.places import scenes

    found = scenes.pretrained()
    return {name: np.asarray(array, np.float64) for name, array in found.items()}


def _moved(case: Subject, state: State, frozen: Sequence[str]) -> dict[str, Any]:
    """What has changed though it is frozen."""
    names = [name for name in _pretrained() if oracle.child_of(name) in frozen]
    moved = [name for name in names if not np.array_equal(state[name], _pretrained()[name])]
    if not moved:
        return {}
    only_statistics = all(map(judge.is_statistic, moved))
    return failed(
        f"{moved[0]} is not as it was pretrained, though it is frozen",
        where=f"{len(moved)} of {len(names)} frozen tensors have changed",
        hint=mistakes.DRIFTED if only_statistics else mistakes.NOT_FROZEN,
    )


@dataclass(frozen=True)
class Evidence:
    """What can be found out about a net that knows too little."""

    case: Subject
    predict: Function
    net: Any
    state: State
    trained: Asked
    others: Asked
    share: float
    regime: str

    @cached_property
    def on_trained(self) -> float:
        """The share of the training images that is right, all asked at once."""
        return self.trained.share(lambda x: _answers(self.predict, self.net, x), by_class=False)

    def hints(self) -> Iterator[str]:
        """What it may be, the surest first, and only what there is evidence for."""
        finite = all(np.isfinite(array).all() for array in self.state.values())
        if not finite:
            yield mistakes.NOT_FINITE
            return
        yield from self._of_asking()
        yield from self._of_weights()
        if self.on_trained < 2 / CLASSES:
            yield mistakes.CHANCE
        yield mistakes.LITTLE.format(self.on_trained)

    def _of_asking(self) -> Iterator[str]:
        """Whether the net is better than what ``predict`` says."""
        mixed = self.others.share(lambda x: _answers(self.predict, self.net, x), by_class=False)
        if mixed - self.share > CLEAR:
            yield mistakes.TRAIN_MODE.format(mixed)
        shares = {change: self._ours(change) for change in mistakes.INPUTS}
        best = max(shares, key=lambda change: shares[change])
        if shares[best] - self.share > CLEAR:
            yield mistakes.INPUTS[best].format(shares[best])
        elif best != mistakes.NORMALIZED and shares[best] - shares[mistakes.NORMALIZED] > CLEAR:
            yield mistakes.NOT_NORMALIZED

    def _ours(self, change: str) -> float:
        """The share that a net of ours with the same numbers gets right."""
        import torch

        net = oracle.small_resnet(CLASSES)
        net.load_state_dict({n: torch.tensor(a) for n, a in self.state.items()}, strict=False)
        net.eval()

        def answer(images: "Tensor") -> "Tensor":
            with torch.no_grad():
                scores: Tensor = net(mistakes.as_input(change, images))
            return scores

        return self.others.share(answer, by_class=False)

    def _of_weights(self) -> Iterator[str]:
        """Whether the weights are such as no right training leaves them."""
        if np.abs(self.state["fc.weight"]).max() <= self.state["fc.weight"].shape[1] ** -0.5:
            yield mistakes.HEAD_AS_DRAWN  # PyTorch draws them uniformly between these bounds
        if self.regime == mistakes.FROM_SCRATCH:
            return
        old, new = _pretrained(), self.state
        wide = [name for name in old if old[name].ndim > 1]
        if max(np.linalg.norm(new[n]) / np.linalg.norm(old[n]) for n in wide) > mistakes.LARGE:
            yield mistakes.RATES_TOO_LARGE
        elif min(_cosine(new[name], old[name]) for name in wide) < mistakes.OTHER:
            yield mistakes.NOT_PRETRAINED


def _cosine(one: Array, other: Array) -> float:
    return float(np.vdot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other)))
