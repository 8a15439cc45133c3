"""Hardware counters of this process, by the system call perf_event_open of Linux.

See perf_event_open(2). The calls of a machine without counters, or of a system that forbids them,
are counted as NaN.
"""

import contextlib
import ctypes
import math
import os
import platform
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NUMBERS = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "ppc64le": 319, "s390x": 331}
"""Numbers of the system call, by machine."""

_ATTRIBUTES = struct.Struct("=IIQQQQQ16x")
"""Type, size, config, period, sample type, read format and flags, in the first version's size."""

_DISABLED, _INHERIT, _NO_KERNEL, _NO_HYPERVISOR = 1 << 0, 1 << 1, 1 << 5, 1 << 6
_CLOSE_ON_EXEC = 8
_ENABLE, _DISABLE = 0x2400, 0x2401
_TASKS = Path("/proc/self/task")


@dataclass(frozen=True)
class Counter:
    """What is counted: type and config of perf_event_open."""

    kind: int
    config: int


CYCLES, INSTRUCTIONS = Counter(0, 0), Counter(0, 1)
PAGE_FAULTS = Counter(1, 2)
"""Counted by the system, on any machine: it tells whether counting is allowed at all."""


def counted(call: Callable[[], Any], counters: Sequence[Counter]) -> tuple[float, ...]:
    """Count events of user code during a call, on all threads, those that it starts included.

    Parameters
    ----------
    call : callable
        Called without arguments, once; not at all where nothing can be counted.
    counters : sequence of Counter

    Returns
    -------
    tuple of float
        A number for each counter; NaN where it cannot be counted.
    """
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(_opened(one)) for one in counters]
        every = [file for own in files for file in own]
        if not every:
            return (math.nan,) * len(counters)
        import fcntl

        for file in every:
            fcntl.ioctl(file, _ENABLE)
        try:
            call()
        finally:
            for file in every:
                fcntl.ioctl(file, _DISABLE)
        return tuple(sum(map(_count, own)) if own else math.nan for own in files)


def _count(file: int) -> float:
    return float(struct.unpack("Q", os.read(file, 8))[0])


@contextlib.contextmanager
def _opened(counter: Counter) -> Iterator[list[int]]:
    """Yield a disabled counter of each thread; none where one of them cannot be counted."""
    number = _NUMBERS.get(platform.machine()) if sys.platform == "linux" else None
    files: list[int] = []
    try:
        if number is not None:
            flags = _DISABLED | _INHERIT | _NO_KERNEL | _NO_HYPERVISOR
            attributes = _ATTRIBUTES.pack(
                counter.kind, _ATTRIBUTES.size, counter.config, 0, 0, 0, flags
            )
            system = ctypes.CDLL(None, use_errno=True).syscall
            for task in map(int, os.listdir(_TASKS)):
                file = system(number, attributes, task, -1, -1, _CLOSE_ON_EXEC)
                if file < 0:
                    break
                files.append(file)
            else:
                yield files
                return
        yield []
    finally:
        for file in files:
            os.close(file)
