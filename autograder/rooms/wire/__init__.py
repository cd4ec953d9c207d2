"""Values to bytes and back, between processes that do not trust each other.

A message is one value: a byte that says its kind, then what that kind needs. It names no class,
function or module, so nothing but the kinds in `autograder.rooms.wire.kinds` can come out of it,
and nothing of it is ever run. Whatever the bytes, `decode` returns a value or raises WireError, in
time and memory proportional to their number: each length is held against the bytes that are there
before anything of that length is made.

Lists, dicts, sets, arrays, tensors and generators that occur twice are sent once and come out as
one object. What is not plain data is up to the caller, who may send a `Ref` in its place.

Both ends run on one machine, so numbers are in its byte order. Not carried: a tensor's ``grad``
and how it was computed, the mask of a masked array, which arrays are views of which.
"""

from autograder.rooms.wire.kinds import Bounds, Ref, WireError
from autograder.rooms.wire.reading import decode
from autograder.rooms.wire.writing import encode

__all__ = ["Bounds", "Ref", "WireError", "decode", "encode"]
