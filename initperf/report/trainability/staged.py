"""Training of maps and studies in stages, all within one time budget."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from initperf._core.progress import Stages
from initperf.data import Dataset
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.store import RunStore
from initperf.training.sweep import Workers, sweep


@dataclass(frozen=True, eq=False)
class Found:
    """Runs of maps or of a study.

    Attributes
    ----------
    runs : list of Run
        In the order in which they were asked for, those of searches among them.
    complete : bool
        Whether nothing is left to do; else the time budget ended.
    """

    runs: list[Run]
    complete: bool


@dataclass(eq=False)
class StagedTraining:
    """Sweeps one after another, whose time budget begins when this is made.

    Attributes
    ----------
    stages : callable
        ``stages(title)`` is a context manager that gives a progress callback for a stage.
    workers : Workers
        Its time budget is that of all stages.
    store : RunStore or None
        Runs in it are read, the others written when they end.
    datasets : dict
        Data sets by name.
    notice : callable
        Called with a line for each damaged file.
    runs : dict of Experiment to Run
        Those of the stages so far.
    """

    stages: Stages
    workers: Workers
    store: RunStore | None
    datasets: dict[str, Dataset]
    notice: Callable[[str], object]
    runs: dict[Experiment, Run] = field(default_factory=dict, init=False)
    _begin: float = field(default_factory=time.monotonic, init=False)

    def train(self, title: str, experiments: Sequence[Experiment]) -> bool:
        """Train a stage, and return whether all of its runs are there.

        Parameters
        ----------
        title : str
            Of the stage's progress.
        experiments : sequence of Experiment

        Raises
        ------
        initperf.errors.UsageError
            When a run cannot be written.
        """
        left = self.workers.remaining(self._begin)
        if left is None:
            return False
        with self.stages(title) as progress:
            found = sweep(
                experiments,
                workers=left,
                store=self.store,
                datasets=self.datasets,
                progress=progress,
                notice=self.notice,
            )
        self.runs |= {run.experiment: run for run in found}
        return len(found) == len(experiments)
