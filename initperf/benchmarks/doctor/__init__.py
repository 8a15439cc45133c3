"""Checks for what makes timings on this machine mislead, one family a file, with advice.

They only read files and ask libraries. ``python -m pyperf system show`` covers other settings of
Linux for the sake of microbenchmarks (randomised addresses, interrupts, isolated processors), but
prints words in place of findings, runs commands of the system, and knows neither quotas of
containers, time stolen by a hypervisor, two threads of one core, nor threads of BLAS and Numba.
"""

from collections.abc import Iterator

from initperf._core.registry import import_siblings
from initperf.benchmarks.doctor._check import CHECKS, Check, Finding, System, members, register

__all__ = ["CHECKS", "Check", "Finding", "System", "examine", "members", "register"]

import_siblings(__name__, __path__)


def examine(system: System | None = None) -> Iterator[Finding]:
    """Make every check, in alphabetical order.

    Parameters
    ----------
    system : System, optional
        What is examined; by default this machine.

    Yields
    ------
    Finding
    """
    system = system or System()
    for name, check in CHECKS.items():
        for status, found, advice in check(system):
            yield Finding(name, status, found, advice)
