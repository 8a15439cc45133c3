"""Result of one experiment."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from initperf._core.markup import record
from initperf.training.experiment import Experiment

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False)
class Run:
    """Result of one experiment.

    Attributes
    ----------
    experiment : Experiment
    name : str
        A hash of the experiment, the data's digest and the random stream's version.
    dataset : dict
        ``dataset``, ``dataset_size`` and ``dataset_digest``.
    status : str
        ``"finished"`` or ``"diverged"``: a pre-activation, a parameter or the norm of a layer's
        gradient was not finite or reached the magnitude 2⁵⁶, in float64 2⁵⁰⁴. Values are then still
        finite as a rule, and squares of them would soon not be.
    diverged_step, diverged_layer : int or None
        Step and layer, both counted from 1, where a value first did; None in a run that finished.
    test_accuracy : float
        Share of the test images classified correctly after the last complete epoch; NaN where
        targets are values.
    train_seconds : float
        Seconds of the training steps alone.
    compile_seconds : float
        Seconds of compiling, or loading from the cache, what the run needed and this process had
        not loaded before.
    step_columns, layer_columns, epoch_columns, histogram_columns : dict of numpy.ndarray
        Columns of the tables, arrays of equal length.
    test_r2 : float or None
        Share of the variance of the test targets that predictions explain after the last complete
        epoch, R²; NaN where predictions are not finite, None where targets are classes.
    """

    experiment: Experiment
    name: str
    dataset: dict[str, Any]
    status: str
    diverged_step: int | None
    diverged_layer: int | None
    test_accuracy: float
    train_seconds: float
    compile_seconds: float
    step_columns: dict[str, np.ndarray] = field(repr=False)
    layer_columns: dict[str, np.ndarray] = field(repr=False)
    epoch_columns: dict[str, np.ndarray] = field(repr=False)
    histogram_columns: dict[str, np.ndarray] = field(repr=False, default_factory=dict)
    test_r2: float | None = None

    @property
    def steps(self) -> "pandas.DataFrame":
        """Return one row a recorded step: loss, accuracy or R², and learning rate."""
        return _frame(self.step_columns)

    @property
    def layers(self) -> "pandas.DataFrame":
        """Return one row a recorded step and layer: the STATISTICS of `kernels.train_epoch`."""
        return _frame(self.layer_columns)

    @property
    def epochs(self) -> "pandas.DataFrame":
        """Return one row an epoch, 0 before training: loss and score on the test images."""
        return _frame(self.epoch_columns)

    @property
    def histograms(self) -> "pandas.DataFrame":
        """Return one row for each chosen step, layer, quantity and bin: bounds and count."""
        return _frame(self.histogram_columns)

    def _repr_html_(self) -> str:
        """Return the run as notebooks show it: its result, its experiment and its data."""
        ended = self.status
        if self.diverged_step is not None:
            ended += f" in step {self.diverged_step}, layer {self.diverged_layer}"
        facts = {
            "status": ended,
            **self._score(),
            "training": f"{self.train_seconds:.2f} s",
            "data": f"{self.dataset['dataset']}, {self.dataset['dataset_size']:,} images",
        }
        return record(f"Run {self.name}", facts) + self.experiment._repr_html_()

    def _score(self) -> dict[str, str]:
        if self.test_r2 is not None:
            return {"test R²": f"{self.test_r2:.4f}"}
        return {"test accuracy": f"{100 * self.test_accuracy:.2f} %"}

    def tables(self, *others: "Run") -> "dict[str, pandas.DataFrame]":
        """Return all tables that figures can be drawn from, of this run and of others.

        Parameters
        ----------
        *others : Run
            Runs to show beside this one.
        """
        from initperf.training.run_tables import tables_of

        return tables_of([self, *others])

    def descents(self, *others: "Run") -> "pandas.DataFrame":
        """Return the loss along the first gradient, of this run and of others.

        Parameters
        ----------
        *others : Run
            Runs to show beside this one.

        Raises
        ------
        DataError
            When their data are not those that the data's name loads.
        """
        from initperf.training.descent import descents_of

        return descents_of([self, *others])


def _frame(columns: dict[str, np.ndarray]) -> "pandas.DataFrame":
    import pandas

    return pandas.DataFrame(columns)
