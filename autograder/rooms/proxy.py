"""What the examiner holds instead of the student's objects.

A `Remote` passes on what is done with it: calls, attributes, items, iteration. What comes back is
plain data, or another `Remote`. It never answers a comparison or calculates: an object that is
equal to everything, or whose difference from anything is 0, would else decide its own mark. So
``==`` asks whether it is the same object, and ``+`` and ``<`` do not exist; ask for its numbers.
"""

import inspect
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NoReturn, Protocol, TypeVar, cast

import numpy as np

from autograder.rooms import library

T = TypeVar("T")
RESERVED = frozenset({"GraderBroke"})
_KINDS = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
)
# Those that take a message and nothing else.
_BUILTIN: dict[str, type[Exception]] = {
    error.__name__: error
    for error in (
        ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, FileNotFoundError,
        FloatingPointError, ImportError, IndexError, KeyError, LookupError, MemoryError,
        ModuleNotFoundError, NameError, NotImplementedError, OSError, OverflowError,
        PermissionError, RecursionError, RuntimeError, StopIteration, TimeoutError, TypeError,
        UnboundLocalError, ValueError, ZeroDivisionError,
    )
}  # fmt: skip


class Asks(Protocol):
    """Whoever passes a question on to the student's room; ``forget`` costs no message."""

    def ask(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """The answer, or raises what the student's code raised."""

    def forget(self, number: int) -> None:
        """The object with this number is no longer needed."""


class Remote:
    """An object that stays in the student's room."""

    # All else is the student's attribute, so ours have names that nobody else uses.
    __slots__ = ("__about", "__desk", "__kind", "__number", "__weakref__")

    def __init__(self, desk: Asks, number: int, about: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_Remote__desk", desk)
        object.__setattr__(self, "_Remote__number", number)
        object.__setattr__(self, "_Remote__about", about)
        kind = _class(about.get("type"), library.claimed_kind(about.get("library")))
        object.__setattr__(self, "_Remote__kind", kind)  # every isinstance asks for it

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """A class by the name that the object's has, for ``isinstance(m, torch.nn.Conv2d)``.

        Of torch's classes it may be, or be derived from, one whose instances hold no numbers, as
        `autograder.rooms.library` says. That much is a claim: isinstance is all it can pass.
        """
        return cast(type, self.__kind)

    def __call__(self, /, *arguments: Any, **options: Any) -> Any:  # noqa: D102, as for dunders
        return _ask(self, "call", *arguments, **options)

    def __getattr__(self, name: str) -> Any:
        if name == "__name__" and _is_name(self.__about.get("name")):
            return self.__about["name"]
        if name == "__signature__" and self.__about.get("parameters") is not None:
            return _signature(self.__about["parameters"])
        if name == "__bases__" and (base := library.claimed_kind(self.__about.get("base"))):
            return (base,)  # as for __class__: for issubclass(Net, torch.nn.Module)
        if name.startswith("__") and name not in ("__doc__", "__dict__"):
            # Libraries probe for these (__array__, __torch_function__): the answer is no.
            raise AttributeError(f"{name} of a student's object is not available to tests")
        return frozen(_ask(self, "getattr", name))

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "setattr", name, value)

    def __delattr__(self, name: str) -> None:
        _ask(self, "delattr", name)

    def __getitem__(self, key: Any) -> Any:
        return frozen(_ask(self, "getitem", key))

    def __setitem__(self, key: Any, value: Any) -> None:
        _ask(self, "setitem", key, value)

    def __delitem__(self, key: Any) -> None:
        _ask(self, "delitem", key)

    def __len__(self) -> int:
        return _plain(int, _ask(self, "len"))

    def __bool__(self) -> bool:
        return _plain(bool, _ask(self, "bool"))

    def __int__(self) -> int:
        return _plain(int, _ask(self, "int"))

    def __float__(self) -> float:
        return _plain(float, _ask(self, "float"))

    def __iter__(self) -> Iterator[Any]:
        iterator = _ask(self, "iter")
        if not isinstance(iterator, Remote):  # every iterator is an object that stays there
            raise TypeError("the student's object is not iterable")
        return iterator

    def __next__(self) -> Any:
        return _ask(self, "next")

    def __contains__(self, item: Any) -> NoReturn:
        raise TypeError("`in` is not asked of a student's object: it could claim to hold anything")

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, Remote) and _plain(bool, _ask(instance, "isinstance", self))

    def __subclasscheck__(self, subclass: Any) -> bool:
        return isinstance(subclass, Remote) and _plain(bool, _ask(subclass, "issubclass", self))

    def __copy__(self) -> Any:
        return _ask(self, "copy")

    def __deepcopy__(self, memo: Any) -> Any:
        return _ask(self, "deepcopy")

    def __dir__(self) -> list[str]:
        return [name for name in _ask(self, "dir") if isinstance(name, str)]

    def __repr__(self) -> str:
        kind = self.__about.get("type")
        return f"<the student's {kind if _is_name(kind) else 'object'}>"

    def __del__(self) -> None:
        self.__desk.forget(self.__number)


