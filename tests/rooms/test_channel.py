import os
import socket
import struct
import threading
import time
import tracemalloc
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from autograder.rooms.channel import Channel, ChannelClosed, OutOfTime
from autograder.rooms.wire import WireError

MOST = 64 * 2**20
LATE = 5  # seconds: far beyond every deadline here, though the machine may be busy


def frame(kind, payload, length=None):
    return kind + struct.pack("<Q", len(payload) if length is None else length) + payload


def soon(seconds=0.2):
    return time.monotonic() + seconds


@pytest.fixture
def ends():
    """A channel, and the bare socket of a peer that may do anything."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours, MOST), theirs


@pytest.fixture
def channels():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours, MOST), Channel(theirs, MOST)


@contextmanager
def meanwhile(action, *arguments):
    """Runs ``action`` in a thread, which has to end by itself."""
    thread = threading.Thread(target=action, args=arguments)
    thread.start()
    try:
        yield
    finally:
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize("size", [0, 1, 8, 100_000, 2**20, 2**20 + 1, 5_000_000])
def test_a_frame_arrives_whole(channels, size):
    one, other = channels
    payload = os.urandom(size)
    with meanwhile(one.send, b"A", payload):
        kind, received = other.receive(soon(LATE))
    assert (kind, type(received), received) == (b"A", bytearray, payload)


def test_frames_keep_their_order_and_their_ends(channels):
    one, other = channels
    for n in range(100):
        one.send(bytes((n,)), b"x" * n)
    for n in range(100):
        assert other.receive(soon(LATE)) == (bytes((n,)), b"x" * n)


@pytest.mark.parametrize("payload", [b"abcd", bytearray(b"abcd"), memoryview(b"abcd")])
def test_a_payload_is_bytes_of_any_type(channels, payload):
    one, other = channels
    one.send(b"A", payload)
    assert other.receive(soon(LATE))[1] == b"abcd"


def test_an_array_is_sent_as_its_bytes(channels):
    one, other = channels
    one.send(b"A", np.arange(3, dtype=np.int16))
    assert other.receive(soon(LATE))[1] == bytes((0, 0, 1, 0, 2, 0))


def test_the_head_of_a_frame_is_a_kind_and_a_length(ends):
    channel, peer = ends
    channel.send(b"Q", b"abc")
    assert peer.recv(100) == b"Q\x03\0\0\0\0\0\0\0abc"
    with pytest.raises(struct.error):
        channel.send(b"", b"abc")


def test_a_frame_that_comes_in_single_bytes_is_put_together(ends):
    channel, peer = ends

    def send():
        for byte in frame(b"A", b"hello"):
            peer.sendall(bytes((byte,)))
            time.sleep(0.002)

    with meanwhile(send):
        assert channel.receive(soon(LATE)) == (b"A", b"hello")


@pytest.mark.parametrize("sent", [b"", b"A", frame(b"A", b"abc", 4), frame(b"A", b"", 2**20)])
def test_a_peer_that_is_gone_is_noticed_at_any_point(ends, sent):
    channel, peer = ends
    peer.sendall(sent)
    peer.close()
    with pytest.raises(ChannelClosed):
        channel.receive()
    with pytest.raises(ChannelClosed):
        channel.send(b"A", b"x" * 10_000_000)


def test_a_peer_that_goes_while_we_send_is_noticed(ends):
    channel, peer = ends
    with meanwhile(lambda: (peer.recv(1000), peer.close())), pytest.raises(ChannelClosed):
        channel.send(b"A", bytes(50_000_000))


def test_a_closed_channel_says_so(ends):
    channel, peer = ends
    assert channel.fileno() > 0
    channel.close()
    for use in (channel.receive, lambda: channel.send(b"A", b"")):
        with pytest.raises(ChannelClosed):
            use()
    assert peer.recv(1) == b""


def elapsed(action):
    start = time.monotonic()
    with pytest.raises(OutOfTime):
        action()
    return time.monotonic() - start


@pytest.mark.parametrize("sent", [b"", b"A", frame(b"A", b"abc", 4)])
def test_a_silent_peer_is_waited_for_until_the_deadline(ends, sent):
    channel, peer = ends
    peer.sendall(sent)
    assert 0.15 < elapsed(lambda: channel.receive(soon())) < LATE


def test_a_deadline_that_has_passed_is_kept(ends):
    channel, peer = ends
    peer.sendall(frame(b"A", b""))
    assert elapsed(lambda: channel.receive(soon(-1))) < 0.1
    assert elapsed(lambda: channel.send(b"A", b"", soon(-1))) < 0.1


@contextmanager
def trickle(channel, peer, chunk, pause):
    """A peer that sends a little from time to time, as long as the block runs."""
    over = threading.Event()

    def send():
        with suppress(ConnectionError):
            while not over.wait(pause):
                peer.sendall(chunk)

    with meanwhile(send):
        try:
            yield
        finally:
            over.set()
            channel.close()


@pytest.mark.parametrize("chunk", [b"x", b"x" * 50_000])
def test_a_trickle_does_not_extend_the_deadline(ends, chunk):
    channel, peer = ends
    peer.sendall(frame(b"A", b"", MOST))
    with trickle(channel, peer, chunk, 0.005):
        assert 0.25 < elapsed(lambda: channel.receive(soon(0.3))) < LATE


def test_a_peer_that_does_not_read_is_waited_for_until_the_deadline(ends):
    channel, peer = ends
    assert 0.15 < elapsed(lambda: channel.send(b"A", bytes(5_000_000), soon())) < LATE
    with pytest.raises(ChannelClosed, match="an earlier message was cut off"):
        channel.send(b"B", b"")
    peer.sendall(frame(b"A", b"still heard"))
    assert channel.receive(soon(LATE))[1] == b"still heard"


def test_a_peer_that_reads_slowly_does_not_extend_the_deadline(ends):
    channel, peer = ends
    over = threading.Event()

    def sip():
        while not over.wait(0.005):
            peer.recv(1000)

    with meanwhile(sip):
        assert 0.25 < elapsed(lambda: channel.send(b"A", bytes(5_000_000), soon(0.3))) < LATE
        over.set()


@pytest.mark.parametrize("cut", [0, 1, 9, 10, 2**20 + 20])
def test_receiving_goes_on_after_the_time_was_up(ends, cut):
    channel, peer = ends
    payload = os.urandom(2**20 + 100)
    data = frame(b"A", payload)
    paused = threading.Event()

    def send():
        peer.sendall(data[:cut])
        paused.wait(LATE)
        peer.sendall(data[cut:] + frame(b"B", b"next"))

    with meanwhile(send):
        elapsed(lambda: channel.receive(soon(0.1)))
        paused.set()
        assert channel.receive(soon(LATE)) == (b"A", payload)
        assert channel.receive(soon(LATE)) == (b"B", b"next")


def test_tick_is_called_while_nothing_comes_and_while_little_comes(ends):
    channel, peer = ends
    calls = []
    elapsed(lambda: channel.receive(soon(0.55), lambda: calls.append(1)))
    assert 2 <= len(calls) <= 5
    peer.sendall(frame(b"A", b"", MOST))
    calls.clear()
    with trickle(channel, peer, b"x", 0.01):
        elapsed(lambda: channel.receive(soon(0.55), lambda: calls.append(1)))
    assert 2 <= len(calls) <= 5


def test_tick_may_give_up(ends):
    channel, peer = ends

    def give_up():
        raise MemoryError("the room takes too much")

    peer.sendall(frame(b"A", b"ab", 4))
    with pytest.raises(MemoryError, match="the room takes too much"):
        channel.receive(tick=give_up)
    peer.sendall(b"cd")
    assert channel.receive(soon(LATE)) == (b"A", b"abcd")


def test_waiting_takes_no_processor_time(ends):
    channel, _ = ends
    before = time.thread_time()
    elapsed(lambda: channel.receive(soon(0.3), lambda: None))
    assert time.thread_time() - before < 0.1


def test_neither_end_accepts_a_frame_that_is_too_large(ends):
    channel, _ = ends
    with pytest.raises(WireError, match=r"67,108,865 bytes is too large: at most 67,108,864"):
        channel.send(b"A", bytes(MOST + 1))
    for length in (MOST + 1, 2**63, 2**64 - 1):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(frame(b"A", b"abc", length))
            channel = Channel(ours, MOST)
            for _ in range(2):  # nothing after it could be told apart
                with pytest.raises(WireError, match="is too large"):
                    channel.receive(soon(LATE))


def test_a_frame_of_just_the_most_is_accepted():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(ours, 5).send(b"A", b"abcde")
        assert Channel(theirs, 5).receive(soon(LATE)) == (b"A", b"abcde")


def test_a_claimed_length_takes_no_memory(ends):
    channel, peer = ends
    peer.sendall(frame(b"A", b"x" * 1000, MOST))
    tracemalloc.start()
    try:
        elapsed(lambda: channel.receive(soon(0.1)))
        assert tracemalloc.get_traced_memory()[1] < 3 * 2**20
    finally:
        tracemalloc.stop()


def test_descriptors_that_a_peer_passes_are_dropped(ends):
    channel, peer = ends
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        socket.send_fds(peer, [frame(b"A", b"abc")], [0, 1, 2])
        assert channel.receive(soon(LATE)) == (b"A", b"abc")
    assert len(list(Path("/dev/fd").iterdir())) == before
