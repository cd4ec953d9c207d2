"""A look at this host before it grades: what it offers, and whether rooms keep their promises."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from autograder.rooms.sandbox import Confinement, Protection, offer
from autograder.rooms.sandbox.host import trouble
from autograder.rooms.sandbox.probes import Probe, probes
from autograder.rooms.sandbox.trial import ask

_MIB = 2**20
_PROBED = Confinement(
    readable=("/usr", "/lib", "/lib64", "/bin"),
    writable_bytes=4 * _MIB,
    file_bytes=2 * _MIB,
    memory_bytes=64 * _MIB,
    processes=16,
    descriptors=64,
    cpu_seconds=60,
)


@dataclass(frozen=True)
class Held:
    """A promise, and what broke it; None if it held."""

    promise: str
    trouble: str | None

    @property
    def held(self) -> bool:
        """Whether it did."""
        return self.trouble is None


@dataclass(frozen=True)
class Findings:
    """What the doctor found: facts about the host as (name, value), and tried promises."""

    protection: Protection
    facts: tuple[tuple[str, str], ...]
    held: tuple[Held, ...]

    @property
    def protected(self) -> bool:
        """Whether student code can be run here."""
        return self.protection is not Protection.NONE and all(each.held for each in self.held)


def examine(course: str) -> Findings:
    """Looks at the host, opens a room for each promise and tries to break it there.

    Args:
        course: a folder of the host, such as the course's, that a room must not see.
    """
    best = offer().protection
    outside = (os.path.realpath(course), str(Path.home()), "/etc/passwd", "/etc/hostname")
    tried = () if best is Protection.NONE else probes(best, _PROBED, outside, os.getpid())
    return Findings(best, _facts(best), tuple(try_out(best, probe) for probe in tried))


def try_out(protection: Protection, probe: Probe) -> Held:
    """Tries to break one promise, in a room of its own."""
    answer = ask(protection, _PROBED, probe.attempt)
    return Held(probe.promise, answer.trouble or answer.value)


def _facts(best: Protection) -> tuple[tuple[str, str], ...]:
    return (
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("user", f"{os.geteuid()}{' (root)' if os.geteuid() == 0 else ''}"),
        *((each.value, _works(each)) for each in (Protection.NAMESPACES, Protection.LANDLOCK)),
        ("chosen", best.value),
    )


def _works(protection: Protection) -> str:
    reason = trouble(protection)
    return "no: " + reason if reason else "yes, with a filter on system calls (seccomp)"
