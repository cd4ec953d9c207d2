"""Tensors between the rooms: what goes as a copy, what has a twin, what carries a gradient.

A tensor that requires no gradient goes as a copy. A parameter has a twin in the other room, and so
has each leaf of the student's that requires a gradient. A leaf of the test's that is no parameter
is the student's to change only while the call lasts. A tensor in the middle of a graph goes as a
copy whose gradient finds its way back, see `autograder.rooms.graph`.

Each room has its own random generator. ``torch.manual_seed`` in a test seeds the examiner's; what
the student's code draws, such as the first weights of a layer, comes from the generator of its
room, which is seeded once per submission. To compare two networks, copy the ``state_dict`` of one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import TensorWeakRef

from autograder.rooms import graph
from autograder.rooms.mutable import exchanged
from autograder.rooms.twins import Key, News, Twins, fits, leaf
from autograder.rooms.wire import Ref, WireError

BACKWARD = 0  # the examiner's callback that goes on with a gradient; see `DeskTensors.go_on`
Mode = tuple[bool, str]  # whether gradients are recorded; the dtype of autocast, or ''


class _Tensors(ABC):
    """What both sides do alike; ``keeps`` is explained in `Twins`."""

    def __init__(self, keeps: bool, numbers: "count[int]") -> None:
        self._twins = Twins(keeps)
        self._numbers = numbers
        self._lent: list[Key] = []  # leaves of the test's that both rooms may change just now

    @contextmanager
    def question(self) -> Iterator[None]:
        """While it lasts, the arguments are the student's to change."""
        before, self._lent = self._lent, []
        try:
            yield
        finally:
            for key in self._lent:
                self._twins.close(key)
            self._lent = before

    def hear(self, news: list[Any]) -> None:
        """Follows what the other room did with the tensors of both; may raise TypeError."""
        self._twins.hear(news)

    def news(self) -> list[News]:
        """What happened to them here."""
        return self._twins.news()

    def outgoing(self, value: Any) -> Any:
        """The value as it can go to the other room."""
        return exchanged(value, self._outgoing)

    @abstractmethod
    def _outgoing(self, tensor: Tensor) -> Any:
        """The tensor itself, if a copy will do, or a reference to it."""


