"""Functions of the figures' package, which the command line finds by entry point."""

import importlib.metadata
from typing import Any

from initperf.errors import UsageError


def from_figures(name: str) -> Any:
    """Return a function of the entry points ``initperf.report``, such as ``draw``.

    Raises
    ------
    UsageError
        When the figures are not installed.
    """
    for entry in importlib.metadata.entry_points(group="initperf.report"):
        if entry.name == name:
            return entry.load()
    raise UsageError("the figures are not installed; install initperf[suite] again")
