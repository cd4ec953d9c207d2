"""A sandbox for a process that is forked, not started: it confines itself, then runs student code.

`confined` turns a freshly forked process into a room, `offer` says how well this host can confine
one, `resident_bytes` how much memory a room uses. With `Protection.NAMESPACES` a room has its own
mounts, processes, network, IPC and host name, and a filter on system calls. With
`Protection.LANDLOCK`, for hosts that allow no namespaces, Landlock rules what it opens and the
filter is stricter. Both have resource limits, and no capability or other privilege.

What this does not cover:

- Holes in the kernel. The room shares it with the host; a virtual machine would not.
- The memory of the process that was forked. The room can read all of it, the environment that
  it was started with included: start it with `clean_environment`, and load no secret there.
- Descriptors in ``keep``, and sockets below ``readable`` paths: a read-only mount does not keep
  anybody from connecting to one. Name no folder that holds sockets.
- Time: a room may use its processors until somebody ends it. RLIMIT_CPU is per process.
- Memory in total. RLIMIT_DATA is per process, so watch `resident_bytes`. Private files are memory
  too, up to ``writable_bytes``. What the kernel keeps for a room (buffers of pipes and sockets,
  page tables) is bounded only by the limits on processes and descriptors.
- Timing and other side channels between rooms and the host.
- A second path to the same files, as bind mounts and hard links give: ``hidden`` hides one.
- A hidden folder stays an empty one, which Python imports as a namespace package.

With Landlock, moreover:

- Names, sizes and dates of all files of the host can be looked up, though not their contents.
- Folders that hold something hidden cannot be listed. Import what is in them beforehand.
- The room's files are in a folder on the host, whose size is not bounded, only each file's. It is
  removed when the room ends, but stays if the keeper is killed.
- A room cannot start processes, and chmod does nothing there, though it succeeds.
- Before Linux 6.7 the filter alone forbids TCP, before 6.12 signals and abstract sockets.
- As an ordinary user the limit on processes counts all that this user has; it allows for some more.
- As root the room becomes another user, who cannot read what only root can: keep Python elsewhere
  than below /root.

`Protection.NONE` gives only the resource limits.
"""

from autograder.rooms.sandbox.confinement import Confinement, Protection, clean_environment
from autograder.rooms.sandbox.host import Offer, offer
from autograder.rooms.sandbox.limits import resident_bytes
from autograder.rooms.sandbox.process import confined

__all__ = [
    "Confinement",
    "Offer",
    "Protection",
    "clean_environment",
    "confined",
    "offer",
    "resident_bytes",
]
