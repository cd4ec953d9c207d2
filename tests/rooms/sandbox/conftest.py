import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

INSIDE = Path(__file__).with_name("inside.py")
USERS = {False: "root", True: "ordinary user"}
WAYS = [
    pytest.param((protection, ordinary), id=f"{protection}, {user}")
    for protection in ("namespaces", "landlock")
    for ordinary, user in USERS.items()
]


@pytest.fixture(scope="session")
def tree():
    """Files of the host, readable by everybody: pytest's own folders are not."""
    top = Path(tempfile.mkdtemp(prefix="tree-"))
    top.chmod(0o755)
    wanted = ("open/file", "open/secret/file", "open/secret/shown/file", "open/hidden.txt")
    for name in (*wanted, "closed/file"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    (top / "link").symlink_to("open")
    (top / "open" / "anybody").mkdir()
    for name in ("closed", "open/anybody"):
        (top / name).chmod(0o777)
    yield top
    shutil.rmtree(top)


@pytest.fixture(scope="session")
def asked(tree):
    """Runs ``inside.py`` for one protection and user; skips what this host cannot do."""

    def ask(protection, ordinary, wanted):
        root = os.geteuid() == 0
        if not ordinary and not root:
            pytest.skip("only root can try what root gets")
        request = dict(protection=protection, ordinary=ordinary and root, wanted=wanted)
        done = subprocess.run(
            [sys.executable, INSIDE],
            input=json.dumps(request | {"tree": str(tree)}),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        if "skip" in found:
            pytest.skip(f"{protection} cannot be had here: {found['skip']}")
        return found

    return ask


@pytest.fixture(scope="session", params=WAYS)
def answers(request, asked):
    """What rooms answered to the questions of ``inside.py``, for every protection and user."""
    return request.param[0], asked(*request.param, "answers")


@pytest.fixture(scope="session", params=WAYS)
def scenes(request, asked):
    """What came of the scenes of ``inside.py``, for every protection and user."""
    return request.param[0], asked(*request.param, "scenes")
