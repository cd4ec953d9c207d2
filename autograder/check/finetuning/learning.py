"""Checks of the optimizer and of an epoch: what the net is afterwards."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check.case import name_of
from autograder.check.finetuning.nets import (
    CLASSES,
    IMAGES,
    Function,
    Known,
    State,
    Subject,
    batch,
    conclude_precisely,
    conclude_with,
    explained,
    failed,
    first_wrong,
    frozen_by,
    made,
    not_yet,
    numbers_in,
    our_state,
    same,
    state_of,
    subject,
)
from autograder.check.mistakes import finetuning_steps as mistakes
from autograder.check.modules.judge import Refused, attempt
from autograder.check.oracle import finetuning as oracle
from autograder.check.record import Array, Record

if TYPE_CHECKING:
    import torch

STEPS = 2
SINGLE = "float32"
PEAKS = (0.2, 0.05)  # of the head and of the backbone
DECAY = 0.1  # so much that one sees it in a few steps
PLAN = oracle.Plan(*PEAKS, DECAY)


def fine_tuning_optimizer(
    make: Function,
    make_optimizer: Function,
    freeze: Function | None = None,
    *,
    head_rate: float,
    backbone_rate: float,
    weight_decay: float,
    momentum: float | None = None,
    children: Sequence[str] = (),
    concept: str = "",
) -> None:
    """Checks ``make_optimizer(net, head_rate, backbone_rate, ...)`` by what its steps do.

    Args:
        make: the student's ``pretrained_net``.
        make_optimizer: the student's.
        freeze: the student's, where ``children`` are frozen before.
        head_rate: of ``fc``.
        backbone_rate: of all else.
        weight_decay: of parameters with more than one axis.
        momentum: if it is given; it is 0.9 otherwise.
        children: of the net.
        concept: see `Record`.

    Raises:
        CheckFailed: a parameter is not what it should be after `STEPS` steps.
        GraderBroke: the check itself failed; nothing is said about the student.
    """
    options = {"weight_decay": weight_decay}
    if momentum is not None:
        options["momentum"] = momentum
    told = ", ".join(f"{key}={value}" for key, value in options.items())
    inputs = f"net: {', '.join(children)} frozen" if children else ""
    case = subject(make_optimizer, f"net, {head_rate}, {backbone_rate}, {told}", concept, inputs)
    asked = _Steps(
        case, make, make_optimizer, freeze, children, (head_rate, backbone_rate), options
    )
    conclude_precisely(case, asked.judged)


@dataclass(frozen=True)
class _Steps:
    """The student's net and optimizer, and what they are asked for."""

    case: Subject
    make: Function
    make_optimizer: Function
    freeze: Function | None
    children: Sequence[str]
    rates: tuple[float, float]
    options: Mapping[str, float]

    def judged(self, dtype: "torch.dtype") -> Record:
        """What the net holds after the steps, beside ours."""
        rng = self.case.stream()
        numbers = oracle.drawn(rng, CLASSES)
        batches = [batch(rng, dtype) for _ in range(STEPS)]
        got = self._theirs(made(self.make, numbers, dtype), batches)
        answer = partial(self._ours, numbers, dtype, batches)
        known = ((m.says, partial(answer, m.answer)) for m in mistakes.OPTIMIZER)
        fault = first_wrong(got, answer(oracle.optimizer), _possible(known))
        message = f"every parameter is right after {STEPS} steps"
        return self.case.record(**(fault or {"message": message}))

    def _theirs(self, net: Any, batches: Sequence[oracle.Batch]) -> State:
        frozen_by(self.freeze, net, self.children)
        optimizer = self._optimizer(net)
        _needs(self.case, optimizer, "optimizer", ("step", "zero_grad"))
        attempt(self.case.name, lambda: oracle.stepped(net, optimizer, batches))
        return _afterwards(state_of(net, self.case.name))

    def _optimizer(self, net: Any) -> Any:
        errors = {"more than one parameter group": mistakes.TWICE, "empty": mistakes.EMPTY}
        return explained(
            self.case.name, lambda: self.make_optimizer(net, *self.rates, **self.options), errors
        )

    def _ours(
        self, numbers: oracle.Numbers, dtype: "torch.dtype", batches: Sequence[oracle.Batch],
        make: Any,
    ) -> State:  # fmt: skip
        net = oracle.net_of(numbers, dtype)
        oracle.freeze(net, self.children)
        oracle.stepped(net, make(net, oracle.Plan(*self.rates, **self.options)), batches)
        return _afterwards(our_state(net))


def _possible(known: Iterator[tuple[str, Known]]) -> Iterator[tuple[str, Known]]:
    """Without the mistakes that cannot be made: those that leave an optimizer nothing."""
    for says, answer in known:
        try:
            found = answer()
        except ValueError:
            continue
        yield says, partial(dict, found)


