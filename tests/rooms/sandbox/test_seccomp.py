import errno
import os
import socket
import stat
import struct

import pytest

from autograder.rooms.sandbox import kernel, seccomp

OUR_PID = 4711
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOWED, KILLED = "allowed", "killed"
CLONE_THREAD, CLONE_VM, CLONE_NEWUSER = 0x10000, 0x100, 0x10000000


def run(program, machine, number, arguments):
    """What the kernel would do: its BPF machine, as far as filters use it."""
    data = struct.pack("<IIQ6Q", number, MACHINES.get(machine, machine), 0, *arguments)
    steps, at, word = list(struct.iter_unpack("=HBBI", program)), 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            (word,) = struct.unpack_from("<I", data, value)
        elif code == 0x54:
            word &= value
        elif code == 0x06:
            return value
        else:
            holds = {0x15: word == value, 0x25: word > value, 0x45: bool(word & value)}[code]
            at += yes if holds else no


@pytest.fixture(params=MACHINES)
def machine(request, monkeypatch):
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "", "", "", request.param)))
    return request.param


@pytest.fixture(params=[True, False], ids=["namespaces", "landlock"])
def namespaces(request):
    return request.param


@pytest.fixture
def verdict(machine, namespaces):
    program = seccomp.program(seccomp.rules(namespaces, OUR_PID))

    def decide(name, *arguments):
        number = kernel.number(name) if isinstance(name, str) else name
        value = run(program, machine, number, (*arguments, *[0] * (6 - len(arguments))))
        if value & 0xFFFF0000 == 0x00050000:
            return errno.errorcode.get(value & 0xFFFF, "success")
        return {0x7FFF0000: ALLOWED, 0x80000000: KILLED}[value]

    return decide


def test_calls_without_a_condition_are_refused(verdict, namespaces):
    rules = [rule for rule in seccomp.rules(namespaces, OUR_PID) if not rule.tests]
    expected = {rule.name: errno.errorcode.get(rule.code, "success") for rule in rules}
    here = [name for name in expected if kernel.number(name) is not None]
    assert {name: verdict(name) for name in here} == {name: expected[name] for name in here}
    assert {"ptrace", "bpf", "mount", "unshare", "memfd_create", "io_uring_setup"} <= set(here)


def test_other_calls_are_allowed(verdict, machine):
    read, futex = {"x86_64": (0, 202), "aarch64": (63, 98)}[machine]
    assert verdict(read) == verdict(futex) == ALLOWED


def test_calls_newer_than_the_table_do_not_exist(verdict):
    assert (verdict(462), verdict(463)) == (ALLOWED, "ENOSYS")


def test_another_numbering_is_killed(namespaces, machine):
    program = seccomp.program(seccomp.rules(namespaces, OUR_PID))
    for other in (0x40000003, 0x40000028, *(set(MACHINES.values()) - {MACHINES[machine]})):
        assert run(program, other, 0, (0,) * 6) == 0x80000000


def test_the_x32_numbering_is_not_a_way_around(verdict, machine):
    assert verdict(0x40000000 | 101) == (KILLED if machine == "x86_64" else "ENOSYS")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("clone", CLONE_VM | CLONE_THREAD), ALLOWED),
        (("clone", CLONE_NEWUSER | CLONE_THREAD), "EPERM"),
        (("socket", socket.AF_INET), "EACCES"),
        (("socket", 1 << 32 | socket.AF_INET), "EACCES"),
        (("mknodat", 0, 0, stat.S_IFCHR | 0o600), "EPERM"),
        (("mknodat", 0, 0, stat.S_IFBLK | 0o600), "EPERM"),
        (("mknodat", 0, 0, stat.S_IFIFO | 0o600), ALLOWED),
        (("prctl", 1, 0), "EPERM"),
        (("prctl", 15, 0), ALLOWED),
        (("personality", 0xFFFFFFFF), ALLOWED),
        (("personality", 0x40000), "EPERM"),
        (("clone3",), "ENOSYS"),
    ],
)
def test_conditions_on_arguments(verdict, arguments, expected):
    assert verdict(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("clone", CLONE_VM), "EPERM"),
        (("kill", OUR_PID + 1, 9), "EPERM"),
        (("kill", 0, 9), "EPERM"),
        (("kill", 0xFFFFFFFF, 9), "EPERM"),
        (("tgkill", OUR_PID + 1, OUR_PID + 1, 9), "EPERM"),
        (("rt_sigqueueinfo", 1, 9), "EPERM"),
        (("prlimit64", OUR_PID + 1, 7), "EPERM"),
        (("sched_setattr", OUR_PID + 1), "EPERM"),
        (("fcntl", 5, 8, 1), "EPERM"),
        (("fcntl", 5, 10, 9), "EPERM"),
        (("fcntl", 5, 15, 1), "EPERM"),
        (("ioctl", 5, 0x8901), "EPERM"),
        (("ioctl", 5, 0x8902), "EPERM"),
        (("socket", socket.AF_UNIX), "EACCES"),
        (("socketpair", socket.AF_UNIX, socket.SOCK_DGRAM), "EPERM"),
        (("socketpair", 30, socket.SOCK_STREAM), "EPERM"),
        (("fchmodat", 0, 0, 0o777), "success"),
    ],
)
def test_what_only_namespaces_make_harmless(verdict, namespaces, arguments, refusal):
    assert verdict(*arguments) == (ALLOWED if namespaces else refusal)


@pytest.mark.parametrize(
    "arguments",
    [
        ("kill", OUR_PID, 15),
        ("tgkill", OUR_PID, OUR_PID + 5, 15),
        ("prlimit64", 0, 7),
        ("fcntl", 5, 3),
        ("ioctl", 5, 0x5401),
        ("socketpair", socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC),
        ("truncate",),
    ],
)
def test_what_a_room_may_do_to_itself(verdict, arguments):
    assert verdict(*arguments) == ALLOWED


@pytest.mark.parametrize("name", ["fork", "vfork"])
def test_without_namespaces_nothing_is_forked(verdict, machine, namespaces, name):
    if machine == "aarch64":
        pytest.skip("it has only clone")
    assert verdict(name) == (ALLOWED if namespaces else "EPERM")


def test_truncating_by_name_is_refused_where_landlock_does_not_know_it():
    names = {rule.name for rule in seccomp.rules(False, OUR_PID, truncate=False)}
    assert "truncate" in names and "truncate" not in {
        rule.name for rule in seccomp.rules(False, OUR_PID)
    }


def test_another_processor_is_an_error(monkeypatch):
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "", "", "", "riscv64")))
    with pytest.raises(OSError, match="processor riscv64 is not known here"):
        seccomp.program(seccomp.rules(True, OUR_PID))
