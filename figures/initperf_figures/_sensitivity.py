"""Depth and learning rate in words: until which depth rules learn, and how many rates are good."""

import math
from typing import Any

import pandas as pd

from initperf_figures._axes import activation_name, activations_of
from initperf_figures._style import in_order
from initperf_figures.recommendation import listed


def depth_words(row: Any) -> str:
    """Return until which depth a rule learns: ``"22 (17 to 29)"``, ``"at least 40"``.

    Parameters
    ----------
    row : object
        A row of the table ``sensitivity`` as a named tuple.
    """
    whole = f"{row.bound} {row.learns_until:.0f}".strip()
    if row.bound or not (math.isfinite(row.low) and math.isfinite(row.high)):
        return whole
    return f"{whole} ({row.low:.0f} to {row.high:.0f})"


def rate_words(row: Any) -> str:
    """Return the range of good learning rates, ``"0.01 to 0.12"``; a dash where none is known."""
    if not math.isfinite(row.good_low):
        return "–"
    # an end that was not found lies outside of what was tried
    return f"{row.good_low:.2g} to {row.good_high:.2g}{' or wider' if row.good_open else ''}"


def sensitivity_sentences(table: pd.DataFrame) -> list[str]:
    """Return for each activation which rules learn deepest, and how sensitive to the rate they are.

    Parameters
    ----------
    table : pandas.DataFrame
        The table ``sensitivity``.
    """
    return [
        _sentence(activation, table[table["activation"] == activation])
        for activation in activations_of(table)
    ]


def _sentence(activation: str, own: pd.DataFrame) -> str:
    rows = {row.initializer: row for row in own.itertuples()}
    names = in_order(rows)
    most = max(row.learns_until for row in rows.values())
    deepest = [name for name in names if rows[name].learns_until >= most * (1 - 1e-9)]
    verb = "learns" if len(deepest) == 1 else "learn"
    words = (
        f"Depth, with {activation_name(activation)}: {listed(deepest)} {verb} deepest, until "
        f"{depth_words(rows[deepest[0]])} hidden layers"
    )
    others = sorted(set(names) - set(deepest), key=lambda name: -rows[name].learns_until)
    if others:
        words += f", {others[0]} until {depth_words(rows[others[0]])}"
    known = sorted(
        (row for row in rows.values() if math.isfinite(row.good_decades)),
        key=lambda row: -row.good_decades,
    )
    if not known:
        return f"{words}."
    widest = known[0]
    rates = (
        f" At depth {widest.rate_depth:.0f}, learning rates of {rate_words(widest)} are good for "
        f"{widest.initializer}, a factor of {10**widest.good_decades:.2g}"
    )
    if len(known) > 1:
        last = known[-1]
        rates += f"; for {last.initializer} it is {10**last.good_decades:.2g}, the least"
    return f"{words}.{rates}."
