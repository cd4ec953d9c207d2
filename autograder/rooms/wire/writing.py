"""From values to bytes."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from autograder.rooms.wire.kinds import (
    ARRAY,
    ARRAY_HEADER,
    BOUNDS,
    BYTES,
    COMPLEX,
    DEVICES,
    DTYPE,
    DTYPE_CODES,
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
    TYPE_CODES,
    Array,
    Bounds,
    DType,
    Extent,
    Ref,
    Tally,
    is_key,
    refuse,
    torch_or_none,
)

SMALL = 4096  # bytes; a smaller array is quicker copied than lent
BEING_SENT = -1

Refer = Callable[[object], Ref]


def encode(value: object, refer: Refer | None = None, bounds: Bounds = BOUNDS) -> bytes:
    """The message for a value.

    Args:
        value: plain data: None, numbers, texts, bytes, lists, tuples, dicts, sets, slices, ranges,
            NumPy arrays, scalars, dtypes and PCG64 generators, CPU tensors and parameters, sizes,
            devices; the types of these; and `Ref`. Of a subclass of int, float, complex, str, bytes
            or ndarray, of an OrderedDict, defaultdict or Counter and of what ``torch.max`` returns,
            the plain value is sent.
        refer: makes a `Ref` of anything else; may raise WireError. Without it, a subclass of list,
            tuple, dict, set or frozenset is sent as the plain one, and all else refused.
        bounds: see `Bounds`; the receiver's should not be smaller.

    Raises:
        WireError: the value, or something in it, cannot cross.
    """
    encoder = _Encoder(refer, bounds)
    encoder.write(value)
    return b"".join(encoder.parts)


class _Sent(NamedTuple):
    """An object that was sent, or is being sent; held, so that its id stays its own."""

    value: Any
    number: int
    extent: Extent


class _Encoder(Tally):
    """Collects the parts of a message."""

    def __init__(self, refer: Refer | None, bounds: Bounds) -> None:
        super().__init__(bounds)
        self.parts: list[Any] = []  # bytes, and arrays that are read when the parts are joined
        self.refer = refer
        self._sent: dict[int, _Sent] = {}
        self._numbers = 0

    def write(self, value: Any) -> None:
        """Adds one value."""
        self.count(1)
        writer = _WRITERS.get(type(value)) or _writer(type(value), self.refer)
        writer(self, value)

    def repeated(self, value: Any) -> bool:
        """Whether the object was sent before and is now referred to."""
        sent = self._sent.get(id(value))
        if sent is None:
            return False
        if sent.number == BEING_SENT:
            refuse(f"a {type(value).__name__} that contains itself")
        self.again(sent.extent)
        self.parts.append(b"=" + _size(sent.number))
        return True

    def write_flat(self, value: Any, items: int, *parts: Any) -> None:
        """Adds an object without others in it."""
        self.count(items - 1)
        self.parts += parts
        self._remember(value, Extent(items, 0))

    def write_container(self, tag: bytes, value: Any, items: tuple[Any, ...], length: int) -> None:
        """Adds a container that may occur again."""
        self._sent[id(value)] = _Sent(value, BEING_SENT, Extent(0, 0))
        self._remember(value, self.write_items(tag, items, length))

    def write_items(self, tag: bytes, items: Iterable[Any], length: int) -> Extent:
        """Adds a container that is not looked for again."""
        before = self.enter()
        self.parts.append(tag + _size(length))
        for item in items:
            self.write(item)
        return self.leave(before)

    def _remember(self, value: Any, extent: Extent) -> None:
        self._sent[id(value)] = _Sent(value, self._numbers, extent)
        self._numbers += 1


Writer = Callable[[_Encoder, Any], None]


def _size(number: int) -> bytes:
    return bytes((number,)) if number < 255 else b"\xff" + SIZE.pack(number)


def _sized(data: bytes) -> bytes:
    return _size(len(data)) + data


def _write_bool(out: _Encoder, value: bool) -> None:
    out.parts.append(b"T" if value else b"F")


def _write_int(out: _Encoder, value: int) -> None:
    out.parts.append(b"i" + _integer(value, out.bounds.integer_bytes))


def _integer(value: int, most: int) -> bytes:
    length = value.bit_length() // 8 + 1
    if length > most:
        refuse(f"an integer of more than {most:,} bytes")
    return _sized(value.to_bytes(length, "little", signed=True))


def _write_float(out: _Encoder, value: float) -> None:
    out.parts.append(b"f" + FLOAT.pack(value))


def _write_complex(out: _Encoder, value: complex) -> None:
    out.parts.append(b"c" + COMPLEX.pack(value.real, value.imag))


def _write_str(out: _Encoder, value: str) -> None:
    data = _encoded(value, "utf-8")
    if len(data) > out.bounds.text:
        refuse(f"a text of more than {out.bounds.text:,} bytes")
    out.parts.append(b"s" + _sized(data))


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:  # it could not be written to a file or a page either
        refuse(f"a text with half a character in it, {text[error.start]!a}")


def _write_bytes(out: _Encoder, value: bytes) -> None:
    out.parts += (b"b" + _size(len(value)), value)


def _write_tuple(out: _Encoder, value: tuple[Any, ...]) -> None:
    out.write_items(b"(", value, len(value))


def _write_list(out: _Encoder, value: list[Any]) -> None:
    if not out.repeated(value):
        items = tuple(value)
        out.write_container(b"[", value, items, len(items))


def _write_set(out: _Encoder, value: set[Any]) -> None:
    items = tuple(value)
    if not all(map(is_key, items)):
        _write_other(out, value)
    elif not out.repeated(value):
        out.write_container(b"{", value, items, len(items))


def _write_frozenset(out: _Encoder, value: frozenset[Any]) -> None:
    items = tuple(value)
    if all(map(is_key, items)):
        out.write_items(b"<", items, len(items))
    else:
        _write_other(out, value)


def _write_dict(out: _Encoder, value: dict[Any, Any]) -> None:
    pairs = tuple(value.items())
    if not all(is_key(key) for key, _ in pairs):
        _write_other(out, value)
    elif not out.repeated(value):
        out.write_container(b":", value, tuple(x for pair in pairs for x in pair), len(pairs))


def _write_slice(out: _Encoder, value: slice) -> None:
    out.write_items(b"/", (value.start, value.stop, value.step), 3)


def _write_range(out: _Encoder, value: range) -> None:
    most = out.bounds.integer_bytes
    ends = (_integer(number, most) for number in (value.start, value.stop, value.step))
    out.parts.append(b"".join((b"r", *ends)))


def _write_type(out: _Encoder, value: type) -> None:
    code = TYPE_CODES.get(value)
    if code is None:
        _write_other(out, value)
    else:
        out.parts.append(b"t" + bytes((code,)))


def _write_ref(out: _Encoder, value: Ref) -> None:
    if not 0 <= value.number < 2**63:
        refuse(f"a reference with the number {value.number}")
    out.parts.append(b"R" + SIZE.pack(value.number) + bytes((value.mine,)))
    refer, out.refer = out.refer, None
    _write_dict(out, dict(value.about))
    out.refer = refer


def _write_array(out: _Encoder, value: Array) -> None:
    if out.repeated(value):
        return
    code = _code(value.dtype)
    if code is None:
        _write_other(out, value)
        return
    array = np.asarray(value, dtype=_as_sent(value.dtype), order="C")
    width = _width(array.dtype)
    if code == TEXTS:
        _check_text(array)
    header = ARRAY_HEADER.pack(code, width, array.ndim) + _shape(array.shape)
    data = array.tobytes() if array.nbytes <= SMALL else array
    out.write_flat(value, ARRAY, b"A" + header, data)


def _code(dtype: DType) -> int | None:
    code = DTYPE_CODES.get(dtype)
    if code is None:
        plain = np.dtype(dtype.kind) if dtype.kind in "US" else dtype.newbyteorder("=")
        code = DTYPE_CODES.get(plain)
    return code


def _as_sent(dtype: DType) -> DType:
    """This machine's byte order; texts of no characters have room for one, as NumPy has it."""
    if dtype.kind in "US":
        return np.dtype((dtype.type, max(1, _width(dtype))))
    return dtype.newbyteorder("=")


