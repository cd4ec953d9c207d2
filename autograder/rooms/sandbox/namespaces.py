"""A room in its own namespaces: it sees no file, process or network but what it is given."""

import os
import socket
import tempfile
from pathlib import Path

from autograder.rooms.sandbox import kernel, plan, privileges
from autograder.rooms.sandbox.confinement import Confinement, Ground

_TMP, _SHARED_MEMORY = "/tmp", "/dev/shm"
_DEVICES = ("full", "null", "random", "urandom", "zero")
_INODES = 16_384  # private files; each costs the kernel about a kilobyte
_UID_INSIDE = 1000
_EMPTY = "/.empty"  # what hidden files look like
_NOT_OURS = kernel.MS_NOSUID | kernel.MS_NODEV


def prepare(confinement: Confinement) -> Ground:
    """Makes this process's next child the first of a new pid namespace.

    Without the right to mount, a user namespace gives it, and is where this process then stays.
    """
    uid = privileges.unused_uid() if privileges.can_mount() else None
    if uid is None:
        _own_user_namespace()
    kernel.unshare(kernel.CLONE_NEWPID)
    return Ground(confinement.work, _TMP, uid, mapped=uid is None)


def _own_user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
    Path("/proc/self/uid_map").write_text(f"{_UID_INSIDE} {uid} 1", encoding="utf-8")
    Path("/proc/self/gid_map").write_text(f"{_UID_INSIDE} {gid} 1", encoding="utf-8")


def enter(confinement: Confinement, ground: Ground) -> None:
    """Moves this process, the first of its pid namespace, to a root of its own."""
    kernel.unshare(
        kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC
        | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
    )  # fmt: skip
    kernel.make_private()
    socket.sethostname("room")
    layout = plan.plan(confinement, (confinement.work, _TMP, _SHARED_MEMORY))
    links = plan.links(confinement.readable)
    sources = {
        path: kernel.clone_tree(path, kernel.MS_RDONLY | _NOT_OURS)
        for path, kind in layout.items()
        if kind is plan.Kind.HOST
    }
    devices = {
        f"/dev/{name}": kernel.clone_tree(f"/dev/{name}", kernel.MS_NOSUID | kernel.MS_NOEXEC)
        for name in _DEVICES
    }
    _empty_root()
    Path(_EMPTY).touch(0o444)
    _attach(devices)
    _furnish(layout, sources, confinement.writable_bytes, ground.uid)
    _link(links)
    for path in ("/", *(path for path, kind in layout.items() if kind is plan.Kind.EMPTY)):
        kernel.make_read_only(path)


def _empty_root() -> None:
    """Leaves the host's files for a root with nothing in it but /proc."""
    anywhere = tempfile.gettempdir()  # only to have a place that exists
    kernel.mount("tmpfs", anywhere, "tmpfs", _NOT_OURS, "mode=0755,size=1m")
    _process_list(f"{anywhere}/proc")
    kernel.become_root_directory(anywhere)


def _process_list(path: str) -> None:
    """The room's own /proc; the kernel allows one only where the host's can still be seen."""
    Path(path).mkdir()
    try:
        kernel.mount("proc", path, "proc", _NOT_OURS | kernel.MS_NOEXEC)
    except PermissionError:
        # A container that hides parts of /proc allows no new one in a user namespace. A room with
        # an empty /proc is no less safe, and Python does without.
        return


def _attach(trees: dict[str, int]) -> None:
    for path, tree in trees.items():
        _stand_in(path, directory=False)
        kernel.attach(tree, path)


def _stand_in(path: str, directory: bool) -> None:
    """Something to mount on."""
    if directory:
        Path(path).mkdir(parents=True, exist_ok=True)
    else:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()


def _furnish(layout: plan.Plan, sources: dict[str, int], size: int, uid: int | None) -> None:
    store = "/.private"  # one file system for all private folders, so one size bounds them
    Path(store).mkdir()
    kernel.mount("tmpfs", store, "tmpfs", _NOT_OURS, f"mode=0755,size={size},nr_inodes={_INODES}")
    for count, (path, kind) in enumerate(layout.items()):
        if kind is plan.Kind.PRIVATE:
            _private(path, f"{store}/{count}", uid)
        elif kind is plan.Kind.HOST:
            _stand_in(path, _is_folder(sources[path]))
            kernel.attach(sources[path], path)
        else:
            _hide(path)
    kernel.call("umount2", os.fsencode(store), kernel.MNT_DETACH, about=store)
    Path(store).rmdir()


def _private(path: str, kept_in: str, uid: int | None) -> None:
    folder = Path(kept_in)
    folder.mkdir()
    folder.chmod(0o1777 if path in (_TMP, _SHARED_MEMORY) else 0o700)
    if uid is not None:
        os.chown(folder, uid, uid)
    _stand_in(path, directory=True)
    kernel.mount(kept_in, path, "", kernel.MS_BIND)


def _is_folder(tree: int) -> bool:
    return os.stat(tree).st_mode & 0o170000 == 0o040000


def _hide(path: str) -> None:
    if Path(path).is_dir():
        kernel.mount("tmpfs", path, "tmpfs", _NOT_OURS, "mode=0755,size=64k")
    else:
        kernel.mount(_EMPTY, path, "", kernel.MS_BIND)


def _link(links: dict[str, str]) -> None:
    for path, target in links.items():
        if not os.path.lexists(path):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).symlink_to(target)
