"""Ranking of the initializers for each activation, with what the seeds do not distinguish.

Initializers are ranked by their mean test accuracy over seeds, by `initperf._core.ranking`. Its
intervals are about the test images at hand; `test_error` says by how much other images would move
an accuracy.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from initperf._core.comparisons import t_interval
from initperf._core.ranking import MARGIN, ranked
from initperf_figures._axes import activation_name, activations_of
from initperf_figures._figure import check_comparable

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)

_NORMAL_QUANTILE = 1.959964  # two-sided, 95 %


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean and its 95 % t interval; NaN limits for fewer than two values."""
    mean, low, high = t_interval(np.asarray(values, dtype=float))
    return float(mean), float(low), float(high)


def recommend(runs: pd.DataFrame, epochs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rank the initializers of each activation.

    Parameters
    ----------
    runs : pandas.DataFrame
        Table of runs; a run that diverged counts with an accuracy of 0, below all that finished.
    epochs : pandas.DataFrame, optional
        Table of epochs, for the number of epochs until a level is reached.

    Returns
    -------
    pandas.DataFrame
        A row for each activation and initializer, best first: activation, rank, initializer,
        seeds, accuracy (the mean), expected (the mean corrected for the choice of the best),
        accuracy_low, accuracy_high (95 % interval of what is expected), behind, behind_low,
        behind_high (paired differences to the best; the intervals of an activation hold together
        with 95 %), verdict, diverged (runs), test_error (half the width of the 95 % interval of an
        accuracy on other test images; NaN where their number is not known), textbook (whether the
        initializer's sources recommend it for the activation), level (test accuracy),
        epochs_to_level (median over seeds, NaN when most seeds never reach it).

        The verdict is ``"best"``; ``"worse"`` where the interval of the difference excludes 0;
        ``"tied"`` where it includes 0 and stays below one point; ``"undecided"`` where it does
        not, or runs diverged: there are too few seeds to say; ``"diverged"`` where all runs did.
        Means that are equal are ranked by the epochs to the level.

    Raises
    ------
    ValueError
        When the runs are not comparable.
    """
    # This imports compiled kernels, which figures, which only rank, do not need.
    from initperf.initializers import INITIALIZERS

    table = rank(runs, epochs)
    suited = [
        name in INITIALIZERS and activation in INITIALIZERS[name].suits
        for name, activation in zip(table["initializer"], table["activation"], strict=True)
    ]
    return table.assign(textbook=suited)


def rank(runs: pd.DataFrame, epochs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the table of `recommend` without textbook, from the same tables."""
    check_comparable(runs)
    lost = runs["status"] == "diverged"
    accuracy = runs["test_accuracy"].astype("float64").fillna(0.0).where(~lost, 0.0)
    runs = runs.assign(test_accuracy=accuracy)
    level = _level(runs)
    waits = _epochs_to(level, runs, epochs)
    ranked = [
        _rank(runs[runs["activation"] == activation], waits) for activation in activations_of(runs)
    ]
    table = pd.concat(ranked, ignore_index=True).assign(level=level)
    return table.join(waits, on=["activation", "initializer"])


def _rank(runs: pd.DataFrame, waits: pd.Series) -> pd.DataFrame:
    activation = runs["activation"].iloc[0]
    accuracy = runs.pivot_table(index="seed", columns="initializer", values="test_accuracy")
    lost = runs.groupby("initializer")["status"].agg(lambda own: int((own == "diverged").sum()))
    names = [str(name) for name in accuracy]
    found = ranked(
        names,
        accuracy.to_numpy(np.float64),
        [int(lost[name]) for name in names],
        [float(waits[activation, name]) for name in names],
    )
    rows = [
        {"activation": activation, "rank": index, "initializer": one.name, "seeds": one.seeds}
        | {"accuracy": one.mean, "expected": one.expected}
        | {"accuracy_low": max(one.low, 0.0), "accuracy_high": min(one.high, 1.0)}
        | {"behind": one.behind, "behind_low": max(one.behind - one.reach, -1.0)}
        | {"behind_high": min(one.behind + one.reach, 1.0)}
        | {"verdict": one.verdict, "diverged": one.diverged}
        | {"test_error": _test_error(runs, one.mean)}
        for index, one in enumerate(found, start=1)
    ]
    return pd.DataFrame(rows)


def _test_error(runs: pd.DataFrame, accuracy: float) -> float:
    if "test_images" not in runs:
        return math.nan
    variance = accuracy * (1.0 - accuracy) / float(runs["test_images"].iloc[0])
    return _NORMAL_QUANTILE * math.sqrt(variance)


def _level(runs: pd.DataFrame) -> float:
    means = runs.groupby(["activation", "initializer"])["test_accuracy"].mean()
    within_reach = float(means.groupby("activation").max().min())
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
    start = f"For {activation_name(best['activation'])},"
    name, reached, seeds = best["initializer"], percent(best["expected"]), best["seeds"]
    if best["verdict"] == "diverged":
        return f"{start} every run diverged."
    ahead = f"{start} {name} is ahead with {reached}"
    if len(table) == 1:
        return f"{ahead}; nothing else was tried."
    if seeds < 2:
        return f"{ahead}, but one seed cannot tell it from the others."
    finished = table[table["diverged"] == 0]  # those that diverged are no rivals of the best
    tied, undecided = (
        list(finished.loc[finished["verdict"] == verdict, "initializer"])
        for verdict in ("tied", "undecided")
    )
    too_few = f"{seeds} seeds are too few to tell"
    if tied:
        equal = f"equal to within {100 * MARGIN:g} point, with {reached}"
        rest = f"; {too_few} {listed(undecided)} from them" if undecided else ""
        return f"{start} {listed([name, *tied])} are {equal}{rest}."
    if undecided:
        return f"{start} {too_few} {name}, with {reached}, from {listed(undecided)}."
    second = table.iloc[1]
    return f"{ahead}, {100 * second['behind']:.2g} points ahead of {second['initializer']}."


def listed(names: Sequence[str]) -> str:
    """Return names in a sentence: all of up to three, else the first two and a number."""
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more"
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def percent(share: float) -> str:
    """Return a share from 0 to 1 as text, in percent with one decimal."""
    return f"{100 * share:.1f} %"
