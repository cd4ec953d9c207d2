"""The examiner: runs the test cells, and asks the student's room wherever they need an answer.

It holds the hidden tests, the oracles and the seed, and no object of the student's: see
`autograder.rooms.proxy` for what stands in for those.
"""

import builtins
import os
import types
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any
from weakref import WeakValueDictionary

import torch

from autograder.check import seed
from autograder.rooms import frames, library, names
from autograder.rooms.channel import Channel
from autograder.rooms.job import Output
from autograder.rooms.mutable import mutables, overwrite
from autograder.rooms.outputs import cleaned, error
from autograder.rooms.proxy import Remote, call_it, exception, frozen, number_of, thawed
from autograder.rooms.shell import Shell, text_of
from autograder.rooms.tensors import BACKWARD, DeskTensors
from autograder.rooms.wire import Ref, WireError, decode, encode

FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    partial,
)


class Examiner:
    """Serves one channel until it is closed."""

    def __init__(self, channel: Channel, shell: Shell) -> None:
        self._channel, self._shell = channel, shell
        self._desk = Desk(channel, shell)
        self._wanted: set[str] = set()  # every name that a test has needed from the student so far

    def serve(self) -> None:
        """Answers each frame with one frame, asking in between; ends with ChannelClosed."""
        while True:
            kind, payload = self._channel.receive()
            if kind == frames.OPEN:
                os.environ[seed.VARIABLE] = str(decode(payload)[0])
                self._channel.send(frames.OPENED, b"")
            else:
                self._channel.send(frames.RAN, encode(self._run(decode(payload))))

    def _run(self, source: str) -> list[Output]:
        self._desk.fault = ""
        try:
            bound = self._bind(source)
        except Exception as lost:  # no room, so no names: that is what the student should read
            return [error(type(lost).__name__, text_of(lost))]
        outputs = self._shell.outputs_of(source)
        space = self._shell.user_ns
        for name, value in bound.items():  # next time it may be another
            if space.get(name) is value:
                del space[name]
        self._desk.check_copies()
        if self._desk.fault:
            return [*_without_errors(outputs), error("GraderBroke", self._desk.fault)]
        return outputs

    def _bind(self, source: str) -> dict[str, Any]:
        """Fetches the names that the cell uses and only the student's room can know."""
        space = self._shell.user_ns
        self._wanted |= names.reads(source)
        missing = sorted(n for n in self._wanted if n not in space and not hasattr(builtins, n))
        found = self._desk.ask("look", *missing) if missing else {}
        bound = {name: frozen(found[name]) for name in missing if name in found}
        for name, value in bound.items():
            if type(value) is Remote:
                call_it(value, name)
        space.update(bound)
        return bound


