"""Which global names a cell reads and which it defines."""

import builtins
import symtable
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from IPython.core.inputtransformer2 import TransformerManager

from autograder.rooms.job import Cell, Place

LONGEST = 50_000  # characters: nobody writes such a cell by hand


def reads(source: str) -> frozenset[str]:
    """The global names that a cell reads, whether or not it also defines them."""
    table = _table(source)
    return frozenset(_read(table, top=True)) if table else frozenset()


def defines(source: str) -> frozenset[str]:
    """The names that a cell defines at its top level: by assignment, import, def or class."""
    table = _table(source)
    symbols = table.get_symbols() if table else []
    return frozenset(s.get_name() for s in symbols if s.is_assigned() or s.is_imported())


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
def _table(source: str) -> symtable.SymbolTable | None:
    if len(source) > LONGEST:
        return None
    try:
        return symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return _table_of_magic(source)


def _table_of_magic(source: str) -> symtable.SymbolTable | None:
    try:
        return symtable.symtable(TransformerManager().transform_cell(source), "cell", "exec")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None  # running the cell will say so; the last two are Python's "nested too deep"


def _read(table: symtable.SymbolTable, top: bool = False) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() if top else symbol.is_global():
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _read(inner)
