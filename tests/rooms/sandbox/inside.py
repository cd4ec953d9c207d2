"""Asks questions in rooms and prints the answers, for the tests: ``inside.py < request``.

A process of its own, because what forks rooms must have no threads and because it may become an
ordinary user first. It has imported all that rooms need: where Python is may be out of that user's
reach.
"""

import array
import ctypes
import errno
import fcntl
import json
import os
import resource
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

import numpy as np

from autograder.rooms.sandbox import (
    Confinement,
    Protection,
    confined,
    kernel,
    resident_bytes,
    seccomp,
)
from autograder.rooms.sandbox.probes import probes
from autograder.rooms.sandbox.trial import ask

MIB = 2**20
PR_CAPBSET_READ = 23
ORDINARY = 65534
LIBRARIES = ("/usr", "/lib", "/lib64", "/bin")


def confinement(tree="/nowhere"):
    return Confinement(
        readable=(*LIBRARIES, f"{tree}/open", f"{tree}/open/secret/shown", f"{tree}/link"),
        hidden=(f"{tree}/open/secret", f"{tree}/open/hidden.txt"),
        writable_bytes=4 * MIB,
        file_bytes=2 * MIB,
        memory_bytes=64 * MIB,
        processes=16,
        descriptors=64,
        cpu_seconds=30,
    )


def outcome(action, *arguments):
    """What an action gave, or the name of its error."""
    try:
        return action(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]


def files(tree):
    wanted = ("open/file", "open/secret/file", "open/hidden.txt", "open/secret/shown/file")
    wanted += ("link/file", "closed/file")
    found = {name: outcome(Path(tree, name).read_text) for name in wanted}
    found["closed"] = outcome(os.listdir, f"{tree}/closed")
    found["write"] = outcome(Path(tree, "open", "new").write_text, "new")
    found["write over"] = outcome(Path(tree, "open", "file").write_text, "new")
    found["write where anybody may"] = outcome(Path(tree, "open/anybody/new").write_text, "new")
    found["in tree"] = outcome(os.listdir, tree)
    return found


def places():
    Path("mine").write_text("mine")
    Path(tempfile.gettempdir(), "mine").write_text("mine")
    return {
        "home is here": Path.home() == Path.cwd(),
        "empty": [path.name for path in Path().iterdir()] == ["mine"],
        "mode": stat.S_IMODE(Path("mine").stat().st_mode),
        "environment": sorted(os.environ),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "leader": os.getsid(0) == os.getpid(),
        "host name": socket.gethostname(),
        "pid": os.getpid(),
    }


def descriptors():
    null = Path(os.devnull).stat().st_rdev
    found = [number for number in range(3, 256) if outcome(os.fstat, number) != "EBADF"]
    return {"null": [os.fstat(n).st_rdev == null for n in range(3)], "others": len(found)}


def walls():
    """The room's namespaces, as far as they can be seen, and the privileges it could have again."""
    kinds = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
    return {
        "namespaces": {kind: outcome(os.readlink, f"/proc/self/ns/{kind}") for kind in kinds},
        "bounding set": [n for n in range(40) if kernel.prctl(PR_CAPBSET_READ, n)],
        "no new privileges": kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS),
    }


