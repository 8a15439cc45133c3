"""Hostile values for property tests that are seeded, and as long as one asks for.

``INITPERF_TRIALS`` is the number of trials of each test; without it, a few hundred that take
seconds. A trial has a number, of which all that it draws follows: hypothesis, whose examples come
in part from the sources of what is imported at the time, would try others whenever tests ran in
another order.
"""

import os
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest


def number(usual: int) -> int:
    """Return the number of trials of a test, by default the usual one."""
    return int(os.environ.get("INITPERF_TRIALS", usual))


def trials(usual: int) -> Any:
    """Return a mark by which a test is called with each ``trial`` from 0 on."""
    return pytest.mark.parametrize("trial", range(number(usual)))


def nested(depth: int) -> list[Any]:
    """Return lists within lists."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


VALUES: list[Any] = [
    None,
    True,
    False,
    *(-1, 0, 1, 2, 7, 2**62, 2**63, 2**64, 10**30, -(10**400), 10**5000),
    *(0.5, -0.0, 8.5, float("nan"), float("inf"), -float("inf"), 1e-320, 1e200, 1e308),
    *(np.float16(2), np.float32(0.2), np.float64("nan"), np.longdouble("1e400"), np.longdouble(2)),
    *(np.int8(-3), np.int64(5), np.uint64(2**64 - 1), np.bool_(True), np.datetime64(3, "D")),
    *(1j, Fraction(1, 3), Decimal("0.1")),
    *("", "8", "he_normal", "he_norml", "relu", "float32", "float16", "\x1b[31m\n", "\udcff"),
    "x" * 5000,
    b"ab",
    bytearray(b"ab"),
    *((), [], (3,), (3, 4), [3, 4], (0, 3), (3, 0), (-3, 4), (8.5, 3), ("8", "4"), (3, None)),
    *((2**62, 2**62), (2**70, 0), (10**7, 10**7), (True, 3), (1,) * 70, (3, 4, 5)),
    *({3, 4}, {3: 4}, {"Linear": "he_normal"}, range(3), iter((3, 4)), slice(3)),
    *(np.array(3), np.array([3, 4]), np.array([3.5]), np.zeros((2, 2)), np.zeros(0), np.array("x")),
    *(np.array([None, 3]), np.array([float("nan"), 1.0]), np.zeros((3, 4), "float16")),
    *(object(), float, np.zeros, lambda *arguments: None, NotImplemented, Ellipsis),
    nested(5000),
]
"""Arguments of every kind; none asks for more memory than tests have, nor for less than none."""


def shown(value: Any) -> str:
    """Return a short text of a value, for the message of a failing test."""
    try:
        return repr(value)[:80]
    except (ValueError, RecursionError):
        return type(value).__name__
