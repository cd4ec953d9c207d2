"""Which global names a cell reads and which it defines."""

import builtins
from collections.abc import Iterable, Sequence
from functools import lru_cache

from IPython.core.inputtransformer2 import TransformerManager

from autograder.rooms.job import Cell, Place
from autograder.symbols import NONE, Symbols, symbols

LONGEST = 50_000  # characters: nobody writes such a cell by hand


def reads(source: str) -> frozenset[str]:
    """The global names that a cell reads, whether or not it also defines them."""
    return _symbols(source).read


def defines(source: str) -> frozenset[str]:
    """The names that a cell defines at its top level: by assignment, import, def or class."""
    return _symbols(source).assigned | _symbols(source).imported


def demonstrates(source: str, common: frozenset[str]) -> bool:
    """Whether a cell reads nothing but ``common`` names and defines none, so that no other cell
    can change what it shows, nor it theirs. ``common``: see `common_names`.
    """
    return not defines(source) and "get_ipython" not in reads(source) and reads(source) <= common


def common_names(setup: Iterable[str]) -> frozenset[str]:
    """The names that are the same in every submission: builtins, and what locked cells define."""
    return frozenset(dir(builtins)).union(*map(defines, setup))


def redefines(cells: Sequence[Cell]) -> bool:
    """Whether some name that tests depend on is defined before a test and once more behind it.

    If not, it makes no difference to the tests that all other cells have run before the first.
    """
    needed = _needed(cells)
    early: frozenset[str] = frozenset()  # defined before some test that has gone by
    sofar: frozenset[str] = frozenset()
    for cell in cells:
        if cell.place is Place.EXAMINER:
            early = sofar
        elif cell.place is Place.HOME:
            continue
        elif defines(cell.source) & early & needed:
            return True
        else:
            sofar |= defines(cell.source)
    return False


def _needed(cells: Sequence[Cell]) -> frozenset[str]:
    """The names that tests read, and those that the cells defining them read, and so on."""
    tests = [cell for cell in cells if cell.place is Place.EXAMINER]
    others = [cell for cell in cells if cell.place not in (Place.EXAMINER, Place.HOME)]
    needed: frozenset[str] = frozenset().union(*(reads(cell.source) for cell in tests))
    while True:
        more = [reads(cell.source) for cell in others if defines(cell.source) & needed]
        if needed >= (found := needed.union(*more)):
            return needed
        needed = found


@lru_cache(1000)
def _symbols(source: str) -> Symbols:
    if len(source) > LONGEST:
        return NONE
    return symbols(source) or _symbols_of_magic(source)


def _symbols_of_magic(source: str) -> Symbols:
    try:
        return symbols(TransformerManager().transform_cell(source)) or NONE
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return NONE  # running the cell will say so
