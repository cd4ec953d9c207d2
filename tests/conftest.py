import os
import shutil
import subprocess
from pathlib import Path

import pytest

# As many workers as cores: more threads in each would only wait for each other. The libraries read
# this when they are loaded, and so do the commands that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]
# Files of tests that take longest. A worker takes whole files: one of these begun at the end would
# keep all others waiting.
LONGEST = (
    "test_lessons",
    "test_docs",
    "test_attacks",
    "test_same_marks",
    "test_demo",
    "test_finetuning",
    "test_images",
    "test_colab",
)


def pytest_collection_modifyitems(items):
    """Puts the longest first (`--no-loadscope-reorder` keeps it so); all else stays in order."""
    items.sort(key=lambda item: (*LONGEST, item.path.stem).index(item.path.stem))


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


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A copy of this repository, under git, that a module's tests may work in."""
    return copy_of_repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="module")
def shared_results(tmp_path_factory):
    """Lets a module use what other modules' rooms came to, where these ran the very same.

    Several modules hand in the same samples: as the lessons' own, in the demo, in the documents.
    """
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # what workers have together
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_RESULTS", str(run / "results"))
        yield
