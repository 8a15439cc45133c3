"""Measurement of a study: a search of rates in each setup, and runs at the best; and its cost."""

import itertools
from typing import Any

from initperf import data
from initperf.report.rate_search import best_first, searches_of
from initperf.report.trainability.staged import Found, StagedTraining
from initperf.report.trainability.study import Study
from initperf.training._estimate import sweep_seconds
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.store import RunStore
from initperf.training.sweep import to_train


def measure_study(study: Study, training: StagedTraining) -> Found:
    """Search each rule's best rate in each setup, and train it with that rate for each seed.

    A rate at which one of the seeds diverges was good for the search's seed alone: the best of the
    smaller rates takes its place, until none diverges or none is left.

    Parameters
    ----------
    study : Study
    training : StagedTraining

    Raises
    ------
    initperf.errors.UsageError
        When a run cannot be written.
    """
    runs: dict[Experiment, Run] = {}
    for optimizer, experiments in study.experiments().items():
        searches = searches_of(experiments, study.rates_of(optimizer))
        every = list(dict.fromkeys(itertools.chain.from_iterable(searches.values())))
        complete = training.train(f"searching rates, {optimizer}", every)
        ended = best_first(searches, training.runs)
        runs |= {run.experiment: run for several in ended.values() for run in several}
        rates = {
            one: [run.experiment.learning_rate for run in several] for one, several in ended.items()
        }
        while rates:
            wanted = [one.replace(learning_rate=own[0]) for one, own in rates.items()]
            complete = training.train(f"training, {optimizer}", wanted) and complete
            trained = [training.runs[one] for one in wanted if one in training.runs]
            runs |= {run.experiment: run for run in trained}
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
