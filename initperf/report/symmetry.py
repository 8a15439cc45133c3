"""Similarity of the units of a layer after some training steps: equal weights stay equal.

Units of a layer that begin with the same weights receive the same gradients, and so are one unit
for ever (Goodfellow, Bengio & Courville 2016, section 8.4).
"""

from typing import TYPE_CHECKING

import numpy as np

from initperf._core.progress import Progress
from initperf.data import Dataset
from initperf.jit.blas import blas_threads
from initperf.training._epochs import Epochs
from initperf.training.experiment import Experiment

if TYPE_CHECKING:
    import pandas as pd

RULES = ("zeros", "constant", "glorot_uniform")
UNITS, STEPS = 16, 50
_BATCH = 32


def symmetry_table(activations: list[str], dataset: Dataset, progress: Progress) -> "pd.DataFrame":
    """Train small networks for a few steps and compare the units of their second layer.

    Parameters
    ----------
    activations : list of str
    dataset : Dataset
    progress : callable

    Returns
    -------
    pandas.DataFrame
        One row for each initializer, activation, unit and other unit: ``similarity``, the cosine
        of their incoming weights after ``steps`` steps, 1 for weights that are equal.
    """
    import pandas as pd

    count = min(_BATCH * STEPS, len(dataset.train_labels))
    images = dataset.features("train", "float32", count)
    labels = dataset.train_labels[:count].copy()
    cases = [(rule, activation) for activation in activations for rule in RULES]
    parts = []
    for done, (rule, activation) in enumerate(cases):
        progress(done, len(cases), "symmetry")
        similarity, steps = _similarity(rule, activation, images, labels)
        unit, other = np.indices(similarity.shape)
        parts.append(
            pd.DataFrame(
                {
                    "initializer": rule,
                    "activation": activation,
                    "steps": steps,
                    "unit": unit.ravel() + 1,
                    "other": other.ravel() + 1,
                    "similarity": similarity.ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _similarity(
    rule: str, activation: str, images: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, int]:
    """Train, and return the cosines of the units' incoming weights, and the steps done.

    Parameters
    ----------
    rule, activation : str
    images, labels : numpy.ndarray
        (count, features) float32, and (count,).
    """
    experiment = Experiment(
        rule,
        activation,
        hidden=(UNITS, UNITS),
        batch_size=_BATCH,
        learning_rate=0.05,
        record="none",
        backend="numpy",
    )
    epochs = Epochs(experiment, images, labels)
    epochs.initialize()
    with blas_threads(1):
        done, _ = epochs.run(np.arange(len(images)), 0, np.full(epochs.steps, 0.05))
    weights = list(epochs.network.layers())[1][0].astype(np.float64)
    norms = np.linalg.norm(weights, axis=0)
    equal = (weights[:, :, None] == weights[:, None, :]).all(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = (weights.T @ weights) / np.outer(norms, norms)
    return np.where(equal, 1.0, np.nan_to_num(cosines)), done