def signals():
    handled = {name: signal.getsignal(getattr(signal, name)) for name in ("SIGTERM", "SIGPIPE")}
    return {
        "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        **{name: int(handler) for name, handler in handled.items()},
        "blocked": len(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    }


def limits():
    names = ("CORE", "CPU", "FSIZE", "MEMLOCK", "MSGQUEUE", "NOFILE", "NPROC")
    return {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in names}


def refused(protection):
    """The calls that should always fail but did not as they should; 0 is pretended success."""
    rules = seccomp.rules(protection is Protection.NAMESPACES, os.getpid())
    return [
        rule.name
        for rule in rules
        if not rule.tests and rule.name not in ("fork", "vfork") and kernel.number(rule.name)
        if outcome(kernel.call, rule.name, 0, 0, 0, 0, 0) not in (0, errno.errorcode.get(rule.code))
    ]


def families():
    names = ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG", "AF_UNIX")
    kinds = {name: getattr(socket, name) for name in names}
    return {name: outcome(lambda k=kind: socket.socket(k) and 0) for name, kind in kinds.items()}


def clone(flags):
    result = kernel.call("clone", flags | signal.SIGCHLD, 0, 0, 0, 0)
    if result == 0:
        os._exit(0)
    os.waitpid(result, 0)
    return "cloned"


def by_argument():
    flags = {name: value for name, value in vars(kernel).items() if name.startswith("CLONE_NEW")}
    return {
        **{name: outcome(clone, value) for name, value in flags.items()},
        "device": outcome(os.mknod, "device", stat.S_IFCHR | 0o600, os.makedev(1, 3)),
        "pipe": outcome(os.mknod, "pipe", stat.S_IFIFO | 0o600),
        "no random addresses": outcome(kernel.call, "personality", 0x4_0000),
        "which personality": outcome(kernel.call, "personality", 0xFFFF_FFFF),
        "newer than known": outcome(ctypes_call, 463),
    }


def ctypes_call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *map(ctypes.c_long, (*arguments, 0, 0, 0, 0))) == -1:
        raise OSError(ctypes.get_errno(), "")
    return "called"


def toward_others(other):
    """What a room that shares the host's processes could do to them."""
    ours, theirs = socket.socketpair()
    Path("mine").touch(mode=0o600)
    size, none = ctypes.create_string_buffer(8), 0
    owner = array.array("i", [other])
    Path("copied").write_text("")
    return {
        "signal": outcome(os.kill, other, 0),
        "signal self": outcome(os.kill, os.getpid(), 0),
        "fork": outcome(clone, 0),
        "datagrams": outcome(lambda: socket.socketpair(type=socket.SOCK_DGRAM) and 0),
        "owner": outcome(fcntl.fcntl, ours, fcntl.F_SETOWN, other),
        "owner by ioctl": outcome(fcntl.ioctl, theirs, 0x8901, owner),
        "limits": outcome(kernel.call, "prlimit64", other, resource.RLIMIT_NOFILE, none, none),
        "own limits": outcome(kernel.call, "prlimit64", 0, resource.RLIMIT_NOFILE, none, none),
        "affinity": outcome(os.sched_setaffinity, other, os.sched_getaffinity(0)),
        "chmod": outcome(os.chmod, "mine", 0o777),
        "mode": stat.S_IMODE(Path("mine").stat().st_mode),
        "size": len(size),
    }


def calculation():
    """NumPy, and a thread, in what was forked."""
    found = []
    thread = threading.Thread(target=lambda: found.extend((np.ones((2, 2)) @ [1, 2]).tolist()))
    thread.start()
    thread.join()
    return found


def program():
    command = ["/bin/sh", "-c", "echo $HOME"]
    return outcome(lambda: subprocess.run(command, capture_output=True, text=True).stdout)


ANYWHERE = (
    places, walls, descriptors, signals, limits, families, by_argument, calculation, program
)  # fmt: skip


def answers(request, protection):
    """Of every question, ``[value, trouble]``."""
    tree, me = request["tree"], os.getpid()
    bounds = confinement(tree)
    outside = (f"{tree}/closed", f"{tree}/closed/file", "/etc/hostname", "/etc/passwd")
    promised = probes(protection, bounds, outside, me)
    questions = {f"probe: {probe.promise}": probe.attempt for probe in promised}
    questions |= {question.__name__: question for question in ANYWHERE}
    questions["files"] = lambda: files(tree)
    if protection is not Protection.NONE:
        questions["refused"] = lambda: refused(protection)
    questions["toward_others"] = lambda: toward_others(me)
    found = {name: ask(protection, bounds, question) for name, question in questions.items()}
    given = {name: [answer.value, answer.trouble] for name, answer in found.items()}
    return given | {"host": [walls(), None], "root": os.geteuid() == 0}


