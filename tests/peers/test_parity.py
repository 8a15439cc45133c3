"""What has the same name here and in PyTorch has the same law.

Two samples of each are compared by Kolmogorov and Smirnov's test, and moments and support with
what is declared here. These tests need PyTorch: ``pytest tests/peers``.
"""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from initperf import INITIALIZERS
from initperf.torch import init_

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
SHAPES = [(300, 500), (64, 16, 5, 5)]
init = torch.nn.init
PAIRS = {
    "xavier_uniform": (init.xavier_uniform_, "xavier_uniform", {}),
    "xavier_normal": (init.xavier_normal_, "xavier_normal", {}),
    "xavier_normal, gain": (lambda w: init.xavier_normal_(w, 5 / 3), "glorot", {"gain": 5 / 3}),
    "kaiming_uniform": (lambda w: init.kaiming_uniform_(w, nonlinearity="relu"), "he_uniform", {}),
    "kaiming_normal": (lambda w: init.kaiming_normal_(w, nonlinearity="relu"), "he_normal", {}),
    "kaiming_normal, fan_out": (
        lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
        "kaiming_normal",
        {"mode": "fan_out"},
    ),
    "kaiming_normal, linear": (
        lambda w: init.kaiming_normal_(w, nonlinearity="linear"),
        "lecun_normal",
        {},
    ),
    "kaiming_uniform, linear": (
        lambda w: init.kaiming_uniform_(w, nonlinearity="linear"),
        "lecun_uniform",
        {},
    ),
    "the default of a linear layer": (
        lambda w: init.kaiming_uniform_(w, a=math.sqrt(5)),
        "fan_in_uniform",
        {},
    ),
    "normal": (lambda w: init.normal_(w, 0.5, 2.0), "normal", {"loc": 0.5, "scale": 2.0}),
    "uniform": (lambda w: init.uniform_(w, -1.0, 3.0), "uniform", {"low": -1.0, "high": 3.0}),
    "trunc_normal": (init.trunc_normal_, "trunc_normal", {}),
    "trunc_normal, asymmetric": (
        lambda w: init.trunc_normal_(w, 0.5, 2.0, -1.0, 4.0),
        "trunc_normal",
        {"loc": 0.5, "scale": 2.0, "low": -1.0, "high": 4.0},
    ),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("case", PAIRS)
def test_the_law_is_that_of_pytorch(case, shape):
    theirs_of, name, parameters = PAIRS[case]
    torch.manual_seed(0)
    theirs = theirs_of(torch.empty(shape)).numpy().astype(np.float64).ravel()
    ours = init_(torch.empty(shape), name, rng=0, **parameters).numpy().astype(np.float64).ravel()
    assert stats.ks_2samp(theirs, ours).pvalue > CHANCE

    rule = INITIALIZERS[name].replace(**parameters)
    if hasattr(rule, "in_axis"):
        rule = rule.replace(in_axis=1, out_axis=0)
    mean, std = rule.mean(shape), rule.std(shape)
    low, high = np.array(rule.support(shape), np.float32)
    # Standard errors: σ/√n of a mean, and at most σ/√2n of a deviation, as no law here has a
    # kurtosis above 3.
    allowed = stats.norm.isf(CHANCE / 2) * std / math.sqrt(theirs.size)
    for values in (theirs, ours):
        assert abs(np.mean(values) - mean) < allowed
        assert abs(np.std(values) - std) < allowed / math.sqrt(2)
        assert np.min(values) >= np.nextafter(low, np.float32(-np.inf))
        assert np.max(values) <= np.nextafter(high, np.float32(np.inf))


@pytest.mark.parametrize("shape", [(30, 50), (50, 30), (8, 4, 3, 3)], ids=str)
def test_orthogonal_weights_are_orthogonal_as_those_of_pytorch(shape):
    for weight in (
        init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain=2.0),
        init_(torch.empty(shape, dtype=torch.float64), "orthogonal", rng=0, gain=2.0),
    ):
        # PyTorch flattens all axes but the first; so do we for (out, in, ...).
        values = np.linalg.svd(weight.numpy().reshape(shape[0], -1), compute_uv=False)
        np.testing.assert_allclose(values, 2.0, rtol=1e-12)


@pytest.mark.parametrize("name", ["zeros", "ones"])
def test_constants(name):
    theirs = getattr(init, f"{name}_")(torch.empty(3, 4))
    assert torch.equal(theirs, init_(torch.empty(3, 4), name))
