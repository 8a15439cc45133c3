"""Numbers of a figure: the small table that the page prints below it, from the large ones."""

from collections.abc import Sequence

import pandas as pd

from initperf_figures._figure import Tables
from initperf_figures._style import in_order

_RULE = ("activation", "initializer")


def by_rule(table: pd.DataFrame, columns: Sequence[str], along: str) -> pd.DataFrame:
    """Return columns at the first, the middle and the last place along another, by rule.

    Parameters
    ----------
    table : pandas.DataFrame
        With ``initializer``, perhaps ``activation``, perhaps several seeds.
    columns : sequence of str
        Numbers, of which medians over seeds are taken; those that are missing throughout are left
        out.
    along : str
        Column of places, such as ``"layer"`` or ``"step"``.

    Returns
    -------
    pandas.DataFrame
        A row a rule and activation, in the order of figures; columns are named as
        ``"activation_variance, layer 10"``, or ``"layer 10"`` where there is one only.
    """
    keys = [name for name in _RULE if name in table]
    kept = [name for name in columns if table[name].notna().any()]
    places = sorted(table[along].unique())
    middle = places[(len(places) - 1) // 2]
    chosen = list(dict.fromkeys([places[0], middle, places[-1]]))
    medians = table[table[along].isin(chosen)].groupby([*keys, along])[kept].median()
    wide = medians.unstack(along)
    wide = wide[[(name, place) for name in kept for place in chosen]]
    wide.columns = [
        f"{name}, {along} {place}" if len(kept) > 1 else f"{along} {place}"
        for name, place in wide.columns
    ]
    return ordered(wide.reset_index())


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows by activation, and within one in the order in which figures show the rules."""
    places = {name: place for place, name in enumerate(in_order(table["initializer"]))}
    keys = [name for name in _RULE if name in table]
    order = table[keys].assign(initializer=table["initializer"].map(places))
    return table.loc[order.sort_values(keys, kind="stable").index].reset_index(drop=True)


def with_rules(tables: Tables, name: str) -> pd.DataFrame:
    """Return a table of runs' rows with the activation and the initializer of each.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    name : str
        ``"steps"``, ``"epochs"`` or ``"layers"``.
    """
    return tables[name].merge(tables["runs"][["run", *_RULE]], on="run")


def accuracies(tables: Tables) -> pd.DataFrame:
    """Return number, mean, spread and ends of the test accuracies of each rule, over seeds."""
    runs = tables["runs"]
    groups = runs.groupby(list(_RULE))
    found = groups["test_accuracy"].agg(["count", "mean", "std", "min", "max"])
    found = found.rename(columns={"count": "seeds"})
    found["diverged"] = groups["status"].agg(lambda own: int((own == "diverged").sum()))
    return ordered(found.reset_index())


def timings(speed: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a table of speeds that figures of speed show, those that it has."""
    columns = ("workload", "size", "method", "threads", "median_s", "low_s", "high_s")
    kept = [name for name in (*columns, "percent_of_limit", "ratio") if name in speed]
    return speed[kept].reset_index(drop=True)
