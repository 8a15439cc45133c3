"""Measurements of a report as tidy tables: signals and the machine; and the rules it compares.

Units are in the names of the columns.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from initperf._core.progress import Progress
from initperf.activations import ACTIVATIONS
from initperf.data import Dataset
from initperf.initializers import INITIALIZERS, Initializer
from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import STATISTICS, Batches, Descent, Records
from initperf.schemes import as_scheme
from initperf.training._epochs import CLASSES
from initperf.training.each_network import EachNetwork
from initperf.training.experiment import Experiment
from initperf.training.network import Mlp

DEEP = (256,) * 20
"""Hidden layers of the networks whose signals a report shows, unless others are given."""
SIGNAL_IMAGES, QUICK_SIGNAL_IMAGES = 1000, 250
"""Images that are sent through these networks, in a whole report and in a quick one."""

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


def signal_table(
    experiment: Experiment, images: np.ndarray, labels: np.ndarray, classes: int = CLASSES
) -> pd.DataFrame:
    """Send one batch through an experiment's network at its initial state, forward and back.

    Parameters
    ----------
    experiment : Experiment
        Its network, initializer, seed and backend are used, and nothing is trained.
    images, labels : numpy.ndarray
        The batch: (count, features), and (count,) int64.
    classes : int
        Outputs of the network.

    Returns
    -------
    pandas.DataFrame
        One row a hidden layer: ``initializer``, ``activation``, ``seed``, ``layer`` from 1, and
        the signal. Where it diverges, the layers behind, and all gradients, are NA.

    Raises
    ------
    ValueError
        When a scheme does not apply to the network or the images.
    """
    images = np.ascontiguousarray(images, experiment.dtype)
    sizes = (images.shape[1], *experiment.hidden, classes)
    network = Mlp(
        sizes, experiment.activation, experiment.dtype, experiment.backend, experiment.residual
    )
    scheme = as_scheme(experiment.rule, experiment.biases)
    examples = slice(scheme.images)
    network.initialize(scheme, experiment.seed, batch=images[examples], labels=labels[examples])
    count, depth = len(images), len(experiment.hidden)
    records = Records.of(1, network.depth, recorded=1)
    records.statistics[:] = np.nan
    KERNELS["train_epoch"][network.backend](
        network.arrays(count),
        Batches(images, labels, np.arange(count), count),
        Descent.plain(np.zeros(1), network.parameters),
        records,
    )
    hidden = records.statistics[0, :depth]
    hidden[~np.isfinite(hidden)] = np.nan
    columns: dict[str, Any] = {
        "initializer": experiment.initializer,
        "activation": experiment.activation,
        "seed": experiment.seed,
        "layer": np.arange(1, depth + 1),
    }
    for name in _SIGNALS:
        columns[name] = pd.array(hidden[:, STATISTICS.index(name)], dtype="Float64")
    return pd.DataFrame(columns)


def signals(
    experiments: Iterable[Experiment], dataset: Dataset, images: int = SIGNAL_IMAGES
) -> EachNetwork:
    """Return how `signals_table` is made; parameters as there."""
    count = min(images, len(dataset.test_labels))
    batch = dataset.features("test", "float32", count)
    labels = dataset.test_labels[:count].copy()
    return EachNetwork(
        tuple(experiments),
        lambda one: signal_table(one, batch, labels, dataset.classes),
        ("initializer", "activation", "seed", "layer"),
    )


def signals_table(
    experiments: Iterable[Experiment],
    dataset: Dataset,
    progress: Progress,
    images: int = SIGNAL_IMAGES,
) -> pd.DataFrame:
    """Return the signals of the first test images in networks at their initial state.

    Parameters
    ----------
    experiments : iterable of Experiment
        Their networks are used, and nothing is trained.
    dataset : Dataset
        What has the test images.
    progress : callable
        Told ``(done, total, label)`` after each network.
    images : int
        How many, at most; fewer where the set has fewer.

    Returns
    -------
    pandas.DataFrame
        The rows of `signal_table` of each.
    """
    return signals(experiments, dataset, images).table(progress)


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
