"""Whatever bytes come, `decode` returns a value or raises WireError, and does nothing else."""

import random
import resource
import socket
import struct
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
import torch

from autograder.rooms.channel import Channel, ChannelClosed, OutOfTime
from autograder.rooms.wire import Bounds, Ref, WireError, decode, encode, kinds

MUTANTS = 120_000
MIB = 2**20
HUGE = (2**60).to_bytes(8, "little")
LENGTHS = [0, 1, 2, 127, 254, 255, 2**15, 2**31 - 1, 2**31, 2**32, 2**60, 2**63, 2**64 - 1]

SHARED = np.arange(4.0)
# Sets of numbers only: the order of texts in a set is another one in every process.
VALUES = [
    None, True, ..., 0, -5, 2**70, 0.5, -1j, "Zürich", b"bytes", [], (), {}, [1, [2.5, ("a",)]],
    {"a": 1, (2, 3): [4]}, {1, 3j, (2.0,)}, frozenset({4, frozenset()}), slice(1, None, [2]),
    range(3, 9, 2), int, np.float32, np.float64(2), np.bool_(1), np.str_("ä"), np.bytes_(b"x"),
    np.arange(6).reshape(2, 3), np.ones((2, 0, 3)), np.array(1j), np.array([True, False]),
    np.array(["a", "bcd"]), np.array([b"a", b"bcd"]), np.float16([1, 2]), np.dtype(">i4"),
    np.dtype("U3"), np.random.default_rng(3), [SHARED, SHARED, {"x": SHARED}],
    [[1]] * 3, Ref(3, True, {"name": "f", "shape": (2, 3)}), [Ref(2**40, False, {})] * 2,
    torch.ones(2, 3), torch.ones(2, dtype=torch.bfloat16), torch.tensor(True), torch.zeros(0, 2),
    torch.nn.Parameter(torch.ones(1, 2)), torch.tensor([1j], requires_grad=True), torch.int8,
    torch.Size((2, 3)), torch.device("cuda", 1),
    ("value", (np.ones((2, 3)), Ref(1, True, {"type": "Cache"})), [], [(0, np.zeros(3))]),
]  # fmt: skip
MESSAGES = [encode(value) for value in VALUES]


def flip(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]


def change(rng, data):
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def cut(rng, data):
    return data[: rng.randrange(len(data))]


def splice(rng, data):
    other = rng.choice(MESSAGES)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]


def insert(rng, data):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(MESSAGES) + data[at:]


def wrap(rng, data):
    others = b"".join(rng.choices(MESSAGES, k=rng.randint(0, 3)))
    return bytes((rng.choice(b"([{<:/z"), rng.randint(0, 5))) + data + others


def lengthen(rng, data):
    """Another number where a length may stand: of one byte, of four, of eight."""
    layout = rng.choice(["<B", "<I", "<Q"])
    at = rng.randrange(len(data))
    number = rng.choice(LENGTHS) % 256 ** struct.calcsize(layout)
    return data[:at] + struct.pack(layout, number) + data[at + struct.calcsize(layout) :]


def noise(rng, data):
    return rng.randbytes(rng.randint(0, 60))


MUTATIONS = [flip, change, cut, splice, insert, wrap, lengthen, noise]


def mutants(seed, number):
    rng = random.Random(seed)
    for _ in range(number):
        data = rng.choice(MESSAGES)
        for _ in range(rng.choice((1, 1, 2, 3))):
            data = rng.choice(MUTATIONS)(rng, data or b"N")
        yield data


def outcome(data, resolve=lambda ref: ref, bounds=kinds.BOUNDS):
    try:
        decode(data, resolve, bounds)
    except WireError:
        return False
    return True


class Watch:
    """Everything that Python reports of itself while it is switched on."""

    def __init__(self):
        self.events, self.on = [], False
        sys.addaudithook(self._hook)  # for the life of the process, so it must be switched

    def _hook(self, event, _arguments):
        if self.on:
            self.events.append(event)

    def __enter__(self):
        self.events.clear()
        self.on = True
        return self.events

    def __exit__(self, *_):
        self.on = False


@pytest.fixture(scope="module")
def watch():
    return Watch()


def test_the_watch_sees_what_would_be_harm(watch, tmp_path):
    sys.modules.pop("colorsys", None)
    with watch as events:
        (tmp_path / "harm").open("w").close()
        eval("1 + 1")
        import colorsys  # noqa: F401
    assert {"open", "compile", "exec", "import"} <= set(events)


