"""What protection this host gives, found by trying, and why not a better one."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autograder.rooms.sandbox.confinement import Protection

_SECONDS = 60


@dataclass(frozen=True)
class Offer:
    """The best protection to be had, and for each better one why it is not.

    A reason says what was wrong and what to do.
    """

    protection: Protection
    reasons: tuple[str, ...]


def offer() -> Offer:
    """The best protection that works here, found by trying; each is tried once a process."""
    reasons: list[str] = []
    for protection in (Protection.NAMESPACES, Protection.LANDLOCK):
        reason = trouble(protection)
        if reason is None:
            return Offer(protection, tuple(reasons))
        reasons.append(f"{protection.value}: {reason}")
    return Offer(Protection.NONE, tuple(reasons))


@cache
def trouble(protection: Protection) -> str | None:
    """Why a protection is not to be had here and what to do about it; None if it is."""
    if sys.platform != "linux":
        return _not_linux()
    wrong = attempt(protection)
    return None if wrong is None else f"{wrong}. {remedy(protection)}"


def attempt(protection: Protection) -> str | None:
    """Opens an empty room in a process of its own; what the kernel said if that did not work."""
    module = "autograder.rooms.sandbox.attempt"
    done = subprocess.run(
        [sys.executable, "-P", "-m", module, protection.value],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return None if done.returncode == 0 else (done.stderr.strip() or f"status {done.returncode}")


def remedy(protection: Protection) -> str:
    """What to do about a protection that failed, as far as the host's settings tell."""
    if protection is Protection.LANDLOCK:
        return (
            "Landlock is part of Linux 5.13 and newer; if `cat /sys/kernel/security/lsm` does not "
            "name it, start the kernel with lsm=landlock,... and in a container allow its calls."
        )
    found = [text for path, value, text in _SETTINGS if _setting(path) == value]
    return " ".join(found) or (_IN_CONTAINER if _in_container() else _OLD_KERNEL)


_SETTINGS = (
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor keeps ordinary users from making namespaces, as on Ubuntu from 23.10 on and on "
        "most CI runners: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as "
        "root.",
    ),
    (
        "kernel/unprivileged_userns_clone",
        "0",
        "This Debian setting keeps ordinary users from making namespaces: "
        "sudo sysctl kernel.unprivileged_userns_clone=1, or run as root.",
    ),
    (
        "user/max_user_namespaces",
        "0",
        "No user namespace is allowed: sudo sysctl user.max_user_namespaces=10000, or run as root.",
    ),
)
_IN_CONTAINER = (
    "A container without the right to mount cannot make namespaces: start it with "
    "--cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined."
)
_OLD_KERNEL = "Namespaces need Linux 5.12 or newer; run as root, or ask who looks after this host."


def _not_linux() -> str:
    return (
        f"{sys.platform} has neither namespaces nor Landlock. Grade in a Linux container or a "
        "virtual machine, such as Docker Desktop, Colima or WSL 2."
    )


def _setting(name: str) -> str | None:
    try:
        return Path("/proc/sys", name).read_text(encoding="utf-8").strip()
    except OSError:  # this kernel does not have it
        return None


def _in_container() -> bool:
    marks = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")
    return any(map(os.path.exists, marks))
