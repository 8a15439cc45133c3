"""Progress callbacks: one signature for every function that takes long."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int, str], object]
"""``progress(done, total, label)``: `done` of `total` units are done; `label` names the unit."""

Stages: TypeAlias = Callable[[str], AbstractContextManager[Progress]]
"""``with stages(title) as progress``: the progress of one stage of several."""


def silent(done: int, total: int, label: str) -> None:
    """Ignore the progress."""
