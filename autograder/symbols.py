"""Which global names a piece of Python gives a value, imports and reads.

Python's own symbol table knows. What is no Python, such as IPython's magics, has to be dealt with
before.
"""

import symtable
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Symbols:
    """The global names of a piece of Python.

    Attributes:
        assigned: what gets a value at its top level: by assignment, def or class, not by an import.
        imported: what an import at its top level defines.
        read: what it reads, at once or in its functions, whether or not it also defines them.
    """

    assigned: frozenset[str]
    imported: frozenset[str]
    read: frozenset[str]


NONE = Symbols(frozenset(), frozenset(), frozenset())


def symbols(source: str) -> Symbols | None:
    """The global names in ``source``; None if it is no Python, or too deeply nested to be read."""
    try:
        table = symtable.symtable(source, "cell", "exec")
        top = table.get_symbols()
        return Symbols(
            frozenset(symbol.get_name() for symbol in top if symbol.is_assigned()),
            frozenset(symbol.get_name() for symbol in top if symbol.is_imported()),
            frozenset(_read(table, top=True)),
        )
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None  # running it says so; the last two are Python's "nested too deep"


def _read(table: symtable.SymbolTable, top: bool = False) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() if top else symbol.is_global():
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _read(inner)
