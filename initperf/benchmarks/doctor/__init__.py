"""What makes benchmarks lie here, and what to do about it: one family of checks a file."""

from collections.abc import Iterator

from initperf._core.registry import import_siblings
from initperf.benchmarks.doctor._check import CHECKS, Check, Finding, System, register

__all__ = ["CHECKS", "Check", "Finding", "System", "examine", "register"]

import_siblings(__name__, __path__)


def examine(system: System | None = None) -> Iterator[Finding]:
    """Make every check, in the order of their names' files.

    Parameters
    ----------
    system : System, optional
        What is looked at; without it, the machine that this runs on.

    Yields
    ------
    Finding
    """
    system = system or System()
    for name, check in CHECKS.items():
        for status, found, advice in check(system):
            yield Finding(name, status, found, advice)
