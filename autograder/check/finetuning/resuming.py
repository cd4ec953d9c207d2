"""Checks of checkpoints: a training that was interrupted goes on as if it had not been."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check.case import name_of
from autograder.check.finetuning.learning import PLAN, Parts, ran
from autograder.check.finetuning.nets import (
    CLASSES,
    Function,
    State,
    Subject,
    batch,
    conclude_precisely,
    explained,
    failed,
    first_wrong,
    our_state,
    same,
    state_of,
    subject,
)
from autograder.check.mistakes import finetuning_steps as mistakes
from autograder.check.modules import judge
from autograder.check.modules.judge import Refused, attempt
from autograder.check.oracle import finetuning as oracle
from autograder.check.record import Array, Record

if TYPE_CHECKING:
    import torch

Made = tuple[Any, Any, Any]  # net, optimizer, schedule
EPOCH = 1  # that are over when it is interrupted
WARMUP = 1


class ResumedTraining:
    """The checks of ``save`` and ``resume``, for a file and for none."""

    def __call__(
        self,
        save: Function,
        resume: Function,
        train_epoch: Function,
        *,
        build: Function,
        optimizer: Function,
        schedule: Function,
        steps: int,
        freeze: Function | None = None,
        children: Sequence[str] = (),
        concept: str = "",
    ) -> None:
        """Checks that half of the steps, ``save``, ``resume`` and the rest are like all at once.

        Args:
            save: the student's ``save(path, net, optimizer, schedule, epoch)``.
            resume: the student's ``resume(path, net, optimizer, schedule)``.
            train_epoch: theirs.
            build: their ``pretrained_net``.
            optimizer: their ``make_optimizer``.
            schedule: their ``make_schedule``.
            steps: in all.
            freeze: theirs, where ``children`` are frozen.
            children: of the net.
            concept: see `Record`.

        Raises:
            CheckFailed: losses, weights or statistics differ, or the epoch is another one.
            GraderBroke: the check itself failed; nothing is said about the student.
        """
        parts = Parts(build, optimizer, schedule, freeze, children, steps, WARMUP)
        case = subject(resume, "path, net, optimizer, schedule", concept, f"{steps} steps in all")
        functions = save, resume, train_epoch

        def find(dtype: "torch.dtype") -> Record:
            with _elsewhere():
                return _judged(case, functions, parts, dtype)

        conclude_precisely(case, find)

    def afresh(
        self,
        save: Function,
        resume: Function,
        *,
        build: Function,
        optimizer: Function,
        schedule: Function,
        concept: str = "",
    ) -> None:
        """Checks that ``resume`` returns 0 and changes nothing where nothing has been saved."""
        parts = Parts(build, optimizer, schedule, None, (), 4, WARMUP)
        told = "path, net, optimizer, schedule"
        case = subject(resume, told, concept, f"no {name_of(save)} before")
        conclude_precisely(case, lambda dtype: _judged_afresh(case, resume, parts, dtype))


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """A working directory that is gone afterwards, so that a relative path leaves nothing behind.

    The student's code may be in another process, whose working directory is its own.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield


def _path(case: Subject, dtype: "torch.dtype") -> str:
    """A name that no other check uses."""
    return f"checkpoint-{case.stream().integers(10**9)}-{str(dtype).removeprefix('torch.')}.pt"


