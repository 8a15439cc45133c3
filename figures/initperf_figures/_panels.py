"""Setups of a report: networks and settings that have panels, and an answer, of their own."""

from collections.abc import Mapping

import pandas as pd

SETUP = "setup"
"""Column of tables with the setup's name, empty where there is one only."""


def panelled(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables for figures, which have a panel for each value of the activation.

    Where a table has several setups, the name of its setup follows that of the activation in
    each row, and the column of setups is gone.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    """
    return {name: _panelled(table) for name, table in tables.items()}


def _panelled(table: pd.DataFrame) -> pd.DataFrame:
    if SETUP not in table or "activation" not in table:
        return table
    names = table["activation"].astype(str)
    named = table[SETUP].astype(str)
    joined = names.where(named == "", names + ", " + named)
    return table.assign(activation=joined).drop(columns=SETUP)


def setups_of(table: pd.DataFrame) -> list[str]:
    """Return the setups of a table, in the order of its rows."""
    return list(dict.fromkeys(table[SETUP].astype(str)))
