"""System calls that a room may not make, as a filter that the kernel runs before each call.

The filter is a program for the kernel's classic BPF machine: load a word of the call's number,
processor or arguments, compare, jump forward, return a verdict.
"""

import ctypes
import errno
import os
import socket
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from autograder.rooms.sandbox import kernel

# See linux/bpf_common.h, linux/seccomp.h and linux/audit.h.
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_GREATER, _IF_ANY_BIT = 0x15, 0x25, 0x45
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW, _KILL, _ERRNO = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
_MACHINE = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_X32 = 0x4000_0000  # the other way to number x86_64's calls
_NEWEST = 462  # mseal: later calls were not looked at, so they do not exist here
_MODE_FILTER = 2

_ANY = 0xFFFF_FFFF
_NAMESPACES = 0x7E02_0000  # every CLONE_NEW... that clone knows
_THREAD = 0x0001_0000
_QUERY = 0xFFFF_FFFF
_SILENTLY = 0


@dataclass(frozen=True)
class Test:
    """Whether ``argument & mask`` is one of ``values`` (or, not ``wanted``, is none of them)."""

    argument: int
    values: tuple[int, ...]
    mask: int = _ANY
    wanted: bool = True


@dataclass(frozen=True)
class Rule:
    """A call is allowed if it passes every test, else fails with ``code``; 0 pretends success."""

    name: str
    tests: tuple[Test, ...] = ()
    code: int = errno.EPERM


def _never(names: str, code: int = errno.EPERM) -> tuple[Rule, ...]:
    return tuple(Rule(name, code=code) for name in names.split())


def _no_device(argument: int) -> Test:
    return Test(argument, (stat.S_IFCHR, stat.S_IFBLK), mask=0o170000, wanted=False)


_COMMON = (
    # Other processes' memory and files.
    *_never("ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp"),
    *_never("migrate_pages move_pages process_mrelease"),
    # Namespaces, mounts and other roots.
    *_never("unshare setns mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig"),
    *_never("fsmount fspick mount_setattr statmount listmount"),
    Rule("clone", (Test(0, (0,), mask=_NAMESPACES),)),
    *_never("clone3", errno.ENOSYS),  # its flags are behind a pointer; libc goes back to clone
    # Parts of the kernel with a history of holes that no lesson needs.
    *_never("bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register"),
    *_never("add_key request_key keyctl modify_ldt lookup_dcookie nfsservctl uselib vhangup"),
    *_never("name_to_handle_at open_by_handle_at fanotify_init fanotify_mark"),
    Rule("personality", (Test(0, (0, _QUERY)),)),
    # The machine itself.
    *_never("kexec_load kexec_file_load init_module finit_module delete_module reboot swapon"),
    *_never("swapoff acct quotactl quotactl_fd syslog settimeofday clock_settime adjtimex"),
    *_never("clock_adjtime sethostname setdomainname iopl ioperm"),
    Rule("mknod", (_no_device(1),)),
    Rule("mknodat", (_no_device(2),)),
    # Memory that no limit counts.
    *_never("memfd_create memfd_secret shmget shmat shmctl semget semop semtimedop semctl"),
    *_never("msgget msgsnd msgrcv msgctl"),
    # What ties the room's life to ours, and the network.
    Rule("prctl", (Test(0, (kernel.PR_SET_PDEATHSIG,), wanted=False),)),
    Rule("socket", (Test(0, (socket.AF_UNIX,)),), errno.EACCES),
)


