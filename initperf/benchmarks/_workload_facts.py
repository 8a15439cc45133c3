"""Check of what the benchmark of a workload tells of itself, before tables and figures use it."""

import sys
from collections.abc import Mapping
from typing import Any

from initperf._core.arguments import shown

_WORDS = ("workload", "method", "role", "size", "dtype")
_LARGEST = sys.float_info.max  # integers of JSON can be larger
_NUMBERS = (
    *("threads", "limit_s", "first_call_s", "peak_bytes", "instructions", "cycles"),
    *(f"ratio{end}" for end in ("", "_low", "_high")),
)


def check_workload_facts(name: str, facts: Mapping[str, Any]) -> None:
    """Check the facts of a benchmark of a workload.

    Parameters
    ----------
    name : str
        The benchmark's name.
    facts : mapping
        Its ``extra_info``.

    Raises
    ------
    ValueError
        Naming the benchmark, the fact, its value and what is allowed.
    """
    for fact in _WORDS:
        value = facts.get(fact)
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"the {fact} of {shown(name)} must be words, not {shown(value)}")
    for fact in ("values", *_NUMBERS):
        value = facts.get(fact)
        if value is None and fact in _NUMBERS:
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 <= value <= _LARGEST
        ):
            raise ValueError(
                f"the {fact} of {shown(name)} must be a number of at least 0, not {shown(value)}"
            )
