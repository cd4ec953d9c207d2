"""Which host path is visible where in a room: `Confinement`'s paths, resolved and in order."""

import os
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path, PurePosixPath

from autograder.rooms.sandbox.confinement import Confinement


class Kind(Enum):
    """What is to be found at a path."""

    HOST = "host"  # the host's own, read-only
    EMPTY = "empty"  # nothing, though the host has something there
    PRIVATE = "private"  # the room's own, writable


Plan = Mapping[str, Kind]


def plan(confinement: Confinement, private: Iterable[str] = ()) -> Plan:
    """What to put where, shallow paths first; without what a path above already does.

    All paths are real ones, without symbolic links (see `links`).
    """
    wanted = dict.fromkeys(private, Kind.PRIVATE)
    wanted |= {os.path.realpath(path): Kind.HOST for path in _present(confinement.readable)}
    wanted |= {os.path.realpath(path): Kind.EMPTY for path in _present(confinement.hidden)}
    result: dict[str, Kind] = {}
    for path in sorted(wanted, key=lambda path: len(PurePosixPath(path).parts)):
        if not _settled(wanted[path], _above(path, result)):
            result[path] = wanted[path]
    return result


def _present(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if os.access(path, os.F_OK)]


def _above(path: str, plan: Plan) -> Kind | None:
    parents = map(str, PurePosixPath(path).parents)
    return next((plan[parent] for parent in parents if parent in plan), None)


def _settled(kind: Kind, above: Kind | None) -> bool:
    """Whether what lies above already does it: only the host's own files need hiding."""
    return above is not Kind.HOST if kind is Kind.EMPTY else kind is above is Kind.HOST


def links(paths: Iterable[str]) -> dict[str, str]:
    """The symbolic links on the way to ``paths``: where they are and what they say."""
    return dict(pair for path in _present(paths) for pair in _links(PurePosixPath(path)))


def _links(path: PurePosixPath) -> Iterator[tuple[str, str]]:
    for step in (*reversed(path.parents), path):
        if Path(step).is_symlink():
            target = Path(step).readlink()
            yield str(step), str(target)
            whole = step.parent / target / path.relative_to(step)
            yield from _links(PurePosixPath(os.path.normpath(whole)))
            return


def open_parts(plan: Plan) -> list[str]:
    """The host paths that are visible as a whole, for rules that allow but cannot hide.

    A folder with something hidden below is replaced by what else it holds, links left out: what
    they point to needs its own right.
    """
    return [part for path, kind in plan.items() if kind is Kind.HOST for part in _parts(path, plan)]


def _parts(path: str, plan: Plan) -> Iterator[str]:
    if plan.get(path) is Kind.EMPTY:
        return
    if not any(kind is Kind.EMPTY and other.startswith(f"{path}/") for other, kind in plan.items()):
        yield path
        return
    with os.scandir(path) as entries:
        for entry in entries:
            if not entry.is_symlink():
                yield from _parts(entry.path, plan)
