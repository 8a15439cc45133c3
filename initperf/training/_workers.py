"""Calls side by side, on threads or in processes, that can be stopped."""

import atexit
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from initperf._core.leaving import HURRIED, leave
from initperf._core.parallel import (
    dropped_work_ignored,
    interrupts_ignored,
    start_resource_trackers,
)

Item = TypeVar("Item")
Result = TypeVar("Result")

_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 2.0
_INTERRUPTED = 130

_unfinished: "list[_Worker]" = []


class StoppedError(Exception):
    """A call was told to stop."""


class Stop:
    """Request to stop, at a time or at once, that calls look at.

    Parameters
    ----------
    seconds : float, optional
        Time after which calls stop by themselves; never by default.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._event = threading.Event()
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def now(self) -> None:
        """Stop all calls."""
        self._event.set()

    @property
    def left(self) -> float:
        """Seconds left, 0 when the request holds."""
        if self._event.is_set():
            return 0.0
        if self._deadline is None:
            return float("inf")
        return max(0.0, self._deadline - time.monotonic())

    @property
    def deadline(self) -> float:
        """Time of ``time.time``, which other processes share, when calls stop; perhaps infinite."""
        return time.time() + self.left

    @classmethod
    def at(cls, deadline: float) -> "Stop":
        """Return a request to stop at a time of ``time.time``, perhaps never or at once."""
        return cls(None if deadline == float("inf") else deadline - time.time())

    def look(self) -> None:
        """Raise StoppedError when the request holds."""
        if not self.left:
            raise StoppedError


class _Worker(threading.Thread):
    """Daemon thread that tells when it has ended, also after Ctrl-C has ended a wait for it.

    Python 3.11 takes a thread for ended when an exception ends `threading.Thread.join`.

    Parameters
    ----------
    work : callable
        What it runs.
    name : str
        Of the thread.
    """

    def __init__(self, work: Callable[[], None], name: str) -> None:
        super().__init__(target=work, name=name, daemon=True)
        self._over = threading.Event()

    def run(self) -> None:
        """Work."""
        try:
            super().run()
        finally:
            self._over.set()

    @property
    def works(self) -> bool:
        """Return whether it was started and has not ended."""
        return self.ident is not None and not self._over.is_set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it ends, for some seconds at most."""
        self._over.wait(seconds)


class _Ended(Generic[Result]):
    """End of a thread's work: a result, an error, or neither when nothing is left to do."""

    def __init__(self, results: list[Result], error: BaseException | None) -> None:
        self.results, self.error = results, error


def on_threads(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    stop: Stop,
    grace: float | None = None,
) -> Iterator[Result]:
    """Give ``function(item)`` of each item when it is ready, several at a time on threads.

    When the generator is closed, or Ctrl-C is pressed, calls are told to stop. They are waited for
    here for a while, and again before the process ends.

    Parameters
    ----------
    function : callable
        Releases the interpreter lock for most of its time, and looks at `stop` now and then.
    items : iterable
        Its arguments, in the order in which they begin.
    workers : int
        Number of threads.
    stop : Stop
        Ends the calls; those that it ends give nothing.
    grace : float, optional
        Seconds, at most, to wait here for calls that were told to stop; 2 by default.

    Yields
    ------
    object
        Results, in the order in which calls end; the first error of a call is raised.
    """
    waiting = iter(items)
    lock = threading.Lock()
    ended: queue.SimpleQueue[_Ended[Result]] = queue.SimpleQueue()

    def work() -> None:
        error: BaseException | None = None
        try:
            while True:
                stop.look()
                with lock:
                    item = next(waiting)
                ended.put(_Ended([function(item)], None))
        except (StopIteration, StoppedError):
            pass
        except BaseException as caught:  # raised again by the caller's thread
            error = caught
        ended.put(_Ended([], error))

    threads = [_Worker(work, f"initperf-run-{number}") for number in range(workers)]
    try:
        for thread in threads:
            thread.start()
        active = len(threads)
        while active:
            try:
                # with a limit, as Ctrl-C does not wake a thread that waits without on Windows
                one = ended.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if one.error is not None:
                raise one.error
            active -= not one.results
            yield from one.results
    finally:
        try:
            stop.now()
            limit = time.monotonic() + (_GRACE_SECONDS if grace is None else grace)
            for thread in threads:
                if thread.works:
                    thread.wait(max(0.0, limit - time.monotonic()))
        except KeyboardInterrupt:  # the second
            HURRIED.set()
            raise
        finally:
            _unfinished.extend(thread for thread in threads if thread.works)


@atexit.register
def _wait_for_threads() -> None:
    """Wait for calls that were told to stop and have not, before the process ends.

    OpenBLAS waits for its own threads when a process ends, and waits forever if another thread
    multiplies matrices meanwhile. Ctrl-C ends the process at once, and so does one before that
    has set HURRIED.
    """
    try:
        for thread in _unfinished:
            if HURRIED.is_set() and thread.works:
                leave(_INTERRUPTED)
            thread.wait()
    except KeyboardInterrupt:
        leave(_INTERRUPTED)


def in_processes(
    function: Callable[..., Result], calls: Iterable[tuple[Any, ...]], workers: int
) -> Iterator[Result]:
    """Give ``function(*call)`` of each call when it is ready, several at a time in processes.

    The processes are those of joblib's loky. When the generator is closed, or Ctrl-C is pressed,
    they are ended.

    Parameters
    ----------
    function : callable
        Of a module, so that another process can import it.
    calls : iterable of tuple
        Its arguments.
    workers : int
        Number of processes.

    Yields
    ------
    object
        Results, in the order in which calls end; the first error of a call is raised.
    """
    import joblib

    parallel = joblib.Parallel(
        n_jobs=workers, backend="loky", return_as="generator_unordered", batch_size=1
    )

    results: Any = None
    start_resource_trackers()
    with dropped_work_ignored():
        try:
            with interrupts_ignored():  # by the processes, which this one ends
                results = parallel(joblib.delayed(function)(*call) for call in calls)
            yield from results
        finally:
            if results is not None:
                results.close()