def call_it(remote: Remote, name: str) -> None:
    """Lets the object be known by the name that a test uses, whatever it says of itself."""
    about = object.__getattribute__(remote, "_Remote__about")
    object.__setattr__(remote, "_Remote__about", {**about, "name": name})


def number_of(remote: Remote) -> int:
    """What the student's room calls the object."""
    return int(object.__getattribute__(remote, "_Remote__number"))


def _ask(remote: Remote, operation: str, *arguments: Any, **options: Any) -> Any:
    desk: Asks = object.__getattribute__(remote, "_Remote__desk")
    return desk.ask(operation, remote, *arguments, **options)


def _plain(kind: type[T], answer: Any) -> T:
    if type(answer) is not kind:
        raise TypeError(f"the student's object gave {type(answer).__name__}, not {kind.__name__}")
    return answer


def _is_name(claimed: Any) -> bool:
    return isinstance(claimed, str) and len(claimed) <= 100 and claimed.isidentifier()


def _class(claimed: Any, base: type | None) -> type:
    name = claimed if _is_name(claimed) else "object"
    return base if base is not None and base.__name__ == name else _derived(name, base or object)


@lru_cache(256)
def _derived(name: str, base: type) -> type:
    # IPython looks at the class for how to show an object.
    return type(name, (base,), {"__repr__": Remote.__repr__})


def _signature(claimed: Any) -> inspect.Signature:
    """What the room says the parameters are; ValueError, as for a builtin, if they cannot be."""
    try:
        return inspect.Signature([inspect.Parameter(name, _KINDS[kind]) for name, kind in claimed])
    except (TypeError, ValueError, IndexError):
        raise ValueError("the function's parameters are not known") from None


class StudentError:
    """What an exception in the student's room becomes here, besides the builtin that it was."""

    student_lines: tuple[str, ...] = ()
    message = ""

    def __str__(self) -> str:
        return self.message

    def _render_traceback_(self) -> list[str]:
        # IPython's hook: the student's own lines, not the way through the rooms.
        return [*self.student_lines, f"{type(self).__name__}: {self.message}"]


def exception(account: Any) -> Exception:
    """An exception made of what the student's room tells about one: texts, never an object."""
    told = account if isinstance(account, dict) else {}
    bases = told.get("bases")
    names = bases if isinstance(bases, list) else []
    base = next((_BUILTIN[n] for n in names if isinstance(n, str) and n in _BUILTIN), RuntimeError)
    claimed = told.get("type")
    name = str(claimed) if _is_name(claimed) and claimed not in RESERVED else base.__name__
    error: Any = type(name, (StudentError, base), {})()
    error.message = _text(told.get("message"))
    lines = told.get("lines")
    error.student_lines = tuple(map(_text, lines[:10])) if isinstance(lines, list) else ()
    return cast(Exception, error)


def _text(claimed: Any) -> str:
    return claimed[:10_000] if isinstance(claimed, str) else ""


def _refuse(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError(
        "this is a copy of what the student's object holds, so changing it would change nothing: "
        "assign a new value to the attribute or name it came from"
    )


class FrozenList(list[Any]):
    """A copy of a student's list. To change the original, say so: ``model.layers = [...]``."""

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse


class FrozenDict(dict[Any, Any]):
    """A copy of a student's dict. To change the original, say so: ``model.params = {...}``."""

    clear = pop = popitem = setdefault = update = __setitem__ = __delitem__ = __ior__ = _refuse


def frozen(value: Any) -> Any:
    """A value fetched from a student's object: a copy, so whoever changes it is told."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, tuple):
        return tuple(map(frozen, value))
    elif isinstance(value, list):
        return FrozenList(map(frozen, value))
    elif isinstance(value, dict):
        return FrozenDict({key: frozen(item) for key, item in value.items()})
    return value


def thawed(value: Any) -> Any:
    """The same, as ordinary lists and dicts; all else is the same object as before."""
    if type(value) is tuple:
        return tuple(map(thawed, value))
    if isinstance(value, FrozenList):
        return [thawed(item) for item in value]
    if isinstance(value, FrozenDict):
        return {key: thawed(item) for key, item in value.items()}
    return value
