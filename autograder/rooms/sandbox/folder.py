"""A private folder on the host, for rooms that have no file system of their own."""

import os
import subprocess
import tempfile
from pathlib import Path

from autograder.rooms.sandbox.confinement import Ground


def own_folder(uid: int | None) -> Ground:
    """A new folder with a home and a place for temporary files, which belong to ``uid`` if given.

    Its size is not bounded.
    """
    folder = Path(tempfile.mkdtemp(prefix="room-"))
    folder.chmod(0o711)
    ground = Ground(f"{folder}/home", f"{folder}/tmp", uid, str(folder))
    for path in (ground.home, ground.tmp):
        Path(path).mkdir(mode=0o700)
        if uid is not None:
            os.chown(path, uid, uid)
    return ground


def clear(folder: str) -> None:
    """Removes the folder, however deep and locked what a room left there is.

    Raises:
        subprocess.CalledProcessError: something of it could not be removed.
    """
    for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        subprocess.run([*command, "--", folder], check=True, capture_output=True)
