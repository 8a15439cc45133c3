"""Shaped activations: the conditions of DKS and TAT, and networks that follow their C maps."""

import math

import numpy as np
import pytest
from scipy import stats

import initperf
from initperf.activations import ACTIVATIONS
from initperf.errors import UnsuitableError
from initperf.schemes import SCHEMES, signals
from initperf.theory import (
    MeanField,
    deep_kernel_shaping,
    leaky_correlation_map,
    tailored_activation,
    tailored_slope,
)
from initperf.training.network import Mlp

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
SHAPED = ("tanh", "sigmoid", "silu", "gelu", "softplus", "elu", "selu")


@pytest.mark.exhaustive(keep=3)
@pytest.mark.parametrize("depth", [5, 50])
@pytest.mark.parametrize("name", SHAPED)
def test_shaped_activations_meet_the_four_conditions(name, depth):
    """By the maps of the transformed function, whose intervals are found anew."""
    field = MeanField(deep_kernel_shaping(name, depth).shaped, 1.0)
    assert field.q_map(1.0) == pytest.approx(1.0, abs=1e-10)
    assert field.q_slope(1.0) == pytest.approx(1.0, abs=1e-10)
    assert field.chi(1.0) == pytest.approx(1.5 ** (1.0 / depth), abs=1e-10)
    assert field.correlation_map(0.0, 1.0) == pytest.approx(0.0, abs=1e-10)


# dks 0.1.2: dks.base.activation_transform._get_activations_params(activation_names=(name,),
# method="DKS", dks_params={"c_slope_1_target": 1.5}, max_slope_func=lambda s: s**depth), the values
# of input_scale, input_shift, output_scale and output_shift
RECORDED = {
    ("softplus", 10): (
        0.810279542532869,
        0.41900040827049245,
        2.046517222038863,
        -0.9981736048424656,
    ),
    ("tanh", 10): (0.296650098750415, 0.6528036088092687, 4.964600167211167, -0.542496162145209),
    ("swish", 10): (
        0.43691658893295104,
        0.3413047253556451,
        3.428074470282697,
        -0.2427555777538704,
    ),
    ("softplus", 50): (0.326625173443443, 0.409373967652163, 5.094842886884632, -0.931284301962537),
    ("tanh", 50): (0.12844047873558254, 0.5707795475033656, 10.604447624744472, -0.50980724173699),
    ("swish", 50): (
        0.18442861360101906,
        0.3488179216642604,
        8.081396143139461,
        -0.2124652446623589,
    ),
}


@pytest.mark.parametrize(("name", "depth"), RECORDED)
def test_transformations_are_those_of_the_papers_own_package(name, depth):
    found = deep_kernel_shaping(name, depth)
    constants = found.input_scale, found.input_shift, found.output_scale, found.output_shift
    # that package solves the conditions to 1e-10, and slopes differ from 1 by 0.008 at 50 layers
    assert constants == pytest.approx(RECORDED[name, depth], rel=1e-7)


def test_the_map_of_a_whole_shaped_network_stays_near_the_identity():
    field = MeanField(deep_kernel_shaping("tanh", 30).shaped, 1.0)
    before = np.array([-0.5, 0.0, 0.5, 0.9])
    after = field.correlations(before, 31)[-1]
    # Martens et al. 2021: |C(c) − c| is at most 2(ζ − 1) where C(0) = 0 and C'(1) = ζ
    assert np.abs(after - before).max() <= 2.0 * 0.5
    assert after[1] == pytest.approx(0.0, abs=1e-8)
    assert np.all(np.diff(after) > 0.2)


def test_what_cannot_be_shaped_is_refused():
    for name in ("linear", "relu", "leaky_relu"):
        with pytest.raises(UnsuitableError, match=f"no scale and shift of {name}"):
            deep_kernel_shaping(name, 10)
    with pytest.raises(UnsuitableError, match="give 1 layer the kernel of DKS"):
        deep_kernel_shaping("relu", 1)
    for bad in (1.0, 0.5, math.nan, math.inf, "2"):
        with pytest.raises(ValueError, match="slope must be finite and above 1"):
            deep_kernel_shaping("tanh", 10, bad)
    with pytest.raises(ValueError, match="depth must be a positive integer"):
        deep_kernel_shaping("tanh", 0)