def _without_namespaces(pid: int) -> tuple[Rule, ...]:
    """More rules for a room that shares the host's processes, users and sockets."""
    own = Test(0, (pid,))
    own_or_zero = Test(0, (0, pid))
    connected = Test(1, (socket.SOCK_STREAM, socket.SOCK_SEQPACKET), mask=0xF)
    return (
        # No process but this one, which dies with ours.
        *_never("fork vfork"),
        Rule("clone", (Test(0, (_THREAD,), mask=_NAMESPACES | _THREAD),)),
        # Nothing done to other processes of the same user.
        *(Rule(name, (own,)) for name in ("kill", "tkill", "tgkill")),
        *(Rule(name, (own,)) for name in ("rt_sigqueueinfo", "rt_tgsigqueueinfo")),
        *_never("pidfd_open pidfd_send_signal setpriority ioprio_set"),
        *(Rule(name, (own_or_zero,)) for name in ("prlimit64", "sched_setaffinity")),
        *(
            Rule(f"sched_{name}", (own_or_zero,))
            for name in ("setscheduler", "setparam", "setattr")
        ),
        # A descriptor can be told to send a signal: F_SETOWN, F_SETSIG, F_SETOWN_EX, FIOSETOWN...
        Rule("fcntl", (Test(1, (8, 10, 15), wanted=False),)),
        Rule("ioctl", (Test(1, (0x8901, 0x8902), wanted=False),)),
        # No socket that could reach another one: only pairs, already connected.
        *_never("socket", errno.EACCES),
        *_never("bind connect"),
        Rule("socketpair", (Test(0, (socket.AF_UNIX,)), connected)),
        *_never("mq_open mq_unlink"),
        # Landlock does not govern a file's attributes, and the user may own the host's files. Code
        # that copies files sets their mode in passing, so it is told that it was done.
        *_never("chmod fchmod fchmodat fchmodat2", _SILENTLY),
        *_never("utime utimes futimesat utimensat"),
        *_never("chown fchown lchown fchownat setxattr lsetxattr fsetxattr removexattr"),
        *_never("lremovexattr fremovexattr inotify_add_watch"),
    )


def rules(namespaces: bool, pid: int, truncate: bool = True) -> tuple[Rule, ...]:
    """What a room may not do.

    Args:
        namespaces: the room has its own; else everything that reaches other processes goes too.
        pid: the room's own process, as it sees itself.
        truncate: shortening files by name is kept within bounds by something else.
    """
    by_name = {rule.name: rule for rule in _COMMON}
    if not namespaces:
        by_name |= {rule.name: rule for rule in _without_namespaces(pid)}
    if not truncate:
        by_name["truncate"] = Rule("truncate")
    return tuple(by_name.values())


def program(rules: Iterable[Rule]) -> bytes:
    """The filter, for this machine's processor.

    Raises:
        OSError: the processor is not one of `kernel.MACHINES`.
    """
    blocks = [
        _block(number, rule) for rule in rules if (number := kernel.number(rule.name)) is not None
    ]
    return b"".join((_preamble(), *blocks, _step(_RETURN, _ALLOW)))


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; ``yes`` and ``no`` are how many instructions a comparison then skips."""
    return struct.pack("=HBBI", code, yes, no, value & _ANY)


def _preamble() -> bytes:
    """Kills what counts its calls differently than our table; leaves the number loaded."""
    machine = os.uname().machine
    no_such_call = _step(_RETURN, _ERRNO | errno.ENOSYS)
    x32 = _step(_IF_ANY_BIT, _X32, no=1) + _step(_RETURN, _KILL) if machine == "x86_64" else b""
    return b"".join((
        _step(_LOAD, _MACHINE_AT),
        _step(_IF_EQUAL, _MACHINE[machine], yes=1), _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT), x32,
        _step(_IF_GREATER, _NEWEST, no=1), no_such_call,
    ))  # fmt: skip


def _block(number: int, rule: Rule) -> bytes:
    refuse = _step(_RETURN, _ERRNO | rule.code)
    tests = b"".join(_test(test, refuse) for test in rule.tests)
    body = tests + (_step(_RETURN, _ALLOW) if rule.tests else refuse)
    return _step(_IF_EQUAL, number, no=len(body) // 8) + body


def _test(test: Test, refuse: bytes) -> bytes:
    """Looks at an argument's lower 32 bits: all that the kernel reads of the ones we test."""
    steps = [_step(_LOAD, _ARGUMENTS_AT + 8 * test.argument), _step(_AND, test.mask)]
    last = len(test.values)
    for position, value in enumerate(test.values, start=1):
        to_refuse = last - position
        past_it = to_refuse + 1
        if test.wanted:
            steps.append(_step(_IF_EQUAL, value, yes=past_it))
        else:
            steps.append(_step(_IF_EQUAL, value, yes=to_refuse, no=past_it * (position == last)))
    return b"".join((*steps, refuse))


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def install(filter_program: bytes) -> None:
    """This process and its children obey the filter from now on, for good."""
    wanted = _Program(len(filter_program) // 8, filter_program)
    kernel.call("prctl", kernel.PR_SET_SECCOMP, _MODE_FILTER, wanted, 0, 0, about="(seccomp)")
