"""All measurements of a report: timings first, on a quiet machine, then training."""

import dataclasses
import sys
from typing import TYPE_CHECKING

from initperf import data
from initperf._core.progress import Stages
from initperf.benchmarks import machine, roofline, speed
from initperf.errors import UsageError
from initperf.initializers import INITIALIZERS
from initperf.report import tables
from initperf.training._precompile import compiling
from initperf.training.experiment import Experiment, grid
from initperf.training.sweep import sweep

if TYPE_CHECKING:
    import pandas as pd

_EPOCHS, _QUICK_EPOCHS = 5, 1


@dataclasses.dataclass(frozen=True)
class Settings:
    """Choice of what a report measures.

    Attributes
    ----------
    quick : bool
        Whether to time and train less.
    seeds : int
        Runs of each initializer and activation.
    epochs : int, optional
        Passes over the data of each run; by default 5, and 1 of a quick report.
    dataset : str
        Name of a data set.
    data_dir : str, optional
        Directory of IDX files.
    initializers : tuple of str
        Names; empty for one name of each rule that declares ``in_report``.
    activations : tuple of str
        Names; each is trained with each initializer.
    backend : str
        ``"numba"`` or ``"numpy"``.
    benchmarks : str, optional
        JSON file of pytest-benchmark from which the timings are read instead of measured.

    Raises
    ------
    UsageError
        When there are fewer seeds than one.
    """

    quick: bool = False
    seeds: int = 3
    epochs: int | None = None
    dataset: str = "mnist"
    data_dir: str | None = None
    initializers: tuple[str, ...] = ()
    activations: tuple[str, ...] = ("relu", "tanh")
    backend: str = "numba"
    benchmarks: str | None = None

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UsageError(f"seeds must be at least 1, not {self.seeds}")

    def experiments(self) -> list[Experiment]:
        """Return the training runs of the report.

        Raises
        ------
        ValueError
            For unknown names and values out of range.
        """
        names = self.initializers or tables.distinct()
        return list(
            grid(
                initializer=sorted({INITIALIZERS.canonical(name) for name in names}),
                activation=list(self.activations),
                seed=list(range(self.seeds)),
                dataset=self.dataset,
                epochs=self.epochs or (_QUICK_EPOCHS if self.quick else _EPOCHS),
                backend=self.backend,
            )
        )


def measure(
    settings: Settings, experiments: list[Experiment], stages: Stages
) -> "dict[str, pd.DataFrame]":
    """Measure everything that a report shows.

    Parameters
    ----------
    settings : Settings
    experiments : list of Experiment
        Result of ``settings.experiments()``.
    stages : callable
        ``stages(title)`` is a context manager that gives a progress callback for a stage.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables, by name, as `initperf_figures` takes them.

    Raises
    ------
    DataError
        When the data cannot be loaded, or the file holds no benchmarks.
    """
    warning = None if settings.benchmarks else machine.busy()
    with compiling(experiments, joining=False) as finish:
        dataset = data.load(settings.dataset, settings.data_dir)
        if warning:
            print(f"initperf: {warning}", file=sys.stderr)
        if not settings.benchmarks:
            with stages("compiling") as progress:
                speed.compile_draws(progress)
        finish()
    if settings.benchmarks:
        speeds = {"speed": speed.from_benchmark_json(settings.benchmarks)}
    else:
        with stages("timing") as progress:
            speeds = {"speed": speed.speed_table(quick=settings.quick, progress=progress)}
        speeds |= roofline.roofline_tables()
    with stages("training") as progress:
        runs = sweep(experiments, datasets={settings.dataset: dataset}, progress=progress)
    with stages("signals") as progress:
        states = [one for one in experiments if one.seed == 0 or not settings.quick]
        signals = tables.signals_table(states, dataset, progress)
    names = sorted({one.initializer for one in experiments})
    return {
        **tables.run_tables(runs, dataset),
        "signal": signals,
        **tables.weights_tables(names),
        "bounds": tables.bounds_table(names),
        **speeds,
        "machine": tables.machine_table(dataset, machine.describe()),
    }
