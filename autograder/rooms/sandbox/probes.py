"""What a room promises, each promise as an attempt to break it from inside.

An attempt returns None if the promise held, else what worked that should not have.
"""

import errno
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from autograder.rooms.sandbox import kernel
from autograder.rooms.sandbox.confinement import Confinement, Protection, clean_environment

_NOBODY_THERE = ("192.0.2.1", 9)  # an address reserved for documents
_CHUNK = 2**20
_PTRACE_TRACEME = 0
_HERE, _CLONE = -100, 1  # a copy of a mount that nobody ever sees: harmless where it works


@dataclass(frozen=True)
class Probe:
    """A promise in words, and how to try to break it."""

    promise: str
    attempt: Callable[[], str | None]


def probes(
    protection: Protection, confinement: Confinement, outside: Iterable[str], process: int
) -> tuple[Probe, ...]:
    """Everything that a room with this protection promises.

    Args:
        protection: how the room is confined.
        confinement: what it may see and use.
        outside: host files and folders that are none of its business.
        process: a host process that is none of its business, of the user who asks.
    """
    paths = [path for path in outside if os.access(path, os.R_OK)]
    folders = [path for path in paths if Path(path).is_dir()]
    several = [] if protection is Protection.LANDLOCK else [_total_size(confinement)]
    return (
        Probe("no network", _network),
        Probe("no network within this host", _loopback),
        Probe("no other files to read", lambda: _first(map(_reading, paths))),
        Probe("nowhere else to write", lambda: _first(map(_writing, (*folders, "/", "/usr")))),
        Probe("no other process to reach", lambda: _process(process)),
        Probe("processes bounded", lambda: _fork_bomb(confinement.processes)),
        Probe("memory bounded", lambda: _memory(confinement.memory_bytes)),
        Probe("size of a file bounded", lambda: _big_file(confinement.file_bytes)),
        *several,
        Probe("clean environment", _environment),
        Probe("no privileges", _privileges),
        Probe("no new namespaces", lambda: _worked("unshare", kernel.CLONE_NEWUSER)),
        Probe("no mounts", lambda: _worked("open_tree", _HERE, b"/", _CLONE)),
        Probe("no debugging", lambda: _worked("ptrace", _PTRACE_TRACEME, 0, 0, 0)),
        Probe("ends with the grader", lambda: _worked("prctl", kernel.PR_SET_PDEATHSIG, 0, 0, 0)),
    )  # fmt: skip


def _first(troubles: Iterable[str | None]) -> str | None:
    return next((trouble for trouble in troubles if trouble), None)


def _network() -> str | None:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(_NOBODY_THERE)  # sends nothing: only asks for a way there
        return "there is a way out"
    return None


def _loopback() -> str | None:
    with suppress(OSError), socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
        return "connected to 127.0.0.1"
    return None


def _reading(path: str) -> str | None:
    with suppress(OSError):
        found = os.listdir(path) if Path(path).is_dir() else Path(path).read_bytes()  # noqa: PTH208
        return f"read {path}" if found else None
    return None


def _writing(folder: str) -> str | None:
    with suppress(OSError), tempfile.NamedTemporaryFile(dir=folder):
        return f"wrote in {folder}"
    return None


def _process(process: int) -> str | None:
    with suppress(OSError):
        os.kill(process, 0)
        return f"process {process} can be signalled"
    return _reading(f"/proc/{process}/cmdline")


def _fork_bomb(most: int) -> str | None:
    children: list[int] = []
    try:
        while len(children) <= most:
            children.append(_sleeper())
        return f"{len(children)} processes started"
    except OSError:
        return None
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _sleeper() -> int:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    return child


def _memory(most: int) -> str | None:
    try:
        return f"{len(bytearray(most + _CHUNK))} bytes were given"
    except MemoryError:
        return None


def _big_file(most: int) -> str | None:
    with _scratch() as folder:
        return _filled(folder / "one", most + 1)


def _total_size(confinement: Confinement) -> Probe:
    each, most = confinement.file_bytes, confinement.writable_bytes
    return Probe("size of all files bounded", lambda: _big_files(each, most))


def _big_files(each: int, most: int) -> str | None:
    with _scratch() as folder:
        troubles = (_filled(folder / str(number), each) for number in range(most // each + 1))
        written = sum(trouble is not None for trouble in troubles)
        return f"{written * each} bytes written" if written * each > most else None


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        yield Path(folder)


def _filled(path: Path, size: int) -> str | None:
    try:
        with path.open("wb") as file:
            for start in range(0, size, _CHUNK):
                file.write(bytes(min(_CHUNK, size - start)))
        return f"{size} bytes written"
    except OSError as error:
        if error.errno not in (errno.EFBIG, errno.ENOSPC):
            raise
        return None


def _environment() -> str | None:
    extra = set(os.environ) - set(clean_environment(os.environ))
    return f"{', '.join(sorted(extra))} set" if extra else None


def _privileges() -> str | None:
    if kernel.has_capabilities():
        return "there are capabilities"
    fixed = kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS)
    return None if fixed else "a set-uid program would give new ones"


def _worked(name: str, *arguments: int | bytes) -> str | None:
    with suppress(OSError):
        kernel.call(name, *arguments)
        return f"{name} worked"
    return None
