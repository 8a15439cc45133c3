"""Measurement of a study: a search of rates in each setup, and runs at the best; and its cost."""

import time
from collections.abc import Callable
from typing import Any

from initperf import data
from initperf._core.progress import Stages
from initperf.report.rate_search import best_rates
from initperf.report.trainability.found import Found
from initperf.report.trainability.study import Study
from initperf.training._estimate import sweep_seconds
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.store import RunStore
from initperf.training.sweep import Workers, sweep, to_train


def measure_study(
    study: Study,
    stages: Stages,
    *,
    workers: Workers,
    store: RunStore | None,
    datasets: dict[str, data.Dataset],
    notice: Callable[[str], object],
) -> Found:
    """Search each rule's best rate in each setup, and train it with that rate for each seed.

    A rate at which one of the seeds diverges was good for the search's seed alone: the best of the
    smaller rates takes its place, until none diverges or none is left.

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
        left = workers.remaining(begin)
        if left is None:
            return Found(list(runs.values()), complete=False)
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
        rates = {
            one: [run.experiment.learning_rate for run in several] for one, several in found.items()
        }
        complete = len(rates) == len(experiments)
        while rates:
            wanted = [one.replace(learning_rate=own[0]) for one, own in rates.items()]
            left = workers.remaining(begin)
            if left is None:
                return Found(list(runs.values()), complete=False)
            with stages(f"training, {optimizer}") as progress:
                trained = sweep(
                    wanted,
                    workers=left,
                    store=store,
                    datasets=datasets,
                    progress=progress,
                    notice=notice,
                )
            runs |= {run.experiment: run for run in trained}
            complete = complete and len(trained) == len(wanted)
            lost = {
                run.experiment.replace(seed=0, learning_rate=0.0)
                for run in trained
                if run.status == "diverged"
            }
            rates = {
                one: smaller
                for one, own in rates.items()
                if one.replace(seed=0, learning_rate=0.0) in lost
                and (smaller := [rate for rate in own[1:] if rate < own[0]])
            }
        if not complete:
            return Found(list(runs.values()), complete=False)
    return Found(list(runs.values()), complete=True)


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
        waiting = to_train(searched, store, datasets)
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
