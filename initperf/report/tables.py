"""The measurements of a report, as tables: weights, signals, runs and the machine.

Nothing here draws: each function returns tidy DataFrames with units in the column names.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from initperf._core.parallel import default_threads, side_by_side
from initperf._core.progress import Progress
from initperf.activations import ACTIVATIONS
from initperf.data import Dataset
from initperf.initializers import INITIALIZERS, Initializer
from initperf.jit.blas import blas_threads
from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import STATISTICS, Batches, Descent, Records
from initperf.schemes import as_scheme
from initperf.training._epochs import CLASSES
from initperf.training.experiment import Experiment, settings
from initperf.training.network import Mlp
from initperf.training.run import Run

LAYER = (784, 256)
DEEP = (256,) * 20
SIGNAL_IMAGES = 1000

_BINS, _BEYOND = 72, 4  # bins of a histogram, and empty ones to either side
_FINE = 16
_BOUNDS_FAN_OUT = 10
_SIGNALS = (
    "preactivation_variance",
    "activation_mean",
    "activation_variance",
    "gradient_norm",
    "gradient_mean_abs",
    "dead_fraction",
    "saturated_fraction",
)


def distinct() -> list[str]:
    """Return the initializers that a report compares, in alphabetical order.

    They are those that declare ``in_report``, one name for each different rule: several may stand
    for one, as ``lecun_normal`` and ``fan_in_normal`` do, and training both would show one curve
    twice. The name kept is one that says what it suits, if any does.
    """
    kept: dict[Initializer, str] = {}
    for name, initializer in INITIALIZERS.items():
        if not initializer.in_report:
            continue
        if initializer not in kept or (
            initializer.suits and not INITIALIZERS[kept[initializer]].suits
        ):
            kept[initializer] = name
    return sorted(kept.values())


def weights_tables(names: Iterable[str], seed: int = 0) -> dict[str, pd.DataFrame]:
    """Draw a layer with each initializer and return its histogram and its statistics."""
    histograms, statistics = [], []
    for name in names:
        initializer = INITIALIZERS[name]
        w = initializer(LAYER, rng=seed).astype(np.float64).reshape(-1)
        low, high = _span(w, *initializer.support(LAYER))
        width = (high - low) / _BINS
        edges = low + width * np.arange(-_BEYOND, _BINS + _BEYOND + 1)
        measured, _ = np.histogram(w, edges, density=True)
        fine = edges[:-1, None] + width * (np.arange(_FINE) + 0.5) / _FINE
        declared = initializer.density(LAYER, fine)
        histograms.append(
            pd.DataFrame(
                {
                    "initializer": name,
                    "bin_left": edges[:-1],
                    "bin_right": edges[1:],
                    "density_measured": measured,
                    "density_declared": np.nan if declared is None else declared.mean(axis=1),
                }
            )
        )
        statistics.append(
            {
                "initializer": name,
                "rows": LAYER[0],
                "columns": LAYER[1],
                "mean": w.mean(),
                "variance": w.var(),
                "std": w.std(),
                "max_abs": np.abs(w).max(),
                "declared_mean": initializer.mean(LAYER),
                "declared_std": initializer.std(LAYER),
                "formula": initializer.formula,
                "cite": initializer.cite,
            }
        )
    return {
        "weights": pd.concat(histograms, ignore_index=True),
        "weight_statistics": pd.DataFrame(statistics),
    }


def _span(w: np.ndarray, least: float, most: float) -> tuple[float, float]:
    """Return where the bins begin and end: at the bounds of the law, if the weights come near."""
    low, high = float(w.min()), float(w.max())
    if high - low < 1e-3:
        return 0.5 * (low + high - 1e-3), 0.5 * (low + high + 1e-3)
    return (least, most) if most - least < 1.05 * (high - low) else (low, high)


def bounds_table(names: Iterable[str]) -> pd.DataFrame:
    """Return support and standard deviation against fan-in for the rules that depend on it."""
    rows = []
    for name in names:
        initializer = INITIALIZERS[name]
        if initializer.family != "variance_scaling":
            continue
        for fan_in in range(1, 101):
            shape = (fan_in, _BOUNDS_FAN_OUT)
            low, high = initializer.support(shape)
            rows.append((name, *shape, low, high, initializer.std(shape)))
    return pd.DataFrame(rows, columns=["initializer", "fan_in", "fan_out", "low", "high", "std"])


def signal_table(experiment: Experiment, images: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Send one batch through a deep network at its initial state, forward and back.

    Parameters
    ----------
    experiment : Experiment
        Says initializer, activation, hidden layers, residual blocks, biases, seed and backend.
    images, labels : numpy.ndarray
        The batch: (count, features) float32, and (count,).

    Returns
    -------
    pandas.DataFrame
        One row a hidden layer. Where the signal overflows float32, the layers behind, and all
        gradients, are NA.
    """
    sizes = (images.shape[1], *experiment.hidden, CLASSES)
    network = Mlp(
        sizes,
        experiment.activation,
        backend=experiment.backend,
        residual=experiment.residual,
    )
    scheme = as_scheme(experiment.initializer, experiment.biases)
    network.initialize(scheme, rng=experiment.seed, batch=images[: scheme.images])
    count = len(images)
    records = Records.of(1, network.depth, recorded=1)
    records.statistics[:] = np.nan
    KERNELS["train_epoch"][network.backend](
        network.arrays(count),
        Batches(images, labels, np.arange(count), count),
        Descent.plain(np.zeros(1), network.parameters),
        records,
    )
    hidden = records.statistics[0, : len(experiment.hidden)]
    hidden[~np.isfinite(hidden)] = np.nan
    columns: dict[str, Any] = {
        "initializer": experiment.initializer,
        "activation": experiment.activation,
        "seed": experiment.seed,
        "layer": np.arange(1, len(experiment.hidden) + 1),
    }
    for name in _SIGNALS:
        columns[name] = pd.array(hidden[:, STATISTICS.index(name)], dtype="Float64")
    return pd.DataFrame(columns)


