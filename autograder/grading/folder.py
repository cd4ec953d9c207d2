"""What is in a folder that somebody else filled: looked at in bounded time, never opened."""

import os
import re
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from autograder.problem import Problem

MOST_ENTRIES = 20_000  # looked at
MOST_FOLDERS, DEEPEST = 2_000, 100  # nbgrader searches all of them, in the square of the time
NOT_THEIRS = re.compile(r"\.|__(MACOSX|pycache__)$")  # editors, systems and Python leave these


@dataclass(frozen=True)
class Entry:
    """Something in a folder, other than a folder that could be searched.

    Attributes:
        name: its path from the folder on, with slashes.
        mode: as in `os.stat_result`; a link is a link, wherever it leads.
        size: in bytes.
    """

    name: str
    mode: int
    size: int


def entries(folder: Path) -> tuple[list[Entry], bool]:
    """Everything in a folder and the folders in it but hidden things, and whether that is all.

    Names are in order, those of one folder before those of the folders in it.
    """
    found: list[Entry] = []
    folders, room = deque([""]), MOST_ENTRIES
    while folders and room > 0:
        here = folders.popleft()
        try:
            inside = _listed(folder / here, room)
        except OSError:
            found.append(Entry(here or ".", stat.S_IFDIR, 0))
            continue
        room -= len(inside)
        for entry in inside:
            within = Entry(f"{here}/{entry.name}".lstrip("/"), entry.mode, entry.size)
            if NOT_THEIRS.match(entry.name):
                continue
            if stat.S_ISDIR(entry.mode) and within.name.count("/") < DEEPEST:
                folders.append(within.name)
            else:
                found.append(within)
    return found, room > 0 and not folders


def too_many_folders(folder: Path) -> list[Problem]:
    """Says so if looking for something in a folder would take too long; else nothing."""
    for count, depth in enumerate(_depths(folder)):
        if count > MOST_FOLDERS or depth > DEEPEST:
            expected = f"at most {MOST_FOLDERS:,}, and {DEEPEST} one in the other"
            fix = "Ask for the notebook alone, without environments and programs."
            return [Problem(str(folder), "too many folders", expected, fix)]
    return []


def _listed(folder: Path, most: int) -> list[Entry]:
    with os.scandir(folder) as found:
        stats = [(entry.name, entry.stat(follow_symlinks=False)) for entry in islice(found, most)]
    return [Entry(name, about.st_mode, about.st_size) for name, about in sorted(stats)]


def _depths(folder: Path) -> Iterator[int]:
    """How deep each of the folders in a folder is, hidden ones too."""
    stack = [(str(folder), 0)]
    while stack:
        path, depth = stack.pop()
        yield depth
        try:
            with os.scandir(path) as found:
                stack += [(e.path, depth + 1) for e in found if e.is_dir(follow_symlinks=False)]
        except OSError:
            continue  # nobody else can search it either
