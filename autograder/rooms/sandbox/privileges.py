"""Giving up what a process may do, for good."""

import errno
import os
import signal
from pathlib import Path

from autograder.rooms.sandbox import kernel

_CHOWN, _KILL, _SETGID, _SETUID, _SYS_ADMIN = 0, 5, 6, 7, 21
_FIRST_UID, _UIDS = 2_000_000, 1_000_000


def can_mount() -> bool:
    """Whether this process may make mounts without a user namespace."""
    return os.geteuid() == 0 and _has(_SYS_ADMIN)


def unused_uid() -> int | None:
    """A user that no other room is at this time; None if this process cannot become another.

    It is taken from the caller's process id, so it is nobody's login and no other room's. The
    kernel then counts processes for each room by itself, and rooms cannot signal each other.
    """
    needed = (_CHOWN, _KILL, _SETGID, _SETUID)
    if os.geteuid() != 0 or not all(map(_has, needed)) or not _mapped("uid") or not _mapped("gid"):
        return None
    return _FIRST_UID + os.getpid() % _UIDS


def _has(capability: int) -> bool:
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> capability & 1)


def _mapped(kind: str) -> bool:
    """Whether the user namespace that we are in already knows the users of rooms."""
    lines = Path(f"/proc/self/{kind}_map").read_text(encoding="utf-8").splitlines()
    ranges = [tuple(map(int, line.split())) for line in lines]
    return any(
        first <= _FIRST_UID and first + count >= _FIRST_UID + _UIDS for first, _, count in ranges
    )


def drop(uid: int | None) -> None:
    """Becomes ``uid`` if given, without groups, without capabilities, without a way back."""
    _empty_bounding_set()
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)


def _empty_bounding_set() -> None:
    """As far as this process may; where it may not, "no new privileges" does as much."""
    for capability in range(64):
        try:
            kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EINVAL):  # not allowed, no such capability
                raise
            return


def own_proc_files() -> None:
    """This process may write its own files below /proc, also if its user has changed since exec."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)


def die_with_parent(how: signal.Signals = signal.SIGKILL) -> None:
    """The kernel sends this process a signal when its parent ends.

    A change of user or of capabilities undoes it: call it again then. Whether the parent had ended
    before the call is for the caller to find out.
    """
    kernel.prctl(kernel.PR_SET_PDEATHSIG, how)