def opened(protection, body, keep, bounds=None):
    """A room: the process that forks it, the keeper and the report."""
    watch, report = socket.socketpair()
    watch.settimeout(20)
    keeper = os.fork()
    if keeper == 0:
        confined(protection, bounds or confinement(), body, report, keep)
    report.close()
    return keeper, watch


def first(watch):
    line, descriptors, *_ = socket.recv_fds(watch, 4096, 1)
    return json.loads(line), descriptors


def daemonize_and_wait():
    """Leaves a daemon behind, where that can be, and stays."""
    if outcome(os.fork) == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    os.write(PIPE[1], b".")
    time.sleep(30)


PIPE = (0, 0)


def new_pipe():
    global PIPE
    PIPE = os.pipe()
    return PIPE


def gone(seconds=10):
    """Whether nobody has the pipe's other end any more."""
    deadline = time.monotonic() + seconds
    while select.select([PIPE[0]], [], [], max(0, deadline - time.monotonic()))[0]:
        if not os.read(PIPE[0], 100):
            return True
    return False


def keeper_killed(protection):
    new_pipe()
    keeper, watch = opened(protection, daemonize_and_wait, (PIPE[1],))
    os.close(PIPE[1])
    first(watch)
    os.read(PIPE[0], 1)
    os.kill(keeper, signal.SIGKILL)
    os.waitpid(keeper, 0)
    return gone()


def folders():
    """Host folders of rooms."""
    return set(Path(tempfile.gettempdir()).glob("room-*"))


def none_but(before, seconds=10):
    """Whether only the folders in ``before`` are left; the keeper may need a moment."""
    deadline = time.monotonic() + seconds
    while folders() - before and time.monotonic() < deadline:
        time.sleep(0.01)
    return not folders() - before


def zygote_killed(protection):
    rooms = folders()
    new_pipe()
    zygote = os.fork()
    if zygote == 0:
        _, watch = opened(protection, daemonize_and_wait, (PIPE[1],))
        os.close(PIPE[1])
        time.sleep(30)
        watch.close()
        os._exit(0)
    os.close(PIPE[1])
    os.read(PIPE[0], 1)
    os.kill(zygote, signal.SIGKILL)
    os.waitpid(zygote, 0)
    return gone() and none_but(rooms)


def room_killed(protection):
    new_pipe()
    keeper, watch = opened(protection, daemonize_and_wait, (PIPE[1],))
    os.close(PIPE[1])
    news, (descriptor,) = first(watch)
    os.read(PIPE[0], 1)
    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    all_gone = gone()
    last = json.loads(watch.recv(4096))
    os.waitpid(keeper, 0)
    return {"gone": all_gone, "pid": news["pid"], "last": last}


def interrupted(protection):
    new_pipe()

    def body():
        try:
            os.write(PIPE[1], b".")
            time.sleep(30)
        except KeyboardInterrupt:
            os.write(PIPE[1], b"interrupted")

    keeper, watch = opened(protection, body, (PIPE[1],))
    os.close(PIPE[1])
    _, (descriptor,) = first(watch)
    os.read(PIPE[0], 1)
    signal.pidfd_send_signal(descriptor, signal.SIGINT)
    said = os.read(PIPE[0], 100).decode()
    os.waitpid(keeper, 0)
    return {"said": said, "last": json.loads(watch.recv(4096))}


def endings(protection):
    """What the report says of rooms that end in several ways."""

    def crash():
        signal.raise_signal(signal.SIGSEGV)
        ctypes.string_at(0)

    bodies = {"returns": lambda: None, "raises": lambda: 1 / 0, "exits": lambda: os._exit(7)}
    found = {}
    for name, body in (bodies | {"crashes": crash}).items():
        keeper, watch = opened(protection, body, ())
        first(watch)
        found[name] = json.loads(watch.recv(4096))
        os.waitpid(keeper, 0)
    return found


