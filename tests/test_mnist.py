"""What the initializers do to a deep network on real images."""

import numpy as np
import pytest

from initperf import Experiment, data
from initperf.training.sweep import sweep

SEEDS = (0, 1, 2)


def accuracies(initializer, activation):
    """Return the test accuracies of three seeds, 784-512-256-128-10 on the 5,000 images."""
    experiments = [
        Experiment(
            initializer=initializer,
            activation=activation,
            dataset="mnist_5k",
            epochs=2,
            seed=seed,
            backend="numpy",
            record="none",
        )
        for seed in SEEDS
    ]
    runs = sweep(experiments, datasets={"mnist_5k": data.load("mnist_5k")})
    return np.array([run.test_accuracy for run in runs])


@pytest.mark.slow
def test_he_with_relu_and_glorot_with_tanh_beat_the_small_gaussian_by_far():
    for initializer, activation in (("he_normal", "relu"), ("glorot_uniform", "tanh")):
        gap = accuracies(initializer, activation) - accuracies("small_normal", activation)
        # paired by seed; three standard errors of a proportion of 1,000 images are 0.05
        assert gap.min() > 4 * 0.05, (initializer, activation, gap)
