"""Study of rules at several depths, each in each setup at the best rate of a small search."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from initperf import data
from initperf._core.arguments import number, whole
from initperf._core.progress import Stages
from initperf.errors import UnsuitableError
from initperf.optimizers import OPTIMIZERS
from initperf.report.rate_search import best_rates
from initperf.training._estimate import sweep_seconds
from initperf.training.experiment import Experiment
from initperf.training.grids import choices
from initperf.training.run import Run
from initperf.training.store import RunStore
from initperf.training.sweep import Workers, sweep
from initperf.training.train import run_name

INITIALIZERS = (
    "he_normal",
    "glorot_uniform",
    "lecun_normal",
    "fan_in_uniform",
    "orthogonal",
    "small_normal",
    "critical",
    "lsuv",
)
"""Rules that a study compares where no others are named: the usual ones, and two for depth."""

RATES: Mapping[str, tuple[float, ...]] = {
    "sgd": (0.003, 0.01, 0.03, 0.1, 0.3),
    "momentum": (0.0003, 0.001, 0.003, 0.01, 0.03),
    "nesterov": (0.0003, 0.001, 0.003, 0.01, 0.03),
    "adam": (0.0001, 0.0003, 0.001, 0.003, 0.01),
}
"""Learning rates that are searched for each optimizer."""

SETTINGS: Mapping[str, Any] = {
    "dataset": "mnist_5k",
    "batch_size": 64,
    "epochs": 3,
    "record": "none",
}
"""Settings of the runs, where no others are given: 189 steps on 4,000 images."""


@dataclass(frozen=True)
class Study:
    """What a study trains.

    Attributes
    ----------
    initializers, activations, optimizers : tuple of str
    depths : tuple of int
        Numbers of hidden layers.
    widths : tuple of int
        Units of each.
    rates : tuple of float
        Learning rates of the search; by default `RATES` of each optimizer.
    seeds : int
        Runs of each rule in each setup at its best rate; the search has one seed more.
    given : mapping of str to object
        Other settings of `Experiment`, by their flat names.

    Raises
    ------
    ValueError
        For unknown names, values out of range, an optimizer without rates, and where no rule
        applies.
    """

    initializers: tuple[str, ...] = INITIALIZERS
    activations: tuple[str, ...] = ("relu", "tanh", "gelu")
    depths: tuple[int, ...] = (2, 4, 8, 16, 32, 64)
    widths: tuple[int, ...] = (100,)
    optimizers: tuple[str, ...] = ("sgd",)
    rates: tuple[float, ...] = ()
    seeds: int = 3
    given: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole("seeds", self.seeds, 1)
        canonical = tuple(OPTIMIZERS.canonical(name) for name in self.optimizers)
        object.__setattr__(self, "optimizers", canonical)
        for rate in self.rates:
            number("learning_rate", rate, positive=True)
        for optimizer in self.optimizers:
            if not self.rates and optimizer not in RATES:
                raise ValueError(
                    f"learning_rate must be given for {optimizer}: rates are known for "
                    f"{', '.join(RATES)}"
                )
        if not self.experiments():
            raise UnsuitableError("none of these rules applies to these networks")

    def rates_of(self, optimizer: str) -> tuple[float, ...]:
        """Return the learning rates that are searched for an optimizer."""
        return self.rates or RATES[optimizer]

    def experiments(self) -> dict[str, list[Experiment]]:
        """Return the runs of each optimizer, at the first of its rates, one a seed.

        Rules that do not apply to a network are left out.
        """
        found: dict[str, list[Experiment]] = {}
        for optimizer in self.optimizers:
            axes = {
                "initializer": list(self.initializers),
                "activation": list(self.activations),
                "depth": list(self.depths),
                "width": list(self.widths),
                "optimizer": optimizer,
                "learning_rate": self.rates_of(optimizer)[0],
                **SETTINGS,
                **self.given,
            }
            for chosen in choices(**axes):
                try:
                    first = Experiment(**chosen)
                except UnsuitableError:
                    continue
                own = [first.replace(seed=seed) for seed in range(self.seeds)]
                found.setdefault(optimizer, []).extend(own)
        return found

    def count(self) -> int:
        """Return the number of runs, those of the searches included."""
        return sum(
            len(own) // self.seeds * (len(self.rates_of(optimizer)) + self.seeds)
            for optimizer, own in self.experiments().items()
        )


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
