"""Is a file the one that it should be? Digests, and what is said where they differ."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from autograder.places.manifest import Item
from autograder.problem import Problem

_BLOCK = 2**20


def digests(path: Path, *algorithms: str) -> dict[str, str]:
    """Hexadecimal digests of a file, read once."""
    sums = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    size, title = path.stat().st_size, f"checking {path.name}"
    with (
        path.open("rb") as file,
        tqdm(total=size, unit="B", unit_scale=True, desc=title, disable=None, leave=False) as bar,
    ):
        while block := file.read(_BLOCK):
            for each in sums.values():
                each.update(block)
            bar.update(len(block))
    return {name: each.hexdigest() for name, each in sums.items()}


def difference(path: Path, item: Item, found: Mapping[str, str], fix: str) -> Problem | None:
    """The problem of a file whose digests are not those of the manifest; none if they are."""
    for algorithm, expected in item.digests.items():
        if not found[algorithm].startswith(expected):
            got = f"{algorithm} {found[algorithm]} ({path.stat().st_size:,} bytes)"
            words = expected if len(expected) == len(found[algorithm]) else f"{expected}..."
            return Problem(str(path), got, f"{algorithm} {words}", fix)
    return None
