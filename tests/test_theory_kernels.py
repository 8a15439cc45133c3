"""Kernels of infinitely wide networks against another library, closed forms and wide networks."""

import math

import numpy as np
import pytest
from exact_activations import ERF
from scipy import stats

from initperf.theory import MeanField, arc_cosine, erf_product, erf_slope_product, network_kernels

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
INPUTS = np.array([[1.0, 0.5, -0.3], [0.2, -1.0, 0.7], [0.9, 0.6, -0.2]])

# neural-tangents 0.6.5 on jax 0.4.30 in float64: stax.serial of three pairs of
# stax.Dense(100, W_std=1.7**0.5, b_std=0.1**0.5) and an activation, and stax.Dense(1, ...) of the
# same, kernel_fn(INPUTS, None, ("nngp", "ntk")); the upper triangles, row by row
RECORDED = {
    "relu": (
        [0.7849880833333333, 0.5608141615570182, 0.757523516711906,
         0.8511088749999999, 0.5431988539726915, 0.7397475416666666],
        [2.597702333333333, 0.8909093300731556, 2.3605759289440273,
         2.8621855, 0.8524221633959628, 2.416740166666666],
    ),
    "leaky_relu": (
        [0.7851693713135034, 0.5560251584178673, 0.7576893461723185,
         0.8513100012013599, 0.5384507178543442, 0.7399152561270753],
        [2.598396034531514, 0.8823732185752989, 2.3636054153951735,
         2.8629585540829394, 0.8436432233465112, 2.417379573785801],
    ),
    ERF: (
        [0.8307292316384266, 0.1516398952284576, 0.8197419033335692,
         0.8363165526846412, 0.1340847421270725, 0.8262316203228062],
        [3.5544913227024093, 0.08009865763653679, 3.455317866496749,
         3.6348183037462456, 0.00773333729964773, 3.4938686622517734],
    ),
}  # fmt: skip


