"""What has the same name here and in JAX has the same distribution, or values."""

import jax
import numpy as np
import pytest
from jax.nn import initializers
from parity import assert_same_distribution, assert_same_samples

import initperf.jax
from initperf import INITIALIZERS

SHAPES = [(150, 250), (5, 5, 8, 32)]
KEYS = jax.random.split(jax.random.key(0), 2)
CUT = {"distribution": "truncated_normal"}  # what JAX calls normal is cut at two deviations
MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
DISTRIBUTIONS = ("normal", "uniform", "truncated_normal")
PAIRS = {
    **{
        name: (getattr(initializers, name)(), name, CUT if name.endswith("normal") else {})
        for family in ("glorot", "xavier", "he", "kaiming", "lecun")
        for name in (f"{family}_normal", f"{family}_uniform")
        if hasattr(initializers, name)
    },
    **{
        f"variance_scaling, {mode}, {distribution}": (
            initializers.variance_scaling(1.7, mode, distribution),
            "variance_scaling",
            {"scale": 1.7, "mode": mode, "distribution": distribution},
        )
        for mode in MODES
        for distribution in DISTRIBUTIONS
    },
    "normal": (initializers.normal(0.3), "normal", {"scale": 0.3}),
    "uniform": (initializers.uniform(0.3), "uniform", {"low": 0.0, "high": 0.3}),
    "truncated_normal": (
        initializers.truncated_normal(0.3, lower=-1.0, upper=3.0),
        "truncated_normal",
        {"scale": 0.3, "low": -0.3, "high": 0.9},
    ),
}
FIXED = {
    "zeros": (initializers.zeros, {}),
    "ones": (initializers.ones, {}),
    "constant": (initializers.constant(-0.3), {"value": -0.3}),
}
OTHERS = {"orthogonal", "delta_orthogonal"}  # their tests stand below


def test_all_of_jax_is_compared():
    names = {name for name in vars(initializers) if name[0].islower()}
    assert names == {case.partition(",")[0] for case in PAIRS} | set(FIXED) | OTHERS


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("case", PAIRS)
def test_the_law_is_that_of_jax(case, shape):
    theirs_of, name, parameters = PAIRS[case]
    ours = initperf.jax.initializer(name, **parameters)(KEYS[0], shape)
    rule = INITIALIZERS[name].replace(**parameters)
    assert_same_distribution(np.asarray(theirs_of(KEYS[1], shape)), np.asarray(ours), rule, shape)


@pytest.mark.parametrize(
    "axes",
    [
        {"in_axis": -1, "out_axis": -2},
        {"in_axis": 0, "out_axis": 3, "batch_axis": 1},
        {"in_axis": (0, 1), "out_axis": (2,)},
        {"in_axis": 2, "out_axis": 3, "batch_axis": (0, 1)},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", MODES)
def test_axes_are_those_of_jax(mode, axes):
    shape = (6, 10, 15, 20)
    theirs = initializers.variance_scaling(2.0, mode, "uniform", **axes)(KEYS[1], shape)
    parameters = {"scale": 2.0, "mode": mode, "distribution": "uniform", **axes}
    ours = initperf.jax.initializer("variance_scaling", **parameters)(KEYS[0], shape)
    rule = INITIALIZERS["variance_scaling"].replace(**parameters)
    assert_same_distribution(np.asarray(theirs), np.asarray(ours), rule, shape)


@pytest.mark.parametrize("name", FIXED)
def test_fixed_weights_are_those_of_jax(name):
    theirs_of, parameters = FIXED[name]
    ours = initperf.jax.initializer(name, **parameters)(KEYS[0], (3, 4))
    np.testing.assert_array_equal(theirs_of(KEYS[1], (3, 4)), ours)


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (3, 3, 4, 8)], ids=str)
@pytest.mark.parametrize("column_axis", [-1, -2])
def test_orthogonal_weights_are_orthogonal_as_those_of_jax(shape, column_axis):
    axes = {"out_axis": column_axis, "in_axis": -3 - column_axis}
    for weight in (
        initializers.orthogonal(2.0, column_axis)(KEYS[1], shape),
        initperf.jax.initializer("orthogonal", gain=2.0, **axes)(KEYS[0], shape),
    ):
        matrix = np.moveaxis(weight, column_axis, -1).reshape(-1, shape[column_axis])
        # singular values of a float32 matrix of some thirty rows
        np.testing.assert_allclose(np.linalg.svd(matrix)[1], 2.0, rtol=3e-6)


def test_an_entry_of_orthogonal_weights_has_the_law_of_jax():
    keys = jax.random.split(KEYS[0], 500)
    theirs = jax.vmap(lambda key: initializers.orthogonal()(key, (4, 3))[1, 2])(keys)
    rule, rng = INITIALIZERS["orthogonal"], np.random.default_rng(0)
    ours = np.array([rule((4, 3), rng=rng)[1, 2] for _ in range(500)])
    assert_same_samples(np.asarray(theirs), ours)


@pytest.mark.parametrize("shape", [(3, 4, 8), (4, 5, 4, 8), (2, 3, 4, 5, 5)], ids=str)
def test_delta_orthogonal_weights_are_those_of_jax_but_for_the_matrix(shape):
    theirs = np.array(initializers.delta_orthogonal(2.0)(KEYS[1], shape))
    ours = np.array(initperf.jax.initializer("delta_orthogonal", gain=2.0)(KEYS[0], shape))
    np.testing.assert_array_equal(theirs != 0.0, ours != 0.0)
    for weight in (theirs, ours):
        matrix = weight[weight.any(axis=(-2, -1))][0]
        np.testing.assert_allclose(np.linalg.svd(matrix)[1], 2.0, rtol=3e-6)
