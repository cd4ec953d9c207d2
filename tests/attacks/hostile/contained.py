"""A fence around a whole run of the grader, so that what breaks out of it breaks into nothing.

This is not what protects a grader: it keeps an attack that a grader does not stop from this
machine's other processes and services.
"""

import fcntl
import socket
import struct
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

# The fence, and all within, ends with whoever put it up.
NAMESPACES = (
    "setpriv", "--pdeathsig=KILL",
    "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--net", "--ipc", "--mount",
)  # fmt: skip
REPOSITORY = Path(__file__).resolve().parents[3]
AS_USER = ("--user", "--map-root-user")
SET_FLAGS, UP = 0x8914, 1  # SIOCSIFFLAGS, IFF_UP


@cache
def fence(rooms: bool) -> tuple[str, ...]:
    """What to put before a command, or nothing where this host offers no such thing.

    Args:
        rooms: the command opens rooms. An ordinary user's fence has no second user in it, which
            rooms need, so then there is none: the rooms are what is tried.
    """
    for prefix in [NAMESPACES] if rooms else [NAMESPACES, (*NAMESPACES, *AS_USER)]:
        try:
            done = subprocess.run([*prefix, "true"], capture_output=True, check=False)
        except FileNotFoundError:
            return ()
        if done.returncode == 0:
            return prefix
    return ()


def run(command: Sequence[str], seconds: float, rooms: bool) -> subprocess.CompletedProcess[str]:
    """Runs a command behind the fence in the repository's folder, for so long at most."""
    return subprocess.run(
        [*fence(rooms), *command], cwd=REPOSITORY, capture_output=True, text=True,
        errors="replace", timeout=seconds, check=False,
    )  # fmt: skip


def raise_loopback() -> None:
    """Jupyter's kernels talk over it, and behind a fence it is down at first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", UP))
