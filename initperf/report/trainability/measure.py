"""Measurement of a study: a search of rates in each setup, and runs at the best; and its cost."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from initperf import data
from initperf._core.progress import Stages
from initperf.report.rate_search import best_rates
from initperf.report.trainability.study import Study
from initperf.training._estimate import sweep_seconds
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.store import RunStore
from initperf.training.sweep import Workers, sweep
from initperf.training.train import run_name


@dataclass(frozen=True, eq=False)
class Studied:
    """Runs of a study, those of the searches among them.

    Attributes
    ----------
    runs : list of Run
    complete : bool
        Whether all are there; else the time budget ended.
    """

    runs: list[Run]
    complete: bool


def measure_study(
    study: Study,
    stages: Stages,
    *,
    workers: Workers,
    store: RunStore | None,
    datasets: dict[str, data.Dataset],
    notice: Callable[[str], object],
) -> Studied:
    """Search each rule's best rate in each setup, and train it with that rate for each seed.

    Parameters
    ----------
    study : Study
    stages : callable
        ``stages(title)`` is a context manager that gives a progress callback for a stage.
    workers : Workers
        Its time budget is that of the whole study.
    store : RunStore or None
        Runs in it are read, the others written when they end.
    datasets : dict
        Data sets by name.
    notice : callable
        Called with a line for each damaged file.

    Raises
    ------
    initperf.errors.DataError
        When a run cannot be written.
    """
    begin = time.monotonic()
    runs: dict[Experiment, Run] = {}
    for optimizer, experiments in study.experiments().items():
        left = _left(workers, begin)
        if left.time_budget is not None and left.time_budget <= _LEAST_SECONDS:
            return Studied(list(runs.values()), complete=False)
        with stages(f"searching rates, {optimizer}") as progress:
            found = best_rates(
                experiments,
                study.rates_of(optimizer),
                datasets,
                progress,
                workers=left,
                store=store,
                notice=notice,
            )
        runs |= {run.experiment: run for several in found.values() for run in several}
        chosen = [
            one.replace(learning_rate=several[0].experiment.learning_rate)
            for one, several in found.items()
        ]
        left = _left(workers, begin)
        if left.time_budget is not None and left.time_budget <= _LEAST_SECONDS:
            return Studied(list(runs.values()), complete=False)
        with stages(f"training, {optimizer}") as progress:
            trained = sweep(
                chosen,
                workers=left,
                store=store,
                datasets=datasets,
                progress=progress,
                notice=notice,
            )
        runs |= {run.experiment: run for run in trained}
        if len(trained) < len(experiments):
            return Studied(list(runs.values()), complete=False)
    return Studied(list(runs.values()), complete=True)


_LEAST_SECONDS = 0.01


def _left(workers: Workers, begin: float) -> Workers:
    """Return the workers with what is left of their time budget, at least a moment."""
    if workers.time_budget is None:
        return workers
    left = workers.time_budget - (time.monotonic() - begin)
    return replace(workers, time_budget=max(left, _LEAST_SECONDS))


def study_cost(
    study: Study,
    *,
    workers: int,
    store: RunStore | None,
    datasets: dict[str, data.Dataset],
) -> list[dict[str, Any]]:
    """Return what a study will take: a row each optimizer.

    Parameters
    ----------
    study : Study
    workers : int
        Runs at a time.
    store : RunStore or None
        Runs in it cost nothing.
    datasets : dict
        Data sets by name.

    Returns
    -------
    list of dict
        ``optimizer``, ``runs``, ``kept``: runs of the search that are stored, and ``estimated_s``
        of those that are not.
    """
    rows = []
    for optimizer, own in study.experiments().items():
        rates = study.rates_of(optimizer)
        searched = [
            one.replace(seed=study.seeds, learning_rate=rate)
            for one in own
            if one.seed == 0
            for rate in rates
        ]
        waiting = [
            one
            for one in searched
            if store is None or run_name(one, datasets[one.dataset].digest) not in store
        ]
        seconds = sweep_seconds([*waiting, *own], datasets, min(workers, len(own)))
        rows.append(
            {
                "optimizer": optimizer,
                "runs": len(searched) + len(own),
                "kept": len(searched) - len(waiting),
                "estimated_s": seconds,
            }
        )
    return rows
