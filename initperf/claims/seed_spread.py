"""Spread of results over seeds, which tutorials warn of."""

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._training import accuracy
from initperf.training.experiment import Experiment

_RUNS = 4


def _spread(seed: int, quick: bool) -> float:
    """Return the standard deviation of test accuracies of runs with seeds of their own."""
    found = [
        accuracy(Experiment("he_normal", "relu", hidden=(64,), epochs=1, seed=seed * _RUNS + run))
        for run in range(_RUNS)
    ]
    return 100.0 * float(np.std(found, ddof=1))


register(
    Claim(
        name="seeds_differ",
        statement="Runs that differ in their seed alone end with different accuracies.",
        cite="Tutorials on reproducibility; a warning without a number",
        setting="one ReLU layer of 64 units, 5,000 images of MNIST, gradient descent, one epoch; "
        "4 runs each seed, whose weights and order of batches differ.",
        quantity="standard deviation of the test accuracy, in points",
        number=None,
        low=0.1,
        high=20.0,
        tolerance="at least 0.1 points: what tables of accuracies print.",
        measure=_spread,
        source_read="no source read",
        seeds=10,
        quick_seeds=6,
    )
)
