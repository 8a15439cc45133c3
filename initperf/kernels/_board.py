"""Board at which the threads of a team meet, and the machine code that they run.

This module is imported when a loop of fills first has helpers: a single draw does not pay for it.
"""

import functools
import math
import threading
import time
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import types

from initperf.jit import tuning
from initperf.jit.cache_lines import aligned_zeros
from initperf.jit.policy import Function
from initperf.kernels import _shared_fill as code
from initperf.kernels._philox_block import WORDS

_TRIAL_TURNS = 1000


@dataclass(frozen=True)
class Board:
    """What the threads of a team share.

    Attributes
    ----------
    words, numbers : numpy.ndarray
        As `initperf.kernels._shared_fill.help_fill` takes them.
    turns : int
        Turns of waiting before a helper sleeps.
    """

    words: np.ndarray
    numbers: np.ndarray
    turns: int

    @classmethod
    def of(cls, threads: int) -> "Board":
        """Return a board for so many threads; measure how long a turn of waiting lasts."""
        numbers = aligned_zeros(code.PARAMETERS)
        least = math.inf
        for _ in range(4):  # the first loads the code
            words = aligned_zeros(code.RANGES + code.LINE * threads, np.int64)
            begin = time.perf_counter()
            code.help_fill(words, numbers, 1, _TRIAL_TURNS, False)
            least = min(least, time.perf_counter() - begin)
        return cls(words, numbers, math.ceil(_TRIAL_TURNS * tuning.SPIN_SECONDS / least))

    @property
    def awake(self) -> int:
        """The number of helpers that fill or wait for a fill, rather than sleep."""
        return int(self.words[code.AWAKE])

    def start(self, index: int) -> threading.Thread:
        """Start the helper of a number, from 1 on, and return its thread."""
        thread = threading.Thread(
            target=code.help_fill,
            args=(self.words, self.numbers, index, self.turns, True),
            name=f"initperf-fill-{index}",
            daemon=True,
        )
        thread.start()
        return thread

    def fill(
        self,
        run: Function,
        values: np.ndarray,
        source: tuple[np.uint64, np.uint64, np.uint64],
        parameters: tuple[float, ...],
        threads: int,
    ) -> tuple[bool, bool]:
        """Fill an array with at most so many threads.

        Parameters
        ----------
        run, values, source, parameters, threads
            As `initperf.kernels._team.Team.fill` takes them.

        Returns
        -------
        tuple of bool
            Whether the array is filled, and whether that had to wait for a helper too long.
        """
        found = _machine_code(run, values.dtype, len(parameters))
        if found is None:
            return False, False
        least, most = tuning.FILL_PIECE_LEAST // WORDS, tuning.FILL_PIECE // WORDS
        turns: int = code.lead_fill(
            self.words,
            self.numbers,
            (*found, values.size, threads, least, most),
            values.view(np.uint8),
            source,
            parameters + (0.0,) * (code.PARAMETERS - len(parameters)),
        )
        return turns >= 0, turns >= code.STALL


@functools.cache  # keeps the function alive, and with it the machine code at the address
def _machine_code(run: Any, dtype: np.dtype[Any], parameters: int) -> tuple[int, int] | None:
    """Return the address of a fill's machine code and its index in the kinds, if it has them."""
    kind = numba.from_dtype(dtype)
    if (kind, parameters) not in code.KINDS or not hasattr(run, "get_compile_result"):
        return None
    result = run.get_compile_result(
        types.none(types.Array(kind, 1, "C"), *[types.uint64] * 3, *[types.float64] * parameters)
    )
    address = result.library.get_pointer_to_function(result.fndesc.llvm_func_name)
    return address, code.KINDS.index((kind, parameters))
