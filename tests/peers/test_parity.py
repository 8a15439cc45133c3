"""What has the same name here and in PyTorch has the same distribution, or values."""

import math

import numpy as np
import pytest
import torch
from parity import assert_same_distribution, assert_same_samples

from initperf import ACTIVATIONS, INITIALIZERS, calculate_gain
from initperf.torch import init_

SHAPES = [(150, 250), (32, 16, 5, 5)]
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
    "kaiming_uniform, the default of a linear layer": (
        lambda w: init.kaiming_uniform_(w, a=math.sqrt(5)),
        "fan_in_uniform",
        {},
    ),
    "xavier_uniform, gain": (
        lambda w: init.xavier_uniform_(w, 0.3),
        "xavier_uniform_",
        {"gain": 0.3},
    ),
    "normal": (lambda w: init.normal_(w, 0.5, 2.0), "normal", {"loc": 0.5, "scale": 2.0}),
    "uniform": (lambda w: init.uniform_(w, -1.0, 3.0), "uniform", {"low": -1.0, "high": 3.0}),
    "trunc_normal": (init.trunc_normal_, "trunc_normal", {}),
    "trunc_normal, asymmetric": (
        lambda w: init.trunc_normal_(w, 0.5, 2.0, -1.0, 4.0),
        "trunc_normal",
        {"loc": 0.5, "scale": 2.0, "low": -1.0, "high": 4.0},
    ),
    **{
        f"kaiming_{kind}, {nonlinearity}, a = {a}, {mode}": (
            lambda w, kind=kind, options=(a, mode, nonlinearity): getattr(init, f"kaiming_{kind}_")(
                w, *options
            ),
            f"kaiming_{kind}_",
            {"a": a, "mode": mode, "nonlinearity": nonlinearity},
        )
        for kind, a, mode, nonlinearity in (
            ("uniform", math.sqrt(5), "fan_in", "leaky_relu"),
            ("normal", 0.2, "fan_out", "leaky_relu"),
            ("uniform", 0.0, "fan_out", "tanh"),
            ("normal", 0.0, "fan_in", "selu"),
            ("normal", 0.0, "fan_in", "sigmoid"),
        )
    },
}
FIXED = {
    "zeros": (init.zeros_, {}),
    "ones": (init.ones_, {}),
    "constant": (lambda w: init.constant_(w, -0.3), {"value": -0.3}),
}
OTHERS = {"eye", "dirac", "sparse", "orthogonal"}  # their tests stand below


def test_all_of_pytorch_is_compared():
    names = {name[:-1] for name in vars(init) if name.endswith("_") and not name.startswith("_")}
    assert (
        names
        == {case.partition(",")[0] for case in PAIRS if " of " not in case} | set(FIXED) | OTHERS
    )
    assert names <= {name for name in names if name in INITIALIZERS}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("case", PAIRS)
def test_the_law_is_that_of_pytorch(case, shape):
    theirs_of, name, parameters = PAIRS[case]
    torch.manual_seed(0)
    theirs = theirs_of(torch.empty(shape)).numpy()
    ours = init_(torch.empty(shape), name, rng=0, **parameters).numpy()
    rule = INITIALIZERS[name].replace(**parameters)
    if hasattr(rule, "in_axis"):
        rule = rule.replace(in_axis=1, out_axis=0)
    assert_same_distribution(theirs, ours, rule, shape)


@pytest.mark.parametrize("shape", [(30, 50), (50, 30), (8, 4, 3, 3)], ids=str)
def test_orthogonal_weights_are_orthogonal_as_those_of_pytorch(shape):
    for weight in (
        init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain=2.0),
        init_(torch.empty(shape, dtype=torch.float64), "orthogonal", rng=0, gain=2.0),
    ):
        # PyTorch flattens all axes but the first; so do we for (out, in, ...).
        values = np.linalg.svd(weight.numpy().reshape(shape[0], -1), compute_uv=False)
        np.testing.assert_allclose(values, 2.0, rtol=1e-12)


def test_an_entry_of_orthogonal_weights_has_the_law_of_pytorch():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    theirs = [init.orthogonal_(torch.empty(4, 3))[1, 2].item() for _ in range(500)]
    ours = [init_(torch.empty(4, 3), "orthogonal", rng=rng)[1, 2].item() for _ in range(500)]
    assert_same_samples(np.array(theirs), np.array(ours))


@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.9, 1.0])
def test_sparse_weights_have_the_zeros_of_pytorch(sparsity):
    torch.manual_seed(0)
    theirs = init.sparse_(torch.empty(70, 300), sparsity, std=0.5).numpy()
    # PyTorch counts zeros in what an input feeds; to it, a tensor's columns are our outputs.
    axes = {"in_axis": 0, "out_axis": 1}
    w = torch.empty(70, 300)
    ours = init_(w, "sparse", rng=0, sparsity=sparsity, scale=0.5, **axes).numpy()
    np.testing.assert_array_equal(np.sum(theirs == 0, axis=0), np.sum(ours == 0, axis=0))
    if sparsity < 1.0:
        assert_same_samples(theirs[theirs != 0], ours[ours != 0])


@pytest.mark.parametrize("name", FIXED)
def test_fixed_weights_are_those_of_pytorch(name):
    theirs_of, parameters = FIXED[name]
    assert torch.equal(theirs_of(torch.empty(3, 4)), init_(torch.empty(3, 4), name, **parameters))


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
def test_the_identity_is_that_of_pytorch(shape):
    assert torch.equal(init.eye_(torch.empty(shape)), init_(torch.empty(shape), "eye"))


@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("shape", [(6, 4, 3), (12, 3, 4, 5), (6, 7, 2, 3, 4)])
def test_dirac_is_that_of_pytorch(shape, groups):
    theirs = init.dirac_(torch.empty(shape), groups)
    assert torch.equal(theirs, init_(torch.empty(shape), "dirac", groups=groups))


@pytest.mark.parametrize("name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "selu"])
def test_the_table_of_gains_is_that_of_pytorch(name):
    assert calculate_gain(name) == init.calculate_gain(name)


@pytest.mark.parametrize("slope", [None, 0, 0.2, -1.0, math.sqrt(5)])
def test_the_gain_of_a_leaky_relu_is_that_of_pytorch(slope):
    assert calculate_gain("leaky_relu", slope) == init.calculate_gain("leaky_relu", slope)


def test_exact_gains_stand_in_for_what_pytorch_has_none_for():
    for name in ACTIVATIONS:
        try:
            assert calculate_gain(name) == init.calculate_gain(name)
        except ValueError:
            assert calculate_gain(name) == calculate_gain(name, exact=True)
