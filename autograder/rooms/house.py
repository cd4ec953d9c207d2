"""Where rooms are opened: the warm processes that they are forked from, and who may run how."""

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from autograder.problem import BadInputError, Problem
from autograder.rooms.channel import Channel
from autograder.rooms.conductor import Conductor, Shown
from autograder.rooms.imports import Imports
from autograder.rooms.job import Cell, Job, Limits, Place, Result
from autograder.rooms.sandbox import Confinement, Protection, offer

START_SECONDS = 120
PACKAGE = Path(__file__).resolve().parents[1]
# One thread each: a pool of threads does not survive a fork, and rooms share the cores anyway.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class NoProtectionError(BadInputError):
    """This host cannot confine a process, and nobody said that this does not matter."""


class RoomNotOpenedError(Exception):
    """A room could not be made; the message says why. It is never the student's fault."""


class House:
    """Opens rooms; safe to use from several threads at once.

    Args:
        unsafe: run rooms without confinement where the host offers none.
    """

    def __init__(self, unsafe: bool = False) -> None:
        self._unsafe = unsafe
        self._zygotes: dict[Imports, _Zygote] = {}
        self._lock, self._showing = threading.Lock(), threading.Lock()
        self._closed = False
        self._shown: dict[tuple[tuple[Cell, ...], bool], Shown] = {}

    def __enter__(self) -> "House":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the warm processes, and with them every room that is still open; final."""
        with self._lock:
            self._closed = True
            for zygote in self._zygotes.values():
                zygote.close()
            self._zygotes.clear()

    def run(self, job: Job) -> Result:
        """Runs a job in rooms of its own.

        Raises:
            NoProtectionError: see there.
            RoomNotOpenedError: this host cannot make a room just now.
        """
        self.protection()
        for kind in {_imports(True, job.torch), _imports(False, job.torch)}:
            self._zygote(kind)  # they start side by side
        return Conductor(job, self.open, self._demonstrations(job)).run()

    def _demonstrations(self, job: Job) -> Shown:
        """What the course's own demonstrations show: run once, in a room without any answer."""
        kept = {Place.BOTH, Place.COURSE}
        cells = tuple(cell for cell in job.cells if cell.place in kept)
        if not any(cell.place is Place.COURSE for cell in cells):
            return {}
        with self._showing:
            if (cells, job.torch) not in self._shown:
                result = Conductor(replace(job, cells=cells, files={}), self.open, {}).run()
                # If anything was out of the ordinary, each submission runs them for itself.
                pairs = zip(cells, () if result.events else result.outputs, strict=False)
                self._shown[cells, job.torch] = {c.source: outputs for c, outputs in pairs}
            return self._shown[cells, job.torch]

    def protection(self) -> Protection:
        """How rooms are confined here.

        Raises:
            NoProtectionError: not at all, and that was not allowed.
        """
        found = offer()
        if found.protection is Protection.NONE and not self._unsafe:
            fix = (
                "Mend that, or grade on another host. --unsafe runs student code with your rights."
            )
            raise NoProtectionError(
                Problem("this host", "; ".join(found.reasons), "a way to confine student code", fix)
            )
        return found.protection

    def open(self, examiner: bool, torch: bool, limits: Limits) -> "Room":
        """A new room: the examiner's, or a student's.

        Raises:
            RoomNotOpenedError: the house is closed, or the room could not be confined.
        """
        request = {
            "examiner": examiner,
            "protection": self.protection().value,
            "confinement": asdict(_confinement(examiner or torch, limits)),
            "message_bytes": limits.message_bytes,
            "output_bytes": limits.output_bytes,
        }
        zygote = self._zygote(_imports(examiner, torch))
        with ExitStack() as ours:
            channel, watch = (ours.enter_context(end) for end in zygote.fork(request))
            room = Room(Channel(channel, limits.message_bytes), watch)
            ours.pop_all()  # they are the room's now
        return room

    def _zygote(self, kind: Imports) -> "_Zygote":
        with self._lock:
            if self._closed:
                raise RoomNotOpenedError("the house is closed")
            if kind not in self._zygotes:
                self._zygotes[kind] = _Zygote(kind)
            return self._zygotes[kind]


