"""The student's room: runs the student's cells, and does what the examiner asks with their objects.

Everything in this process may be rewritten by the student's code. So nothing here protects
anything; it only answers, and whoever asks believes no more than plain data.
"""

import copy
import inspect
import operator
import random
import secrets
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from autograder.check.call import student_lines
from autograder.rooms import frames, library
from autograder.rooms.channel import Channel
from autograder.rooms.mutable import changed, mutables, snapshot
from autograder.rooms.shell import Shell, interruptible, text_of
from autograder.rooms.wire import Ref, decode, encode

MOST_PARAMETERS = 50


def _call(function: Any, /, *arguments: Any, **options: Any) -> Any:
    return function(*arguments, **options)


# What can be asked, by name. Comparing is not among it: see `autograder.rooms.proxy`.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": _call,
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "delitem": operator.delitem,
    "len": len,
    "iter": iter,
    "next": next,
    "dir": dir,
    "repr": repr,
    "bool": bool,
    "int": int,
    "float": float,
    "isinstance": isinstance,
    "issubclass": issubclass,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


class ObjectLostError(RuntimeError):
    """The examiner asks about an object that is not, or no longer, here."""


class NoTensors:
    """What `autograder.rooms.tensors.RoomTensors` is where there is no torch: nothing to do."""

    def question(self, *_: Any) -> AbstractContextManager[None]:
        """See there, as for all of these."""
        return nullcontext()

    mode = question

    def outgoing(self, value: Any) -> Any:  # noqa: D102
        return value

    changed = outgoing

    def incoming(self, _: Ref) -> None:  # noqa: D102
        return None

    def follows(self, _: Any) -> bool:  # noqa: D102
        return False

    def hear(self, _: Any) -> None:  # noqa: D102
        return None

    def news(self) -> list[Any]:  # noqa: D102
        return []


