"""Tensors that both rooms have, and how each room follows what the other does with them.

Such a tensor belongs to one room, and the other has a twin of it: a parameter of the student's
that a test has fetched, a parameter of the test's that the student's code was given. Before a
message leaves, each side compares its tensors with what both had at the last one, and tells what
changed: values, gradient, whether there is to be one. Versions are not enough to see that:
writing to ``p.data`` leaves them as they were.

The examiner keeps its tensors for as long as the student's room has theirs, because a gradient may
still arrive for them. The room keeps nothing alive; it tells which of its own are gone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any
from weakref import finalize

import torch
from torch import Tensor
from torch.utils.weak import TensorWeakRef

from autograder.rooms.wire import WireError

Key = tuple[bool, int]  # whether this room numbered the tensor, and the number
State = dict[str, Any]  # data, grad, requires_grad
News = tuple[bool, int, State | None]  # a key as its sender sees it; None: the tensor is gone

MOST_TWINS = 20_000
MOST_ELEMENTS = 2**27  # of all twins together: 512 MiB in single precision


@dataclass
class _Pair:
    """One of this room's tensors, and what the other room's is known to be.

    Attributes:
        tensor: gives the tensor, or None if it is gone.
        agreed: what both had at the last message; None while only one has the values.
        open: whether either room may still change it.
        elements: how many numbers of the other room's it brought here.
    """

    tensor: Callable[[], Tensor | None]
    agreed: State | None
    open: bool
    elements: int = 0


class Twins:
    """One room's side of the tensors that both have.

    Args:
        keeps: whether to keep tensors alive until the other room says that they are gone.
    """

    def __init__(self, keeps: bool) -> None:
        self._keeps = keeps
        self._pairs: dict[Key, _Pair] = {}
        self._keys: dict[int, Key] = {}
        self._gone: list[tuple[Key, int]] = []
        self._elements = 0

    def key(self, tensor: Tensor) -> Key | None:
        """What a tensor is known by, if both rooms have it."""
        key = self._keys.get(id(tensor))
        # Another tensor may have come to lie where one that is gone was.
        return key if key and self.get(key) is tensor else None

    def get(self, key: Key) -> Tensor | None:
        """This room's tensor, unless it is gone."""
        return self._pairs[key].tensor() if key in self._pairs else None

    def is_open(self, key: Key) -> bool:
        """Whether both rooms may change the tensor."""
        return key in self._pairs and self._pairs[key].open

    def add(self, key: Key, tensor: Tensor, agreed: State | None, changeable: bool = True) -> None:
        """Makes a tensor known by a key; ``agreed`` is what the other room has of it."""
        if key not in self._pairs and len(self._pairs) >= MOST_TWINS:
            raise WireError(f"more than {MOST_TWINS:,} tensors in both rooms at a time")
        self._pairs[key] = _Pair(self._reference(key, tensor), agreed, changeable)
        self._keys[id(tensor)] = key

    def _reference(self, key: Key, tensor: Tensor) -> Callable[[], Tensor | None]:
        if self._keeps:
            return lambda: tensor
        # No more than a note: it may come in the middle of anything.
        finalize(tensor, self._gone.append, (key, id(tensor))).atexit = False
        return TensorWeakRef(tensor)

    def close(self, key: Key) -> None:
        """From now on each room's tensor is its own."""
        if key in self._pairs:
            self._pairs[key].open = False

    @torch.inference_mode(False)
    def outline(self, key: Key, shape: torch.Size, dtype: torch.dtype, parameter: bool) -> Tensor:
        """A twin without values, which gradients can flow to; the one that is there, if any.

        Raises:
            WireError: no tensor can be like that, or there are too many twins.
        """
        found = self.get(key)
        if found is None:
            if prod(shape) > MOST_ELEMENTS or not (dtype.is_floating_point or dtype.is_complex):
                raise WireError("a leaf of the graph that cannot be one")
            found = leaf(torch.zeros((), dtype=dtype).expand(shape), parameter)
            self.add(key, found.requires_grad_(), None)
        return found

    @torch.inference_mode(False)
    def adopt(self, key: Key, told: Any, parameter: bool) -> Tensor:
        """The twin of a tensor of the other room's, with its values.

        Raises:
            TypeError: what is told about it makes no sense.
            WireError: there are too many twins.
        """
        told = _checked(told)
        pair = self._pairs.get(key)
        twin = pair.tensor() if pair else None
        if pair is None or twin is None or pair.agreed is None:
            twin = self._filled(key, twin, told["data"], parameter)
        # No more than what differs: a graph may have kept the tensor, and not want it touched.
        follow(twin, {name: told[name] for name in _changed(twin, told)}, own=False)
        self._pairs[key].agreed = told
        return twin

    def share(self, key: Key, tensor: Tensor) -> State:
        """All that the other room needs for a twin of a tensor; from now on it has one."""
        told = state(tensor)
        if self.get(key) is tensor:
            self._pairs[key].agreed = told
        else:
            self.add(key, tensor, told)
        return told

    def _filled(self, key: Key, outline: Tensor | None, data: Tensor, parameter: bool) -> Tensor:
        if self._elements + data.numel() > MOST_ELEMENTS:
            raise WireError(f"more than {MOST_ELEMENTS:,} numbers in both rooms at a time")
        if outline is None:
            self._drop(key, None)
            outline = leaf(data.clone(), parameter)
            self.add(key, outline, None)
        else:
            outline.data = data.clone()
        self._elements += data.numel()
        self._pairs[key].elements = data.numel()
        return outline

    def news(self) -> list[News]:
        """What changed here since the last message; from now on the other room knows it."""
        noted = list(self._gone)
        del self._gone[: len(noted)]
        # One that came again meanwhile has a tensor again.
        gone = [(key, identity) for key, identity in noted if self.get(key) is None]
        for key, identity in gone:
            self._drop(key, identity)
        return [*((*key, None) for key, _ in gone), *self._changes()]

    def _changes(self) -> Iterator[News]:
        for key, pair in self._pairs.items():
            tensor = pair.tensor()
            if tensor is None or not pair.open or not tensor.is_leaf:
                continue
            if pair.agreed is not None:
                told = _changed(tensor, pair.agreed)
            else:
                told = {} if key[0] else _arrived(tensor)
            if told:
                pair.agreed = pair.agreed and {**pair.agreed, **told}
                yield (*key, told)

    def hear(self, news: Any) -> None:
        """Follows what changed in the other room.

        Of tensors that are not, or no longer, in both rooms nothing is followed.

        Raises:
            TypeError: a change is none that the tensor can go through.
        """
        for entry in news:
            match entry:
                case (bool(theirs), int(number), None):
                    self._drop((not theirs, number), id(self.get((not theirs, number))))
                case (bool(theirs), int(number), dict(told)):
                    self._follow((not theirs, number), told)

    def _follow(self, key: Key, told: State) -> None:
        tensor = self.get(key)
        if tensor is None or not self.is_open(key):
            return
        # A test may do anything to a student's tensor, but not the other way round.
        follow(tensor, told, own=key[0] and self._keeps)
        pair = self._pairs[key]
        pair.agreed = pair.agreed and {**pair.agreed, **told}

    def _drop(self, key: Key, identity: int | None) -> None:
        """Forgets a tensor; ``identity`` was its id."""
        if key in self._pairs:
            self._elements -= self._pairs.pop(key).elements
        if identity is not None and self._keys.get(identity) == key:
            del self._keys[identity]


