"""Python threads over serial compiled code that releases the interpreter lock.

Any slice of a draw can be computed alone, so threads share nothing but the index of the next
piece. Unlike a parallel region of numba, this has no threading layer that aborts on concurrent
calls or breaks after a fork.
"""

import contextlib
import ctypes
import functools
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_threads() -> int:
    """Return INITPERF_NUM_THREADS if set, else the number of processors this process may use.

    That is the number in its affinity mask, or less where a control group, as of a container, has
    a quota of processor time, which is rounded up.

    Raises
    ------
    ValueError
        When INITPERF_NUM_THREADS is not a positive integer.
    """
    chosen = os.environ.get("INITPERF_NUM_THREADS")
    if chosen:
        return as_threads("INITPERF_NUM_THREADS", chosen)
    return usable_processors()


def usable_processors() -> int:
    """Return the number of processors that this process may use; see `default_threads`."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), quota_of_processors())
    return os.cpu_count() or 1


def as_threads(variable: str, chosen: str) -> int:
    """Return the number of threads that an environment variable gives.

    Parameters
    ----------
    variable : str
        Its name, for the error message.
    chosen : str
        Its value.

    Raises
    ------
    ValueError
        When it is not a positive integer of at most six digits.
    """
    if not (chosen.isascii() and chosen.isdecimal() and len(chosen) <= 6 and int(chosen) >= 1):
        raise ValueError(f"{variable} must be a positive integer, not {chosen[:40]!r}")
    return int(chosen)


@functools.cache
def quota_of_processors(root: Path = Path("/")) -> int:
    """Return the processors that the control groups of this process grant, rounded up.

    Parameters
    ----------
    root : pathlib.Path
        Directory that holds ``proc`` and ``sys``.

    Returns
    -------
    int
        The least quota divided by its period of the group and its ancestors, version 2 of control
        groups or 1; `sys.maxsize` where there is no quota.
    """
    least = math.inf
    with contextlib.suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            mount = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
            place = mount / group.strip("/")
            for directory in (place, *place.parents):
                least = min(least, _quota(directory))
                if directory == mount:
                    break
    return sys.maxsize if math.isinf(least) else max(1, math.ceil(least))


def _quota(group: Path) -> float:
    """Return the quota of a control group in processors, infinite where it has none."""
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota, period = (
                (group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")
            )
        if quota != "max" and int(quota) > 0:
            return int(quota) / int(period)
    return math.inf


def start_resource_trackers() -> None:
    """Start the processes in which joblib and Python keep account of shared resources.

    Pools start them, and Python lets interrupts through again when it does so: they must run
    before `interrupts_ignored` begins. They ignore Ctrl-C themselves.
    """
    from multiprocessing import resource_tracker

    from joblib.externals.loky.backend import resource_tracker as loky_resource_tracker

    resource_tracker.ensure_running()
    loky_resource_tracker.ensure_running()


@contextlib.contextmanager
def dropped_work_ignored() -> Iterator[None]:
    """Say nothing of work that pools of joblib drop when they end within the block.

    When its processes are killed, a thread of joblib's loky may look for work that was just
    dropped, and Python would print its KeyError.
    """
    before = threading.excepthook

    def hook(failure: threading.ExceptHookArgs) -> None:
        if failure.exc_type is not KeyError or "loky" not in type(failure.thread).__module__:
            before(failure)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Keep Ctrl-C from the processes that are started in the block, for good.

    A terminal sends Ctrl-C to all processes, and workers would answer with a traceback each. This
    process alone reacts, and ends them; one that is pressed within the block raises at its end,
    where the system can hold it back, and is lost on Windows.
    """
    if hasattr(signal, "pthread_sigmask"):
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    elif threading.current_thread() is threading.main_thread():
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler or signal.default_int_handler)
    else:
        yield


@functools.cache
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def current_processor() -> int:
    """Return the number of the processor that the calling thread runs on; Linux only."""
    return int(_c_library().sched_getcpu())


def leave_the_caller_alone(threads: Sequence[threading.Thread], before: Set[int]) -> Set[int]:
    """Exclude the caller's processor from those that helpers may run on, if they have others.

    Linux often wakes a thread on the processor of its waker, where it waits for as long as a
    whole draw takes.

    Parameters
    ----------
    threads : sequence of threading.Thread
        The helpers, which run.
    before : set of int
        What the last call for these helpers returned, or the empty set.

    Returns
    -------
    set of int
        The processors that they may run on; empty where that was not limited.
    """
    if not hasattr(os, "sched_setaffinity"):
        return before
    others = os.sched_getaffinity(0) - {current_processor()}
    if not others or others == before:
        return before
    with contextlib.suppress(OSError):  # not permitted everywhere
        for thread in threads:
            os.sched_setaffinity(thread.native_id or 0, others)
    return others


