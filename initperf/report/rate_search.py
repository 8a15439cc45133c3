"""Search of each rule's best learning rate, on a seed that is not shown, and the good range."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from initperf import data
from initperf._core.progress import Progress
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.sweep import sweep

if TYPE_CHECKING:
    import pandas as pd

LEARNED = 0.15
"""Accuracy that the best rate must reach: less is guessing among ten classes, at any rate."""

GOOD = 0.05
"""Accuracy below the best rate's at which a rate still counts as good."""


def best_rates(
    experiments: Iterable[Experiment],
    rates: Sequence[float],
    datasets: dict[str, data.Dataset],
    progress: Progress,
) -> dict[Experiment, list[Run]]:
    """Train each rule at every learning rate, and return its runs, the best first.

    The search has one seed, the number after the largest of the experiments: a rate is not chosen
    by the runs that are shown.

    Parameters
    ----------
    experiments : iterable of Experiment
    rates : sequence of float
        The learning rates, at least 0.
    datasets : dict
        Data sets by name.
    progress : callable

    Returns
    -------
    dict of Experiment to list of Run
        By the experiment, of any seed, the runs of its rule and setup, see `ranked`.
    """
    searches = searches_of(experiments, rates)
    every = list(dict.fromkeys(itertools.chain.from_iterable(searches.values())))
    found = sweep(every, datasets=datasets, progress=progress)
    return best_first(searches, {run.experiment: run for run in found})


def searches_of(
    experiments: Iterable[Experiment], rates: Sequence[float]
) -> dict[Experiment, list[Experiment]]:
    """Return what the search for each experiment trains, with one seed that is none of theirs.

    Parameters
    ----------
    experiments : iterable of Experiment
    rates : sequence of float
        The learning rates, at least 0.
    """
    wanted = list(experiments)
    seed = 1 + max(one.seed for one in wanted)
    found = {}
    for one in wanted:
        record = "none" if one.record == "none" else "epoch"
        light = one.replace(seed=seed, record=record, histogram_steps=())
        found[one] = [light.replace(learning_rate=rate) for rate in rates]
    return found


def best_first(
    searches: Mapping[Experiment, Sequence[Experiment]], runs: Mapping[Experiment, Run]
) -> dict[Experiment, list[Run]]:
    """Return the runs of each search that has ended, see `ranked`.

    Parameters
    ----------
    searches : mapping of Experiment to sequence of Experiment
        See `searches_of`.
    runs : mapping of Experiment to Run
    """
    return {
        one: ranked(runs[each] for each in several)
        for one, several in searches.items()
        if all(each in runs for each in several)
    }


def ranked(runs: Iterable[Run]) -> list[Run]:
    """Return runs, the best first: by test accuracy, then loss; those that diverged last.

    Of runs that are equal in both, such as those of a rule that never learns, the smallest
    learning rate is first.
    """

    def key(run: Run) -> tuple[bool, float, float, float]:
        losses = run.epoch_columns["test_loss"]
        loss = float(losses[-1]) if len(losses) else np.inf
        return (
            run.status == "diverged",
            -run.test_accuracy,
            loss if np.isfinite(loss) else np.inf,
            run.experiment.learning_rate,
        )

    return sorted(runs, key=key)


@dataclass(frozen=True)
class GoodRange:
    """Learning rates around the best at which a rule trains nearly as well.

    Attributes
    ----------
    low, high : float
        Its ends, interpolated on the logarithm between rates that were tried.
    decades : float
        log10 of their ratio; 0 for a single good rate without good neighbours.
    is_open : bool
        Whether an end is the smallest or the largest rate that was tried, so that the range may
        be wider.
    """

    low: float
    high: float
    decades: float
    is_open: bool


