"""From bytes to values: the bytes may be anything, and made to do harm."""

from collections.abc import Callable
from math import prod
from typing import Any, NoReturn

import numpy as np

from autograder.rooms.wire.kinds import (
    ARRAY,
    ARRAY_HEADER,
    BOOL,
    BOUNDS,
    BYTES,
    COMPLEX,
    DEVICES,
    DTYPE,
    DTYPES,
    FLOAT,
    GENERATOR,
    MOST_AXES,
    PARAMETER,
    PCG64,
    REQUIRES_GRAD,
    SHAPES,
    SIZE,
    TENSOR_HEADER,
    TEXTS,
    TORCH_DTYPES,
    TYPES,
    Array,
    Bounds,
    DType,
    Extent,
    Ref,
    Tally,
    WireError,
    is_key,
    torch_or_none,
)

MOST_COLLISIONS = 64  # keys beyond the first with one hash, in one dict or set
WIDEST = 2**29 - 1  # characters: NumPy counts the bytes of one text in 31 bits

Resolve = Callable[[Ref], object]


def decode(
    data: bytes | bytearray | memoryview, resolve: Resolve | None = None, bounds: Bounds = BOUNDS
) -> Any:
    """The value of a message; arrays own their memory and can be written to.

    Args:
        data: anything at all.
        resolve: what each `Ref` stands for; without it there may be none. What it raises is raised.
        bounds: see `Bounds`.

    Raises:
        WireError: ``data`` is no message, is one that exceeds the bounds, or has tensors in a
            process that has not imported torch.
    """
    decoder = _Decoder(memoryview(data).cast("B"), resolve, bounds)
    value = decoder.read()
    if decoder.at != len(decoder.data):
        _corrupt("bytes after its end")
    return value


def _corrupt(what: str) -> NoReturn:
    raise WireError(f"not a message between the rooms: {what}")


class _Decoder(Tally):
    """Reads a message from its first byte on."""

    def __init__(self, data: memoryview, resolve: Resolve | None, bounds: Bounds) -> None:
        super().__init__(bounds)
        self.data, self.at = data, 0
        self.resolve = resolve
        self.seen: list[tuple[Any, Extent]] = []

    def read(self) -> Any:
        """The next value."""
        self.count(1)
        reader = _READERS.get(self.byte())
        if reader is None:
            _corrupt("an unknown kind of value")
        return reader(self)

    def byte(self) -> int:
        """The next byte."""
        self.check(1)
        self.at += 1
        return self.data[self.at - 1]

    def check(self, length: int) -> None:
        """Raises WireError unless so many bytes are left."""
        if length > len(self.data) - self.at:
            _corrupt("it ends too early")

    def take(self, length: int) -> memoryview:
        """The next bytes."""
        self.check(length)
        self.at += length
        return self.data[self.at - length : self.at]

    def unpack(self, layout: Any) -> tuple[Any, ...]:
        """The next numbers; ``layout`` is a `struct.Struct`."""
        numbers: tuple[Any, ...] = layout.unpack(self.take(layout.size))
        return numbers

    def size(self) -> int:
        """The next length or number."""
        short = self.byte()
        return short if short < 255 else int(self.unpack(SIZE)[0])

    def integer(self) -> int:
        """The next integer."""
        length = self.size()
        if length > self.bounds.integer_bytes:
            _corrupt("an integer that is too long")
        return int.from_bytes(self.take(length), "little", signed=True)

    def values(self, each: int = 1) -> tuple[list[Any], Extent]:
        """The values of a container, ``each`` of them for one of its length; how much they are."""
        length = each * self.size()
        self.check(length)  # a value takes a byte at least
        before = self.enter()
        values = [self.read() for _ in range(length)]
        return values, self.leave(before)

    def keep(self, value: Any, extent: Extent) -> Any:
        """Remembers an object that may occur again."""
        self.seen.append((value, extent))
        return value


Reader = Callable[[_Decoder], Any]


def _read_again(data: _Decoder) -> Any:
    number = data.size()
    if number >= len(data.seen):
        _corrupt("a value from further on")
    value, extent = data.seen[number]
    data.again(extent)
    return value


def _read_float(data: _Decoder) -> Any:
    return data.unpack(FLOAT)[0]


def _read_complex(data: _Decoder) -> complex:
    return complex(*data.unpack(COMPLEX))


