"""A room without namespaces: Landlock decides what it may open, seccomp forbids the rest."""

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from autograder.rooms.sandbox import kernel, plan
from autograder.rooms.sandbox.confinement import Confinement, Ground

# See linux/landlock.h: rights on files, then those that came with each version of Landlock.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_FIRST_RIGHTS = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_TCP = 0b11  # bind, connect
_SCOPES = 0b11  # abstract sockets, signals
_WITH_REFER, WITH_TRUNCATE, _WITH_TCP, _WITH_IOCTL, _WITH_SCOPES = 2, 3, 4, 5, 6
_VERSION_PLEASE = 1
_PATH_BENEATH = 1

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero")


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "net", "scoped")]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("rights", ctypes.c_uint64), ("place", ctypes.c_int32)]


def version() -> int:
    """The version of Landlock that this kernel offers, from 1.

    Raises:
        OSError: it offers none.
    """
    return kernel.call("landlock_create_ruleset", None, 0, _VERSION_PLEASE)


def restrict(confinement: Confinement, ground: Ground) -> None:
    """This process may open nothing but what ``confinement`` lets it read, and its own folder."""
    handled = _handled(version())
    ruleset = _ruleset(version(), handled)
    readable = plan.open_parts(plan.plan(confinement))
    _allow(ruleset, readable, _READ & handled)
    _allow(ruleset, _DEVICES, (_READ_FILE | _WRITE_FILE | _TRUNCATE) & handled)
    _allow(ruleset, [ground.home, ground.tmp], handled & ~(_MAKE_CHAR | _MAKE_BLOCK))
    kernel.call("landlock_restrict_self", ruleset, 0)
    os.close(ruleset)


def _handled(offered: int) -> int:
    """The rights on files that are refused unless a rule gives them."""
    later = ((_WITH_REFER, _REFER), (WITH_TRUNCATE, _TRUNCATE), (_WITH_IOCTL, _IOCTL))
    return _FIRST_RIGHTS | sum(right for since, right in later if offered >= since)


def _ruleset(offered: int, handled: int) -> int:
    wanted = _Ruleset(handled, _TCP if offered >= _WITH_TCP else 0)
    wanted.scoped = _SCOPES if offered >= _WITH_SCOPES else 0
    # An older kernel takes the longer structure, as long as what it does not know is zero.
    return kernel.call("landlock_create_ruleset", wanted, ctypes.sizeof(wanted), 0)


def _allow(ruleset: int, paths: Iterable[str], rights: int) -> None:
    for path in paths:
        with suppress(FileNotFoundError, PermissionError):  # gone, or not this user's to read
            _allow_one(ruleset, path, rights)


def _allow_one(ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        folder = Path(path).is_dir()
        rule = _Beneath(rights if folder else rights & _ON_FILES, place)
        kernel.call("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0, about=path)
    finally:
        os.close(place)
