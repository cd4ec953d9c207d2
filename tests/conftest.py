import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def copy_of_repository(to):
    """What a clone would hold, with changes that are not committed yet."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.splitlines():
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "--quiet"], ["add", "."], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=to, check=True)
    return to


@pytest.fixture(scope="session")
def make():
    """Runs ``make TARGET`` in a folder, with this environment as the one already set up."""

    def run(target, folder):
        ready = f"{sys.prefix}/.ready"
        command = ["make", f"--old-file={ready}", target, f"VENV={sys.prefix}"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def demo(make, tmp_path_factory):
    """A repository in which ``make demo`` has run, and what it printed."""
    repository = copy_of_repository(tmp_path_factory.mktemp("repository"))
    done = make("demo", repository)
    assert done.returncode == 0, done.stdout + done.stderr
    return repository, done