def leaf(values: Tensor, parameter: bool) -> Tensor:
    """A leaf of the graph with these values, which it takes as its own."""
    return torch.nn.Parameter(values, requires_grad=False) if parameter else values.detach()


def state(tensor: Tensor) -> State:
    """All that the other room must know of a leaf."""
    grad = tensor.grad
    return {
        "data": _dense(tensor).clone(),
        "grad": None if grad is None else _dense(grad).clone(),
        "requires_grad": tensor.requires_grad,
    }


def fits(claimed: Any, tensor: Tensor) -> bool:
    """Whether it is a tensor of the same shape and dtype."""
    return (
        isinstance(claimed, Tensor)
        and claimed.shape == tensor.shape
        and claimed.dtype == tensor.dtype
    )


def follow(tensor: Tensor, told: State, own: bool) -> None:
    """Does to ``tensor`` what was done to the other room's.

    Args:
        tensor: a leaf of this room's.
        told: what changed.
        own: whether it is this room's in the first place, and so keeps its shape and dtype.

    Raises:
        TypeError: that cannot be done to it.
    """
    with torch.inference_mode(False), torch.no_grad():
        if "data" in told:
            _set_values(tensor, told["data"], own)
        if "grad" in told:
            _set_gradient(tensor, told["grad"])
        if "more" in told:
            so_far = tensor.grad
            _set_gradient(tensor, told["more"] if so_far is None else so_far + told["more"])
        if "requires_grad" in told:
            _set_flag(tensor, told["requires_grad"])


def _set_values(tensor: Tensor, new: Any, own: bool) -> None:
    if fits(new, tensor):
        tensor.copy_(new)
    elif own or not isinstance(new, Tensor):
        raise TypeError("a tensor was given another shape or dtype in place")
    else:
        tensor.grad = None
        tensor.data = new.clone()


def _set_gradient(tensor: Tensor, new: Any) -> None:
    if new is not None and not fits(new, tensor):
        raise TypeError("a gradient has another shape or dtype than its tensor")
    if new is None or tensor.grad is None or tensor.grad.layout is not torch.strided:
        tensor.grad = None if new is None else new.detach().clone()
    else:
        tensor.grad.copy_(new)


def _set_flag(tensor: Tensor, flag: Any) -> None:
    if not isinstance(flag, bool):
        raise TypeError("whether a tensor requires a gradient is neither true nor false")
    if flag and not (tensor.is_floating_point() or tensor.is_complex()):
        raise TypeError("whole numbers have no gradient")
    tensor.requires_grad_(flag)


def _checked(told: Any) -> State:
    match told:
        case {"data": Tensor() as data, "grad": grad, "requires_grad": flag}:
            return {"data": data, "grad": grad, "requires_grad": flag}
    raise TypeError("a tensor is told of without what makes one")


def _changed(tensor: Tensor, agreed: State) -> State:
    """What of the tensor's state is not as agreed."""
    told: State = {}
    if not _same(tensor, agreed["data"]):
        told["data"] = _dense(tensor).clone()
    if not _same(tensor.grad, agreed["grad"]):
        told["grad"] = None if tensor.grad is None else _dense(tensor.grad).clone()
    if tensor.requires_grad != agreed["requires_grad"]:
        told["requires_grad"] = tensor.requires_grad
    return told


def _arrived(outline: Tensor) -> State:
    """The gradient that came to a twin without values; the tensor itself adds it to its own."""
    arrived, outline.grad = outline.grad, None
    return {} if arrived is None else {"more": arrived}


def _same(tensor: Tensor | None, claimed: Any) -> bool:
    if tensor is None or claimed is None:
        return tensor is claimed
    return fits(claimed, tensor) and torch.equal(_dense(tensor), claimed.detach())


def _dense(tensor: Tensor) -> Tensor:
    """The values alone; the gradient of an embedding may be stored sparsely."""
    values = tensor.detach()
    return values if values.layout is torch.strided else values.to_dense()