class Desk:
    """Where questions leave and answers arrive.

    Attributes:
        fault: what went wrong on this side while asking, if anything did.
    """

    def __init__(self, channel: Channel, shell: Shell) -> None:
        self.fault = ""
        self._channel, self._shell = channel, shell
        self._numbers = count(BACKWARD + 1)
        self._tensors = DeskTensors(self._numbers, self._stand_in, self.ask)
        self._callbacks: dict[int, Callable[..., Any]] = {BACKWARD: self._tensors.go_on}
        self._stand_ins: WeakValueDictionary[int, Remote] = WeakValueDictionary()
        self._times: dict[int, int] = {}  # each of them has been sent since it stands there
        self._forgotten: list[tuple[int, int]] = []
        self._news: list[Any] = []  # of tensors, not sent yet

    def ask(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """What the student's room answers, with what it printed and changed on the way.

        Raises:
            Exception: what the student's code raised, see `proxy.exception`.
            RuntimeError, TimeoutError: the room ended, or was too slow.
            WireError: an argument cannot cross; that is the test's fault, see ``fault``.
        """
        self.check_copies()
        given = [*map(thawed, arguments), options]
        inputs = mutables(given)  # in the same order as in the room, where they come out plain
        with self._tensors.question():
            self._channel.send(frames.ASK, self._question(operation, given))
            answer = self._settled(self._answer(), inputs)
        if operation == "getattr":
            self._tensors.watch(answer)
        return answer

    def forget(self, number: int) -> None:
        """Tells the room, with the next question, that it may drop an object."""
        self._forgotten.append((number, self._times.pop(number, 1)))

    def check_copies(self) -> None:
        """Finds it a fault if a test has changed a tensor that it fetched from an object."""
        if self._tensors.changed_copy():
            self.fault = (
                "a test changes a copy of a tensor that a student's object holds, which changes "
                "nothing there: assign a new tensor to the attribute that it came from"
            )

    def _question(self, operation: str, given: list[Any]) -> bytes:
        self._news += self._tensors.news()  # now: what goes out below is told by itself
        forgotten, mode = list(self._forgotten), self._tensors.mode()
        try:
            *arguments, options = self._tensors.outgoing(given)
            question = (operation, tuple(arguments), options, forgotten, self._news, mode)
            encoded = encode(question, self._refer)
        except WireError as refused:
            self.fault = str(refused)
            raise
        del self._forgotten[: len(forgotten)]
        self._news = []
        return encoded

    def _answer(self) -> Any:
        while True:
            kind, payload = self._channel.receive()
            if kind == frames.LOST:
                return ("raised", decode(payload), [], [])
            try:
                answer = decode(payload, self._resolve)
            except (WireError, TypeError, RuntimeError) as nonsense:
                if kind == frames.ANSWER:
                    return ("refused", f"the answer could not be read: {nonsense}", [], [])
                self._channel.send(frames.CALLED, encode(("raised", str(nonsense), [])))
                continue
            if kind == frames.ANSWER:
                return answer
            self._channel.send(frames.CALLED, self._called(answer))

    def _settled(self, answer: Any, inputs: list[Any]) -> Any:
        match answer:
            case (str(verdict), value, outputs, list(changes)):
                self._replay(outputs)
                self._change(changes, inputs)
            case _:
                raise TypeError("the student's room answered with something that is no answer")
        if verdict == "value":
            return value
        if verdict == "raised":
            raise exception(value)
        raise TypeError(f"what came back cannot leave the student's room: {str(value)[:500]}")

    def _replay(self, outputs: Any) -> None:
        """Shows here what the student's code printed and drew during the call."""
        recorder = self._shell.recorder
        for output in cleaned(outputs, self._shell.most):
            if output["output_type"] == "stream":
                recorder.write(output["name"], output["text"])
            elif output["output_type"] != "error":
                recorder.show(output["data"], {}, None)

    def _change(self, changes: list[Any], inputs: list[Any]) -> None:
        self._tensors.hear(changes)
        for change in changes:
            match change:
                case (int(place), new) if 0 <= place < len(inputs):
                    overwrite(inputs[place], new)

    def _called(self, question: Any) -> bytes:
        """The student's code calls a function that a test gave it."""
        try:
            number, arguments, options, news = question
            self._tensors.hear(news)
            verdict, value = "value", self._callbacks[number](*arguments, **options)
        except Exception as failed:  # what the callback says of the arguments it got
            verdict, value = "raised", f"{type(failed).__name__}: {failed}"
        self._news += self._tensors.news()
        try:
            answer = encode((verdict, self._tensors.outgoing(value), self._news), self._refer)
        except WireError as refused:
            answer = encode(("raised", str(refused), self._news))
        self._news = []
        return answer

    def _refer(self, value: object) -> Ref:
        if isinstance(value, Remote):
            return Ref(number_of(value), mine=False, about={})
        if name := library.name_of(value):
            return Ref(0, mine=True, about={"library": name})
        if isinstance(value, torch.nn.Module):
            return Ref(0, mine=True, about=_settings(value))
        if isinstance(value, FUNCTIONS):
            number = next(self._numbers)
            self._callbacks[number] = value
            return Ref(number, mine=True, about={"name": getattr(value, "__name__", "function")})
        raise _refused(value)

    def _resolve(self, ref: Ref) -> Any:
        tensor = self._tensors.incoming(ref)
        if tensor is not None:
            return tensor
        return self._stand_in(ref) if ref.mine else self._callbacks.get(ref.number)

    def _stand_in(self, ref: Ref) -> Remote:
        """The same for each time that the same object is sent."""
        found = self._stand_ins.get(ref.number)
        if found is None:
            found = self._stand_ins[ref.number] = Remote(self, ref.number, ref.about)
        self._times[ref.number] = self._times.get(ref.number, 0) + 1
        return found


def _settings(module: torch.nn.Module) -> dict[str, Any]:
    """What makes a module of torch's that has no state, such as a loss.

    Raises:
        WireError: it has, and whatever happened to it there would be lost here.
    """
    name = library.name_of(type(module))
    if not name or any(module.children()) or module.state_dict():
        raise _refused(module)
    return {"library": name, "settings": dict(vars(module))}


def _refused(value: object) -> WireError:
    kind = type(value).__name__
    return WireError(f"a test gives student code a {kind}, which cannot cross between the rooms")


def _without_errors(outputs: list[Output]) -> list[Output]:
    return [output for output in outputs if output["output_type"] != "error"]
