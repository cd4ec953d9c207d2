"""Which global names a cell reads and which it defines."""

import builtins
import symtable
from collections.abc import Iterable, Iterator

from IPython.core.inputtransformer2 import TransformerManager


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


def _table(source: str) -> symtable.SymbolTable | None:
    try:
        return symtable.symtable(TransformerManager().transform_cell(source), "cell", "exec")
    except (SyntaxError, ValueError):  # running the cell will say so
        return None


def _read(table: symtable.SymbolTable, top: bool = False) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() if top else symbol.is_global():
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _read(inner)
