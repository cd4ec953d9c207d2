"""A machine like one of Colab's, as far as a notebook can tell: what is there, what is missing.

A kernel on it sees the libraries of this environment, but neither this repository nor an installed
``autograder``; pip finds a wheel of it in a file, has no network, and installs into a folder of the
machine's own. The kernel is a real one; deprecations in our code are errors in it.
"""

import os
import sys
import sysconfig
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import matplotlib
import nbformat
from nbclient import NotebookClient

from autograder.course import load

ROOT = Path(__file__).parents[2]
VERSION = "0.1.0+colab"  # tells the wheel from what this environment has installed
INFO = f"receptive_field-{VERSION}.dist-info"

# As in Colab's kernels the module is there from the start; `_message` and much else is not.
STARTUP = """
import warnings
import google.colab
for kind in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
    warnings.filterwarnings("error", category=kind, module=r"autograder|__main__")
"""
DRIVE = """
from pathlib import Path

def mount(mountpoint, force_remount=False, timeout_ms=120000, readonly=False):
    Path(mountpoint, "MyDrive").mkdir(parents=True)
    print(f"Mounted at {mountpoint}")
"""
STUBS = {"__init__": "from google.colab import drive", "drive": DRIVE, "files": "", "userdata": ""}


class Machine:
    """One machine; ``site`` is where pip installs."""

    def __init__(self, folder, wheel):
        self.folder, self.wheel = folder, wheel
        self.content, self.home, self.site = (folder / n for n in ("content", "root", "site"))
        for path in (self.site, self.content / "sample_data"):
            path.mkdir(parents=True)
        (self.content / "sample_data" / "README.md").write_text("Not ours.")
        (self.content / "sample_data").chmod(0o555)
        profile = self.home / ".ipython" / "profile_default" / "startup"
        profile.mkdir(parents=True)
        (profile / "0.py").write_text(STARTUP)
        for name, text in STUBS.items():
            _put(folder / "stubs" / "google" / "colab" / f"{name}.py", text)

    def run(self, notebook, name="lesson"):
        """Runs a notebook there, but for what is marked to be run at a student's desk only.

        It is put where Colab puts what it opens; what pip would get from the network it gets from
        the wheel. Raises CellExecutionError where a cell does.
        """
        path = self.content / f"{name}.ipynb"
        nbformat.write(notebook, path)
        sent = nbformat.read(path, as_version=4)
        package = load(ROOT).package
        for cell in sent.cells:
            cell.source = cell.source.replace(package, self.wheel.as_uri())
            if cell.metadata.get("home"):
                cell.metadata["tags"] = ["at-desk"]
        client = NotebookClient(
            sent,
            kernel_name="python3",
            skip_cells_with_tag="at-desk",
            timeout=120,
            shutdown_kernel="immediate",
        )
        # Without reading .pth files, one of which leads to this repository.
        client.create_kernel_manager().kernel_spec.argv[:1] = [sys.executable, "-S"]
        client.execute(cwd=str(self.content), env=self.environment)
        for cell in sent.cells:
            cell.source = cell.source.replace(self.wheel.as_uri(), package)
        return sent

    @property
    def environment(self):
        """All the variables of its processes."""
        libraries = sysconfig.get_path("purelib")
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "en_US.UTF-8",
            "IPYTHONDIR": str(self.home / ".ipython"),
            "MPLCONFIGDIR": matplotlib.get_configdir(),  # or fonts are looked for anew
            "PYTHONPATH": os.pathsep.join([str(self.folder / "stubs"), str(self.site), libraries]),
            "PIP_TARGET": str(self.site),
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",  # else pip, given a folder, looks for all of them again
            "OMP_NUM_THREADS": "1",
            "COLAB_RELEASE_TAG": "release-colab-external_20260101-000000_RC00",
            "COLAB_JUPYTER_IP": "172.28.0.12",
            "COLAB_GPU": "",
        }


def build_wheel(folder):
    """The package as students install it. No build system is needed to zip what is all Python."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in sorted((ROOT / "autograder").rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    files[f"{INFO}/METADATA"] = _metadata(project).encode()
    files[f"{INFO}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    files[f"{INFO}/RECORD"] = "\n".join([*record, f"{INFO}/RECORD,,", ""]).encode()
    path = folder / f"receptive_field-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
    return path


def _metadata(project):
    extras = project["optional-dependencies"]
    lines = [
        "Metadata-Version: 2.3",
        f"Name: {project['name']}",
        f"Version: {VERSION}",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {needed}" for needed in project["dependencies"]),
    ]
    for extra, needs in extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {needed}; extra == '{extra}'" for needed in needs]
    return "\n".join([*lines, ""])


def _digest(data):
    return urlsafe_b64encode(sha256(data).digest()).decode().rstrip("=")


def _put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
