"""What a call may change in its arguments, found and compared in the same order on both sides."""

import sys
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def mutables(value: Any) -> list[Any]:
    """The arrays, tensors, lists and dicts within ``value``, each once, outermost first."""
    return list(_walk(value, set()))


def exchanged(value: Any, exchange: Callable[[Any], Any]) -> Any:
    """``value`` with what ``exchange`` makes of each tensor within; containers are copied.

    Only containers that the wire sends as plain ones: others stay where they are, as they are.
    """
    if not any(map(_is_tensor, _walk(value, set()))):
        return value
    return _exchanged(value, exchange, {})


def snapshot(value: Any) -> Any:
    """What to compare with `changed` later."""
    if isinstance(value, np.ndarray):
        return (value.dtype, value.shape, value.tobytes())
    if isinstance(value, list):
        return [id(item) for item in value]
    if isinstance(value, dict):
        return [(key, id(item)) for key, item in value.items()]
    return value.detach().clone()


def changed(value: Any, before: Any) -> bool:
    """Whether ``value`` is no longer what it was at its `snapshot`."""
    if isinstance(value, (np.ndarray, list, dict)):
        return bool(snapshot(value) != before)
    return value.shape != before.shape or not bool(_equal(value.detach(), before))


def overwrite(original: Any, new: Any) -> None:
    """Gives ``original`` the content of ``new``, which is of the same kind.

    Raises:
        TypeError: they do not fit: an array cannot be given another shape or dtype in place.
    """
    if isinstance(original, list) and isinstance(new, list):
        original[:] = new
    elif isinstance(original, dict) and isinstance(new, dict):
        original.clear()
        original.update(new)
    elif isinstance(original, np.ndarray) and isinstance(new, np.ndarray):
        _overwrite_array(original, new)
    elif _is_tensor(original) and _is_tensor(new):
        _overwrite_tensor(original, new)
    else:
        raise TypeError("an argument was changed into something of another kind or shape")


def _overwrite_array(original: Any, new: Any) -> None:
    if original.dtype != new.dtype or original.size != new.size:
        raise TypeError("an array was given another size or dtype in place")
    if original.shape != new.shape:
        original.shape = new.shape
    writeable, original.flags.writeable = original.flags.writeable, True
    np.copyto(original, new)
    original.flags.writeable = writeable


def _overwrite_tensor(original: Any, new: Any) -> None:
    if original.dtype != new.dtype or original.shape != new.shape:
        raise TypeError("a tensor was given another shape or dtype in place")
    if original.grad_fn is not None:  # how its gradient would go on from here is not known
        raise TypeError("a tensor was changed in place though a gradient flows through it")
    original.detach().copy_(new.detach())


def _exchanged(value: Any, exchange: Callable[[Any], Any], made: dict[int, Any]) -> Any:
    if id(value) in made:
        return made[id(value)]
    if _is_tensor(value):
        made[id(value)] = exchange(value)
    elif type(value) in (dict, OrderedDict, defaultdict, Counter):
        new = made[id(value)] = {}
        new.update((key, _exchanged(item, exchange, made)) for key, item in value.items())
    elif type(value) is list:
        items: list[Any] = []
        made[id(value)] = items
        items.extend(_exchanged(item, exchange, made) for item in value)
    elif type(value) is tuple or type(value).__module__ == "torch.return_types":
        return tuple(_exchanged(item, exchange, made) for item in value)
    return made.get(id(value), value)


def _walk(value: Any, seen: set[int]) -> Iterator[Any]:
    if id(value) in seen:
        return
    if isinstance(value, np.ndarray) or _is_tensor(value):
        seen.add(id(value))
        yield value
    elif isinstance(value, (list, dict, tuple)):
        if not isinstance(value, tuple):
            seen.add(id(value))
            yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _walk(item, seen)


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _equal(one: Any, other: Any) -> Any:
    return ((one == other) | ((one != one) & (other != other))).all()