class RoomTensors(_Tensors):
    """The student's side.

    Args:
        numbers: new numbers for objects of the room's.
        number: gives the number of one that can be asked for.
        call_back: calls a function of the examiner's.
    """

    def __init__(
        self,
        numbers: "count[int]",
        number: Callable[[object], int],
        call_back: Callable[..., Any],
    ) -> None:
        super().__init__(False, numbers)
        self._number, self._call_back = number, call_back
        self._branches: dict[int, Tensor] = {}  # given with this question, by number
        self._deriving = False

    @contextmanager
    def question(self) -> Iterator[None]:
        """While it lasts, arguments are known as such."""
        branches, self._branches = self._branches, {}
        try:
            with super().question():
                yield
        finally:
            self._branches = branches

    @contextmanager
    def mode(self, mode: Mode) -> Iterator[None]:
        """While it lasts, gradients are recorded as they are in the examiner."""
        grad, autocast = mode
        cast: AbstractContextManager[Any] = nullcontext()
        if autocast:
            cast = torch.autocast("cpu", getattr(torch, autocast))
        with torch.set_grad_enabled(grad), cast:
            yield

    def incoming(self, ref: Ref) -> Tensor | None:
        """The tensor that a reference stands for, if it is one."""
        if not ref.mine:
            return self._twins.get((True, ref.number))
        match ref.about:
            case {"leaf": bool(parameter)}:
                return self._borrowed((False, ref.number), ref.about, parameter)
            case {"branch": Tensor() as values}:
                return self._branch(ref.number, values)
        return None

    def follows(self, value: Any) -> bool:
        """Whether its changes are among the `news` anyway."""
        key = self._twins.key(value) if isinstance(value, Tensor) else None
        return key is not None and self._twins.is_open(key)

    def changed(self, value: Any) -> Any:
        """What became of an argument, as it can go to the examiner.

        Raises:
            WireError: the examiner could not tell how a gradient would go on.
        """
        if not isinstance(value, Tensor):
            return self.outgoing(value)
        if value.grad_fn is not None:
            raise WireError("a tensor was changed in place though a gradient flows through it")
        return value.detach()

    def derivative(self, output: Tensor, keys: list[Key], gradient: Tensor) -> Any:
        """Answers what `graph.joined` asks; the keys are as the examiner sees them."""
        sources = [self._source((not theirs, number)) for theirs, number in keys]
        before, self._deriving = self._deriving, True
        try:
            return graph.derivative(output, sources, gradient)
        finally:
            self._deriving = before

    def _source(self, key: Key) -> Tensor:
        found = self._twins.get(key)
        if found is None:
            raise LookupError("the tensor is no longer there")
        return found

    def _outgoing(self, tensor: Tensor) -> Any:
        key = self._twins.key(tensor) or self._branch_key(tensor)
        if key and not key[0] and (self._twins.is_open(key) or key[1] in self._branches):
            return Ref(key[1], mine=False, about={})
        if tensor.grad_fn is not None or (key and not key[0]):
            return self._result(tensor)
        if key or tensor.requires_grad or _is_parameter(tensor):
            return self._shared(tensor, key or (True, next(self._numbers)))
        return tensor

    def _branch_key(self, tensor: Tensor) -> Key | None:
        numbers = (number for number, given in self._branches.items() if given is tensor)
        return next(((False, number) for number in numbers), None)

    def _shared(self, tensor: Tensor, key: Key) -> Ref:
        told = self._twins.share(key, tensor)
        return Ref(key[1], mine=True, about={"leaf": _is_parameter(tensor), **told})

    def _result(self, tensor: Tensor) -> Ref:
        sources = [self._outline(source) for source in graph.leaves(tensor)]
        about = {"result": tensor.detach(), "sources": sources}
        return Ref(self._number(tensor), mine=True, about=about)

    def _outline(self, tensor: Tensor) -> tuple[Any, ...]:
        key = self._twins.key(tensor)
        if key is None:
            key = (True, next(self._numbers))
            self._twins.add(key, tensor, None)
        return (*key, tensor.shape, tensor.dtype, _is_parameter(tensor))

    def _borrowed(self, key: Key, told: Any, parameter: bool) -> Tensor:
        if not parameter and self._twins.get(key) is None:
            self._lent.append(key)
        return self._twins.adopt(key, told, parameter)

    def _branch(self, number: int, values: Tensor) -> Tensor:
        """A tensor from a graph of the test's. Behind it is a leaf, to ask the derivative by."""
        if number not in self._branches:
            hidden = leaf(values, parameter=False).requires_grad_()
            hidden.register_hook(partial(self._go_on, number))  # type: ignore[no-untyped-call]
            self._twins.add((False, number), hidden, None, changeable=False)
            with torch.enable_grad():
                self._branches[number] = hidden.clone()
        return self._branches[number]

    def _go_on(self, number: int, gradient: Tensor) -> None:
        """The student's code called ``backward`` itself, and the test's part of the graph is next.

        What `derivative` asks for ends here instead: the examiner goes on with it by itself.
        """
        if not self._deriving:
            self._call_back(BACKWARD, (number, gradient.detach()), {})


