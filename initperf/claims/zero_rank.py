"""Rank of updates from identities (Zhao, Schäfer & Anandkumar 2022, ZerO, 2110.12661)."""

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._random import normals
from initperf.claims._training import run_epochs
from initperf.training._epochs import CLASSES, Epochs
from initperf.training.experiment import Experiment

_FEATURES, _WIDTH, _COUNT, _EPOCHS = 16, 64, 640, 10
_ROUNDING = 1e-9  # relative to the largest singular value; float64, some 100 steps


def _rank(initializer: str, seed: int) -> float:
    """Return the rank of the change of the middle layer's weights."""
    images = normals(seed, 0, (_COUNT, _FEATURES), dtype="float64")
    readout = normals(seed, 1, (_FEATURES, CLASSES), dtype="float64")
    labels = (images @ readout).argmax(axis=1)
    experiment = Experiment(
        initializer,
        "relu",
        hidden=(_WIDTH, _WIDTH),
        learning_rate=0.1,
        epochs=_EPOCHS,
        batch_size=64,
        dtype="float64",
        record="none",
        seed=seed,
    )
    epochs = Epochs(experiment, images, labels)
    epochs.initialize()
    before = [weights.copy() for weights, _ in epochs.network.layers()][1]
    run_epochs(epochs)
    after = [weights for weights, _ in epochs.network.layers()][1]
    values = np.linalg.svd(after - before, compute_uv=False)
    return float(np.sum(values > _ROUNDING * values[0]))


def _identity(seed: int, quick: bool) -> float:
    return _rank("identity", seed)


def _hadamard(seed: int, quick: bool) -> float:
    return _rank("zero_hadamard", seed)


_CITE = "Zhao, Schäfer & Anandkumar 2022 (2110.12661), section 3"
_SETTING = "ReLU, 16 features, two hidden layers of 64 units, 10 classes, 100 steps, float64."

register(
    Claim(
        name="identity_rank",
        statement="From identities alone, the updates of a layer have at most the rank of the "
        "number of inputs.",
        cite=_CITE,
        setting=_SETTING,
        quantity="rank of the change of the 64 × 64 weights",
        number=None,
        low=0.0,
        high=float(_FEATURES),
        tolerance="none.",
        measure=_identity,
        seeds=5,
    )
)
register(
    Claim(
        name="hadamard_rank",
        statement="With Hadamard's matrix in the layer that grows, the rank is larger than the "
        "number of inputs.",
        cite=_CITE,
        setting=_SETTING,
        quantity="rank of the change of the 64 × 64 weights",
        number=None,
        low=_FEATURES + 1.0,
        high=float(_WIDTH),
        tolerance="none.",
        measure=_hadamard,
        seeds=5,
    )
)
