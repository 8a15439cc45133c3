"""Loss along the first gradient of untrained networks, beside what its derivatives predict.

From the first weights θ, with the gradient g and the Hessian H there, the loss at θ − η g is
L − η |g|² to first and L − η |g|² + η² gᵀH g / 2 to second order, so that a step of |g|² / gᵀH g is
the longest that helps most (LeCun, Simard & Pearlmutter, "Automatic learning rate maximization by
on-line estimation of the Hessian's eigenvectors", NIPS 1992).
"""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from initperf import data
from initperf._core.progress import Progress, silent
from initperf.data import Dataset
from initperf.errors import DataError
from initperf.losses import CLASSIFICATION, LOSSES
from initperf.schemes import as_scheme
from initperf.schemes._loss import Loss
from initperf.training._epochs import CLASSES, batch_order
from initperf.training.each_network import EachNetwork
from initperf.training.experiment import Experiment
from initperf.training.network import Mlp
from initperf.training.setups import name_setups

if TYPE_CHECKING:
    import pandas as pd

    from initperf.training.run import Run

STEPS = tuple(float(step) for step in np.logspace(-3, 1, 17))
"""Lengths of steps along the gradient, in units of the learning rate."""


def descent_table(
    experiment: Experiment, images: np.ndarray, labels: np.ndarray, outputs: int = CLASSES
) -> "pd.DataFrame":
    """Return the loss of the first batch after one step of gradient descent, by learning rate.

    Parameters
    ----------
    experiment : Experiment
        Its first weights and its first batch are used, in float64; nothing is trained.
    images, labels : numpy.ndarray
        All that it would be trained on: (count, features) of its dtype, and (count,) int64.
    outputs : int
        Outputs of the network.

    Returns
    -------
    pandas.DataFrame
        A row for each of `STEPS`: ``initializer``, ``activation``, ``seed``, ``learning_rate``,
        ``loss``, ``first_order`` and ``second_order``, NaN where they are not finite, and
        ``start_loss``, the same in all rows.

    Raises
    ------
    ValueError
        When a scheme does not apply to the network or the images.
    """
    import pandas as pd

    order = batch_order(experiment, 0, len(images))
    scheme = as_scheme(experiment.rule, experiment.biases)
    sizes = (images.shape[1], *experiment.hidden, outputs)
    network = Mlp(
        sizes, experiment.activation, experiment.dtype, experiment.backend, experiment.residual
    )
    seen, batch = order[: scheme.images], order[: experiment.batch_size]
    network.initialize(scheme, experiment.seed, batch=images[seen], labels=labels[seen])
    loss = Loss(network, images[batch].astype("float64"), labels[batch])
    columns = _along_gradient(loss, network.parameters.astype("float64"))
    return pd.DataFrame(
        {
            "initializer": experiment.initializer,
            "activation": experiment.activation,
            "seed": experiment.seed,
            "learning_rate": STEPS,
            **{name: np.where(np.isfinite(x), x, np.nan) for name, x in columns.items()},
        }
    )


def _along_gradient(loss: Loss, start: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of losses of `descent_table`.

    Parameters
    ----------
    loss : Loss
    start : numpy.ndarray
        (count,) float64, the first parameters.
    """
    steps = np.array(STEPS)
    with np.errstate(all="ignore"):  # large weights overflow
        (gradient,) = loss.gradients(start)
        _, curved = loss.gradients(start, gradient)
        here = loss.value(start)
        first = here - steps * float(gradient @ gradient)
        return {
            "loss": loss.values_along(start, -gradient, STEPS),
            "first_order": first,
            "second_order": first + 0.5 * steps**2 * float(gradient @ curved),
            "start_loss": np.full(len(steps), here),
        }


def descents(experiments: Iterable[Experiment], dataset: Dataset) -> EachNetwork:
    """Return how `descents_table` is made; parameters as there."""
    wanted = tuple(one for one in experiments if LOSSES[one.loss] is CLASSIFICATION)
    images = {dtype: dataset.features("train", dtype) for dtype in {one.dtype for one in wanted}}
    labels = dataset.train_labels
    return EachNetwork(
        wanted,
        lambda one: descent_table(one, images[one.dtype], labels, dataset.classes),
        ("initializer", "activation", "seed", "learning_rate"),
    )


def descents_table(
    experiments: Iterable[Experiment], dataset: Dataset, progress: Progress
) -> "pd.DataFrame":
    """Return the rows of `descent_table` of every experiment with classes.

    Parameters
    ----------
    experiments : iterable of Experiment
    dataset : Dataset
    progress : callable
        Told ``(done, total, label)`` after each network.
    """
    return descents(experiments, dataset).table(progress)


def descents_of(
    runs: "Iterable[Run]",
    *,
    besides: Iterable[str] = (),
    directory: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> "pd.DataFrame":
    """Return the rows of `descent_table` of runs on data that have a name, by setup.

    Parameters
    ----------
    runs : iterable of Run
    besides : iterable of str
        Settings that differ without making another setup, such as a searched learning rate.
    directory : path, optional
        Where the data are, see `initperf.data.load`.
    progress : callable
        Told ``(done, total, label)`` after each network of a setup.

    Raises
    ------
    DataError
        When the data of a run cannot be loaded, or are not those that their name loads.
    """
    import pandas as pd

    every = list(runs)
    setups = name_setups((run.experiment for run in every), besides)
    parts = []
    for (name, digest), own in _by_data(every).items():
        dataset = data.load(name, directory)
        if dataset.digest != digest:
            raise DataError(f"the runs were trained on other data than {name} ({dataset.stamp})")
        for words in dict.fromkeys(setups[one] for one in own):
            chosen = [one for one in own if setups[one] == words]
            parts.append(descents_table(chosen, dataset, progress).assign(setup=words))
    return pd.concat(parts, ignore_index=True)


def _by_data(runs: "Iterable[Run]") -> dict[tuple[str, str], list[Experiment]]:
    """Return the experiments of runs by name and digest of their data."""
    found: dict[tuple[str, str], list[Experiment]] = {}
    for run in runs:
        place = run.experiment.dataset, run.dataset["dataset_digest"]
        found.setdefault(place, []).append(run.experiment)
    return found