class DeskTensors(_Tensors):
    """The examiner's side.

    Args:
        numbers: new numbers for objects of the examiner's.
        stand_in: what stands for an object of the student's room, by the reference to it.
        ask: asks that room.
    """

    def __init__(
        self, numbers: "count[int]", stand_in: Callable[[Ref], Any], ask: Callable[..., Any]
    ) -> None:
        super().__init__(True, numbers)
        self._stand_in, self._ask = stand_in, ask
        self._latest: Tensor | None = None
        self._copies: list[tuple[TensorWeakRef, int]] = []

    def mode(self) -> Mode:
        """How the student's code should run: as the test does."""
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else ""
        return torch.is_grad_enabled(), str(dtype).removeprefix("torch.")

    def incoming(self, ref: Ref) -> Tensor | None:
        """The tensor that a reference stands for, if it is one.

        Raises:
            TypeError, WireError: what is said about it makes no sense.
        """
        if not ref.mine:
            return self._twins.get((True, ref.number))
        match ref.about:
            case {"leaf": bool(parameter)}:
                return self._twins.adopt((False, ref.number), ref.about, parameter)
            case {"result": Tensor() as value, "sources": list(sources)}:
                return self._result(ref.number, value.detach(), sources)
        return None

    def watch(self, value: Any) -> None:
        """Remembers a tensor that is a copy of what a student's object holds."""
        if not isinstance(value, Tensor) or value.grad_fn is not None or value.is_inference():
            return
        if self._twins.key(value) is None:
            self._latest = value  # it may be gone before anybody looks
            self._copies.append((TensorWeakRef(value), value._version))

    def changed_copy(self) -> bool:
        """Whether a test has changed such a copy, which changes nothing of the student's."""
        found = [(kept(), version) for kept, version in self._copies]
        changed = any(copy is not None and copy._version != version for copy, version in found)
        self._copies = [kept for kept in self._copies if kept[0]() is not None and not changed]
        self._latest = None
        return changed

    def go_on(self, number: int, gradient: Any) -> None:
        """Goes on with a gradient where the student's code has called ``backward`` itself.

        Raises:
            RuntimeError, TypeError: that is not possible.
        """
        tensor = self._twins.get((True, number))
        if tensor is None or tensor.grad_fn is None:
            raise RuntimeError("there is nothing to go back through")
        keys = map(self._twins.key, graph.leaves(tensor))
        if any(key is None or key[0] for key in keys):
            raise RuntimeError("only a test can go back through what it computed from its tensors")
        if not fits(gradient, tensor):
            raise TypeError("a gradient has another shape or dtype than its tensor")
        tensor.backward(gradient, retain_graph=True)  # type: ignore[no-untyped-call]

    def _outgoing(self, tensor: Tensor) -> Any:
        key = self._twins.key(tensor)
        if key and not key[0]:
            return Ref(key[1], mine=False, about={})
        if tensor.grad_fn is not None:
            number = next(self._numbers)
            self._twins.add((True, number), tensor, None, changeable=False)
            return Ref(number, mine=True, about={"branch": tensor.detach()})
        if tensor.requires_grad or _is_parameter(tensor):
            return self._leaf(tensor, key)
        return tensor

    def _leaf(self, tensor: Tensor, key: Key | None) -> Ref:
        if key is None or not self._twins.is_open(key):
            key = (True, next(self._numbers))
            if not _is_parameter(tensor):
                self._lent.append(key)
        told = self._twins.share(key, tensor)
        return Ref(key[1], mine=True, about={"leaf": _is_parameter(tensor), **told})

    def _result(self, number: int, value: Tensor, claimed: list[Any]) -> Tensor:
        found = {key: source for key, source in map(self._source, claimed) if source is not None}
        if not found or not (value.is_floating_point() or value.is_complex()):
            return value
        made = self._stand_in(Ref(number, mine=True, about={}))
        ask = partial(self._ask, "derivative", made, list(found))
        return graph.joined(value, list(found.values()), ask)

    def _source(self, claimed: Any) -> tuple[Key, Tensor | None]:
        match claimed:
            case (False, int(number), *_):
                return (True, number), self._twins.get((True, number))
            case (True, int(number), torch.Size() as shape, torch.dtype() as dtype, bool(kind)):
                key = (False, number)
                return key, self._twins.outline(key, shape, dtype, kind)
        raise WireError("a leaf of the graph that is none")


def _is_parameter(tensor: Tensor) -> bool:
    return isinstance(tensor, torch.nn.Parameter)
