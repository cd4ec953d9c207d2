"""Which names a cell defines for others, and which of others it reads.

Python's own symbol table knows. IPython, which turns magics into Python, need not be installed:
its lines are blanked out instead. What only an import defines is left out on both sides, for
modules do not change while a notebook is edited.
"""

import re
import symtable
from collections.abc import Iterator
from functools import lru_cache

# %pip, !ls, len?; `x = %time f()` is rare, and then nothing is known of its cell.
LINE_MAGIC = re.compile(r"^([ \t]*)(?:[%!].*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)
TIMED = re.compile(r"\s*%%(?:time|capture|prun)\b.*\n?")  # cell magics whose body is Python
FOREIGN = re.compile(r"\s*%%")


def defines(source: str) -> frozenset[str]:
    """The names that a cell gives a value at its top level, other than by an import."""
    table = _table(source)
    symbols = table.get_symbols() if table else []
    return frozenset(s.get_name() for s in symbols if s.is_assigned())


def reads(source: str) -> frozenset[str]:
    """The global names that a cell reads, at once or in its functions, and does not define."""
    table = _table(source)
    if table is None:
        return frozenset()
    imported = {s.get_name() for s in table.get_symbols() if s.is_imported()}
    return frozenset(_read(table, top=True)) - defines(source) - imported


def _read(table: symtable.SymbolTable, top: bool = False) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() if top else symbol.is_global():
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _read(inner)


@lru_cache(1000)
def _table(source: str) -> symtable.SymbolTable | None:
    source = TIMED.sub("", source, count=1) if TIMED.match(source) else source
    if FOREIGN.match(source):
        return None
    try:
        return symtable.symtable(LINE_MAGIC.sub(r"\1pass", source), "cell", "exec")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None  # running the cell says so