def _read_str(data: _Decoder) -> str:
    length = data.size()
    if length > data.bounds.text:
        _corrupt("a text that is too long")
    return _text(data.take(length), "utf-8")


def _text(raw: memoryview, encoding: str) -> str:
    try:
        return str(raw, encoding)
    except UnicodeDecodeError:
        _corrupt("a text that is none")


def _read_bytes(data: _Decoder) -> bytes:
    return bytes(data.take(data.size()))


def _read_tuple(data: _Decoder) -> tuple[Any, ...]:
    return tuple(data.values()[0])


def _read_list(data: _Decoder) -> Any:
    return data.keep(*data.values())


def _read_set(data: _Decoder) -> Any:
    values, extent = data.values()
    _check_keys(values)
    return data.keep(set(values), extent)


def _read_frozenset(data: _Decoder) -> frozenset[Any]:
    values = data.values()[0]
    _check_keys(values)
    return frozenset(values)


def _read_dict(data: _Decoder) -> Any:
    values, extent = data.values(each=2)
    keys = values[::2]
    _check_keys(keys)
    return data.keep(dict(zip(keys, values[1::2], strict=True)), extent)


def _check_keys(keys: list[Any]) -> None:
    """Lets no message choose keys of one hash: n of them take n**2 comparisons."""
    if not all(map(is_key, keys)):
        _corrupt("a key that cannot be one")
    if len(keys) - len(set(map(hash, keys))) > MOST_COLLISIONS:
        _corrupt("keys with the same hash")


def _read_slice(data: _Decoder) -> slice:
    values = data.values()[0]
    if len(values) != 3:
        _corrupt("a slice that is none")
    return slice(*values)


def _read_range(data: _Decoder) -> range:
    start, stop, step = data.integer(), data.integer(), data.integer()
    if step == 0:
        _corrupt("a range that stands still")
    return range(start, stop, step)


def _read_type(data: _Decoder) -> Any:
    return _entry(TYPES, data.byte())


def _entry(table: tuple[Any, ...], code: int) -> Any:
    if code >= len(table):
        _corrupt("an unknown code")
    return table[code]


def _read_ref(data: _Decoder) -> object:
    (number,), mine = data.unpack(SIZE), data.byte()
    resolve, data.resolve = data.resolve, None
    if number >= 2**63 or mine > 1 or data.byte() != ord(":"):
        _corrupt("a reference that is none")
    if resolve is None:
        _corrupt("a reference where there may be none")
    about = _read_dict(data)
    data.resolve = resolve
    if not all(type(name) is str for name in about):
        _corrupt("a reference about something without a name")
    return resolve(Ref(number, bool(mine), about))


def _read_array(data: _Decoder) -> Any:
    data.count(ARRAY - 1)
    code, width, axes = data.unpack(ARRAY_HEADER)
    dtype = _dtype(code, width)
    if not dtype.itemsize:
        _corrupt("texts without a width")
    shape, raw = _elements(data, axes, dtype.itemsize)
    if code == TEXTS:
        _text(raw, "utf-32-le")
    array = np.empty(shape, dtype)
    _fill(array.reshape(-1).view(np.uint8), raw, code == BOOL)
    return data.keep(array, Extent(ARRAY, 0))


def _dtype(code: int, width: int) -> DType:
    dtype: DType = _entry(DTYPES, code)
    if width and (code not in (TEXTS, BYTES) or width > WIDEST):
        _corrupt("a dtype that is none")
    return np.dtype((dtype.type, width)) if width else dtype


def _elements(data: _Decoder, axes: int, itemsize: int) -> tuple[tuple[int, ...], memoryview]:
    """Shape and bytes of an array. The bound on items holds for what an empty one claims to be."""
    if axes > MOST_AXES:
        _corrupt("too many axes")
    shape = data.unpack(SHAPES[axes])
    if 0 in shape and prod(length for length in shape if length) > data.bounds.items:
        _corrupt("an empty array that is too large")
    return shape, data.take(prod(shape) * itemsize)


def _fill(into: Array, raw: memoryview, truths: bool) -> None:
    """Copies bytes; a truth value other than 0 and 1 would confuse whoever computes with it."""
    given = np.frombuffer(raw, np.uint8)
    if truths:
        np.not_equal(given, 0, out=into.view(np.bool_))
    else:
        into[:] = given


