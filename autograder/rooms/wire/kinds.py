"""What both ends must agree on: kinds of values, their codes, and the bounds of a message."""

import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
DType = np.dtype[Any]

MOST_AXES = 32

# What a value counts against `Bounds.items`, by the memory that the smallest of its kind takes.
CONTAINER, ARRAY, GENERATOR = 4, 10, 100

SIZE = struct.Struct("<Q")
FLOAT = struct.Struct("<d")
COMPLEX = struct.Struct("<dd")
PCG64 = struct.Struct("<16s16s?I")
DTYPE = struct.Struct("<BI?")  # code, width of a text, other byte order
ARRAY_HEADER = struct.Struct("<BIB")  # dtype, width of a text, axes
TENSOR_HEADER = struct.Struct("<BBB")  # dtype, flags, axes
SHAPES = [struct.Struct(f"<{axes}Q") for axes in range(MOST_AXES + 1)]

# A code is a place in one of these tables. float128 is not here: most of its bit patterns are
# numbers that no computation yields, and libraries are not prepared for them.
DTYPES: tuple[DType, ...] = (
    *map(np.dtype, ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")),
    *map(np.dtype, ("c8", "c16", "U", "S")),
)
DTYPE_CODES = {dtype: code for code, dtype in enumerate(DTYPES)}
BOOL, TEXTS, BYTES = 0, 14, 15
TORCH_DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64",
    "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
DEVICES = ("cpu", "cuda", "mps", "meta", "xpu")
REQUIRES_GRAD, PARAMETER = 1, 2
TYPES: tuple[type, ...] = (
    bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, slice, range, object,
    type(None), np.ndarray, *(dtype.type for dtype in DTYPES),
)  # fmt: skip
TYPE_CODES = {kind: code for code, kind in enumerate(TYPES)}
KEYS = frozenset({*TYPES[:6], frozenset, range, type(None), type(...), type})


class WireError(Exception):
    """A value that cannot cross between the rooms, or bytes that are not a message."""


@dataclass(frozen=True)
class Ref:
    """Stands for an object that stays where it is.

    Attributes:
        number: what its owner calls it, from 0 to 2**63 - 1.
        mine: whether the sender of the message owns it; if not, it is the receiver's coming back.
        about: plain data for the receiver, by name.
    """

    number: int
    mine: bool
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Bounds:
    """The largest message that is made or read, besides its bytes.

    Attributes:
        depth: containers within containers.
        items: values; one that is sent once and used twice counts twice. A container counts 4, an
            array or tensor 10, a generator 100.
        text: bytes of one text in UTF-8.
        integer_bytes: of one integer.
    """

    depth: int = 40
    items: int = 2_000_000
    text: int = 16 * 2**20
    integer_bytes: int = 1024


BOUNDS = Bounds()


def refuse(what: str) -> NoReturn:
    """Raises WireError for a value."""
    raise WireError(f"this cannot cross between the rooms: {what}")


def torch_or_none() -> Any:
    """The torch module if this process has imported it; the wire never does."""
    return sys.modules.get("torch")


def is_key(value: object) -> bool:
    """Whether it is plain data whose hash and equality are Python's or NumPy's own."""
    if type(value) is tuple:
        return all(map(is_key, value))
    return type(value) in KEYS or issubclass(type(value), np.generic)


class Extent(NamedTuple):
    """How much a value holds: what it counts, and levels of containers, itself included."""

    items: int
    levels: int


class Tally:
    """Counts what a message holds, in the same way at both ends."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.items = self.depth = self.deepest = 0

    def count(self, items: int) -> None:
        """Raises WireError if these are too many."""
        self.items += items
        if self.items > self.bounds.items:
            refuse(f"more than {self.bounds.items:,} values at once")

    def enter(self) -> tuple[int, int]:
        """Goes into a container that is counted as a value already; see `leave`."""
        before = self.items - 1, self.deepest
        self.count(CONTAINER - 1)
        self.depth += 1
        self.deepest = self.depth
        self._check_depth()
        return before

    def leave(self, before: tuple[int, int]) -> Extent:
        """Comes out of the container; takes what `enter` returned."""
        self.depth -= 1
        extent = Extent(self.items - before[0], self.deepest - self.depth)
        self.deepest = max(before[1], self.deepest)
        return extent

    def again(self, extent: Extent) -> None:
        """Counts what was counted before, where it is used once more.

        A list of two lists, each twice the next one, and so on, takes few bytes; but whoever walks
        through it walks for ever.
        """
        self.count(extent.items)
        self.deepest = max(self.deepest, self.depth + extent.levels)
        self._check_depth()

    def _check_depth(self) -> None:
        if self.deepest > self.bounds.depth:
            refuse(f"containers nested more than {self.bounds.depth} deep")