def _afterwards(state: State) -> State:
    return {f"{name} afterwards": array for name, array in state.items()}


def _needs(case: Subject, made: Any, what: str, methods: Sequence[str]) -> None:
    if not attempt(case.name, lambda: all(hasattr(made, method) for method in methods)):
        got = "None" if made is None else f"one {type(made).__name__}"
        raise Refused(failed(f"{case.name} should return an {what}", got=got))


@dataclass(frozen=True)
class Parts:
    """What a training stands on, all of it the student's.

    Attributes:
        build: their ``pretrained_net``.
        optimizer: their ``make_optimizer``.
        schedule: their ``make_schedule``.
        freeze: theirs, where ``children`` are frozen.
        children: of the net.
        steps: in all, for the schedule.
        warmup: for the schedule.
    """

    build: Function
    optimizer: Function
    schedule: Function
    freeze: Function | None
    children: Sequence[str]
    steps: int
    warmup: int

    def made(self, numbers: oracle.Numbers, dtype: "torch.dtype") -> tuple[Any, Any, Any]:
        """Net, optimizer and schedule; raises `Refused` where one cannot be made."""
        net = made(self.build, numbers, dtype)
        frozen_by(self.freeze, net, self.children)
        optimizer = attempt(
            name_of(self.optimizer), lambda: self.optimizer(net, *PEAKS, weight_decay=DECAY)
        )
        schedule = attempt(
            name_of(self.schedule), lambda: self.schedule(optimizer, self.steps, self.warmup)
        )
        return net, optimizer, schedule

    def ours(self, numbers: oracle.Numbers, dtype: "torch.dtype") -> tuple[Any, Any, oracle.Rates]:
        """The same of ours."""
        net = oracle.net_of(numbers, dtype)
        oracle.freeze(net, self.children)
        optimizer = oracle.optimizer(net, PLAN)
        return net, optimizer, oracle.Rates(optimizer, self.steps, self.warmup)

    def require(self, numbers: oracle.Numbers, batches: Sequence[oracle.Batch], dtype: Any) -> None:
        """Raises `Refused` unless the student's parts do what ours do in a loop of ours."""
        theirs, ours = self.made(numbers, dtype), self.ours(numbers, dtype)
        for net, optimizer, schedule in (theirs, ours):
            for one in batches:
                attempt(name_of(self.optimizer), partial(oracle.stepped, net, optimizer, [one]))
                attempt(name_of(self.schedule), schedule.step)
        if not same(state_of(theirs[0], name_of(self.build)), our_state(ours[0])):
            raise not_yet(f"{name_of(self.optimizer)} or {name_of(self.schedule)}")


def training_epoch(
    train_epoch: Function,
    *,
    build: Function,
    optimizer: Function,
    schedule: Function,
    steps: int,
    warmup: int,
    epochs: int = 1,
    freeze: Function | None = None,
    children: Sequence[str] = (),
    precision: str = SINGLE,
    concept: str = "",
) -> None:
    """Checks ``train_epoch(net, optimizer, schedule, batches)`` by its losses and the net after it.

    Args:
        train_epoch: the student's.
        build: their ``pretrained_net``.
        optimizer: their ``make_optimizer``.
        schedule: their ``make_schedule``.
        steps: of each epoch.
        warmup: steps of warm-up.
        epochs: how often it is called; the net is in eval mode each time before.
        freeze: theirs, where ``children`` are frozen.
        children: of the net.
        precision: ``float32``, or the 16 bits that are asked for, ``bfloat16``.
        concept: see `Record`.

    Raises:
        CheckFailed: losses, weights or running statistics are wrong.
        GraderBroke: the check itself failed; nothing is said about the student.
    """
    parts = Parts(build, optimizer, schedule, freeze, children, steps * epochs, warmup)
    inputs = f"batches: {steps} of {IMAGES}" + (f", {epochs} times" if epochs > 1 else "")
    told = f"net, optimizer, schedule, batches{_asked(precision)}"
    case = subject(train_epoch, told, concept, inputs)
    if precision != SINGLE:
        conclude_with(case, lambda: _judged_precision(case, train_epoch, parts, precision))
    else:
        conclude_precisely(
            case, lambda dtype: _judged_epochs(case, train_epoch, parts, epochs, dtype)
        )


def _asked(precision: str) -> str:
    return "" if precision == SINGLE else f', "{precision}"'


