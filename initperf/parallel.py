"""Python threads over serial compiled code that releases the interpreter lock.

Any slice of a draw can be made alone, so threads need no cooperation beyond taking the next
piece. Compared with a parallel region of numba this has no threading layer that aborts on
concurrent calls and none that breaks after a fork.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_threads() -> int:
    """Return INITPERF_NUM_THREADS if set, else the number of processors this process may use.

    Raises
    ------
    ValueError
        When INITPERF_NUM_THREADS is not a positive integer.
    """
    chosen = os.environ.get("INITPERF_NUM_THREADS")
    if chosen:
        if not chosen.isdecimal() or int(chosen) < 1:
            raise ValueError(f"INITPERF_NUM_THREADS must be a positive integer, not {chosen!r}")
        return int(chosen)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Workers:
    """The pool, made when first needed and made anew in a forked child, which has no threads."""

    def __init__(self) -> None:
        self.reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.reset)

    def reset(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._size = 0

    def pool(self, size: int) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None or self._size < size:
                self._pool = ThreadPoolExecutor(size, thread_name_prefix="initperf")
                self._size = size
            return self._pool


_WORKERS = _Workers()


def split(count: int, piece: int, task: Callable[[int, int], None], threads: int) -> None:
    """Run ``task(start, stop)`` over [0, count) in pieces, on this thread and helpers.

    Each thread takes the next piece when it is done with its last, so that a processor that is
    slow or busy holds up nobody for longer than one piece.

    Parameters
    ----------
    count : int
        How many items there are.
    piece : int
        The size of a piece; with one piece, or one thread, everything runs in the caller at once.
    task : callable
        Releases the interpreter lock for most of its time. What it raises is raised here.
    threads : int
        The most threads to use, the caller included.
    """
    helpers = min(threads, -(-count // piece)) - 1
    if helpers < 1:
        task(0, count)
        return
    starts = iter(range(0, count, piece))
    turn = threading.Lock()

    def work() -> None:
        while True:
            with turn:
                start = next(starts, None)
            if start is None:
                return
            task(start, min(start + piece, count))

    pool = _WORKERS.pool(helpers)
    futures = [pool.submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        started = [future for future in futures if not future.cancel()]
        wait(started)
    for future in started:
        future.result()


def side_by_side(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Give ``function(item)`` of each item as it comes, `workers` at a time on threads.

    An error, or Ctrl-C, cancels what has not begun.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="initperf-run") as pool:
        pending: set[Future[Result]] = {pool.submit(function, item) for item in items}
        try:
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in pending:
                future.cancel()