@pytest.mark.parametrize("seed", range(4))
def test_a_mutated_message_is_a_value_or_a_wire_error(seed, watch):
    data = list(mutants(seed, MUTANTS // 4))
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    slowest = 0.0
    with watch as events:
        good = 0
        for message in data:
            start = time.thread_time()
            good += outcome(message)
            slowest = max(slowest, time.thread_time() - start)
    assert events == []  # nothing imported, compiled, run or opened
    assert len(data) / 50 < good < len(data) / 2  # neither hopeless nor harmless
    assert slowest < 0.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident < 100 * 1024  # KiB


def test_every_value_of_the_corpus_is_read():
    assert all(map(outcome, MESSAGES))


def test_every_cut_of_every_message_is_refused():
    for message in MESSAGES:
        assert not any(outcome(message[:length]) for length in range(len(message)))
        assert not outcome(message + b"N")


def test_without_a_resolver_no_object_is_reached():
    assert not outcome(encode([Ref(1, True, {})]), None)


@pytest.mark.parametrize("tag", [b"[", b"(", b"{", b"<", b":", b"/", b"z"])
def test_a_length_is_refused_before_anything_is_read(tag):
    resolved = []
    message = tag + b"\xff" + (1000).to_bytes(8, "little") + encode(Ref(1, True, {})) * 50
    assert not outcome(message, resolved.append)
    assert resolved == []


def claim(tag, *rest):
    return tag + b"\xff" + HUGE + b"".join(rest)


def header(code, width, *axes):
    return struct.pack(f"<cBIB{len(axes)}Q", b"A", code, width, len(axes), *axes)


def tensor(code, flags, *axes):
    return struct.pack(f"<cBBB{len(axes)}Q", b"P", code, flags, len(axes), *axes)


BOMBS = {
    "list of 2**60": claim(b"["),
    "tuple of 2**60": claim(b"("),
    "set of 2**60": claim(b"{"),
    "frozenset of 2**60": claim(b"<"),
    "dict of 2**60": claim(b":"),
    "dict of 2**63, twice": b":\xff" + (2**63).to_bytes(8, "little"),
    "text of 2**60": claim(b"s"),
    "bytes of 2**60": claim(b"b"),
    "integer of 2**60 bytes": claim(b"i"),
    "integer of 1,025 bytes": b"i\xff" + (1025).to_bytes(8, "little") + bytes(1025),
    "list of 2**31": b"[\xff" + (2**31).to_bytes(8, "little") + bytes(1000),
    "list of more than there is": b"[\xff" + (1000).to_bytes(8, "little") + b"N" * 999,
    "slice of 2**60": claim(b"/"),
    "size of 2**60": claim(b"z"),
    "reference to 2**60": claim(b"="),
    "reference to itself": b"[\x01=\x00",
    "array of 2**60": header(11, 0, 2**60),
    "array of 2**64 through overflow": header(11, 0, 2**32, 2**32),
    "array of 2**512": header(11, 0, *[2**16] * 32),
    "array of 33 axes": header(11, 0, *[1] * 33) + bytes(8),
    "empty array of 2**60": header(11, 0, 0, 2**60),
    "empty array of 2**496": header(11, 0, 0, *[2**16] * 31),
    "empty array of 2,000,001": header(11, 0, 2_000_001, 0),
    "texts of 2**32 - 1": header(14, 2**32 - 1, 1),
    "no texts of 2**29": header(14, 2**29, 0),
    "texts without a width": header(14, 0, 1000),
    "bytes without a width": header(15, 0, 2**40),
    "numbers with a width": header(11, 8, 1) + bytes(8),
    "text beyond Unicode": header(14, 1, 1) + b"\0\0\x11\0",
    "half a character in an array": header(14, 1, 1) + b"\0\xd8\0\0",
    "half a character": b"s\x03\xed\xa0\x80",
    "overlong text": b"s\x02\xc0\x80",
    "tensor of 2**60": tensor(9, 0, 2**60),
    "tensor of 2**512": tensor(9, 0, *[2**16] * 32),
    "empty tensor of 2**60": tensor(9, 0, 0, 2**60),
    "tensor of 33 axes": tensor(9, 0, *[1] * 33) + bytes(8),
    "whole numbers with a gradient": tensor(5, 1, 1) + bytes(8),
    "tensor with an unknown flag": tensor(9, 4, 1) + bytes(8),
    "tensor of an unknown dtype": tensor(12, 0, 1) + bytes(8),
    "array of an unknown dtype": header(16, 0, 1) + bytes(16),
    "number that is too short": b"a\x0b\x07" + bytes(7),
    "generator that is stuck": b"g" + bytes(37),
    "negative size": b"z\x01i\x01\xff",
    "size of an array": b"z\x01" + encode(SHARED),
    "size of 2**63": b"z\x01" + encode(2**63),
    "unknown type": b"t\xff",
    "unknown device": b"v\xff\x00",
    "device 254": b"v\x01\xff",
    "range of step 0": b"r\x01\x00\x01\x05\x01\x00",
    "slice of two": b"/\x02NN",
    "list as a key": b":\x01[\x00N",
    "array in a set": b"{\x01" + encode(SHARED),
    "tensor in a set": b"{\x01" + encode(torch.ones(1)),
    "generator in a set": b"{\x01" + encode(np.random.default_rng(0)),
    "list in a tuple in a frozenset": b"<\x01(\x01[\x00",
    "object as a key": b"{\x01" + encode(Ref(1, True, {})),
    "reference about a list": b"R" + bytes(8) + b"\x01[\x00",
    "reference about a number": b"R" + bytes(8) + b"\x01:\x01i\x01\x05N",
    "reference of a third owner": b"R" + bytes(8) + b"\x02:\x00",
    "reference 2**63": b"R" + (2**63).to_bytes(8, "little") + b"\x01:\x00",
    "unknown kind": b"\x00",
    "nothing": b"",
    "41 lists": b"[\x01" * 41 + b"N",
    "a million lists": b"[\x01" * 1_000_000 + b"N",
    "a million references": b"R" + bytes(8) + b"\x01:\x01s\x01a" + b"R" * 1_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_takes_memory(name):
    tracemalloc.start()
    try:
        start = time.thread_time()
        assert not outcome(BOMBS[name])
        assert time.thread_time() - start < 0.5
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


UNITS = [
    b"N", b"i\x00", b"s\x01a", b"[\x00", b"(\x00", b"{\x00", b"<\x00", b":\x00",
    b":\x01NN", b"/\x03NNN", b"r\x00\x00\x01\x01", b"=\x00", b"f" + bytes(8), b"c" + bytes(16),
    header(0, 0, 0), header(11, 0) + bytes(8), header(14, 1, 0),
    b"a\x00\x01\x00", b"a\x0e\x00", b"d\x00" + bytes(5),
    encode(np.random.default_rng(0)), encode(torch.zeros(0)), tensor(0, 0) + b"\x01",
    tensor(9, 3, 0), b"z\x00", b"v\x00\x00", b"R" + bytes(8) + b"\x01:\x00",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: repr(unit[:12]))
def test_many_small_values_take_memory_in_proportion(unit):
    """At most 2,000,000 of them are let in: this is what they take there."""
    items = 10_000
    number = (items - 100) // cost(unit)
    message = listed(b"[\x00", *[unit] * number)
    tracemalloc.start()
    try:
        decode(message, lambda ref: ref, Bounds(items=items))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200 * items  # bytes; so 400 MB with the bounds as they are
    assert peak < 250 * len(message) + MIB / 4


def cost(unit):
    """What a value counts against the bound on items."""
    message = listed(b"[\x00", unit)
    least = next(n for n in range(200) if outcome(message, bounds=Bounds(items=n)))
    return least - 2 * kinds.CONTAINER


def listed(*parts):
    return b"[\xff" + len(parts).to_bytes(8, "little") + b"".join(parts)


MODULUS = 2**61 - 1  # of the hash of a number


@pytest.mark.parametrize(
    "keys",
    [
        [n * MODULUS for n in range(3000)],
        [complex(-1000003 * n, n) for n in range(3000)],
        [float(2 ** (61 * (n % 16))) * (1 + n // 16) for n in range(3000)],
        [(n * MODULUS, "a") for n in range(3000)],
        [range(5 + n * MODULUS) for n in range(3000)],
        [frozenset({n * MODULUS}) for n in range(3000)],
    ],
    ids=["int", "complex", "float", "tuple", "range", "frozenset"],
)
def test_keys_of_one_hash_are_refused(keys):
    parts = b"".join(map(encode, keys))
    length = b"\xff" + len(keys).to_bytes(8, "little")
    for message in (b"{" + length + parts, b"<" + length + parts):
        with pytest.raises(WireError, match="keys with the same hash"):
            decode(message)
    pairs = b"".join(encode(key) + b"N" for key in keys)
    with pytest.raises(WireError, match="keys with the same hash"):
        decode(b":" + length + pairs)


def test_many_different_keys_are_no_suspects():
    keys = [*range(-500, 500), *(n / 7 for n in range(1000)), *((n, -n) for n in range(1000))]
    assert decode(encode(dict.fromkeys(keys))) == dict.fromkeys(keys)


def test_frames_from_a_hostile_peer_are_frames_or_errors():
    rng = random.Random(5)
    seen = set()
    for _ in range(400):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            stream = b"".join(hostile_frame(rng) for _ in range(rng.randint(0, 4)))
            theirs.sendall(stream[: rng.randint(0, len(stream))])
            if rng.random() < 0.7:
                theirs.shutdown(socket.SHUT_WR)
            seen |= received(Channel(ours, 100))
    assert seen == {"frame", ChannelClosed, OutOfTime, WireError}


def hostile_frame(rng):
    payload = rng.randbytes(rng.choice((0, 1, 50, 99, 100, 101)))
    claimed = rng.choice((len(payload), len(payload), rng.choice(LENGTHS)))
    return rng.randbytes(1) + struct.pack("<Q", claimed) + payload


def received(channel):
    seen = set()
    try:
        while True:
            kind, payload = channel.receive(time.monotonic() + 0.003)
            assert len(kind) == 1 and len(payload) <= 100
            seen.add("frame")
    except (ChannelClosed, OutOfTime, WireError) as error:
        return seen | {type(error)}


def test_decoding_is_safe_in_several_threads():
    found = []
    threads = [
        threading.Thread(target=lambda s=seed: found.append(list(map(outcome, mutants(s, 500)))))
        for seed in (1, 1, 1, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(one == found[0] for one in found)