class Helpers:
    """A pool of daemon threads, started when first needed; a forked child starts its own."""

    def __init__(self) -> None:
        self.reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.reset)

    def __len__(self) -> int:
        return len(self._threads)

    @contextlib.contextmanager
    def unconfined(self) -> Iterator[None]:
        """Let a helper that enters run where the process may; other threads are left alone.

        A library that is loaded in the block, as the compiler loads the BLAS of SciPy, starts as
        many threads for good as there are processors for the thread that loads it.
        """
        if threading.current_thread() not in self._threads or not hasattr(os, "sched_setaffinity"):
            yield
            return
        before = os.sched_getaffinity(0)
        with contextlib.suppress(OSError):  # not permitted everywhere
            os.sched_setaffinity(0, os.sched_getaffinity(os.getpid()))
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                # where helpers run by now, as the caller may have moved meanwhile
                os.sched_setaffinity(0, self._others or before)

    def reset(self) -> None:
        """Forget all threads: those of the parent do not run in a forked child."""
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._others: Set[int] = frozenset()

    def ask(self, work: Callable[[], None], count: int) -> None:
        """Let `count` threads call a function as soon as they are idle."""
        with self._lock:
            while len(self._threads) < count:
                name = f"initperf-{len(self._threads) + 1}"
                thread = threading.Thread(
                    target=_serve, args=(self._waiting,), name=name, daemon=True
                )
                thread.start()
                self._threads.append(thread)
                self._others = frozenset()
            self._others = leave_the_caller_alone(self._threads, self._others)
        for _ in range(count):
            self._waiting.put(work)


def _serve(waiting: "SimpleQueue[Callable[[], None]]") -> None:
    while True:
        waiting.get()()


HELPERS = Helpers()


class _Shared:
    """State of one call of `split`: the next item, the number of active threads, and errors."""

    def __init__(self, count: int, piece: int, task: Callable[[int, int], None], share: int):
        self._count, self._piece, self._task, self._share = count, piece, task, share
        self._next = self._running = 0
        self._change = threading.Condition()
        self._errors: list[BaseException] = []

    def work(self) -> None:
        """Run pieces until none is left."""
        with self._change:
            self._running += 1
        try:
            while (piece := self._take()) is not None:
                self._task(*piece)
        except BaseException as error:  # raised again where `split` was called
            self._errors.append(error)
            self._next = self._count
        with self._change:
            self._running -= 1
            self._change.notify()

    def finish(self) -> None:
        """Wait for the active threads, forget the task, and raise the first error.

        A helper that comes later takes no part, and must not keep the arrays of the task until it
        comes.
        """
        with self._change:
            self._next = self._count
            while self._running:
                self._change.wait()
            del self._task
        if self._errors:
            raise self._errors[0]

    def _take(self) -> tuple[int, int] | None:
        with self._change:
            start, left = self._next, self._count - self._next
            if left <= 0:
                return None
            # whole pieces, fewer towards the end, so that all threads end at about the same time
            pieces = max(1, left // (self._piece * self._share))
            self._next = start + min(left, pieces * self._piece)
            return start, self._next


def split(count: int, piece: int, task: Callable[[int, int], None], threads: int) -> None:
    """Run ``task(start, stop)`` over [0, count) in pieces, on this thread and helpers.

    Each thread takes the next part when it has finished its last, so that a slow or busy
    processor delays the end by one piece at most. A helper that has not started when all parts
    are taken is not waited for: waking it takes longer than a small task.

    Parameters
    ----------
    count : int
        Number of items.
    piece : int
        Items of the smallest part: parts are whole pieces, many at first and one at the end.
        With one piece, or one thread, the task runs in the caller as one part.
    task : callable
        Releases the interpreter lock for most of its time. Its errors are raised here.
    threads : int
        The most threads to use, the caller included.
    """
    helpers = min(threads, -(-count // piece)) - 1
    if helpers < 1:
        task(0, count)
        return
    shared = _Shared(count, piece, task, 2 * (helpers + 1))
    HELPERS.ask(shared.work, helpers)
    try:
        shared.work()
    finally:
        shared.finish()


def side_by_side(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Give ``function(item)`` of each item when it is ready, several at a time on threads.

    An error, or Ctrl-C, cancels the calls that have not started.

    Parameters
    ----------
    function : callable
        Releases the interpreter lock for most of its time.
    items : iterable
        Its arguments.
    workers : int
        Number of threads.

    Yields
    ------
    object
        Results, in the order in which calls end.
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