def good_range(accuracies: Mapping[float, float], within: float = GOOD) -> GoodRange:
    """Return the range of learning rates with an accuracy of at least the best less `within`.

    Parameters
    ----------
    accuracies : mapping of float to float
        Test accuracy by rate above 0, 0 where a run diverged. The range is the one around the best
        rate, the smallest of several; other good rates beyond a bad one are not in it.
    within : float
        From 0 to 1.

    Raises
    ------
    ValueError
        For no rates.
    """
    rates = sorted(rate for rate in accuracies if rate > 0.0)
    if not rates:
        raise ValueError("a range of learning rates needs at least one rate above 0")
    level = max(accuracies[rate] for rate in rates) - within
    best = max(rates, key=lambda rate: (accuracies[rate], -rate))
    ends = []
    for way in (rates[: rates.index(best) + 1][::-1], rates[rates.index(best) :]):
        end, is_open = way[-1], True
        for near, far in itertools.pairwise(way):
            if accuracies[far] < level:
                share = (accuracies[near] - level) / (accuracies[near] - accuracies[far])
                end, is_open = near * (far / near) ** share, False
                break
        ends.append((end, is_open))
    (low, below), (high, above) = ends
    return GoodRange(low, high, math.log10(high / low), below or above)


def with_good_ranges(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table of rates with the good range of each rule and setup in its rows.

    Parameters
    ----------
    table : pandas.DataFrame
        ``initializer``, ``activation``, perhaps ``setup``, ``learning_rate``, ``status``,
        ``test_accuracy``.

    Returns
    -------
    pandas.DataFrame
        With ``good_low``, ``good_high``, ``good_decades`` and ``good_open`` of `GoodRange`, NaN
        where no rate reaches LEARNED.
    """
    keys = [name for name in ("initializer", "activation", "setup") if name in table]
    lost = table["status"] == "diverged"
    scores = table["test_accuracy"].fillna(0.0).where(~lost, 0.0)
    found = {}
    for key, own in table.assign(score=scores).groupby(keys, sort=False):
        tried = dict(zip(own["learning_rate"], own["score"], strict=True))
        if any(rate > 0.0 and score >= LEARNED for rate, score in tried.items()):
            found[key] = good_range(tried)
    rows = [found.get(key) for key in table[keys].itertuples(index=False, name=None)]
    none = math.nan
    return table.assign(
        good_low=[none if one is None else one.low for one in rows],
        good_high=[none if one is None else one.high for one in rows],
        good_decades=[none if one is None else one.decades for one in rows],
        good_open=[one is not None and one.is_open for one in rows],
    )


def rates_table(
    found: dict[Experiment, list[Run]], setups: dict[Experiment, str]
) -> "pd.DataFrame":
    """Return one row for each rule, setup and learning rate that was tried.

    Parameters
    ----------
    found : dict of Experiment to list of Run
        See `best_rates`.
    setups : dict of Experiment to str
        Words that tell the setups apart, by experiment.

    Returns
    -------
    pandas.DataFrame
        ``initializer``, ``activation``, ``setup``, ``seed``, ``learning_rate``, ``status``,
        ``test_accuracy``, ``best``: whether the rate was chosen, ``at_edge``: whether it is then
        the smallest or the largest of several that differ, so that a better one may lie outside,
        and the columns of `with_good_ranges`.
    """
    import pandas as pd

    rows = {}
    for one, runs in found.items():
        rates = [run.experiment.learning_rate for run in runs]
        ends = (min(rates), max(rates)) if len({run.test_accuracy for run in runs}) > 1 else ()
        for place, run in enumerate(runs):
            rate = run.experiment.learning_rate
            rows[one.initializer, one.activation, setups[one], rate] = {
                "initializer": one.initializer,
                "activation": one.activation,
                "setup": setups[one],
                "seed": run.experiment.seed,
                "learning_rate": rate,
                "status": run.status,
                "test_accuracy": run.test_accuracy,
                "best": place == 0,
                "at_edge": place == 0 and rate in ends,
            }
    return with_good_ranges(pd.DataFrame([rows[key] for key in sorted(rows)]))
