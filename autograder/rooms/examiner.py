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

from autograder.check import seed
from autograder.rooms import frames, names
from autograder.rooms.channel import Channel
from autograder.rooms.job import Output
from autograder.rooms.mutable import mutables, overwrite
from autograder.rooms.outputs import cleaned, error
from autograder.rooms.proxy import Remote, exception, frozen, number_of, thawed
from autograder.rooms.shell import Shell, text_of
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
        self._forgotten: list[int] = []
        self._callbacks: dict[int, Callable[..., Any]] = {}
        self._numbers = count(1)

    def ask(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """What the student's room answers, with what it printed and changed on the way.

        Raises:
            Exception: what the student's code raised, see `proxy.exception`.
            RuntimeError, TimeoutError: the room ended, or was too slow.
            WireError: an argument cannot cross; that is the test's fault, see ``fault``.
        """
        given = [*arguments, options]
        forgotten, self._forgotten = self._forgotten, []
        # Same order as in the room: there too a plain list is what comes out of the wire.
        inputs = mutables([thawed(value) for value in given])
        try:
            question = encode(
                (operation, tuple(map(thawed, arguments)), options, forgotten), self._refer
            )
        except WireError as refused:
            self.fault = str(refused)
            raise
        self._channel.send(frames.ASK, question)
        return self._settled(self._answer(), inputs)

    def forget(self, number: int) -> None:
        """Tells the room, with the next question, that it may drop an object."""
        self._forgotten.append(number)

    def _answer(self) -> Any:
        while True:
            kind, payload = self._channel.receive()
            if kind == frames.LOST:
                return ("raised", decode(payload), [], [])
            try:
                answer = decode(payload, self._resolve)
            except WireError as nonsense:
                return ("refused", f"the answer could not be read: {nonsense}", [], [])
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
        for change in changes:
            match change:
                case (int(place), new) if 0 <= place < len(inputs):
                    overwrite(inputs[place], new)

    def _called(self, question: Any) -> bytes:
        """The student's code calls a function that a test gave it."""
        try:
            number, arguments, options = question
            value = self._callbacks[number](*arguments, **options)
            return encode(("value", value), self._refer)
        except Exception as failed:  # what the callback says of the arguments it got
            return encode(("raised", f"{type(failed).__name__}: {failed}"))

    def _refer(self, value: object) -> Ref:
        if isinstance(value, Remote):
            return Ref(number_of(value), mine=False, about={})
        if isinstance(value, FUNCTIONS):
            number = next(self._numbers)
            self._callbacks[number] = value
            return Ref(number, mine=True, about={"name": getattr(value, "__name__", "function")})
        kind = type(value).__name__
        raise WireError(f"a test gives student code a {kind}, which cannot cross between the rooms")

    def _resolve(self, ref: Ref) -> Any:
        if ref.mine:
            return Remote(self, ref.number, ref.about)
        return self._callbacks.get(ref.number)


def _without_errors(outputs: list[Output]) -> list[Output]:
    return [output for output in outputs if output["output_type"] != "error"]
