"""Which names a cell defines for others, and which of others it reads.

IPython, which turns magics into Python, need not be installed: its lines are blanked out instead.
What only an import defines is left out on both sides, for modules do not change while a notebook is
edited.
"""

import re
from functools import lru_cache

from autograder.symbols import NONE, Symbols, symbols

# %pip, !ls, len?; `x = %time f()` is rare, and then nothing is known of its cell.
LINE_MAGIC = re.compile(r"^([ \t]*)(?:[%!].*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)
TIMED = re.compile(r"\s*%%(?:time|capture|prun)\b.*\n?")  # cell magics whose body is Python
FOREIGN = re.compile(r"\s*%%")


def defines(source: str) -> frozenset[str]:
    """The names that a cell gives a value at its top level, other than by an import."""
    return _symbols(source).assigned


def reads(source: str) -> frozenset[str]:
    """The global names that a cell reads, at once or in its functions, and does not define."""
    found = _symbols(source)
    return found.read - found.assigned - found.imported


@lru_cache(1000)
def _symbols(source: str) -> Symbols:
    source = TIMED.sub("", source, count=1) if TIMED.match(source) else source
    if FOREIGN.match(source):
        return NONE
    return symbols(LINE_MAGIC.sub(r"\1pass", source)) or NONE
