"""Timing side by side: all work on the same arrays with one thread, and everybody takes turns.

So whatever else the machine does in the meantime slows all of them alike. Import this before NumPy
and torch: it sets the number of threads, which they read when they are loaded.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import ctypes
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from statistics import median
from time import process_time
from typing import Any

import numpy as np

MALLOC_OPTIONS = {-4: 0, -1: 2**31 - 1}  # M_MMAP_MAX, M_TRIM_THRESHOLD of mallopt(3)

Run = Callable[[], Any]


def keep_freed_memory() -> None:
    """Makes glibc reuse what was freed, so that nobody's time includes fetching it once more.

    Otherwise the order of calls decides whether a third of torch's time goes into page faults.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        for option, value in MALLOC_OPTIONS.items():
            libc.mallopt(option, value)


def take_turns(runs: Sequence[Run], rounds: int) -> list[list[float]]:
    """Seconds of each run in each round, after one round that warms up and does not count."""
    seconds = [[timed(run) for run in runs] for _ in range(rounds + 1)]
    return [list(times) for times in zip(*seconds[1:], strict=True)]


def timed(run: Run) -> float:
    """Processor seconds of one call, so that waiting for a busy machine does not count."""
    start = process_time()
    run()
    return process_time() - start


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the ratios within each round: a slow spell hits both sides of a round."""
    return median(a / b for a, b in zip(above, below, strict=True))


def extra_memory(run: Run) -> int:
    """Bytes allocated at the call's peak beyond its results: out, or all gradients."""
    tracemalloc.start()
    try:
        first, *others = run()
        arrays = [first, *(other for other in others if isinstance(other, np.ndarray))]
        return int(tracemalloc.get_traced_memory()[1] - sum(array.nbytes for array in arrays))
    finally:
        tracemalloc.stop()
