"""The student's room: runs the student's cells, and does what the examiner asks with their objects.

Everything in this process may be rewritten by the student's code. So nothing here protects
anything; it only answers, and whoever asks believes no more than plain data.
"""

import copy
import inspect
import operator
import random
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from autograder.check.call import student_lines
from autograder.rooms import frames
from autograder.rooms.channel import Channel
from autograder.rooms.mutable import changed, mutables, snapshot
from autograder.rooms.shell import Shell, interruptible, text_of
from autograder.rooms.wire import Ref, WireError, decode, encode

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


class StudentRoom:
    """Serves one channel until it is closed."""

    def __init__(self, channel: Channel, shell: Shell) -> None:
        self._channel, self._shell = channel, shell
        self._objects: dict[int, Any] = {}
        self._numbers = count(1)

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
        operation, arguments, options, forgotten = decode(payload, self._resolve)
        for number in forgotten:
            self._objects.pop(number, None)
        inputs = mutables([*arguments, options])
        before = [snapshot(value) for value in inputs]
        with self._shell.recording() as recorder:
            verdict, value = self._done(operation, arguments, options)
        changes = [(i, x) for i, x in enumerate(inputs) if changed(x, before[i])]
        try:
            return frames.ANSWER, encode((verdict, value, recorder.outputs, changes), self._refer)
        except WireError as error:
            return frames.ANSWER, encode(("refused", str(error), recorder.outputs, []))

    def _done(self, operation: str, arguments: Any, options: Any) -> tuple[str, Any]:
        try:
            with interruptible():
                if operation == "look":
                    found = self._shell.user_ns
                    return "value", {name: found[name] for name in arguments if name in found}
                return "value", OPERATIONS[operation](*arguments, **options)
        except BaseException as error:  # sys.exit() in an answer is an answer, too
            return "raised", _account(error)

    def _resolve(self, ref: Ref) -> Any:
        if ref.mine:
            return _Callback(self, ref.number, str(ref.about.get("name", "function")))
        return self._objects[ref.number]

    def _refer(self, value: object) -> Ref:
        if isinstance(value, _Callback):
            return Ref(value.number, mine=False, about={})
        number = next(self._numbers)
        self._objects[number] = value
        return Ref(number, mine=True, about=_about(value))

    def call_back(self, number: int, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Has the examiner call one of its own functions."""
        self._channel.send(frames.CALLBACK, encode((number, arguments, options), self._refer))
        kind, payload = self._channel.receive()
        while kind == frames.ASK:  # the function asks something before it answers
            self._channel.send(*self._ask(payload))
            kind, payload = self._channel.receive()
        verdict, value = decode(payload, self._resolve)
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


def _about(value: Any) -> dict[str, Any]:
    """What the examiner may want to show or to know of an object that stays here."""
    try:
        kinds = [(p.name, int(p.kind)) for p in inspect.signature(value).parameters.values()]
    except Exception:  # not callable, or a __signature__ of the student's making
        kinds = None
    return {
        "type": type(value).__name__,
        "name": text_of(getattr(value, "__name__", "")),
        "parameters": kinds[:MOST_PARAMETERS] if kinds is not None else None,
    }