class StudentRoom:
    """Serves one channel until it is closed."""

    def __init__(self, channel: Channel, shell: Shell) -> None:
        self._channel, self._shell = channel, shell
        # A room that is opened again must not mistake the numbers of the one before for its own.
        self._numbers = count(secrets.randbits(40) << 20)
        self._objects: dict[int, Any] = {}
        self._times: dict[int, int] = {}  # each was sent and not yet forgotten
        self._known: dict[int, int] = {}  # numbers by id
        self._tensors: Any = self._with_torch() if sys.modules.get("torch") else NoTensors()

    def _with_torch(self) -> Any:
        from autograder.rooms.tensors import RoomTensors

        return RoomTensors(self._numbers, self._number, self.call_back)

    def serve(self) -> None:
        """Answers each frame with one frame; ends with ChannelClosed."""
        answers = {frames.OPEN: self._open, frames.RUN: self._run, frames.ASK: self._ask}
        while True:
            kind, payload = self._channel.receive()
            self._channel.send(*answers[kind](payload))

    def _open(self, payload: bytearray) -> tuple[bytes, bytes]:
        seed, files = decode(payload)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002, the global generator is what students use
        if torch := sys.modules.get("torch"):
            torch.manual_seed(seed)
        for name, content in files.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        sys.path.append(str(Path.cwd()))  # at the end: a file called numpy.py shadows nothing
        return frames.OPENED, b""

    def _run(self, payload: bytearray) -> tuple[bytes, bytes]:
        return frames.RAN, encode(self._shell.outputs_of(decode(payload)))

    def _ask(self, payload: bytearray) -> tuple[bytes, bytes]:
        with self._tensors.question():
            try:
                question = decode(payload, self._resolve)
            except ObjectLostError as lost:
                return frames.ANSWER, encode(("raised", _account(lost), [], []))
            operation, arguments, options, forgotten, news, mode = question
            self._forget(forgotten)
            self._tensors.hear(news)
            inputs = mutables([*arguments, options])
            before = [(i, x, snapshot(x)) for i, x in enumerate(inputs) if not self._follows(x)]
            with self._shell.recording() as recorder, self._tensors.mode(mode):
                verdict, value = self._done(operation, arguments, options)
            changes = [(i, x) for i, x, old in before if changed(x, old)]
            return frames.ANSWER, self._answer(verdict, value, recorder.outputs, changes)

    def _follows(self, value: Any) -> bool:
        return bool(self._tensors.follows(value))

    def _answer(
        self, verdict: str, value: Any, outputs: list[Any], changes: list[tuple[int, Any]]
    ) -> bytes:
        news = self._tensors.news()  # now: what goes out below is told by itself
        try:
            told = [(i, self._tensors.changed(x)) for i, x in changes]
            value = self._tensors.outgoing(value)
            return encode((verdict, value, outputs, [*told, *news]), self._refer)
        except Exception as error:  # an object of the student's may do anything when looked at
            return encode(("refused", text_of(error)[:10_000], outputs, news))

    def _done(self, operation: str, arguments: Any, options: Any) -> tuple[str, Any]:
        try:
            with interruptible():
                if operation == "look":
                    found = self._shell.user_ns
                    return "value", {name: found[name] for name in arguments if name in found}
                if operation == "derivative":
                    return "value", self._tensors.derivative(*arguments)
                return "value", OPERATIONS[operation](*arguments, **options)
        except BaseException as error:  # sys.exit() in an answer is an answer, too
            return "raised", _account(error)

    def _resolve(self, ref: Ref) -> Any:
        tensor = self._tensors.incoming(ref)
        if tensor is not None:
            return tensor
        if ref.mine and "library" in ref.about:
            return _from_library(ref.about)
        if ref.mine:
            return _Callback(self, ref.number, str(ref.about.get("name", "function")))
        if ref.number not in self._objects:
            raise ObjectLostError("the object was lost when the program ended")
        return self._objects[ref.number]

    def _refer(self, value: object) -> Ref:
        if isinstance(value, _Callback):
            return Ref(value.number, mine=False, about={})
        return Ref(self._number(value), mine=True, about=_about(value))

    def _number(self, value: object) -> int:
        """The object's number, which it keeps for as long as the examiner remembers it."""
        number = self._known.get(id(value))
        if number is None:
            number = self._known[id(value)] = next(self._numbers)
            self._objects[number] = value
        self._times[number] = self._times.get(number, 0) + 1
        return number

    def _forget(self, forgotten: list[tuple[int, int]]) -> None:
        for number, times in forgotten:
            left = self._times.pop(number, 0) - times
            if left > 0:  # it was sent once more meanwhile
                self._times[number] = left
            elif number in self._objects:
                del self._known[id(self._objects.pop(number))]

    def call_back(self, number: int, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Has the examiner call one of its own functions."""
        news = self._tensors.news()
        arguments, options = self._tensors.outgoing((arguments, options))
        question = encode((number, arguments, options, news), self._refer)
        self._channel.send(frames.CALLBACK, question)
        kind, payload = self._channel.receive()
        while kind == frames.ASK:  # the function asks something before it answers
            self._channel.send(*self._ask(payload))
            kind, payload = self._channel.receive()
        verdict, value, news = decode(payload, self._resolve)
        self._tensors.hear(news)
        if verdict == "raised":
            raise RuntimeError(value)
        return value


class _Callback:
    """A function of the examiner's, as the student's code sees it."""

    def __init__(self, room: StudentRoom, number: int, name: str) -> None:
        self._room, self.number, self.__name__ = room, number, name

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._room.call_back(self.number, arguments, options)


def _account(error: BaseException) -> dict[str, Any]:
    return {
        "type": type(error).__name__,
        "bases": [base.__name__ for base in type(error).__mro__],
        "message": text_of(error)[:10_000],
        "lines": list(student_lines(error)),
    }


def _from_library(about: Any) -> Any:
    """A function or class of torch's; or one of its modules that has nothing but settings."""
    found = library.named(about["library"])
    if "settings" not in about:
        return found
    module = found.__new__(found)
    vars(module).update(about["settings"])
    return module


def _about(value: Any) -> dict[str, Any]:
    """What the examiner may want to show or to know of an object that stays here."""
    try:
        kinds = [(p.name, int(p.kind)) for p in inspect.signature(value).parameters.values()]
    except Exception:  # not callable, or a __signature__ of the student's making
        kinds = None
    return {
        "type": type(value).__name__,
        "name": text_of(getattr(value, "__name__", "")),
        "library": library.kind_of(type(value)),
        "base": library.kind_of(value) if isinstance(value, type) else "",
        "parameters": kinds[:MOST_PARAMETERS] if kinds is not None else None,
    }