@pytest.mark.parametrize("slope", [0.0, 0.01, 1.0])
def test_the_leaky_map_is_that_of_the_mean_field(slope):
    name = {0.0: "relu", 0.01: "leaky_relu", 1.0: "linear"}[slope]
    field = MeanField(name, 2.0 / (1.0 + slope**2))
    c = np.linspace(-1.0, 1.0, 21)
    found = leaky_correlation_map(c, slope)
    np.testing.assert_allclose(found, field.correlation_map(c, 1.0), rtol=0, atol=1e-15)


@pytest.mark.parametrize("depth", [1, 10, 50, 200])
def test_the_tailored_slope_brings_orthogonal_inputs_to_the_correlation(depth):
    wanted = {1: 0.2, 10: 0.8}.get(depth, 0.9)
    slope, c = tailored_slope(depth, wanted), 0.0
    for _ in range(depth):
        c = leaky_correlation_map(c, slope)
    assert c == pytest.approx(wanted, abs=1e-11)
    if depth == 50:  # the same package, method="TAT", c_val_0_target=0.9, to its tolerance
        assert slope == pytest.approx(0.43052294850349426, abs=1e-10)
    assert 0.0 < slope < 1.0
    with pytest.raises(ValueError, match=r"which 1 layers of ReLU reach, not 0\.9"):
        tailored_slope(1, 0.9)
    for bad in (0.0, 1.0):
        with pytest.raises(ValueError, match="correlation must be above 0 and at most"):
            tailored_slope(10, bad)


TAILORED = ("tanh", "sigmoid", "silu", "gelu", "gelu_erf", "softplus", "sin")


@pytest.mark.parametrize("depth", [5, 50])
@pytest.mark.parametrize("name", TAILORED)
def test_tailored_activations_meet_the_four_conditions(name, depth):
    """By the maps of the transformed function, and a difference of the C map's slope."""
    field = MeanField(tailored_activation(name, depth).shaped, 1.0)
    # stated: 1e-7
    assert field.q_map(1.0) == pytest.approx(1.0, abs=1e-7)
    assert field.q_slope(1.0) == pytest.approx(1.0, abs=1e-7)
    assert field.chi(1.0) == pytest.approx(1.0, abs=1e-7)
    step = 1e-4
    ends = [field.correlation_slope(1.0 - n * step, 1.0) for n in (0, 1, 2)]
    curvature = (3.0 * ends[0] - 4.0 * ends[1] + ends[2]) / (2.0 * step)
    # the fourth derivative of the map times step², and 1e-12 by the step
    assert curvature == pytest.approx(0.3 / depth, rel=1e-4, abs=1e-7)


# dks 0.1.2 as above with method="TAT", tat_params={"c_curve_target": 0.3} and
# max_curv_func=lambda c: c * depth; of tanh at 10 layers it finds the mirror image, −β and −δ
TAILORED_RECORDED = {
    ("tanh", 50): (0.08165523496542139, 0.5258489444580032, 15.94163367573739, -0.483188954744796),
    ("softplus", 10): (
        0.49620301196950606,
        0.5600071642047731,
        3.1538852403562525,
        -1.000979748232213,
    ),
    ("silu", 10): (
        0.2830136675139467,
        0.4507897059145417,
        4.900317959663571,
        -0.2682384711693129,
    ),
    ("silu", 50): (
        0.1233588635937184,
        0.4474844794930677,
        11.304155680447902,
        -0.2715723948580853,
    ),
}


@pytest.mark.parametrize(("name", "depth"), TAILORED_RECORDED)
def test_tailored_transformations_are_those_of_the_papers_own_package(name, depth):
    found = tailored_activation(name, depth)
    constants = found.input_scale, found.input_shift, found.output_scale, found.output_shift
    # the curvature, 0.006 at 50 layers, is solved to 1e-10 there and its target to 1e-8
    assert constants == pytest.approx(TAILORED_RECORDED[name, depth], rel=1e-6)


def test_the_map_of_a_whole_tailored_network_touches_the_identity():
    depth = 40
    field = MeanField(tailored_activation("tanh", depth).shaped, 1.0)
    near, step = 1.0 - 1e-3, 1e-3
    before = np.array([near - step, near, near + 0.5 * step])
    after = field.correlations(before, depth + 1)[-1]
    # C(c) = c + τ (1 − c)²/2 and less: the third derivative is positive too
    np.testing.assert_allclose(after, before + 0.15 * (1.0 - before) ** 2, rtol=0, atol=1e-8)
    # Zhang et al. 2022: C(0) is far from 1, to which 40 layers of tanh go
    assert 0.0 < field.correlations(0.0, depth + 1)[-1] < 0.5