def spinning(protection):
    """Processor time is bounded; only once, because it takes a second to find out."""

    def spin():
        while True:
            pass

    keeper, watch = opened(protection, spin, (), confinement_of(cpu_seconds=1))
    first(watch)
    os.waitpid(keeper, 0)
    return json.loads(watch.recv(4096))


def confinement_of(**changes):
    return Confinement(**(vars(confinement()) | changes))


def not_opened(protection):
    """A room whose working directory cannot be made, so its body must not run."""
    new_pipe()
    bounds = confinement_of(work="/usr/nowhere/student")
    keeper, watch = opened(protection, lambda: os.write(PIPE[1], b"ran"), (PIPE[1],), bounds)
    os.close(PIPE[1])
    with watch.makefile() as lines:
        reports = [json.loads(line) for line in lines]
    os.waitpid(keeper, 0)
    return {"reports": reports, "ran": bool(os.read(PIPE[0], 100))}


def resident(protection):
    new_pipe()

    def body():
        fill = lambda: np.ones(20 * MIB // 8)  # noqa: E731
        kept = [fill()]
        if protection is not Protection.LANDLOCK and os.fork() == 0:
            kept.append(fill())
        os.write(PIPE[1], b".")
        time.sleep(30)

    keeper, watch = opened(protection, body, (PIPE[1],))
    os.close(PIPE[1])
    pid = first(watch)[0]["pid"]
    for _ in range(1 if protection is Protection.LANDLOCK else 2):
        os.read(PIPE[0], 1)
    used = resident_bytes(pid)
    os.kill(keeper, signal.SIGKILL)
    os.waitpid(keeper, 0)
    return {"used": used, "own": resident_bytes(os.getpid()), "ended": resident_bytes(keeper)}


def left_over(protection):
    """Host folders of rooms that are still there after a room made a mess in its own."""

    def mess():
        for _ in range(200):
            Path("deep").mkdir()
            os.chdir("deep")
        Path("locked").mkdir(0)

    before = folders()
    keeper, _ = opened(protection, mess, ())
    os.waitpid(keeper, 0)
    return len(folders() - before)


SCENES = (
    keeper_killed, zygote_killed, room_killed, interrupted, endings, not_opened, resident, left_over
)  # fmt: skip


def become_ordinary():
    os.setgroups([])
    os.setresgid(ORDINARY, ORDINARY, ORDINARY)
    os.setresuid(ORDINARY, ORDINARY, ORDINARY)


def host_can(protection):
    """Whether the kernel gives a process what the protection needs, asked without our own code."""
    if protection is Protection.LANDLOCK:
        return outcome(ctypes_call, 444, 0, 0, 1) not in ("ENOSYS", "EOPNOTSUPP", "EPERM")
    child = os.fork()
    if child == 0:
        user = 0 if os.geteuid() == 0 else kernel.CLONE_NEWUSER
        libc = ctypes.CDLL(None)
        os._exit(
            libc.unshare(user | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET)
        )
    return os.waitpid(child, 0)[1] == 0 and outcome(ctypes_call, 442) != "ENOSYS"


def main():
    request = json.load(sys.stdin)
    protection = Protection(request["protection"])
    tempfile.tempdir = f"{request['tree']}/closed"  # a keeper that is killed leaves a folder there
    if request["ordinary"]:
        become_ordinary()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # must not be seen in a room
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    os.environ["SECRET"] = "must not be seen in a room"
    os.environ["OMP_NUM_THREADS"] = "1"
    not_offered = ask(protection, confinement(), lambda: None).trouble
    if not_offered and not host_can(protection):
        print(json.dumps({"skip": not_offered}))
        return
    if request["wanted"] == "answers":
        print(json.dumps(answers(request, protection)))
    else:
        scenes = (*SCENES, *(() if request["ordinary"] else (spinning,)))
        print(json.dumps({scene.__name__: scene(protection) for scene in scenes}))


if __name__ == "__main__":
    try:
        main()
    except Exception:
        traceback.print_exc()
        sys.exit(1)