def _width(dtype: DType) -> int:
    """Characters or bytes of one text, 0 for numbers."""
    if dtype.kind not in "US":
        return 0
    return dtype.itemsize // (4 if dtype.kind == "U" else 1)


def _shape(shape: tuple[int, ...]) -> bytes:
    if len(shape) > MOST_AXES:
        refuse(f"an array with more than {MOST_AXES} axes")
    return SHAPES[len(shape)].pack(*shape)


def _check_text(data: Any) -> None:
    try:
        bytes(data).decode("utf-32-le")
    except UnicodeDecodeError:
        refuse("a text with half a character in it, in an array")


def _write_scalar(out: _Encoder, value: Any) -> None:
    code = _code(value.dtype)
    if code is None:
        _write_other(out, value)
        return
    # NumPy's own bytes of a text are without the NULs at its end.
    if code == TEXTS:
        data = _encoded(value, "utf-32-le")
    else:
        data = bytes(value) if code == BYTES else value.tobytes()
    out.parts.append(b"a" + bytes((code,)) + _sized(data))


def _write_dtype(out: _Encoder, value: DType) -> None:
    code = _code(value)
    if code is None:
        _write_other(out, value)
    else:
        out.parts.append(b"d" + DTYPE.pack(code, _width(value), not value.isnative))


def _write_generator(out: _Encoder, value: np.random.Generator) -> None:
    if type(value.bit_generator) is not np.random.PCG64:
        _write_other(out, value)
    elif not out.repeated(value):
        now: Any = value.bit_generator.state
        numbers = (now["state"][name].to_bytes(16, "little") for name in ("state", "inc"))
        state = PCG64.pack(*numbers, bool(now["has_uint32"]), now["uinteger"])
        out.write_flat(value, GENERATOR, b"g" + state)


