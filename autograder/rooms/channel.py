"""Frames over a socket: whole messages, in bounded time and memory, from a peer nobody trusts.

A frame is one byte that says its kind, eight bytes with its length (little-endian), and a payload.
"""

import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from autograder.rooms.wire import WireError

HEADER = struct.Struct("<cQ")
FIRST = 2**20  # bytes set aside for a payload before any of it has come
TICK = 0.1  # seconds
NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)  # a peer that is gone is an error, not a SIGPIPE


class ChannelClosed(Exception):  # noqa: N818 - what happened, as in OutOfTime
    """The peer is gone, or an earlier message to it was cut off."""


class OutOfTime(Exception):  # noqa: N818 - no mistake of anybody's
    """The deadline passed before a whole frame had gone or come."""


class _Patience:
    """How long to go on: a deadline, and something to look after from time to time."""

    def __init__(self, deadline: float | None, tick: Callable[[], None] | None = None) -> None:
        self._deadline, self._tick = deadline, tick
        self._due = time.monotonic() + TICK

    def check(self) -> None:
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline:
            raise OutOfTime("the time was up")
        if self._tick and now >= self._due:
            self._due = now + TICK
            self._tick()

    def milliseconds(self) -> float | None:
        ends = [self._deadline] if self._deadline is not None else []
        ends += [self._due] if self._tick else []
        return max(0.0, 1000 * (min(ends) - time.monotonic())) if ends else None


class _Part:
    """Bytes that are arriving; ``data`` is never more than twice what has come."""

    def __init__(self, size: int) -> None:
        self.size, self.filled = size, 0
        self.data = bytearray(min(size, FIRST))

    @property
    def whole(self) -> bool:
        return self.filled == self.size

    def free(self) -> memoryview:
        if self.filled == len(self.data):
            self.data.extend(bytes(min(self.filled, self.size - self.filled)))
        return memoryview(self.data)[self.filled :]


class Channel:
    """One end of a connection, used by one thread at a time.

    A ``receive`` that ran out of time may be repeated: it goes on where it was. A ``send`` that
    did not come to its end leaves the channel closed for sending.

    Args:
        sock: a connected stream socket; the channel owns it from here on.
        most: bytes of a payload, either way.
    """

    def __init__(self, sock: socket.socket, most: int) -> None:
        sock.setblocking(False)
        self._socket, self._most = sock, most
        self._head = _Part(HEADER.size)
        self._body: _Part | None = None
        self._cut_off = False

    def send(self, kind: bytes, payload: Any, deadline: float | None = None) -> None:
        """Sends one frame.

        Args:
            kind: one byte.
            payload: contiguous bytes of any type.
            deadline: the value of ``time.monotonic()`` at which to give up.

        Raises:
            ChannelClosed: the peer is gone, or an earlier ``send`` was cut off.
            OutOfTime: the peer did not read all of it in time.
            WireError: the payload is larger than ``most``.
        """
        body = memoryview(payload).cast("B")
        if len(body) > self._most:
            raise WireError(_too_large(len(body), self._most))
        if self._cut_off:
            raise ChannelClosed("an earlier message was cut off")
        self._cut_off = True
        self._send([memoryview(HEADER.pack(kind, len(body))), body], _Patience(deadline))
        self._cut_off = False

    def receive(
        self, deadline: float | None = None, tick: Callable[[], None] | None = None
    ) -> tuple[bytes, bytearray]:
        """Waits for one frame and returns its kind and payload.

        Args:
            deadline: the value of ``time.monotonic()`` at which to give up.
            tick: called about every 0.1 s until the frame is whole; may raise to give up.

        Raises:
            ChannelClosed: the peer is gone, maybe in the middle of a frame.
            OutOfTime: no whole frame came in time; the next call goes on with it.
            WireError: the frame is larger than ``most``; so will every later call say.
        """
        patience = _Patience(deadline, tick)
        self._fill(self._head, patience)
        kind, length = HEADER.unpack(self._head.data)
        if length > self._most:
            raise WireError(_too_large(length, self._most))
        body = self._body = self._body or _Part(length)
        self._fill(body, patience)
        self._head, self._body = _Part(HEADER.size), None
        return kind, body.data

    def close(self) -> None:
        """Closes the socket; the peer's next call raises ChannelClosed."""
        self._socket.close()

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def _send(self, views: list[memoryview], patience: _Patience) -> None:
        while views:
            patience.check()
            try:
                sent = self._socket.sendmsg(views, (), NO_SIGNAL)
            except BlockingIOError:
                self._wait(select.POLLOUT, patience)
            except OSError as error:
                raise ChannelClosed(f"the other end is gone: {error}") from error
            else:
                views = _after(views, sent)

    def _fill(self, part: _Part, patience: _Patience) -> None:
        while not part.whole:
            patience.check()
            try:
                with part.free() as free:
                    received = self._socket.recv_into(free)
            except BlockingIOError:
                self._wait(select.POLLIN, patience)
            except OSError as error:
                raise ChannelClosed(f"the other end is gone: {error}") from error
            else:
                if not received:
                    raise ChannelClosed("the other end is gone")
                part.filled += received

    def _wait(self, event: int, patience: _Patience) -> None:
        poll = select.poll()
        poll.register(self._socket, event)
        poll.poll(patience.milliseconds())


def _after(views: list[memoryview], sent: int) -> list[memoryview]:
    """What is left of ``views`` once their first bytes have gone."""
    left = []
    for view in views:
        if sent < len(view):
            left.append(view[sent:])
        sent = max(0, sent - len(view))
    return left


def _too_large(size: int, most: int) -> str:
    return f"a message of {size:,} bytes is too large: at most {most:,} may cross between the rooms"
