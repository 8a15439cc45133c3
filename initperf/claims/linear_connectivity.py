"""Two runs from one initialization (Frankle, Dziugaite, Roy & Carbin 2020, 1912.05671)."""

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._training import run_epochs, started, tested
from initperf.training._epochs import Epochs
from initperf.training.experiment import Experiment

_POINTS = 11


def _trained(experiment: Experiment, order_seed: int) -> Epochs:
    """Train from the experiment's first weights, with the order of batches of another seed."""
    epochs = started(experiment)
    run_epochs(epochs, order_seed)
    return epochs


def _barrier(first: Epochs, second: Epochs) -> float:
    """Return by how much the largest test error between two networks exceeds their mean, in %."""
    ends = first.network.parameters.copy(), second.network.parameters.copy()
    errors = []
    for share in np.linspace(0.0, 1.0, _POINTS, dtype=np.float32):
        first.network.parameters[:] = (1 - share) * ends[0] + share * ends[1]
        errors.append(1.0 - tested(first))
    return 100.0 * (max(errors) - 0.5 * (errors[0] + errors[-1]))


def _experiment(seed: int, quick: bool) -> Experiment:
    return Experiment(
        "glorot_normal",
        "relu",
        hidden=(300, 100),
        optimizer="adam",
        learning_rate=1.2e-3,
        epochs=5 if quick else 10,
        batch_size=60,
        record="none",
        seed=seed,
    )


def _same(seed: int, quick: bool) -> float:
    experiment = _experiment(seed, quick)
    return _barrier(_trained(experiment, 1000 + seed), _trained(experiment, 2000 + seed))


def _different(seed: int, quick: bool) -> float:
    other = _experiment(seed + 500, quick)
    return _barrier(_trained(_experiment(seed, quick), 1000 + seed), _trained(other, 2000 + seed))


_CITE = "Frankle, Dziugaite, Roy & Carbin 2020 (1912.05671), section 3, LeNet on MNIST"
_SETTING = (
    "LeNet-300-100, 5,000 images of MNIST, Adam, rate 0.0012, batches of 60, 10 epochs, quick 5; "
    "the paper has 60,000 images."
)

register(
    Claim(
        name="connected_from_one_start",
        statement="Two runs of LeNet-300-100 from the same first weights, with different batches, "
        "are connected linearly: no barrier of 2 points.",
        cite=_CITE,
        setting=_SETTING,
        quantity="barrier of the test error, in points",
        number=0.0,
        low=-2.0,
        high=2.0,
        tolerance="2 points, the paper's bound of stability.",
        measure=_same,
        seeds=8,
        quick_seeds=6,
    )
)
register(
    Claim(
        name="parted_from_two_starts",
        statement="Two runs from different first weights are not connected linearly.",
        cite=_CITE,
        setting=_SETTING,
        quantity="barrier of the test error, in points",
        number=None,
        low=2.0,
        high=100.0,
        tolerance="more than the 2 points of stability.",
        measure=_different,
        seeds=8,
        quick_seeds=8,
    )
)