def _read_scalar(data: _Decoder) -> Any:
    code = data.byte()
    dtype = _entry(DTYPES, code)
    raw = data.take(data.size())
    if code == TEXTS:
        return np.str_(_text(raw, "utf-32-le"))
    if code == BYTES:
        return np.bytes_(bytes(raw))
    if len(raw) != dtype.itemsize:
        _corrupt("a number that is none")
    return np.bool_(raw[0]) if code == BOOL else np.frombuffer(raw, dtype)[0]


def _read_dtype(data: _Decoder) -> DType:
    code, width, swapped = data.unpack(DTYPE)
    dtype = _dtype(code, width)
    return dtype.newbyteorder("S") if swapped else dtype


def _read_generator(data: _Decoder) -> Any:
    data.count(GENERATOR - 1)
    state, increment, half, spare = data.unpack(PCG64)
    if not increment[0] & 1:  # with an even one it would not reach all its states
        _corrupt("a generator that is none")
    numbers = {
        "state": int.from_bytes(state, "little"),
        "inc": int.from_bytes(increment, "little"),
    }
    source: Any = np.random.PCG64(0)
    source.state = {
        "bit_generator": "PCG64",
        "state": numbers,
        "has_uint32": int(half),
        "uinteger": spare,
    }
    return data.keep(np.random.Generator(source), Extent(GENERATOR, 0))


def _torch() -> Any:
    torch = torch_or_none()
    if torch is None:
        raise WireError("this needs torch, which is not there: a tensor, its dtype or its shape")
    return torch


def _read_tensor(data: _Decoder) -> Any:
    torch = _torch()
    data.count(ARRAY - 1)
    code, flags, axes = data.unpack(TENSOR_HEADER)
    dtype = getattr(torch, _entry(TORCH_DTYPES, code))
    graded = bool(flags & REQUIRES_GRAD)
    if flags > (REQUIRES_GRAD | PARAMETER) or (graded and not _has_gradient(dtype)):
        _corrupt("a tensor that is none")
    shape, raw = _elements(data, axes, dtype.itemsize)
    tensor = torch.empty(shape, dtype=dtype, device="cpu")
    if len(raw):  # torch has no view of nothing
        _fill(tensor.reshape(-1).view(torch.uint8).numpy(), raw, dtype == torch.bool)
    if flags & PARAMETER:
        tensor = torch.nn.Parameter(tensor, requires_grad=False)
    return data.keep(tensor.requires_grad_(graded), Extent(ARRAY, 0))


def _has_gradient(dtype: Any) -> bool:
    return bool(dtype.is_floating_point or dtype.is_complex)


def _read_torch_dtype(data: _Decoder) -> Any:
    return getattr(_torch(), _entry(TORCH_DTYPES, data.byte()))


def _read_torch_size(data: _Decoder) -> Any:
    values = data.values()[0]
    if not all(type(value) is int and 0 <= value < 2**63 for value in values):
        _corrupt("a size that is none")
    return _torch().Size(values)


def _read_device(data: _Decoder) -> Any:
    name, index = _entry(DEVICES, data.byte()), data.byte()
    if index > 127:
        _corrupt("a device that is none")
    return _torch().device(name, index - 1) if index else _torch().device(name)


_READERS: dict[int, Reader] = {
    ord("N"): lambda data: None,
    ord("."): lambda data: ...,
    ord("T"): lambda data: True,
    ord("F"): lambda data: False,
    ord("i"): _Decoder.integer,
    ord("f"): _read_float,
    ord("c"): _read_complex,
    ord("s"): _read_str,
    ord("b"): _read_bytes,
    ord("("): _read_tuple,
    ord("["): _read_list,
    ord("{"): _read_set,
    ord("<"): _read_frozenset,
    ord(":"): _read_dict,
    ord("/"): _read_slice,
    ord("r"): _read_range,
    ord("t"): _read_type,
    ord("R"): _read_ref,
    ord("="): _read_again,
    ord("A"): _read_array,
    ord("a"): _read_scalar,
    ord("d"): _read_dtype,
    ord("g"): _read_generator,
    ord("P"): _read_tensor,
    ord("p"): _read_torch_dtype,
    ord("z"): _read_torch_size,
    ord("v"): _read_device,
}
