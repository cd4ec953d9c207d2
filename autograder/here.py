"""What a lesson runs on: the place, the device, the versions, the data. Looks, changes nothing.

``here.report()`` ends the first cell of every lesson; with the name of a data set it also says
where that is. Nothing is imported for it, least of all torch, which takes seconds.
"""

import os
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = "receptive-field"
LIBRARIES = {"numpy": "NumPy", "torch": "PyTorch", "matplotlib": "Matplotlib", "pillow": "Pillow"}
SHOWN = ("numpy", "torch")
MODULES = {"pillow": "PIL"}  # where a module is not called like what is installed
DRIVE = Path("/content/drive")  # where notebooks mount it in Colab, by custom
ON_DRIVE = Path("MyDrive", PACKAGE)
MOUNT = f'from google.colab import drive; drive.mount("{DRIVE}")'
REQUIREMENT = re.compile(r"([\w-]+)\s*>=\s*([\d.]+)")  # of this package: a name, a version
GIB = 2**30


def report(data: str = "") -> None:
    """Prints where this runs and with what; then, a line each, what is amiss.

    Args:
        data: a data set that the lesson can use, such as ``miniplaces``: is it there?
    """
    versions = [f"{LIBRARIES[name]} {found}" for name in SHOWN if (found := _in_use(name))]
    versions.append(f"{PACKAGE} {_installed(PACKAGE) or 'from its source'}")
    where = f" in {place()}" if place() else ""
    print(f"Python {sys.version.split()[0]}{where} on {device()}")
    print(", ".join(versions))
    for line in [*_amiss(), *(_about(data) if data else ())]:
        print(line)


def place() -> str:
    """Colab, VS Code or Jupyter; '' for Python without a notebook."""
    if "COLAB_RELEASE_TAG" in os.environ or "google.colab" in sys.modules:
        return "Colab"
    if "__vsc_ipynb_file__" in _notebook_names():  # VS Code's way to tell a notebook its name
        return "VS Code"
    return "Jupyter" if "ipykernel" in sys.modules else ""


def device() -> str:
    """What torch would compute on; NumPy, where torch is not imported, has only the processor."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        about = torch.cuda.get_device_properties(0)
        return f"{about.name} with {about.total_memory / GIB:.0f} GiB"
    cores = _cores()
    return f"{cores} processor core{'' if cores == 1 else 's'}"


def find(data: str) -> Path | None:
    """The folder of a data set, by its name; None if it is nowhere.

    It is looked for in ``data`` beside the notebook and beside every folder that the notebook is
    in, then in ``receptive-field`` on a mounted Google Drive.
    """
    working = Path.cwd()
    parents = (folder / "data" / data for folder in (working, *working.parents))
    places = (*parents, DRIVE / ON_DRIVE / data)
    return next((path for path in places if path.is_dir()), None)


def _notebook_names() -> dict[str, Any]:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell.user_ns if shell is not None else {}


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _about(data: str) -> Iterator[str]:
    found = find(data)
    if found is not None:
        yield f"{data}: {found}"
        return
    yield f"{data}: not here (looked for {Path('data', data)}, beside this notebook and above it)"
    if place() == "Colab":
        yield _about_drive(data)


def _about_drive(data: str) -> str:
    if (DRIVE / "MyDrive").is_dir():
        return f"  nor on your drive, in {DRIVE / ON_DRIVE / data}"
    return (
        f"  If it is in {ON_DRIVE / data} on your Google Drive, run this, then this cell again:\n"
        f"  {MOUNT}"
    )


def _amiss() -> Iterator[str]:
    for name, oldest in _needed().items():
        found, installed = _in_use(name), _installed(name)
        if found and installed and _number(found) != _number(installed):
            yield (
                f"{LIBRARIES[name]} {installed} was installed while {found} was in use. "
                "Restart the kernel (in Colab: Runtime, Restart session)."
            )
        elif found and _number(found) < _number(oldest):
            yield (
                f"{LIBRARIES[name]} {found} is older than this course needs: {oldest} or newer. "
                f'If something fails: %pip install "{name}>={oldest}", then restart the kernel.'
            )
    if not (_in_use("torch") or _is_withheld("torch")):
        yield (
            "PyTorch is not installed. The checks compare with it and cannot run without it: "
            "%pip install torch, then restart the kernel."
        )


def _needed() -> dict[str, str]:
    """The oldest versions of libraries that lessons can use, as this package itself says."""
    try:
        lines = metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:  # run from its source
        return {}
    rows = [match.groups() for line in lines if (match := REQUIREMENT.match(line))]
    return {name: oldest for name, oldest in rows if name in LIBRARIES}


def _in_use(name: str) -> str:
    """The version that is imported, or else would be; '' if there is none."""
    module = sys.modules.get(MODULES.get(name, name))
    return str(getattr(module, "__version__", "")) or _installed(name)


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _is_withheld(name: str) -> bool:
    """Whether importing it is made to fail, as where lessons without torch are graded."""
    return name in sys.modules and sys.modules[name] is None


def _number(version: str) -> tuple[int, ...]:
    """The numbers at the front of a version: 2.8.0+cu126 is (2, 8, 0)."""
    front = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, front[0].split("."))) if front else ()