def _write_tensor(out: _Encoder, value: Any) -> None:
    if out.repeated(value):
        return
    torch = torch_or_none()
    _check_tensor(value, torch)
    flags = REQUIRES_GRAD * value.requires_grad
    flags |= PARAMETER * issubclass(type(value), torch.nn.Parameter)
    header = TENSOR_HEADER.pack(_torch_code(value.dtype), flags, value.dim()) + _shape(value.shape)
    out.write_flat(value, ARRAY, b"P" + header, _raw_tensor(value, torch))


def _check_tensor(value: Any, torch: Any) -> None:
    if value.device.type != "cpu":
        refuse(f"a tensor on {value.device}; `.cpu()` makes one that can")
    if value.layout is not torch.strided:
        refuse("a tensor that is not stored densely")


def _raw_tensor(value: Any, torch: Any) -> Any:
    if not value.numel():  # torch has no view of nothing
        return b""
    data = value.detach().resolve_conj().resolve_neg().contiguous()
    # A single number is contiguous with any stride, but not for `view`.
    return data.as_strided((data.numel(),), (1,)).view(torch.uint8).numpy()


def _torch_code(dtype: Any) -> int:
    name = str(dtype).removeprefix("torch.")
    if name not in TORCH_DTYPES:
        refuse(str(dtype))
    return TORCH_DTYPES.index(name)


def _write_torch_dtype(out: _Encoder, value: Any) -> None:
    out.parts.append(b"p" + bytes((_torch_code(value),)))


def _write_torch_size(out: _Encoder, value: Any) -> None:
    out.write_items(b"z", value, len(value))


def _write_device(out: _Encoder, value: Any) -> None:
    if value.type not in DEVICES:
        refuse(f"the device {value}")
    index = 0 if value.index is None else value.index + 1
    out.parts.append(b"v" + bytes((DEVICES.index(value.type), index)))


def _write_other(out: _Encoder, value: Any) -> None:
    if out.refer is None:
        refuse(_named(value))
    _write_ref(out, out.refer(value))


def _named(value: Any) -> str:
    if issubclass(type(value), np.ndarray):
        return f"an array of {value.dtype}"
    if type(value) in (dict, set, frozenset):
        return f"a {type(value).__name__} with a key that is not plain data"
    return f"a {type(value).__name__}"


_WRITERS: dict[type, Writer] = {
    type(None): lambda out, value: out.parts.append(b"N"),
    type(...): lambda out, value: out.parts.append(b"."),
    bool: _write_bool,
    int: _write_int,
    float: _write_float,
    complex: _write_complex,
    str: _write_str,
    bytes: _write_bytes,
    tuple: _write_tuple,
    list: _write_list,
    set: _write_set,
    frozenset: _write_frozenset,
    dict: _write_dict,
    slice: _write_slice,
    range: _write_range,
    type: _write_type,
    Ref: _write_ref,
    np.ndarray: _write_array,
    np.random.Generator: _write_generator,
    **{dtype.type: _write_scalar for dtype in DTYPES},
    # The plain dict is what a student means by these.
    OrderedDict: _write_dict,
    defaultdict: _write_dict,
    Counter: _write_dict,
}
# The first that a type is a subclass of. The base class finds the plain value: a subclass may say
# that it is something else, as `str(Color.RED)` of an Enum does.
_PLAIN_BASES: tuple[tuple[type, Writer], ...] = (
    (np.ndarray, _write_array),
    (np.generic, _write_scalar),
    (np.dtype, _write_dtype),
    (int, lambda out, value: _write_int(out, int.__int__(value))),
    (float, lambda out, value: _write_float(out, float.__float__(value))),
    (complex, lambda out, value: _write_complex(out, complex.__complex__(value))),
    (str, lambda out, value: _write_str(out, str.__str__(value))),
    (bytes, lambda out, value: _write_bytes(out, b"".join((value,)))),
)
_CONTAINERS: tuple[tuple[type, Writer], ...] = (
    (tuple, lambda out, value: _write_tuple(out, tuple(value))),
    (list, _write_list),
    (dict, _write_dict),
    (set, _write_set),
    (frozenset, _write_frozenset),
)


def _writer(kind: type, refer: Refer | None) -> Writer:
    """What writes values of a type that is not in the table.

    A subclass of a container is an object in its own right, such as a cache with methods: its
    owner should get it back as it was, so it is referred to if that is possible.
    """
    if kind.__module__ == "torch.return_types":
        return _write_tuple
    bases = (*_torch_types(), *_PLAIN_BASES, *(() if refer else _CONTAINERS))
    return next((writer for base, writer in bases if issubclass(kind, base)), _write_other)


def _torch_types() -> tuple[tuple[type, Writer], ...]:
    torch = torch_or_none()
    if torch is None:
        return ()
    return (
        (torch.Tensor, _write_tensor),
        (torch.dtype, _write_torch_dtype),
        (torch.Size, _write_torch_size),
        (torch.device, _write_device),
    )
