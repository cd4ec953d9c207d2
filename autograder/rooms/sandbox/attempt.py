"""``python -m autograder.rooms.sandbox.attempt PROTECTION``: whether a room can be opened so.

Prints nothing and ends with status 0 if it can; else prints why not and ends with status 1. A
process of its own does this because a caller with threads must not fork.
"""

import sys

from autograder.rooms.sandbox.confinement import Confinement, Protection
from autograder.rooms.sandbox.trial import ask

_SMALL = Confinement(
    readable=("/usr",),
    hidden=("/usr/share",),
    writable_bytes=2**20,
    file_bytes=2**20,
    memory_bytes=2**28,
    processes=4,
    descriptors=64,
    cpu_seconds=60,
)


def _nothing() -> None:
    pass


if __name__ == "__main__":
    sys.exit(ask(Protection(sys.argv[1]), _SMALL, _nothing).trouble)
