"""The two processes behind a room: the keeper, which waits, and the room itself."""

import json
import os
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from autograder.rooms.sandbox import landlock, limits, namespaces, privileges, seccomp
from autograder.rooms.sandbox.confinement import (
    Confinement,
    Ground,
    Protection,
    clean_environment,
)
from autograder.rooms.sandbox.folder import clear, own_folder

_READY = b"ready"
_GO = b"go"
_LONGEST = 4096

_forked_by = 0


def _note_parent() -> None:
    global _forked_by  # a fork has nowhere else to leave it
    _forked_by = os.getpid()


os.register_at_fork(before=_note_parent)


def confined(
    protection: Protection,
    confinement: Confinement,
    body: Callable[[], None],
    report: socket.socket,
    keep: Collection[int] = (),
) -> NoReturn:
    """Runs ``body`` in a room, and never returns.

    To be called in a process just forked for it from one without threads. This process becomes the
    room's keeper: it forks the room, tells ``report`` about it and waits. The room ends with its
    keeper, and the keeper with the process that forked it.

    ``report`` gets one line of JSON when the room is ready, with a pidfd of it attached, and one
    when it has ended; or one that says why there is no room, and nothing of ``body`` has run:

        {"pid": 4711}
        {"exit": 0, "signal": null, "max_rss_bytes": 50331648}

        {"error": "unshare (new namespaces): Operation not permitted"}

    Args:
        protection: how; see `offer` for what this host can do.
        confinement: what the room may see and use.
        body: what runs there. The room's status is 0 when it returns and 1 when it raises.
        report: a Unix stream socket. The room does not have it.
        keep: descriptors that the room keeps, and nobody else here. Of 0, 1 and 2 those that are
            not among them lead to /dev/null.
    """
    try:
        _keep(protection, confinement, body, report, keep)
    except BaseException as error:
        with suppress(OSError):  # nobody listens any more
            _tell(report, {"error": _text(error)})
    finally:
        os._exit(0)


def _keep(
    protection: Protection,
    confinement: Confinement,
    body: Callable[[], None],
    report: socket.socket,
    keep: Collection[int],
) -> None:
    os.setsid()  # an interrupt from the terminal is not meant for us
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # else the room could not be waited for
    _end_with_parent()
    privileges.own_proc_files()
    ours, theirs = socket.socketpair()
    _close_all_but({*keep, report.fileno(), ours.fileno(), theirs.fileno()})
    ground = _prepare(protection, confinement)
    try:
        if ground.folder:
            _tidy_up_with_parent()
        room = os.fork()
        if room == 0:
            ours.close()
            report.close()
            _be_the_room(protection, confinement, ground, body, theirs)
        _close_all_but({report.fileno(), ours.fileno()})
        _watch(room, ours, report)
    finally:
        if ground.folder:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # ending already
            clear(ground.folder)