def _judged_epochs(
    case: Subject, train_epoch: Function, parts: Parts, epochs: int, dtype: "torch.dtype"
) -> Record:
    rng = case.stream()
    numbers = oracle.drawn(rng, CLASSES)
    batches = [[batch(rng, dtype) for _ in range(parts.steps // epochs)] for _ in range(epochs)]
    got = ran(case.name, train_epoch, parts.made(numbers, dtype), batches)

    def answer(way: oracle.Way) -> State:
        return our_run(parts.ours(numbers, dtype), batches, way)

    want = answer(oracle.RIGHT)
    if same(got, want):
        return case.record(message="every loss, weight and running statistic is PyTorch's")
    parts.require(numbers, list(chain.from_iterable(batches)), dtype)
    known = ((bug.says, partial(answer, bug.way)) for bug in mistakes.EPOCH)
    return case.record(**first_wrong(got, want, known))


def ran(
    name: str, train_epoch: Function, made: tuple[Any, Any, Any],
    epochs: Sequence[Sequence[oracle.Batch]], **options: Any,
) -> State:  # fmt: skip
    """The losses of the student's epochs, and what their net holds afterwards."""
    net = made[0]
    losses = []
    for batches in epochs:
        attempt(name, lambda: net.eval())
        given = [(x.clone(), labels.clone()) for x, labels in batches]
        returned = attempt(name, partial(train_epoch, *made, given, **options))
        losses.append(numbers_in(name, returned))
    return {"the losses": np.concatenate(losses), **_afterwards(state_of(net, name))}


def our_run(
    made: tuple[Any, Any, oracle.Rates], epochs: Sequence[Sequence[oracle.Batch]],
    way: oracle.Way = oracle.RIGHT,
) -> State:  # fmt: skip
    """The same of ours."""
    losses: list[float] = []
    for batches in epochs:
        made[0].eval()
        losses += oracle.epoch(*made, batches, way)
    return {"the losses": np.array(losses), **_afterwards(our_state(made[0]))}


CANDIDATES = 6  # batches, of which that comes first which 16 bits change the most
# By what share a loss may be off: in single precision, and where a few of its steps are rounded
# to the 8 bits of a bfloat16. (On a CPU autocast leaves a softmax at 16 bits.)
EXACT, ROUNDED = 1e-5, 0.02


def _judged_precision(case: Subject, train_epoch: Function, parts: Parts, precision: str) -> Record:
    """By the first loss, on which 16 bits leave their mark, and by the one without them."""
    import torch

    rng = case.stream()
    numbers = oracle.drawn(rng, CLASSES)

    def loss(one: oracle.Batch, asked: str, way: oracle.Way = oracle.RIGHT) -> float:
        return oracle.epoch(*parts.ours(numbers, torch.float32), [one], way, asked)[0]

    drawn = [batch(rng, torch.float32) for _ in range(CANDIDATES)]
    batches = sorted(drawn, key=lambda one: -abs(loss(one, precision) / loss(one, SINGLE) - 1))
    for asked in (precision, SINGLE):
        made = parts.made(numbers, torch.float32)
        options = {"precision": asked} if asked != SINGLE else {}
        got = ran(case.name, train_epoch, made, [batches[: parts.steps]], **options)["the losses"]
        fault = _wrong_count(case, got, parts.steps) or _converted(case, made[0])
        fault = fault or _wrong_precision(float(got[0]), partial(loss, batches[0]), asked)
        if fault:
            return case.record(**fault)
    return case.record(message="the losses have the precision that they should have")


def _wrong_count(case: Subject, got: Array, steps: int) -> dict[str, Any]:
    if len(got) == steps:
        return {}
    return failed(f"{case.name} returns {len(got)} losses", expected=f"{steps}")


def _converted(case: Subject, net: Any) -> dict[str, Any]:
    kinds = attempt(case.name, lambda: {str(w.dtype) for w in net.state_dict().values()})
    kinds -= {"torch.float32", "torch.int64"}
    if not kinds:
        return {}
    return failed("the weights have another precision now", got=", ".join(sorted(kinds)),
                  expected="torch.float32", hint=mistakes.CONVERTED)  # fmt: skip


def _wrong_precision(got: float, loss: Callable[..., float], asked: str) -> dict[str, Any]:
    want, full = loss(asked), loss(SINGLE)
    exact, near = _near(got, full, EXACT), _near(got, want, ROUNDED)
    if exact if asked == SINGLE else near and not exact:
        return {}
    hints = [mistakes.NEVER if exact else mistakes.ALWAYS] if exact or near else []
    hints += [bug.says for bug in mistakes.EPOCH if _near(got, loss(asked, bug.way), ROUNDED)]
    return failed(
        f"the first loss with {asked} is wrong",
        got=f"{got:.6f}",
        expected=f"{want:.6f}",
        hint=next(iter(hints), ""),
    )


def _near(got: float, want: float, share: float) -> bool:
    return abs(got - want) <= share * abs(want)
