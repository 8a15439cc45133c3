"""Footprint of a call: its peak memory, and its instructions and cycles where they are counted.

Each is taken in calls of their own, which are not timed. What a machine cannot tell is NaN.
"""

import contextlib
import ctypes
import gc
import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initperf.benchmarks.hardware_counters import CYCLES, INSTRUCTIONS, counted

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"  # what clear_refs knows as: the peak begins anew at what is resident
_KIBIBYTE = 1024


@dataclass(frozen=True)
class Footprint:
    """What a call takes besides time.

    Attributes
    ----------
    peak_bytes : float
        Resident memory at its peak during the call, less that before it, of the whole process,
        libraries included. It is of whole pages; memory that an allocator has kept from before is
        not in it, and memory that one keeps when it is freed stays in it. NaN where there is no
        Linux.
    instructions, cycles : float
        Those of user code, on all threads; NaN where the machine does not count them, as in most
        virtual machines.
    """

    peak_bytes: float = math.nan
    instructions: float = math.nan
    cycles: float = math.nan

    def record(self) -> dict[str, Any]:
        """Return the values under the names of a row's fields."""
        return {
            "peak_bytes": self.peak_bytes,
            "instructions": self.instructions,
            "cycles": self.cycles,
        }


def footprint(call: Callable[[], Any]) -> Footprint:
    """Measure a call that has been called before.

    Parameters
    ----------
    call : callable
        Called without arguments, once for the memory and once for the counters.

    Returns
    -------
    Footprint
    """
    peak = peak_bytes(call)
    counts = counted(call, (INSTRUCTIONS, CYCLES))
    return Footprint(peak, *counts)


def peak_bytes(call: Callable[[], Any]) -> float:
    """Return the bytes of resident memory that a call adds at its peak; NaN where unknown.

    Parameters
    ----------
    call : callable
        What it returns is held until the peak is read.
    """
    gc.collect()
    _trim()
    try:
        (_PROCESS / "clear_refs").write_text(_RESET_PEAK)
        before = _resident("VmRSS")
        result = call()
        peak = _resident("VmHWM")
    except OSError:  # no Linux, or a system that forbids it
        return math.nan
    del result
    return float(max(peak - before, 0))


def _resident(name: str) -> int:
    """Return a number of bytes from the status of this process."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", (_PROCESS / "status").read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{_PROCESS} does not tell {name}")
    return int(found[1]) * _KIBIBYTE


def _trim() -> None:
    """Give memory that glibc keeps for later back to the system, so that it counts again."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # of another C library
            ctypes.CDLL(None).malloc_trim(0)
