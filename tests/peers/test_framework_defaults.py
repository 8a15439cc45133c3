"""The schemes named after frameworks against the layers that these frameworks make.

These tests need PyTorch and Keras: ``pytest tests/peers``.
"""

import math

import keras
import numpy as np
import pytest
import torch
from scipy import stats

from initperf import draw_network

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
SIZES = (300, 200, 50, 10)


@pytest.mark.parametrize("layer", range(len(SIZES) - 1))
@pytest.mark.parametrize("part", ["weight", "bias"])
def test_linear_layers_of_pytorch_start_from_the_same_law(layer, part):
    torch.manual_seed(0)
    n, m = SIZES[layer : layer + 2]
    # several layers of theirs, as one has but few biases
    theirs = np.concatenate(
        [getattr(torch.nn.Linear(n, m), part).detach().numpy().ravel() for _ in range(20)]
    )
    place = ("weight", "bias").index(part)
    ours = np.concatenate(
        [draw_network("torch.Linear", SIZES, rng=seed)[layer][place].ravel() for seed in range(20)]
    )
    assert stats.ks_2samp(theirs, ours).pvalue > CHANCE
    bound = 1 / math.sqrt(n)
    for values in (theirs, ours):
        # the largest of N magnitudes falls short by a relative t with chance (1 − t)^N
        largest = np.abs(values.astype(np.float64)).max() / bound
        assert CHANCE ** (1 / values.size) < largest <= 1 + 2.0**-23
        # the fourth moment of a uniform distribution is 9/5 of the squared variance
        std = bound / math.sqrt(3)
        allowed = stats.norm.isf(CHANCE / 2) * std * math.sqrt((9 / 5 - 1) / (4 * values.size))
        assert abs(math.sqrt(np.mean(values.astype(np.float64) ** 2)) - std) < allowed


@pytest.mark.parametrize("layer", range(len(SIZES) - 1))
def test_dense_layers_of_keras_start_from_the_same_law(layer):
    n, m = SIZES[layer : layer + 2]
    theirs = []
    for seed in range(20):
        keras.utils.set_random_seed(seed)
        dense = keras.layers.Dense(m)
        dense.build((None, n))
        weights, biases = np.asarray(dense.kernel.value), np.asarray(dense.bias.value)
        assert not biases.any()
        theirs.append(weights.ravel())
    ours = []
    for seed in range(20):
        weights, biases = draw_network("keras.Dense", SIZES, rng=seed)[layer]
        assert not biases.any()
        ours.append(weights.ravel())
    theirs, ours = np.concatenate(theirs), np.concatenate(ours)
    assert stats.ks_2samp(theirs, ours).pvalue > CHANCE
    bound = math.sqrt(6 / (n + m))
    for values in (theirs, ours):
        largest = np.abs(values.astype(np.float64)).max() / bound
        assert CHANCE ** (1 / values.size) < largest <= 1 + 2.0**-23
