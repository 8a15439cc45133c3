"""Loss along the first gradients of stored runs, which depends on experiment and data alone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from initperf._core.progress import Stages
from initperf.errors import DataError
from initperf.losses import CLASSIFICATION, LOSSES
from initperf.training.descent import descents_of
from initperf.training.run import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Gradients:
    """Measurement of the loss along the first gradients of stored runs.

    Attributes
    ----------
    data_dir : str or None
        Directory of IDX files, see `initperf.data.load`.
    stages : callable
        ``stages(title)`` is a context manager that gives a progress callback for a stage.
    notice : callable
        Told in words why nothing is measured, where the data cannot be loaded.
    """

    data_dir: str | None
    stages: Stages
    notice: Callable[[str], None]

    def tables(self, runs: Iterable[Run], besides: Iterable[str]) -> "dict[str, pd.DataFrame]":
        """Return the table ``"descent"`` of each rule's first seed in each setup.

        Parameters
        ----------
        runs : iterable of Run
            Those that are shown.
        besides : iterable of str
            Settings that differ without making another setup, such as a searched learning rate.

        Returns
        -------
        dict of str to pandas.DataFrame
            Empty where no run has classes or the data cannot be loaded.
        """
        chosen = _first_seeds(run for run in runs if _has_classes(run))
        if not chosen:
            return {}
        try:
            with self.stages("gradients") as progress:
                table = descents_of(
                    chosen, besides=besides, directory=self.data_dir, progress=progress
                )
        except DataError as error:
            self.notice(f"the loss along the first gradient is not drawn: {error}")
            return {}
        return {"descent": table}


def _has_classes(run: Run) -> bool:
    return LOSSES[run.experiment.loss] is CLASSIFICATION


def _first_seeds(runs: Iterable[Run]) -> list[Run]:
    """Return of each group of runs that differ in the seed alone the one with the smallest."""
    first: dict[frozenset[Any], Run] = {}
    for run in runs:
        settings = frozenset(run.experiment.replace(seed=0).flat().items())
        other = first.setdefault(settings, run)
        if run.experiment.seed < other.experiment.seed:
            first[settings] = run
    return list(first.values())
