"""Small networks with their data, and steps of them by the loop that trains."""

import numpy as np

from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import Batches, Descent, Records
from initperf.optimizers import OPTIMIZERS
from initperf.training.network import Mlp


def one_step(
    network, images, labels, rate=0.0, clip_norm=0.0, optimizer="sgd", clip_globally=False
):
    """Return (loss, flat gradients, statistics) of one step on one batch."""
    rule, count = OPTIMIZERS[optimizer], len(images)
    rule = rule.replace(weight_decay=0.0 if optimizer == "sgd" else 0.01)
    factors = rule.factors(np.array([rate]), 0)
    descent = Descent.start(rule, factors, network.parameters)
    arrays, records = network.arrays(count), Records.of(1, network.depth, recorded=1)
    done = KERNELS["train_epoch"][network.backend](
        arrays,
        Batches(images, labels, np.arange(count), count),
        descent._replace(clip_norm=clip_norm, clip_globally=clip_globally),
        records,
    )
    assert tuple(done) == (1, 0)
    return records.losses[0], arrays.gradients, records.statistics[0]


def problem(activation, backend, dtype="float64", sizes=(6, 7, 5, 4), count=9, residual=0):
    rng = np.random.default_rng(11)
    network = Mlp(sizes, activation, dtype, backend, residual).initialize("glorot_normal", rng=4)
    for _, biases in network.layers():
        biases[:] = 0.1 * rng.standard_normal(len(biases))
    images = rng.standard_normal((count, sizes[0])).astype(dtype)
    return network, images, rng.integers(0, sizes[-1], count)


BLOCKS = {
    1: ((6, 5, 5, 4, 4, 3), [(1,), (3,)]),
    2: ((6, 5, 3, 5, 4, 6, 4, 3), [(1, 2), (4, 5)]),
    3: ((6, 5, 4, 4, 5, 2, 6, 5, 5, 3), [(1, 2, 3), (4, 5, 6)]),
}


def inputs(count, features, seed=0):
    """Return inputs as images are: none negative, with a mean of their own each."""
    rng = np.random.default_rng(seed)
    return rng.random((count, features)) * rng.random((count, 1))


def descend(network, x, labels, rates, optimizer, layer_rates):
    """Take a step of the whole batch at each of some rates, by the loop that trains."""
    rule, steps = OPTIMIZERS[optimizer], len(rates)
    descent = Descent.start(rule, rule.factors(rates, 0), network.parameters)
    done, _ = KERNELS["train_epoch"][network.backend](
        network.arrays(len(x)),
        Batches(x, labels, np.tile(np.arange(len(x)), steps), len(x)),
        descent._replace(layer_rates=np.array(layer_rates)),
        Records.of(steps, network.depth),
    )
    assert done == len(rates)
