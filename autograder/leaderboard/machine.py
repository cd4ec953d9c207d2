"""What a manifest can find out by itself: versions, the device, the time."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

PACKAGE = "receptive-field"
_LIBRARIES = ("numpy", "torch", "torchvision", "PIL")


def facts() -> dict[str, object]:
    """The fields of a manifest that this machine knows."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"versions": versions(), "device": device(), "when": now}


def versions() -> dict[str, str]:
    """Of Python, of this package, and of the libraries that are in use: none is imported here."""
    loaded = {name: sys.modules.get(name) for name in _LIBRARIES}  # None: not there, or withheld
    own = {"python": platform.python_version(), PACKAGE: _own_version()}
    return own | {name: str(module.__version__) for name, module in loaded.items() if module}


def device() -> str:
    """The GPU that torch would use, if torch is in use and has one; else the processor."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"CPU ({platform.machine()}, {os.cpu_count()} cores)"


def _own_version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "not installed"  # run from its source folder
