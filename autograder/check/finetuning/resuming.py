"""Checks of checkpoints: a training that was interrupted goes on as if it had not been."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
        conclude_precisely(case, lambda dtype: _judged(case, functions, parts, dtype))

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
    rng = case.stream()
    numbers, others = oracle.drawn(rng, CLASSES), oracle.drawn(rng, CLASSES)
    batches = [batch(rng, dtype) for _ in range(parts.steps)]
    halves = [batches[: parts.steps // 2], batches[parts.steps // 2 :]]
    training = _Interrupted(case, *functions, _path(case, dtype), halves)
    with _elsewhere():
        whole = parts.made(numbers, dtype)
        begun, saved = training.stopped(whole)
        again = parts.made(others, dtype)
        fault = (
            training.wrongly_back(again, begun, saved)
            or training.wrongly_going_on(whole, again, partial(parts.ours, numbers, dtype))
            or training.without_a_file(whole, again, saved)
        )
    return case.record(**(fault or {"message": "goes on as if nothing had happened"}))


@dataclass(frozen=True)
class _Interrupted:
    """A training that is saved at ``path`` between two halves of its batches."""

    case: Subject
    save: Function
    resume: Function
    train_epoch: Function
    path: str
    halves: Sequence[Sequence[oracle.Batch]]

    def stopped(self, whole: Made) -> tuple[State, State]:
        """Trains the first half; what the net held before it, and what is saved after it."""
        name = name_of(self.train_epoch)
        _saved(self.save, self.path, whole, 0)  # to be replaced
        begun = state_of(whole[0], name)
        ran(name, self.train_epoch, whole, self.halves[:1])
        saved = state_of(whole[0], name)
        _saved(self.save, self.path, whole, EPOCH)
        return begun, saved

    def wrongly_back(self, again: Made, begun: State, saved: State) -> dict[str, Any]:
        """Resumes; what of the net or of the epoch is wrong straight after it."""
        name = name_of(self.train_epoch)
        fresh = state_of(again[0], name)
        epoch = _resumed(self.case, self.resume, self.path, again)
        known = {mistakes.OLD_FILE: begun, mistakes.NET_LOST: fresh}
        fault = _wrong_net(state_of(again[0], name), saved, known)
        return fault or _wrong_epoch(self.case, epoch, EPOCH)

    def wrongly_going_on(
        self, whole: Made, again: Made, ours: Callable[[], Made]
    ) -> dict[str, Any]:
        """Trains both on the second half; how what was resumed differs."""
        name = name_of(self.train_epoch)
        want = ran(name, self.train_epoch, whole, self.halves[1:])
        got = ran(name, self.train_epoch, again, self.halves[1:])
        known = ((m.says, partial(self._lacking, ours, m.restored)) for m in mistakes.RESUMED)
        fault = first_wrong(got, want, known)
        if not fault:
            return {}
        return {**fault, "message": f"goes on in another way. {fault['message']}"}

    def _lacking(self, ours: Callable[[], Made], restored: oracle.Restored) -> State:
        """Losses and net of ours, of which only some was restored."""
        net = ours()[0]
        make = partial(oracle.optimizer, plan=PLAN)
        losses = oracle.resumed(net, make, self.halves, WARMUP, restored)
        after = our_state(net)
        return {"the losses": np.array(losses), **{f"{n} afterwards": after[n] for n in after}}

    def without_a_file(self, whole: Made, again: Made, saved: State) -> dict[str, Any]:
        """Lets a save fail in its middle; what is wrong if the file is then not as it was."""
        if not self._breaks_off(whole) or self._is_back(again, saved):
            return {}
        message = f"a {name_of(self.save)} that breaks off loses the file that was there"
        return failed(message, hint=mistakes.NOT_ATOMIC)

    def _breaks_off(self, whole: Made) -> bool:
        def unwritable() -> None:
            """Functions of another process, and those within a function, cannot be written."""

        try:
            attempt(name_of(self.save), partial(self.save, self.path, *whole, unwritable))
        except Refused:
            return True
        return False

    def _is_back(self, again: Made, saved: State) -> bool:
        try:
            epoch = _resumed(self.case, self.resume, self.path, again)
        except Refused:
            return False
        right = not _wrong_epoch(self.case, epoch, EPOCH)
        return right and same(state_of(again[0], self.case.name), saved)


def _saved(save: Function, path: str, made: Made, epoch: int) -> None:
    """Saves; raises `Refused` if that changes the net."""
    name = name_of(save)
    before = state_of(made[0], name)
    explained(name, lambda: save(path, *made, epoch), mistakes.READING)
    after = state_of(made[0], name)
    if not _identical(before, after):
        raise Refused(failed(f"{name} changes the net", hint=mistakes.SAVING_CHANGES))


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
