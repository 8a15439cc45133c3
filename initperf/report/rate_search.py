"""Search of each rule's best learning rate, on a seed that the report's runs do not have."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from initperf import data
from initperf._core.progress import Progress
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.sweep import sweep

if TYPE_CHECKING:
    import pandas as pd


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
    wanted = list(experiments)
    seed = 1 + max(one.seed for one in wanted)
    tried = {one: _tried(one, rates, seed) for one in wanted}
    every = list(dict.fromkeys(one for several in tried.values() for one in several))
    runs = dict(zip(every, sweep(every, datasets=datasets, progress=progress), strict=True))
    return {one: ranked(runs[each] for each in several) for one, several in tried.items()}


def _tried(experiment: Experiment, rates: Sequence[float], seed: int) -> list[Experiment]:
    light = experiment.replace(seed=seed, record="epoch", histogram_steps=())
    return [light.replace(learning_rate=rate) for rate in rates]


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
        ``test_accuracy``, ``best``: whether the rate was chosen, and ``at_edge``: whether it is
        then the smallest or the largest of several that differ, so that a better one may lie
        outside.
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
    return pd.DataFrame([rows[key] for key in sorted(rows)])
