"""What has the same name here and in Keras has the same distribution, or values."""

import keras
import numpy as np
import pytest
from keras import initializers
from parity import assert_same_distribution

from initperf import INITIALIZERS
from initperf.keras import Initializer

SHAPES = [(150, 250), (5, 5, 8, 32)]
CUT = {"distribution": "truncated_normal"}  # what Keras calls normal is cut at two deviations
NAMED = [
    f"{family}{kind}" for family in ("Glorot", "He", "Lecun") for kind in ("Normal", "Uniform")
]
PAIRS = {
    **{name: ({}, name, CUT if name.endswith("Normal") else {}) for name in NAMED},
    **{
        f"VarianceScaling, {mode}, {distribution}": (
            {"scale": 1.7, "mode": mode, "distribution": distribution},
            "VarianceScaling",
            {"scale": 1.7, "mode": mode, "distribution": distribution.removeprefix("untruncated_")},
        )
        for mode in ("fan_in", "fan_out", "fan_avg")
        for distribution in ("truncated_normal", "untruncated_normal", "uniform")
    },
    "RandomNormal": ({}, "RandomNormal", {}),
    "RandomUniform": ({}, "RandomUniform", {}),
    "TruncatedNormal": ({}, "TruncatedNormal", {"scale": 0.05, "low": -0.1, "high": 0.1}),
}
FIXED = {
    "Zeros": ({}, {}),
    "Ones": ({}, {}),
    "Constant": ({"value": -0.3}, {"value": -0.3}),
    "Identity": ({"gain": 2.0}, {"gain": 2.0}),
}


def test_all_of_keras_is_compared():
    names = {one for one in vars(initializers) if one[0].isupper()} - {"Initializer"}
    names = {one.removesuffix("Initializer") for one in names}
    compared = {case.partition(",")[0] for case in PAIRS} | set(FIXED)
    assert names == compared | {"Orthogonal", "STFT"}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("case", PAIRS)
def test_the_law_is_that_of_keras(case, shape):
    their_options, name, parameters = PAIRS[case]
    theirs = getattr(initializers, case.partition(",")[0])(seed=1, **their_options)(shape)
    ours = Initializer(name, seed=0, **parameters)(shape)
    rule = INITIALIZERS[name].replace(**parameters)
    assert_same_distribution(np.asarray(theirs), np.asarray(ours), rule, shape)


@pytest.mark.parametrize("name", FIXED)
def test_fixed_weights_are_those_of_keras(name):
    their_options, parameters = FIXED[name]
    theirs = getattr(initializers, name)(**their_options)((3, 4))
    assert bool(keras.ops.all(theirs == Initializer(name, **parameters)((3, 4))))


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (3, 3, 4, 8)], ids=str)
def test_orthogonal_weights_are_orthogonal_as_those_of_keras(shape):
    for weight in (
        initializers.Orthogonal(gain=2.0, seed=0)(shape),
        Initializer("Orthogonal", seed=0, gain=2.0)(shape),
    ):
        matrix = np.asarray(weight).reshape(-1, shape[-1])
        # singular values of a float32 matrix of some thirty rows
        np.testing.assert_allclose(np.linalg.svd(matrix)[1], 2.0, rtol=3e-6)


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
@pytest.mark.parametrize(
    ("window", "periodic"),
    [("hann", False), ("hamming", True), (None, False), (tuple(range(1, 65)), False)],
    ids=str,
)
@pytest.mark.parametrize("shape", [(64, 1, 33), (64, 1, 40)], ids=str)
def test_fourier_weights_are_those_of_keras(side, scaling, window, periodic, shape):
    parameters = {"side": side, "scaling": scaling, "window": window, "periodic": periodic}
    theirs = np.asarray(initializers.STFT(**parameters)(shape))
    ours = np.asarray(Initializer("STFT", **parameters)(shape))
    # Keras rounds angles of up to 63 half turns to float32, four times; and a few products
    largest = np.abs(ours).max() * np.finfo("float32").eps
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=(4 * 63 * np.pi + 8) * largest)