@pytest.mark.parametrize("activation", RECORDED)
def test_kernels_are_those_of_neural_tangents(activation):
    kernels = network_kernels(MeanField(activation, 1.7, 0.1), INPUTS, depth=4)
    upper = np.triu_indices(3)
    nngp, ntk = RECORDED[activation]
    # both are right to a few roundings of the diagonal; neural-tangents adds 1e-15 inside of roots
    # whose derivative is up to 1/√(1 − c²), here below 10
    np.testing.assert_allclose(kernels.nngp[upper], nngp, rtol=0, atol=1e-12)
    np.testing.assert_allclose(kernels.ntk[upper], ntk, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(kernels.ntk, kernels.ntk.T)


def recursion(product, slope_product, weight, bias, depth):
    """Return the kernels of INPUTS by closed forms of matrices of second moments."""
    nngp = weight * INPUTS @ INPUTS.T / 3 + bias
    ntk = nngp
    for _ in range(depth - 1):
        q = np.diag(nngp)
        norm = np.sqrt(np.outer(q, q))
        c = np.clip(nngp / norm, -1, 1)
        slope = slope_product(q[:, None], q, c)
        nngp = weight * product(q[:, None], q, c) + bias
        ntk = nngp + weight * slope * ntk
    return nngp, ntk


@pytest.mark.parametrize("depth", [1, 2, 6])
@pytest.mark.parametrize(
    ("activation", "product", "slope"),
    [
        (ERF, erf_product, erf_slope_product),
        (
            "relu",
            lambda p, q, c: 0.5 * np.sqrt(p * q) * arc_cosine(c),
            lambda p, q, c: 0.5 * arc_cosine(c, 0),
        ),
    ],
)
def test_kernels_of_closed_forms_are_right_to_1e_10(activation, product, slope, depth):
    expected = recursion(product, slope, 1.9, 0.2, depth)
    kernels = network_kernels(MeanField(activation, 1.9, 0.2), INPUTS, depth=depth)
    # the slope's product is infinitely steep in c at 1, where a rounding of c is worth 1e-8: on the
    # diagonal the closed form is compared apart from it
    off = ~np.eye(3, dtype=bool)
    for found, wanted in zip((kernels.nngp, kernels.ntk), expected, strict=True):
        np.testing.assert_allclose(found[off], wanted[off], rtol=1e-10)
        np.testing.assert_allclose(np.diag(found), np.diag(wanted), rtol=1e-7)


def test_another_set_of_inputs_gives_the_same_entries():
    field = MeanField("silu", 1.5, 0.1)
    whole = network_kernels(field, INPUTS, depth=3)
    part = network_kernels(field, INPUTS[:1], INPUTS[1:], depth=3)
    np.testing.assert_allclose(part.nngp, whole.nngp[:1, 1:], rtol=1e-13)
    np.testing.assert_allclose(part.ntk, whole.ntk[:1, 1:], rtol=1e-13)
    zeros = network_kernels(MeanField("tanh", 1.5), np.zeros((2, 3)), depth=3)
    assert not zeros.nngp.any()
    assert not zeros.ntk.any()


WIDTH, DRAWS = 300, 80


def empirical(field, inputs, rng):
    """Return the gradient kernel of a random network of one output, and its output's product."""
    signals, layers = [inputs], []
    for fan_in, fan_out in ((inputs.shape[1], WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH)):
        weights = rng.standard_normal((fan_in, fan_out))
        z = math.sqrt(field.weight_variance / fan_in) * signals[-1] @ weights
        z += math.sqrt(field.bias_variance) * rng.standard_normal(fan_out)
        layers.append((weights, z))
        signals.append(field.activation.value(z))
    scale = field.weight_variance / WIDTH
    delta = np.tile(rng.standard_normal(WIDTH) * math.sqrt(scale), (len(inputs), 1))
    nngp = scale * signals[-1] @ signals[-1].T + field.bias_variance
    kernel = nngp.copy()
    for (weights, z), below in reversed(list(zip(layers, signals, strict=False))):
        delta = delta * field.activation.derivative(z)
        fan_in = below.shape[1]
        products = field.weight_variance / fan_in * below @ below.T + field.bias_variance
        kernel += products * (delta @ delta.T)
        delta = math.sqrt(field.weight_variance / fan_in) * delta @ weights.T
    return nngp, kernel


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_a_wide_network_has_the_kernels_predicted(activation):
    field = MeanField(activation, 1.6, 0.1)
    rng = np.random.default_rng(5)
    found = np.array([empirical(field, INPUTS, rng) for _ in range(DRAWS)])
    kernels = network_kernels(field, INPUTS, depth=4)
    # 12 numbers are compared for each activation
    error = stats.t.isf(CHANCE / 24, DRAWS - 1) * found.std(axis=0, ddof=1) / math.sqrt(DRAWS)
    for mean, allowed, predicted in zip(
        found.mean(axis=0), error, (kernels.nngp, kernels.ntk), strict=True
    ):
        # beside the sampling error, what 1/width leaves out in each of four layers
        limit = allowed + 4.0 / WIDTH * np.abs(np.diag(predicted)).max()
        assert np.all(np.abs(mean - predicted) < limit)
        # and the interval is narrow enough to tell a wrong term
        assert limit.max() < 0.2 * np.diag(predicted).max()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"inputs": [1.0, 2.0]}, r"inputs must have the shape \(count, features\), not \(2,\)"),
        ({"inputs": [[1.0, math.nan]]}, "inputs must be finite, not nan"),
        ({"others": [[1.0]]}, "others must have 3 features, not 1"),
        ({"depth": 0}, "depth must be a positive integer"),
        ({"field": MeanField("relu", [1.0, 2.0])}, "needs variances that are numbers"),
    ],
)
def test_what_has_no_kernel_is_refused(arguments, message):
    arguments = {"field": MeanField("relu", 2.0), "inputs": INPUTS, "depth": 2, **arguments}
    with pytest.raises(ValueError, match=message):
        network_kernels(arguments.pop("field"), arguments.pop("inputs"), **arguments)