def signals_table(
    experiments: Iterable[Experiment], dataset: Dataset, progress: Progress
) -> pd.DataFrame:
    """Return `signal_table` of every experiment's initial state, on the first test images."""
    count = min(SIGNAL_IMAGES, len(dataset.test_labels))
    images = dataset.features("test", "float32", count)
    labels = dataset.test_labels[:count].copy()
    wanted = list(experiments)
    parts = []
    with blas_threads(1):
        tables = side_by_side(
            lambda experiment: signal_table(experiment, images, labels),
            wanted,
            default_threads(),
        )
        for done, table in enumerate(tables):
            progress(done, len(wanted), "networks")
            parts.append(table)
    return pd.concat(parts).sort_values(["initializer", "activation", "seed", "layer"])


def run_tables(runs: Iterable[Run], dataset: Dataset) -> dict[str, pd.DataFrame]:
    """Return the runs as tables: one row a run, a step, an epoch, a step and layer.

    Parameters
    ----------
    runs : iterable of Run
    dataset : Dataset
        What they were trained on.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``"runs"`` has a column for each setting that runs must share to be compared, empty where
        a run's optimizer or schedule does not have it; ``"steps"``, ``"epochs"`` and ``"layers"``
        are those of the runs under each other.
    """
    declared = settings()
    rows: list[dict[str, Any]] = []
    parts: dict[str, list[pd.DataFrame]] = {"steps": [], "epochs": [], "layers": []}
    for run in runs:
        experiment = run.experiment
        sizes = (dataset.train_images.shape[1], *experiment.hidden, CLASSES)
        losses = run.step_columns["loss"]
        rows.append(
            {
                "run": run.name,
                "initializer": experiment.initializer,
                "activation": experiment.activation,
                "network": "-".join(map(str, sizes)),
                **run.dataset,
                "seed": experiment.seed,
                "backend": experiment.backend,
                **{
                    name: declared[name].text(value)
                    for name, value in experiment.flat().items()
                    if declared[name].compared
                },
                "status": run.status,
                "diverged_step": run.diverged_step,
                "test_accuracy": run.test_accuracy,
                "final_loss": losses[-1] if len(losses) else None,
                "train_seconds": run.train_seconds,
                "compile_seconds": run.compile_seconds,
                "steps": len(losses),
            }
        )
        for name, part in parts.items():
            frame = getattr(run, name)
            frame.insert(0, "run", run.name)
            part.append(frame)
    table = pd.DataFrame(rows).astype({"diverged_step": "Int64", "final_loss": "Float64"})
    return {"runs": table} | {
        name: pd.concat(part, ignore_index=True) for name, part in parts.items()
    }


def machine_table(dataset: Dataset, facts: dict[str, str]) -> pd.DataFrame:
    """Return the machine and the data as keys and values."""
    from initperf.kernels.philox import STREAM_VERSION

    rows = facts | {
        "data": dataset.stamp,
        "data source": dataset.source,
        "data digest": dataset.digest,
        "random stream version": str(STREAM_VERSION),
        "activations": ", ".join(ACTIVATIONS),
    }
    return pd.DataFrame(list(rows.items()), columns=["key", "value"])
