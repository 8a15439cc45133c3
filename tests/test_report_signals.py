"""Tables of what reports measure of untrained networks: correlations, Jacobians, symmetry."""

import numpy as np
import pytest

from initperf import Experiment
from initperf.report import tables
from initperf.report.measure import probes
from initperf.report.plan import Settings, plan
from initperf.report.propagation import propagation_table, propagations_table
from initperf.report.symmetry import RULES, STEPS, UNITS, symmetry_table
from initperf.schemes import as_scheme
from initperf.theory import MeanField
from initperf.training.network import Mlp

DEEP = Experiment("he_normal", "relu", hidden=(200,) * 9, backend="numpy")


def silent(*_):
    pass


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(3).random((64, 30))


def test_the_jacobian_is_the_derivative_of_the_network(images):
    experiment = Experiment("glorot_normal", "tanh", hidden=(12,) * 5, backend="numpy")
    table = propagation_table(experiment, images).set_index("layer")
    network = Mlp((30, *experiment.hidden, 10), "tanh", "float32", "numpy")
    network.initialize(as_scheme("glorot_normal"), rng=0)  # what would be trained
    layers = [(weights.astype(np.float64), biases) for weights, biases in network.layers()]
    first = images[0] / np.sqrt((images[0] ** 2).mean())
    z = first @ layers[0][0]

    def behind(z):
        for weights, _ in layers[1:5]:
            z = np.tanh(z) @ weights
        return z

    h = 1e-6  # central differences err by h² times a third derivative of order 1, and eps/h
    jacobian = np.array([(behind(z + h * e) - behind(z - h * e)) / (2 * h) for e in np.eye(12)])
    values = np.linalg.svd(jacobian, compute_uv=False)
    assert table["largest_singular"][5] == pytest.approx(values[0], rel=1e-6)
    assert table["rms_singular"][5] == pytest.approx(np.sqrt((values**2).mean()), rel=1e-6)


def test_measurement_follows_theory_in_wide_networks(images):
    table = propagation_table(DEEP, images)
    assert table["correlation_theory"][0] == table["correlation"][0]
    # fluctuations of a layer are of order 1/√width of what a correlation can still move, and add up
    # over 8 layers: a standard deviation of √(8/200); two of them are allowed
    rest = 1 - table["correlation"][0]
    apart = (table["correlation"] - table["correlation_theory"]).abs()
    assert apart.max() < 2 * (8 / 200) ** 0.5 * rest
    rise = table["correlation_theory"][8] - table["correlation_theory"][0]
    assert table["correlation"][8] - table["correlation"][0] > 0.5 * rise > 0
    field = MeanField("relu", 2.0)
    once = field.correlation_map(table["correlation"][0], table["second_moment"][0])
    # the variance of the weights drawn is within 1 % of 2/n, and of ReLU the map does not use it
    assert table["correlation_theory"][1] == pytest.approx(once, rel=1e-9)
    rms = table["rms_singular"].dropna()
    assert list(rms.index) == [1, 2, 4, 8]
    assert rms[1] == pytest.approx(table["rms_singular_theory"][1], rel=0.1)


@pytest.mark.parametrize("rule", ["zeros", "ones", "historic_uniform_positive"])
def test_theory_says_nothing_of_weights_around_another_mean(rule, images):
    table = propagation_table(DEEP.replace(initializer=rule, hidden=(20,) * 4), images)
    assert table["correlation_theory"][1:].isna().all()
    assert table["rms_singular_theory"].isna().all()


@pytest.mark.slow
def test_overflow_is_missing_and_residual_networks_are_left_out(images, blobs):
    wild = DEEP.replace(initializer="large_normal", hidden=(50,) * 320)
    table = propagation_table(wild, images)
    assert np.isfinite(table["second_moment"][0])
    assert np.isnan(table["second_moment"][319])
    assert not np.isinf(table.select_dtypes("number")).to_numpy().any()
    residual = DEEP.replace(hidden=(8, 8), residual=1)
    found = propagations_table([residual, DEEP.replace(hidden=(8, 8))], blobs, silent)
    assert len(found) == 2
    assert propagations_table([residual], blobs, silent).empty


def test_units_of_equal_weights_stay_equal_and_others_do_not(blobs):
    table = symmetry_table(["relu", "tanh"], blobs, silent)
    assert len(table) == 2 * len(RULES) * UNITS**2
    assert table["steps"].between(1, STEPS).all()
    equal = table[table["initializer"].isin(["zeros", "constant"])]
    assert (equal["similarity"] == 1.0).all()
    others = table[(table["initializer"] == "glorot_uniform") & (table["unit"] != table["other"])]
    assert others["similarity"].abs().max() < 1 - 1e-6


def test_signals_are_of_the_network_that_was_asked_for(blobs):
    given = {
        "initializer": ["lsuv", "depth_scaled", "he_normal"],
        "activation": ["relu"],
        "backend": "numpy",
        "hidden": [(6, 6), (5, 5, 5)],
        "residual": [1],
    }
    settings = Settings(seeds=2, given=given)
    found = probes(settings, plan(settings))
    assert set(found) == {"2 × 6", "3 × 5"}
    table = tables.signals_table(found["3 × 5"], blobs, silent)
    assert table.groupby(["initializer", "seed"]).size().eq(3).all()
    assert set(table["initializer"]) == set(given["initializer"])
    quick = Settings(seeds=2, quick=True, given=given)
    assert all(one.seed == 0 for own in probes(quick, plan(quick)).values() for one in own)
    default = Settings(seeds=1, given={"initializer": ["he_normal"], "activation": ["relu"]})
    ((probe,),) = probes(default, plan(default)).values()
    assert probe.hidden == tables.DEEP
