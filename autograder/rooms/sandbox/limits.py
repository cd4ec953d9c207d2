"""Resource limits of the processes in a room, and how much memory they use together."""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from autograder.rooms.sandbox.confinement import Confinement

_LOCKED = 64 * 2**10
_SPARE = 256  # room for what else the user starts meanwhile


def apply(confinement: Confinement, already: int) -> None:
    """Sets this process's limits, hard ones too.

    RLIMIT_DATA counts private memory that can be written. RLIMIT_AS would count addresses: torch
    reserves gigabytes of those that it never uses, so no bound that it can live with bounds
    anything.

    Args:
        confinement: what is allowed.
        already: processes of this user that are not the room's, but that its limit counts.
    """
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: confinement.cpu_seconds,
        resource.RLIMIT_DATA: private_bytes() + confinement.memory_bytes,
        resource.RLIMIT_FSIZE: confinement.file_bytes,
        resource.RLIMIT_MEMLOCK: _LOCKED,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NOFILE: confinement.descriptors,
        resource.RLIMIT_NPROC: already + confinement.processes,
    }
    for limit, value in wanted.items():
        least = _least(value, resource.getrlimit(limit)[1])
        # The soft limit too: the first process of a pid namespace ignores SIGXCPU, the warning.
        resource.setrlimit(limit, (least, least))


def _least(wanted: int, most: int) -> int:
    return wanted if most == resource.RLIM_INFINITY else min(wanted, most)


def end_first_when_memory_is_short() -> None:
    """When the host runs out of memory, the kernel ends this process before any other."""
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")


def private_bytes() -> int:
    """What RLIMIT_DATA counts of this process now."""
    return _sizes(Path("/proc/self/status")).get("VmData", 0)


def processes_of_user() -> int:
    """Processes and threads that the user of this process has now, and some more to be safe."""
    uid = os.getuid()
    return _SPARE + sum(
        _threads(folder) for folder in Path("/proc").glob("[0-9]*") if _owner(folder) == uid
    )


def _owner(folder: Path) -> int | None:
    with suppress(OSError):  # it ended
        status = (folder / "status").read_text(encoding="utf-8", errors="replace")
        return int(status.split("\nUid:")[1].split()[0])
    return None


def _threads(folder: Path) -> int:
    with suppress(OSError):  # it ended
        return len(list((folder / "task").iterdir()))
    return 0


def resident_bytes(pid: int) -> int:
    """Memory that the process ``pid`` and all below it use: their own, and shared, not files'.

    Pages that forked processes still have in common are counted for each of them. A process that
    ends meanwhile counts as nothing.
    """
    folders = [Path(f"/proc/{each}") for each in _tree(pid)]
    sizes = [_sizes(folder / "status") for folder in folders]
    return sum(size.get("RssAnon", 0) + size.get("RssShmem", 0) for size in sizes)


def _tree(pid: int) -> Iterator[int]:
    waiting, seen = [pid], set[int]()
    while waiting:
        if (each := waiting.pop()) not in seen:
            seen.add(each)
            yield each
            waiting.extend(_children(each))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):  # it ended
        for thread in Path(f"/proc/{pid}/task").iterdir():
            text = (thread / "children").read_text(encoding="utf-8")
            found.extend(map(int, text.split()))
    return found


def _sizes(status: Path) -> dict[str, int]:
    """The sizes in a ``status`` file of /proc, in bytes; none if the process has ended."""
    try:
        lines = status.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    fields = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): int(number) * 1024 for name, number, _ in fields}
