"""Work in child processes: each job has its own, which may hang, crash or eat memory."""

import multiprocessing
import os
import resource
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

import numpy as np

Job = TypeVar("Job")
Say = Callable[[Any], None]
FORK = multiprocessing.get_context("fork")
MEMORY = 8 * 2**30  # bytes of addresses, most of which torch only reserves


class OutOfTime(BaseException):
    """A stage took longer than it may."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises `OutOfTime` in the middle of what takes longer; only in the main thread."""
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _out_of_time(signum: int, frame: Any) -> None:
    raise OutOfTime


@dataclass
class _Child(Generic[Job]):
    job: Job
    process: Any
    connection: Connection
    deadline: float
    said: list[Any]


def each(
    work: Callable[[Job, Say], None], jobs: Sequence[Job], seconds: float, workers: int = 2
) -> Iterator[tuple[Job, list[Any]]]:
    """Every job with what ``work(job, say)`` said in a child of its own until it ended.

    One that is not done after ``seconds`` is killed; what it had said by then counts.
    """
    waiting, running = list(reversed(jobs)), list[_Child[Job]]()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(_start(work, waiting.pop(), seconds))
            wait([child.connection for child in running], timeout=0.5)
            for child in [child for child in running if _ended(child)]:
                running.remove(child)
                yield child.job, child.said
    finally:
        for child in running:
            child.process.kill()


def _start(work: Callable[[Job, Say], None], job: Job, seconds: float) -> _Child[Job]:
    ours, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_run, args=(work, job, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Child(job, process, ours, time.monotonic() + seconds, [])


def _ended(child: _Child[Job]) -> bool:
    try:
        while child.connection.poll():
            child.said.append(child.connection.recv())
    except (EOFError, OSError):  # it has closed its end: done, or dead
        child.process.join()
        child.connection.close()
        return True
    if time.monotonic() > child.deadline:
        child.process.kill()
    return False


def _run(work: Callable[[Job, Say], None], job: Job, connection: Connection) -> None:
    import torch

    torch.set_num_threads(1)  # a pool of threads does not survive a fork
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)  # answers may print, and interpreters complain
    os.dup2(null, 2)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    work(job, connection.send)
    connection.close()
