"""The parts of a check: its findings, and the system files that it reads."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from initperf._core.registry import Registry

Status = Literal["ok", "note", "warning"]
Result = tuple[Status, str, str]
Check = Callable[["System"], Iterator[Result]]


@dataclass(frozen=True)
class Finding:
    """One result of a check.

    Attributes
    ----------
    check : str
        Its name.
    status : str
        ``"ok"``; ``"note"``, a fact to keep in mind; ``"warning"``, timings taken now mislead.
    found : str
        The state of the system in words.
    advice : str
        What to do; empty where nothing needs to be done.
    """

    check: str
    status: Status
    found: str
    advice: str = ""


@dataclass(frozen=True)
class System:
    """Access to the files of the Linux kernel, which tests replace.

    Attributes
    ----------
    root : pathlib.Path
        Directory of ``/proc`` and ``/sys``.
    sleep : callable
        Waits for so many seconds, between two readings.
    """

    root: Path = Path("/")
    sleep: Callable[[float], None] = time.sleep

    def text(self, path: str) -> str:
        """Return the content of a file, stripped; empty when it cannot be read."""
        try:
            return (self.root / path).read_text(errors="replace").strip()
        except OSError:
            return ""

    def number(self, path: str) -> int | None:
        """Return the integer in a file, None when there is none."""
        text = self.text(path)
        return int(text) if text.lstrip("-").isdigit() else None

    def each(self, pattern: str) -> dict[str, str]:
        """Return the contents of all files of a pattern, by path from the root."""
        paths = sorted(self.root.glob(pattern))
        return {str(path.relative_to(self.root)): self.text(str(path)) for path in paths}

    def twice(self, path: str, seconds: float) -> tuple[str, str]:
        """Read a file twice.

        Parameters
        ----------
        path : str
            From the root.
        seconds : float
            Rest between the readings.

        Returns
        -------
        tuple of str
            What it held before and after; empty where it cannot be read.
        """
        before = self.text(path)
        if before:
            self.sleep(seconds)
        return before, self.text(path)

    @property
    def processors(self) -> frozenset[int]:
        """The processors that this process may run on, as ``/proc/self/status`` lists them."""
        for line in self.text("proc/self/status").splitlines():
            if line.startswith("Cpus_allowed_list:"):
                return members(line.partition(":")[2])
        return frozenset(range(os.cpu_count() or 1))


def members(text: str) -> frozenset[int]:
    """Return the numbers of a list such as ``0-3,8``."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


CHECKS: Registry[Check] = Registry("check")
C = TypeVar("C", bound=Check)


def register(name: str) -> Callable[[C], C]:
    """Register a check under a name; it yields its results, or none where it does not apply."""

    def added(check: C) -> C:
        CHECKS.register(name, check)
        return check

    return added
