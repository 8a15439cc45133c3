"""Drawing of results, done by the package of figures where it is installed."""

import importlib.metadata
from collections.abc import Callable
from typing import Any

from initperf.errors import UsageError

GROUP = "initperf.model_pictures"


def drawer(name: str) -> Callable[..., Any]:
    """Return what draws a kind of result.

    Parameters
    ----------
    name : str
        ``"signals"``, ``"coordinates"`` or ``"page"``.

    Raises
    ------
    UsageError
        When the package of figures is not installed.
    """
    for entry in importlib.metadata.entry_points(group=GROUP, name=name):
        found: Callable[..., Any] = entry.load()
        return found
    raise UsageError("the figures are not installed; install initperf[suite] again")