class Room:
    """A running room, as the grader sees it: a channel to talk through, a process to end."""

    def __init__(self, channel: Channel, watch: socket.socket) -> None:
        self.channel, self._watch = channel, watch
        watch.settimeout(START_SECONDS)
        line, descriptors, *_ = socket.recv_fds(watch, 2**16, 1)
        found = json.loads(line or b'{"error": "it ended before it began"}')
        if "error" in found:
            raise RoomNotOpenedError(found["error"])
        self.pid: int = found["pid"]
        self._process = descriptors[0]

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self._signal(signal.SIGINT)

    def end(self) -> str:
        """Ends the room and everything in it; says how it had ended, if it already had."""
        self._signal(signal.SIGKILL)
        self.channel.close()
        with self._watch, self._watch.makefile() as lines:
            last = lines.readline()
        os.close(self._process)
        return _how(json.loads(last)) if last else "it vanished"

    def _signal(self, number: int) -> None:
        try:
            signal.pidfd_send_signal(self._process, number)
        except ProcessLookupError:
            return  # it had ended already, which is what was wanted


def _how(last: dict[str, Any]) -> str:
    if "error" in last:
        return str(last["error"])
    if last.get("signal"):
        return f"signal {signal.Signals(last['signal']).name}"
    return f"exit status {last.get('exit')}"


class _Zygote:
    """The warm process, which starts meanwhile, and the lock that keeps requests apart."""

    def __init__(self, kind: Imports) -> None:
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="zygote-")
        self._control, theirs = socket.socketpair()
        arguments = [str(theirs.fileno()), kind.value]
        log = Path(self._folder.name) / "log"
        with theirs, log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autograder.rooms.zygote", *arguments],
                pass_fds=[theirs.fileno()],
                env=_environment(self._folder.name),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        self._control.settimeout(START_SECONDS)
        self._log, self._ready = log, False

    def _wait(self) -> None:
        """Until it can fork rooms."""
        if self._ready:
            return
        if self._control.recv(1) != b".":
            raise RoomNotOpenedError(
                f"the warm process ended: {self._log.read_text(errors='replace')}"
            )
        self._ready = True

    def fork(self, request: dict[str, Any]) -> tuple[socket.socket, socket.socket]:
        """Has a room forked; returns our ends of its channel and of what it is reported on."""
        (channel, theirs), (watch, report) = socket.socketpair(), socket.socketpair()
        message = json.dumps(request).encode()
        with theirs, report, self._lock:
            self._wait()
            socket.send_fds(self._control, [message], [theirs.fileno(), report.fileno()])
        return channel, watch

    def close(self) -> None:
        """Ends the process."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


def _environment(folder: str) -> dict[str, str]:
    """Nothing of the grader's but where its font cache is: a room is a copy of this process."""
    return {
        "PATH": os.defpath,
        "HOME": os.environ.get("HOME", folder),
        "IPYTHONDIR": folder,
        "LANG": "C.UTF-8",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        **dict.fromkeys(THREADS, "1"),
    }


def _imports(examiner: bool, torch: bool) -> Imports:
    if torch:
        return Imports.TRAINING
    return Imports.ORACLE if examiner else Imports.NUMPY


def _confinement(torch: bool, limits: Limits) -> Confinement:
    packages = Path(sysconfig.get_path("purelib"))
    hidden = [] if torch else [str(path) for path in packages.glob("*torch*")]
    return Confinement(
        readable=(
            "/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime",
            sys.base_prefix, sys.prefix, str(PACKAGE),
        ),
        hidden=tuple(hidden),
        writable_bytes=limits.disk_bytes,
        file_bytes=limits.file_bytes,
        memory_bytes=limits.memory_bytes,
        processes=limits.processes,
        descriptors=limits.descriptors,
        cpu_seconds=int(limits.notebook_seconds) + 1,
    )  # fmt: skip
