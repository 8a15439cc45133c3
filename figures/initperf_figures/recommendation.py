"""Ranking of the initializers for each activation, with what the seeds do not distinguish.

Initializers are ranked by their mean test accuracy over seeds. A seed fixes the order of the
batches and the random numbers of the weights, so differences are paired by seed: two initializers
differ if the 95 % t interval of the paired differences (Student 1908) excludes zero.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from initperf_figures._axes import activation_name, activations_of
from initperf_figures._figure import check_comparable

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)

# A difference whose interval includes zero is a tie, unless the interval exceeds this: then the
# seeds vary too much, and more of them are needed.
MARGIN = 0.05


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean and its 95 % t interval; NaN limits for fewer than two values."""
    from scipy.special import stdtrit  # most processes that draw figures do without

    sample = np.asarray(values, dtype=float)
    mean = float(sample.mean()) if len(sample) else float("nan")
    if len(sample) < 2:
        return mean, float("nan"), float("nan")
    half = float(stdtrit(len(sample) - 1, 0.975) * sample.std(ddof=1) / np.sqrt(len(sample)))
    return mean, mean - half, mean + half


def recommend(runs: pd.DataFrame, epochs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rank the initializers of each activation.

    Parameters
    ----------
    runs : pandas.DataFrame
        Table of runs; a run that diverged counts with its last accuracy, or 0.
    epochs : pandas.DataFrame, optional
        Table of epochs, for the number of epochs until a level is reached.

    Returns
    -------
    pandas.DataFrame
        A row for each activation and initializer, best first: activation, rank, initializer,
        seeds, accuracy, accuracy_low, accuracy_high (95 % t interval), behind, behind_low,
        behind_high (paired differences to the best), verdict ("best", "tied", "undecided" or
        "worse"), diverged (runs), textbook (whether the initializer's sources recommend it for the
        activation), level (test accuracy), epochs_to_level (median over seeds, NaN
        when most seeds never reach it).

    Raises
    ------
    ValueError
        When the runs are not comparable.
    """
    # This imports compiled kernels, which figures, which only rank, do not need.
    from initperf.initializers import INITIALIZERS

    table = rank(runs)
    level = _level(table)
    suited = [
        name in INITIALIZERS and activation in INITIALIZERS[name].suits
        for name, activation in zip(table["initializer"], table["activation"], strict=True)
    ]
    table = table.assign(textbook=suited, level=level)
    return table.join(_epochs_to(level, runs, epochs), on=["activation", "initializer"])


def rank(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the table of `recommend` without textbook, level and epochs_to_level."""
    check_comparable(runs)
    runs = runs.assign(test_accuracy=runs["test_accuracy"].astype("float64").fillna(0.0))
    ranked = [
        _rank(runs[runs["activation"] == activation], activation)
        for activation in activations_of(runs)
    ]
    return pd.concat(ranked, ignore_index=True)


def _rank(runs: pd.DataFrame, activation: str) -> pd.DataFrame:
    accuracy = runs.pivot_table(index="seed", columns="initializer", values="test_accuracy")
    diverged = (runs["status"] == "diverged").groupby(runs["initializer"]).sum()
    order = sorted(accuracy, key=lambda name: (-accuracy[name].mean(), name))
    rows = []
    for rank, name in enumerate(order, start=1):
        own = accuracy[name].dropna()
        mean, low, high = mean_interval(own)
        paired = (accuracy[order[0]] - accuracy[name]).dropna()
        behind, least, most = mean_interval(paired)
        if rank == 1:
            verdict = "best"
        elif least > 0:
            verdict = "worse"
        else:
            steady = most <= MARGIN and not diverged[name]
            verdict = "tied" if steady else "undecided"
        rows.append(
            {"activation": activation, "rank": rank, "initializer": name, "seeds": len(own)}
            | {"accuracy": mean}
            | {"accuracy_low": max(low, 0.0), "accuracy_high": min(high, 1.0)}
            | {"behind": behind, "behind_low": least, "behind_high": most}
            | {"verdict": verdict, "diverged": int(diverged[name])}
        )
    return pd.DataFrame(rows)


def _level(table: pd.DataFrame) -> float:
    within_reach = float(table.groupby("activation")["accuracy"].max().min())
    return max((level for level in LEVELS if level < within_reach), default=LEVELS[0])


def _epochs_to(level: float, runs: pd.DataFrame, epochs: pd.DataFrame | None) -> pd.Series:
    keys = runs.set_index("run")[["activation", "initializer"]]
    first = pd.Series(np.inf, index=keys.index)
    if epochs is not None:
        reached = epochs[epochs["test_accuracy"] >= level].groupby("run")["epoch"].min()
        first.update(reached.astype(float))
    median = first.groupby([keys["activation"], keys["initializer"]]).median()
    return median.replace(np.inf, np.nan).rename("epochs_to_level")


def conclusions(rankings: Iterable[pd.DataFrame]) -> list[str]:
    """Return a sentence about each activation's rows in the table of `recommend`."""
    return [_conclude(ranking) for ranking in rankings]


def _conclude(table: pd.DataFrame) -> str:
    best = table.iloc[0]
    name = activation_name(best["activation"])
    start = f"For {name}, {best['initializer']} is ahead with {percent(best['accuracy'])}"
    if len(table) == 1:
        return f"{start}; nothing else was tried."
    if best["seeds"] < 2:
        return f"{start}, but one seed cannot tell it from the others."
    tied = list(table.loc[table["verdict"] == "tied", "initializer"])
    if tied:
        others = tied[0] if len(tied) == 1 else f"{tied[0]} and {len(tied) - 1} more"
        return f"{start}, but {best['seeds']} seeds cannot tell it from {others}."
    second = table.iloc[1]
    if second["verdict"] == "undecided":
        few = f"{best['seeds']} seeds are too few to tell it from its runner-up"
        return f"{start}; {few}, {second['initializer']}."
    return f"{start}, {100 * second['behind']:.2g} points ahead of {second['initializer']}."


def percent(share: float) -> str:
    """Return a share from 0 to 1 as text, in percent with one decimal."""
    return f"{100 * share:.1f} %"