def _tidy_up_with_parent() -> None:
    """From here on there is something to remove first, so the kernel asks instead of killing."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("the process that forked this one has ended"))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _end_with_parent(signal.SIGTERM)


def _end_with_parent(how: signal.Signals = signal.SIGKILL) -> None:
    privileges.die_with_parent(how)
    if os.getppid() != _forked_by:
        raise ProcessLookupError("the process that forked this one has ended")


def _prepare(protection: Protection, confinement: Confinement) -> Ground:
    if protection is Protection.NAMESPACES:
        return namespaces.prepare(confinement)
    dropping = protection is Protection.LANDLOCK
    return own_folder(privileges.unused_uid() if dropping else None)


def _close_all_but(kept: Collection[int]) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in {0, 1, 2} - set(kept):
        os.dup2(nowhere, descriptor)
    for descriptor in [int(link.name) for link in Path("/proc/self/fd").iterdir()]:
        if descriptor not in {0, 1, 2, *kept}:
            with suppress(OSError):  # the one that listed them
                os.close(descriptor)


def _watch(room: int, ours: socket.socket, report: socket.socket) -> None:
    """Lets the room begin once it is confined, and says what becomes of it."""
    try:
        trouble = _let_begin(room, ours, report)
        _, status, usage = os.wait4(room, 0)
    except BaseException:
        with suppress(ProcessLookupError, ChildProcessError):  # it had been waited for
            os.kill(room, signal.SIGKILL)
            os.waitpid(room, 0)
        raise
    end = _end(status, usage.ru_maxrss * 1024)
    _tell(report, end if trouble is None else {"error": trouble or f"it ended at once: {end}"})


def _let_begin(room: int, ours: socket.socket, report: socket.socket) -> str | None:
    """None when the room has begun, else why it has not."""
    news = ours.recv(_LONGEST)
    if news != _READY:
        return news.decode()
    descriptor = os.pidfd_open(room)
    socket.send_fds(report, [_line({"pid": room})], [descriptor])
    os.close(descriptor)
    ours.sendall(_GO)
    return None


def _end(status: int, max_rss_bytes: int) -> dict[str, int | None]:
    killed = os.WIFSIGNALED(status)
    return {
        "exit": None if killed else os.waitstatus_to_exitcode(status),
        "signal": os.WTERMSIG(status) if killed else None,
        "max_rss_bytes": max_rss_bytes,
    }


def _tell(report: socket.socket, news: dict[str, Any]) -> None:
    report.sendall(_line(news))


def _line(news: dict[str, Any]) -> bytes:
    return json.dumps(news).encode() + b"\n"


def _text(error: BaseException) -> str:
    """What went wrong; the kernel's own words without Python's number before them."""
    words = error.strerror if isinstance(error, OSError) and error.filename is None else None
    return words or f"{type(error).__name__}: {error}"


def _be_the_room(
    protection: Protection,
    confinement: Confinement,
    ground: Ground,
    body: Callable[[], None],
    keeper: socket.socket,
) -> NoReturn:
    status = 1
    try:
        if _admitted(protection, confinement, ground, keeper):
            body()
            status = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


def _admitted(
    protection: Protection, confinement: Confinement, ground: Ground, keeper: socket.socket
) -> bool:
    """Confines this process; false if that failed, or the keeper ended meanwhile."""
    try:
        _confine(protection, confinement, ground)
        _settle_in(ground)
    except BaseException as error:
        keeper.sendall(_text(error).encode()[:_LONGEST])
        return False
    keeper.sendall(_READY)
    with keeper:
        return keeper.recv(_LONGEST) == _GO


def _confine(protection: Protection, confinement: Confinement, ground: Ground) -> None:
    os.setsid()
    os.umask(0o022)
    limits.end_first_when_memory_is_short()
    limits.apply(confinement, _counted_already(protection, ground))
    if protection is Protection.NONE:
        privileges.die_with_parent()
        return
    if protection is Protection.NAMESPACES:
        namespaces.enter(confinement, ground)
    privileges.drop(ground.uid)
    privileges.die_with_parent()
    truncate = protection is Protection.NAMESPACES
    if protection is Protection.LANDLOCK:
        landlock.restrict(confinement, ground)
        truncate = landlock.version() >= landlock.WITH_TRUNCATE
    rules = seccomp.rules(protection is Protection.NAMESPACES, os.getpid(), truncate)
    seccomp.install(seccomp.program(rules))


def _counted_already(protection: Protection, ground: Ground) -> int:
    """Processes that are not the room's, but that its limit on processes counts too."""
    if ground.uid is not None:
        return 0
    keeper = 1
    return keeper if protection is Protection.NAMESPACES else limits.processes_of_user()


def _settle_in(ground: Ground) -> None:
    """Working directory, environment and signals as the room finds them."""
    os.chdir(ground.home)
    environment = clean_environment(os.environ, ground.home, ground.tmp)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # the zygote may have looked already
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, _handler(number))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _handler(number: int) -> Any:
    """What Python does with a signal when it starts."""
    if number == signal.SIGINT:
        return signal.default_int_handler
    return signal.SIG_IGN if number in (signal.SIGPIPE, signal.SIGXFSZ) else signal.SIG_DFL
