"""The few calls of the kernel that Python does not offer, with errors as OSError.

Python has ``os.unshare`` only from 3.12 on, and the others in no version.
"""

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

# Numbers of system calls, by name: x86_64, then aarch64; None where that machine has no such call.
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bind": (49, 200),
    "bpf": (321, 280),
    "capget": (125, 90),
    "capset": (126, 91),
    "chmod": (90, None),
    "chown": (92, None),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "connect": (42, 203),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "fcntl": (72, 25),
    "finit_module": (313, 273),
    "fork": (57, None),
    "fremovexattr": (199, 16),
    "fsconfig": (431, 431),
    "fsetxattr": (190, 7),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "futimesat": (261, None),
    "init_module": (175, 105),
    "inotify_add_watch": (254, 27),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioperm": (173, None),
    "iopl": (172, None),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "landlock_add_rule": (445, 445),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "lchown": (94, None),
    "listmount": (458, 458),
    "lookup_dcookie": (212, 18),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "removexattr": (197, 14),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setpriority": (141, 140),
    "settimeofday": (164, 170),
    "setxattr": (188, 5),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "statmount": (457, 457),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "truncate": (76, 45),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "utime": (132, None),
    "utimensat": (280, 88),
    "utimes": (235, None),
    "vfork": (58, None),
    "vhangup": (153, 58),
}
MACHINES = ("x86_64", "aarch64")

CLONE_NEWNS = 0x0002_0000
CLONE_NEWCGROUP = 0x0200_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x4_0000
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_AT_RECURSIVE = 0x8000
_OPEN_TREE_CLONE = 1
_MOVE_MOUNT_F_EMPTY_PATH = 4
_CAPABILITY_VERSION_3 = 0x2008_0522


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns_fd")]


def number(name: str) -> int | None:
    """The number of a system call on this machine; None if it has no such call.

    Raises:
        OSError: the processor is not one of `MACHINES`.
    """
    machine = os.uname().machine
    if machine not in MACHINES:
        raise OSError(f"processor {machine} is not known here, only {' and '.join(MACHINES)}")
    return _NUMBERS[name][MACHINES.index(machine)]


def call(name: str, *arguments: int | bytes | ctypes.Structure | None, about: str = "") -> int:
    """Makes a system call; ``about`` says in an error what it was wanted for.

    Structures are passed by address. Raises OSError as the kernel says.
    """
    given = [ctypes.c_long(number(name) or -1), *map(_passed, arguments)]
    result = int(_libc.syscall(*given))
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{name} {about}".strip() + f": {os.strerror(code)}")
    return result


def _passed(argument: int | bytes | ctypes.Structure | None) -> object:
    if isinstance(argument, int):
        return ctypes.c_long(argument)
    if isinstance(argument, ctypes.Structure):
        return ctypes.byref(argument)
    return ctypes.c_char_p(argument)


def unshare(flags: int) -> None:
    """Leaves the namespaces that ``flags`` (``CLONE_NEW...``) names, for new ones."""
    call("unshare", flags, about="(new namespaces)")


def prctl(option: int, value: int = 0) -> int:
    """Sets or gets a property of this process; unused arguments are zero, as newer options ask."""
    return call("prctl", option, value, 0, 0, 0, about=f"(option {option})")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mounts a file system, or binds one path to another with MS_BIND."""
    names = [os.fsencode(text) for text in (source, target, kind)]
    call("mount", *names, flags, os.fsencode(options), about=f"{kind or source} on {target}")


def make_private() -> None:
    """No mount made from now on is seen outside this mount namespace."""
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def clone_tree(path: str, flags: int) -> int:
    """A detached copy of the mounts at ``path``, as a descriptor, with ``flags`` (``MS_...``) set.

    In a user namespace some flags of the original are locked; adding to them is still allowed.
    """
    asked = _OPEN_TREE_CLONE | _AT_RECURSIVE | os.O_CLOEXEC
    tree = call("open_tree", _AT_FDCWD, os.fsencode(path), asked, about=path)
    _set_flags(tree, b"", _AT_EMPTY_PATH | _AT_RECURSIVE, flags, path)
    return tree


def attach(tree: int, target: str) -> None:
    """Mounts what `clone_tree` gave, and closes the descriptor."""
    flags = _MOVE_MOUNT_F_EMPTY_PATH
    call("move_mount", tree, b"", _AT_FDCWD, os.fsencode(target), flags, about=f"to {target}")
    os.close(tree)


def make_read_only(path: str) -> None:
    """The mount at ``path``, alone, becomes read-only."""
    _set_flags(_AT_FDCWD, os.fsencode(path), 0, MS_RDONLY | MS_NOSUID | MS_NODEV, path)


def _set_flags(directory: int, path: bytes, how: int, flags: int, about: str) -> None:
    wanted = _MountAttributes(set=flags)  # MOUNT_ATTR_... of these four equal MS_...
    call("mount_setattr", directory, path, how, wanted, ctypes.sizeof(wanted), about=about)


def become_root_directory(path: str) -> None:
    """Makes the mount at ``path`` this mount namespace's root; the former root is gone."""
    os.chdir(path)
    call("pivot_root", b".", b".", about=path)  # the old root now lies over the new one
    call("umount2", b".", MNT_DETACH, about="the host's files")
    os.chdir("/")


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Capabilities(ctypes.Structure):
    _fields_ = [("words", ctypes.c_uint32 * 6)]  # effective, permitted, inheritable; then the rest


def drop_capabilities() -> None:
    """This process has no capability from now on, and keeps none over an exec."""
    header = _CapabilityHeader(version=_CAPABILITY_VERSION_3)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    call("capset", header, _Capabilities())


def has_capabilities() -> bool:
    """Whether this process has any capability, or could have one again."""
    found = _Capabilities()
    call("capget", _CapabilityHeader(version=_CAPABILITY_VERSION_3), found)
    return any(found.words)
