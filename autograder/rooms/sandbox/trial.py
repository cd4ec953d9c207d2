"""Asking one question in a room of its own.

The caller must not have threads, because it forks: use a process of its own for it otherwise.
"""

import json
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.rooms.sandbox.confinement import Confinement, Protection
from autograder.rooms.sandbox.process import confined

_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What the room said: ``value``, or ``trouble`` if it was not opened or did not end well."""

    value: Any = None
    trouble: str | None = None


def ask(
    protection: Protection,
    confinement: Confinement,
    question: Callable[[], Any],
    seconds: float = _SECONDS,
) -> Answer:
    """Opens a room, calls ``question`` there, and brings back what it returns.

    Args:
        protection: how the room is confined.
        confinement: what it may see and use.
        question: returns something that JSON can hold.
        seconds: how long to wait for it.
    """
    watch, report = socket.socketpair()
    inlet, outlet = socket.socketpair()
    keeper = os.fork()
    if keeper == 0:
        keep = (outlet.fileno(),)
        confined(protection, confinement, lambda: _reply(question, outlet), report, keep)
    report.close()
    outlet.close()
    try:
        return _answer(inlet, watch, seconds)
    except TimeoutError:
        os.kill(keeper, signal.SIGKILL)
        return Answer(trouble=f"no answer after {seconds:g} seconds")
    finally:
        os.waitpid(keeper, 0)


def _reply(question: Callable[[], Any], outlet: socket.socket) -> None:
    try:
        news = {"value": question()}
    except Exception as error:
        news = {"trouble": f"{type(error).__name__}: {error}"}
    outlet.sendall(json.dumps(news).encode())


def _answer(inlet: socket.socket, watch: socket.socket, seconds: float) -> Answer:
    with inlet, watch:
        for end in (inlet, watch):
            end.settimeout(seconds)
        with inlet.makefile() as said, watch.makefile() as reports:
            text, last = said.read(), json.loads(list(reports)[-1])
    if text:
        return Answer(**json.loads(text))
    return Answer(trouble=last.get("error") or f"the room ended without an answer: {last}")