def test_what_cannot_be_tailored_is_refused():
    for name in ("linear", "relu", "leaky_relu", "selu"):
        with pytest.raises(UnsuitableError, match=f"no scale and shift of {name}"):
            tailored_activation(name, 10)
    with pytest.raises(UnsuitableError, match="give 1 layer the kernel of TAT"):
        tailored_activation("relu", 1)
    for bad in (0.0, -1.0, math.nan, math.inf, "2"):
        with pytest.raises(ValueError, match="curvature must be finite and positive"):
            tailored_activation("tanh", 10, bad)
    with pytest.raises(ValueError, match="depth must be a positive integer"):
        tailored_activation("tanh", 0)


def test_the_scheme_of_tat_gives_a_network_the_tailored_function():
    """With the same orthogonal weights, f shaped by hand gives the same pre-activations."""
    shaping = tailored_activation("silu", 3)
    network = Mlp((20, 20, 20, 20, 20), "silu", "float64", "numpy").initialize("tat", 4)
    x = np.random.default_rng(0).standard_normal((5, 20))
    a = x
    for number in range(4):
        z = a @ initperf.draw("orthogonal", (20, 20), rng=4, stream=number, dtype="float64")
        a = shaping.shaped.value(z)
    np.testing.assert_allclose(network.logits(x), z, rtol=0, atol=1e-11)


WIDTH, DEPTH, DRAWS = 120, 8, 14


@pytest.mark.parametrize("name", ["tanh", "softplus"])
def test_the_scheme_gives_a_network_the_shaped_maps(name):
    """The scheme's network on inputs of mean square 4, told so, by its pre-activations."""
    shaping = deep_kernel_shaping(name, DEPTH)
    scheme = SCHEMES["dks"].replace(input_moment=4.0)
    rng = np.random.default_rng(8)
    basis = 2.0 * math.sqrt(WIDTH) * np.linalg.qr(rng.standard_normal((WIDTH, 2)))[0].T
    inputs = np.stack([basis[0], 0.6 * basis[0] + 0.8 * basis[1]])
    found = np.empty((DRAWS, 2, DEPTH + 1))
    for draw in range(DRAWS):
        network = Mlp((WIDTH,) * (DEPTH + 2), name, "float64", "numpy")
        scheme(network, rng=draw)
        for layer, (_, z) in enumerate(signals(network, inputs)):
            x = z if layer == DEPTH else (z - shaping.input_shift) / shaping.input_scale
            found[draw, 0, layer] = np.mean(x[0] ** 2)
            found[draw, 1, layer] = x[0] @ x[1] / math.sqrt((x[0] @ x[0]) * (x[1] @ x[1]))
    correlations = MeanField(shaping.shaped, 1.0).correlations(0.6, DEPTH + 1)
    # the first layer is orthogonal: exact
    np.testing.assert_allclose(found[:, 0, 0], 1.0, rtol=1e-10)
    np.testing.assert_allclose(found[:, 1, 0], 0.6, rtol=1e-10)
    quantile = stats.t.isf(CHANCE / (4 * DEPTH), DRAWS - 1)
    for layer in range(1, DEPTH + 1):
        for values, predicted in zip(found[:, :, layer].T, (1.0, correlations[layer]), strict=True):
            error = quantile * values.std(ddof=1) / math.sqrt(DRAWS)
            # beside the sampling error, what 1/width leaves out in each layer passed
            assert abs(values.mean() - predicted) < error + 2.0 * layer / WIDTH


def test_the_scheme_refuses_what_it_cannot_shape():
    with pytest.raises(UnsuitableError, match="no scale and shift of relu"):
        SCHEMES["dks"].check((10, 10), ACTIVATIONS["relu"], 0)
    with pytest.raises(UnsuitableError, match="residual must be 0"):
        SCHEMES["dks"].check((10, 10), ACTIVATIONS["tanh"], 1)
    with pytest.raises(ValueError, match="slope must be above 1"):
        SCHEMES["dks"].replace(slope=1.0)
    with pytest.raises(ValueError, match="input_moment must be positive"):
        SCHEMES["dks"].replace(input_moment=0.0)
