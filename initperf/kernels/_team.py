"""Threads that fill arrays together in a hot loop, where waking a thread costs more than the fill.

A helper that has filled a part spins for a while, in compiled code without the interpreter lock,
and takes part in a next fill within a microsecond; after that it sleeps, so that an idle process
uses no processor. Helpers are woken only when fills follow each other as closely. They never need
the interpreter lock, which a thread that was just woken gets too late: its caller has it again.
"""

import functools
import math
import os
import threading
import time
from collections.abc import Set
from typing import TYPE_CHECKING, Any

import numpy as np

from initperf._core.parallel import leave_the_caller_alone, usable_processors
from initperf.jit import tuning
from initperf.jit.internals import compiles, missing
from initperf.jit.policy import Function

if TYPE_CHECKING:
    from initperf.kernels._board import Board

LARGEST = 256
"""The most threads of a team, the caller included."""

FIRST_FILLS = 32
"""Fills of hot loops before the team's code is loaded, which takes as long as some 100 fills."""

REST = 64
"""A caller that waited too long for helpers does without for so many times as long.

That limits what a busy processor costs to a 64th of the time.
"""

GAIN = 0.25
"""Least part of the time of a fill with helpers that these save."""

CREDIT_SECONDS = 4e-3
"""The most that helpers have saved, of which their later delays are taken: one turn of a thread.

Where nothing else runs, the system or a hypervisor delays a helper now and then.
"""

_ALONE_SECONDS = 1.0
"""Seconds after which a caller that had one processor, or could start no thread, tries again."""


class Team:
    """The helpers of hot loops: at most one fill of a process at a time has them.

    A forked child has a team of its own. What threads change without the lock decides only
    whether a fill has helpers.
    """

    def __init__(self) -> None:
        self.reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.reset)

    def __len__(self) -> int:
        return len(self._threads)

    @property
    def awake(self) -> int:
        """The number of helpers that fill or wait for a fill, rather than sleep."""
        return 0 if self._board is None else self._board.awake

    def reset(self) -> None:
        """Forget the helpers: those of the parent do not run in a forked child."""
        self._lock = threading.Lock()
        self._board: Board | None = None
        self._threads: list[threading.Thread] = []
        self._others: Set[int] = frozenset()
        self._followed = 0
        self._ended = self._rest_until = -math.inf
        self._credit = 0.0

    def note_end(self) -> None:
        """Note that a fill has ended now, which another may follow closely."""
        self._ended = time.perf_counter()

    def is_hot(self) -> bool:
        """Return whether a fill that begins now should have helpers.

        Many have followed each other within the time for which helpers spin, and this one does.
        """
        now = time.perf_counter()
        if now - self._ended > tuning.SPIN_SECONDS or now < self._rest_until:
            return False
        self._followed += 1
        return self._followed > FIRST_FILLS

    def fill(
        self,
        run: Function,
        values: np.ndarray,
        source: tuple[np.uint64, np.uint64, np.uint64],
        parameters: tuple[float, ...],
        threads: int,
    ) -> bool:
        """Fill an array, if the team can.

        Parameters
        ----------
        run : callable
            Numba twin of the fill.
        values : numpy.ndarray
            Written; shape (count,), contiguous, float32 or float64.
        source : tuple of numpy.uint64
            Key, stream and first index.
        parameters : tuple of float
            What the kernel takes after (out, key, stream, start).
        threads : int
            The most threads, the caller included; at least 2.

        Returns
        -------
        bool
            Whether it did; if not, the array may be filled in part.
        """
        if threads > LARGEST or not _possible():
            return False
        if self.awake < threads - 1:
            threads = min(threads, usable_processors())  # others would wait for each other
            if threads < 2 or not self._prepare(threads - 1):
                self._rest_until = self._ended + _ALONE_SECONDS
                return False
        board: Any = self._board
        begin = time.perf_counter()
        done: bool
        done, stalled = board.fill(run, values, source, parameters, threads)
        self.note_end()
        if done:
            self._account(self._ended - begin, stalled)
        return done

    def _account(self, seconds: float, stalled: bool) -> None:
        """Take a fill's time for a gain or, if a helper did not run, a loss; rest after losses."""
        if not stalled:
            self._credit = min(self._credit + GAIN * seconds, CREDIT_SECONDS)
        elif self._credit >= seconds:
            self._credit -= seconds
        else:
            self._rest_until = self._ended + REST * (seconds - self._credit)
            self._credit = 0.0

    def _prepare(self, helpers: int) -> bool:
        """Have so many helpers, or more, on processors that the caller leaves to them, if it can.

        A system may limit the number of threads.
        """
        if self._board is None or len(self._threads) < helpers:
            from initperf.kernels._board import Board

            with self._lock:
                self._board = self._board or Board.of(LARGEST)
                self._others = frozenset()
                try:
                    while len(self._threads) < helpers:
                        self._threads.append(self._board.start(len(self._threads) + 1))
                except RuntimeError:
                    return False
        self._others = leave_the_caller_alone(self._threads, self._others)
        return True


@functools.cache
def team() -> Team:
    """Return the team of this process."""
    return Team()


@functools.cache
def _possible() -> bool:
    """Return whether helpers can sleep, and call compiled code."""
    return os.name == "posix" and compiles() and not missing("views")
