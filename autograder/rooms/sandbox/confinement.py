"""What a room may see and use, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Protection(Enum):
    """How a room is confined; the better one first."""

    NAMESPACES = "namespaces"
    LANDLOCK = "landlock"
    NONE = "none"


@dataclass(frozen=True)
class Confinement:
    """What one room may see and use.

    ``readable`` and ``hidden`` may be nested either way; the longest path decides.

    Attributes:
        readable: absolute host paths that the room may read. Nothing else of the host is there.
            One that is missing, or that this user cannot reach, is left out.
        writable_bytes: of the room's private files together.
        file_bytes: of one file.
        memory_bytes: private writable memory that one process may add to what the zygote had.
        processes: processes and threads at a time, the room's own first one among them.
        descriptors: open files of one process.
        cpu_seconds: processor time of one process.
        hidden: paths below readable ones that must look empty.
        work: the private folder that is the working directory and HOME.

    Raises:
        ValueError: a path is not absolute.
    """

    readable: tuple[str, ...]
    writable_bytes: int
    file_bytes: int
    memory_bytes: int
    processes: int
    descriptors: int
    cpu_seconds: int
    hidden: tuple[str, ...] = ()
    work: str = "/home/student"

    def __post_init__(self) -> None:
        for path in (*self.readable, *self.hidden, self.work):
            if not path.startswith("/") or path.strip("/") == "":
                raise ValueError(f"{path!r} is not an absolute path below /")


@dataclass(frozen=True)
class Ground:
    """Where a room will stand, fixed before it is forked.

    Attributes:
        home: working directory and HOME, as the room sees it.
        tmp: TMPDIR, as the room sees it.
        uid: user and group that the room becomes; None keeps what it has.
        folder: host folder to remove when the room has ended, if there is one.
        mapped: the room stands in a user namespace of its own.
    """

    home: str
    tmp: str
    uid: int | None = None
    folder: str | None = None
    mapped: bool = False


# What a room keeps of the environment: nothing that could be a secret.
KEPT = (
    "MKL_NUM_THREADS",
    "MPLBACKEND",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "TZ",
)


def clean_environment(
    environment: Mapping[str, str], home: str = "/home/student", tmp: str = "/tmp"
) -> dict[str, str]:
    """The environment of a room; a zygote should be started with it too.

    What the zygote's memory holds can be read in the room, its first environment included.
    """
    kept = {name: environment[name] for name in KEPT if name in environment}
    return kept | {
        "HOME": home,
        "LANG": "C.UTF-8",
        "LOGNAME": "student",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": tmp,
        "USER": "student",
    }