def _judged(
    case: Subject, functions: tuple[Function, Function, Function], parts: Parts,
    dtype: "torch.dtype",
) -> Record:  # fmt: skip
    save, resume, train_epoch = functions
    rng = case.stream()
    numbers, others = oracle.drawn(rng, CLASSES), oracle.drawn(rng, CLASSES)
    batches = [batch(rng, dtype) for _ in range(parts.steps)]
    halves = [batches[: parts.steps // 2], batches[parts.steps // 2 :]]
    path, name = _path(case, dtype), name_of(train_epoch)
    whole = parts.made(numbers, dtype)
    _saved(save, path, whole, 0)  # to be replaced
    begun = state_of(whole[0], name)
    ran(name, train_epoch, whole, halves[:1])
    saved = state_of(whole[0], name)
    _saved(save, path, whole, EPOCH)
    again = parts.made(others, dtype)
    fresh = state_of(again[0], name)
    epoch = _resumed(case, resume, path, again)
    back = state_of(again[0], name)
    fault = _wrong_net(back, saved, {mistakes.OLD_FILE: begun, mistakes.NET_LOST: fresh})
    fault = fault or _wrong_epoch(case, epoch, EPOCH)
    if fault:
        return case.record(**fault)
    want = ran(name, train_epoch, whole, halves[1:])
    got = ran(name, train_epoch, again, halves[1:])

    def answer(restored: oracle.Restored) -> State:
        net, _, _ = parts.ours(numbers, dtype)
        make = partial(oracle.optimizer, plan=PLAN)
        losses = oracle.resumed(net, make, halves, WARMUP, restored)
        after = our_state(net)
        return {"the losses": np.array(losses), **{f"{n} afterwards": after[n] for n in after}}

    def known() -> Iterator[tuple[str, Any]]:
        for lost in mistakes.RESUMED:
            yield lost.says, partial(answer, lost.restored)

    fault = first_wrong(got, want, known())
    if fault:
        message = f"goes on in another way. {fault['message']}"
        return case.record(**{**fault, "message": message})
    if not _survives(case, (save, resume), path, (whole, again), saved):
        message = f"a {name_of(save)} that breaks off loses the file that was there"
        return case.record(**failed(message, hint=mistakes.NOT_ATOMIC))
    return case.record(message="goes on as if nothing had happened")


def _saved(save: Function, path: str, made: Made, epoch: int) -> None:
    """Saves; raises `Refused` if that changes the net."""
    name = name_of(save)
    before = state_of(made[0], name)
    explained(name, lambda: save(path, *made, epoch), mistakes.READING)
    after = state_of(made[0], name)
    if not _identical(before, after):
        raise Refused(failed(f"{name} changes the net", hint=mistakes.SAVING_CHANGES))


def _survives(
    case: Subject,
    functions: tuple[Function, Function],
    path: str,
    made: tuple[Made, Made],
    saved: State,
) -> bool:
    """Whether the file is as it was after a save that failed in its middle, if it does fail."""
    save, resume = functions

    def unwritable() -> None:
        """Functions of another process, and those within a function, cannot be written."""

    try:
        attempt(name_of(save), partial(save, path, *made[0], unwritable))
    except Refused:
        pass
    else:
        return True
    try:
        epoch = _resumed(case, resume, path, made[1])
    except Refused:
        return False
    return not _wrong_epoch(case, epoch, EPOCH) and same(state_of(made[1][0], case.name), saved)


def _resumed(case: Subject, resume: Function, path: str, made: Made) -> Any:
    return explained(case.name, lambda: resume(path, *made), mistakes.READING)


def _identical(one: State, other: State) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one)


def _wrong_net(back: State, saved: State, known: dict[str, State]) -> dict[str, Any]:
    """What of the net is not as it was saved, straight after it was resumed."""
    if same(back, saved):
        return {}
    hints = [says for says, state in known.items() if same(back, state)]
    if same(_weights(back), _weights(saved)):
        hints = [mistakes.STATISTICS_LOST]
    name = next(name for name in saved if not same({name: back[name]}, {name: saved[name]}))
    return failed(
        f"{name} is not what was saved", got=_told(back[name]), expected=_told(saved[name]),
        hint=next(iter(hints), ""),
    )  # fmt: skip


def _weights(state: State) -> State:
    return {name: state[name] for name in state if not judge.is_statistic(name)}


def _told(array: Array) -> str:
    return f"{array.flat[0]:.6g} at its first place"


def _wrong_epoch(case: Subject, epoch: Any, want: int) -> dict[str, Any]:
    if isinstance(epoch, (int, float, np.number)) and epoch == want:
        return {}
    got = repr(epoch) if isinstance(epoch, (int, float)) or epoch is None else type(epoch).__name__
    message = f"{case.name} returns another epoch than was saved"
    return failed(message, got=got, expected=str(want), hint=mistakes.EPOCH_AFTER)


def _judged_afresh(case: Subject, resume: Function, parts: Parts, dtype: "torch.dtype") -> Record:
    made = parts.made(oracle.drawn(case.stream(), CLASSES), dtype)
    before = state_of(made[0], case.name)
    with _elsewhere():
        try:
            epoch = _resumed(case, resume, f"no-{_path(case, dtype)}", made)
        except Refused as refused:
            if " raised " not in refused.found["message"]:
                raise
            raise Refused({**refused.found, "hint": mistakes.NO_FILE}) from None
    fault = _wrong_epoch(case, epoch, 0)
    if fault:
        return case.record(**{**fault, "message": f"{case.name} should return 0 without a file",
                              "hint": mistakes.NO_FILE})  # fmt: skip
    if not _identical(before, state_of(made[0], case.name)):
        return case.record(**failed(f"{case.name} changes the net", hint=mistakes.NO_FILE))
    return case.record(message="starts at epoch 0, and all stays as it is")


resumed_training = ResumedTraining()
