"""What holds for every scheme: networks set the same way everywhere, and misuse refused."""

import math

import numpy as np
import pytest
from scipy import stats

from initperf import INITIALIZERS, SCHEMES, Experiment, draw, draw_network, train
from initperf._core.registry import UnknownNameError
from initperf.errors import UnsuitableError
from initperf.schemes import PerLayer, as_scheme
from initperf.training.network import Mlp

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
SIZES = (40, 60, 60, 60, 10)
RESIDUAL = ("depth_scaled", "fixup")
DATA = ("gradinit", "kraehenbuehl", "lsuv")
SHORT = {"metainit": {"steps": 10}, "gradinit": {"iterations": 10}}
"""Parameters of rules that are learned, with which they are drawn in a moment."""
FIXED = ("idinit", "zero_hadamard")


def batch(count=100, features=SIZES[0], seed=0):
    return np.random.default_rng(seed).random((count, features))


def options(name):
    """Return an activation that a scheme suits, and whether it wants residual layers."""
    suits = SCHEMES[name].suits
    return {"activation": suits[0] if suits else "tanh", "residual": name in RESIDUAL}


def arrays(name, sizes=SIZES, dtype="float64", **changes):
    inputs = batch(features=sizes[0])
    labels = np.arange(len(inputs)) % sizes[-1]
    told = {"rng": 3, "batch": inputs, "labels": labels, **options(name), **SHORT.get(name, {})}
    told |= changes
    layers = draw_network(name, sizes, dtype=dtype, **told)
    return [array for layer in layers for array in layer]


@pytest.mark.parametrize("name", SCHEMES)
def test_both_backends_set_the_same_network(name):
    for ours, reference in zip(
        arrays(name, backend="numba"), arrays(name, backend="numpy"), strict=True
    ):
        # bits of independent draws are the same; orthogonal ones are up to roundings, of which
        # a chain of as many products has as many times width
        np.testing.assert_allclose(ours, reference, rtol=0, atol=len(SIZES) * 60 * 60 * 2.0**-52)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_seed_decides_and_another_differs(name):
    first, again, other = arrays(name), arrays(name), arrays(name, rng=4)
    assert all(np.array_equal(x, y) for x, y in zip(first, again, strict=True))
    assert all(np.isfinite(x).all() for x in first)
    same = all(np.array_equal(x, y) for x, y in zip(first, other, strict=True))
    assert same == (name in FIXED)


@pytest.mark.parametrize("name", [n for n, s in SCHEMES.items() if isinstance(s, PerLayer)])
def test_layers_have_the_distributions_that_are_declared(name):
    told = options(name)
    network = Mlp((784, 300, 300, 10), told["activation"], "float64", residual=told["residual"])
    network.initialize(name, rng=1)
    for number, layer in enumerate(network.layers()):
        for array, rule in zip(layer, SCHEMES[name].initializers(network, number), strict=True):
            mean, std = rule.mean(array.shape), rule.std(array.shape)
            allowed = stats.norm.isf(CHANCE / 2) * std / math.sqrt(array.size)
            assert abs(array.mean() - mean) <= allowed
            # no kurtosis here is above 3; of few values, the mean square is χ² at widest
            square = np.mean((array - mean) ** 2)
            low, high = stats.chi2.ppf([CHANCE / 2, 1 - CHANCE / 2], array.size) / array.size
            assert low * std**2 <= square <= high * std**2
            least, most = rule.support(array.shape)
            assert least <= array.min()
            assert array.max() <= most


def test_weights_and_biases_come_from_streams_of_their_own():
    weights, biases = draw_network("torch.Linear", (9, 9, 9), rng=5)[1]
    assert np.array_equal(weights, draw("uniform", (9, 9), rng=5, stream=1, low=-1 / 3, high=1 / 3))
    again = draw("uniform", (9,), rng=5, stream=(1 << 32) + 1, low=-1 / 3, high=1 / 3)
    assert np.array_equal(biases, again)


@pytest.mark.parametrize("biases", ["zeros", "constant", "fan_in_uniform"])
def test_an_initializer_is_the_plain_scheme(biases):
    network = Mlp((7, 5, 3)).initialize("he_normal", 2, biases)
    for number, (weights, values) in enumerate(network.layers()):
        assert np.array_equal(weights, draw("he_normal", weights.shape, rng=2, stream=number))
        if biases == "fan_in_uniform":
            bound = len(weights) ** -0.5
            stream = (1 << 32) + number
            expected = draw("uniform", values.shape, rng=2, stream=stream, low=-bound, high=bound)
            assert np.array_equal(values, expected)
        else:
            assert np.all(values == np.float32({"zeros": 0.0, "constant": 0.01}[biases]))
    assert as_scheme("Kaiming Normal").name == "he_normal"
    with pytest.raises(ValueError, match="biases must be one of"):
        as_scheme("he_normal", "ones")


def test_no_scheme_has_the_name_of_an_initializer_and_errors_know_both():
    assert not set(SCHEMES) & set(INITIALIZERS)
    with pytest.raises(ValueError, match="initializer 'he_normal' is registered already"):
        SCHEMES.register("He Normal", SCHEMES["lsuv"])
    for typed, meant in (("he_norml", "he_normal"), ("lsvu", "lsuv"), ("torch.Liner", "torch.lin")):
        with pytest.raises(UnknownNameError, match=f"did you mean '{meant}"):
            Experiment(typed)
        with pytest.raises(UnknownNameError, match=f"did you mean '{meant}"):
            draw_network(typed, (3, 2))


def test_an_experiment_takes_a_scheme_where_it_takes_an_initializer():
    experiment = Experiment("Dynamic", biases="constant")
    assert experiment == Experiment("lsuv")
    assert Experiment("TORCH.LINEAR").initializer == "torch.Linear"
    assert Experiment("zeros", biases="constant") != Experiment("zeros")


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", ["torch.Linear", "lsuv"])
def test_training_starts_from_what_the_scheme_sets(blobs, name, backend):
    experiment = Experiment(name, hidden=(16,), epochs=1, learning_rate=0.0, backend=backend)
    run = train(experiment.replace(batch_size=300), dataset=blobs)
    order = np.random.default_rng([0, 0]).permutation(300)
    images = blobs.features("train", "float32")[order[:512]]
    network = Mlp((784, 16, 10)).initialize(name, 0, batch=images)
    columns = run.layers.set_index("layer")
    for number, (weights, _) in enumerate(network.layers()):
        assert columns["weight_std"][number + 1] == pytest.approx(weights.std(), rel=1e-5)
    if name == "lsuv":
        # the batch is all of the images, so the training's own statistics show it, in float32
        np.testing.assert_allclose(columns["preactivation_variance"], 1.0, rtol=1e-4)


def test_both_backends_train_alike_from_a_scheme(blobs):
    runs = [
        train(
            Experiment("lsuv", hidden=(16,), epochs=1, dtype="float64", backend=backend),
            dataset=blobs,
        )
        for backend in ("numpy", "numba")
    ]
    np.testing.assert_allclose(runs[0].steps["loss"], runs[1].steps["loss"], rtol=1e-9)


UNSUITABLE = [
    ("fixup", {}, "fixup is for networks with residual blocks: residual must be at least 1"),
    (
        "fixup",
        {"residual": True, "hidden": (8, 4)},
        r"residual=1 needs a hidden layer .* widths are \(8, 4\)",
    ),
    ("fixup", {"residual": True, "hidden": (8, 8)}, r"f\(0\) = 0 and f'\(0\) > 0.*not relu"),
    (
        "fixup",
        {"residual": True, "hidden": (8, 8), "activation": "sigmoid"},
        "not sigmoid, whose value there is 0.5 and slope 0.25",
    ),
    ("depth_scaled", {}, "residual must be at least 1"),
    ("depth_scaled", {"residual": True, "hidden": (8,)}, "residual=1 needs a hidden layer"),
    ("critical", {"activation": "softplus"}, "softplus has no critical weights"),
    (
        "critical",
        {"residual": True, "hidden": (8, 8)},
        "residual must be 0; depth_scaled and fixup",
    ),
    ("random_walk", {"activation": "tanh"}, "gains for linear and relu, not for tanh"),
    ("random_walk", {"residual": True, "hidden": (8, 8)}, "residual must be 0"),
    ("kraehenbuehl", {"activation": "tanh"}, "relu, leaky_relu or linear, not tanh"),
    ("kraehenbuehl", {"residual": True, "hidden": (8, 8)}, "residual must be 0"),
    ("looks_linear", {"hidden": (8, 7)}, "hidden widths must be even, not 7"),
    ("looks_linear", {"hidden": (8, 8), "activation": "tanh"}, "f.x. − f.−x. = c x.*not tanh"),
    ("looks_linear", {"residual": True, "hidden": (8, 8)}, "residual must be 0"),
    ("siren", {}, "siren is for the activation sin, not relu"),
    ("tat", {}, "no scale and shift of relu"),
    ("tat", {"residual": True, "hidden": (8, 8), "activation": "tanh"}, "residual must be 0"),
]


@pytest.mark.parametrize(("name", "changes", "message"), UNSUITABLE)
def test_a_scheme_that_does_not_apply_is_refused_when_built(name, changes, message):
    with pytest.raises(UnsuitableError, match=message):
        Experiment(name, **changes)
    sizes = (5, *changes.get("hidden", (9, 8)), 3)
    residual, activation = changes.get("residual", False), changes.get("activation", "relu")
    with pytest.raises(UnsuitableError, match=message):
        draw_network(name, sizes, activation, residual=residual, batch=batch(9, 5))


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (None, r"uses data: batch must be given, \(count, 40\)"),
        (batch(9, 39), r"batch must have the shape \(count, 40\), not \(9, 39\)"),
        (np.full((9, 40), np.nan), "finite"),
        (np.ones((9, 40)), "all 9 are the same"),
        (batch(1), "all 1 are the same"),
    ],
)
def test_a_batch_that_says_nothing_is_refused_and_nothing_written(name, inputs, message):
    network = Mlp(SIZES, "relu")
    network.parameters[:] = 7.0
    with pytest.raises(UnsuitableError, match=message):
        network.initialize(name, 0, batch=inputs)
    assert np.all(network.parameters == 7.0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lsuv", "layer 2 gives the same for all 3 inputs: the units before it are dead"),
        ("kraehenbuehl", "1 of the 1 units of layer 3 give the same"),
    ],
)
def test_dead_layers_are_refused_and_nothing_written(name, message):
    network = Mlp((1, 1, 1), "relu")
    if name == "kraehenbuehl":
        # a bias of -9 for unit variance: no input gets past it
        network, rule = Mlp((1, 1, 1, 1), "relu"), SCHEMES[name].replace(mean=-9.0)
        message = message.replace("layer 3", "layer 2")
    else:
        rule = SCHEMES[name]
    network.parameters[:] = 7.0
    inputs = np.array([[1.0], [2.0], [3.0]])
    # an orthogonal weight of one entry is 1 or -1, and with -1 nothing passes
    seed = next(s for s in range(99) if draw("orthogonal", (1, 1), rng=s)[0, 0] < 0.0)
    with pytest.raises(UnsuitableError, match=message):
        network.initialize(rule, seed, batch=inputs)
    assert np.all(network.parameters == 7.0)


@pytest.mark.parametrize(
    ("name", "parameters", "error", "message"),
    [
        ("critical", {"bias_variance": -1.0}, ValueError, "bias_variance must be at least 0"),
        ("critical", {"bias_variance": math.inf}, ValueError, "bias_variance must be finite"),
        ("depth_scaled", {"additions": 0.0}, ValueError, "additions must be positive"),
        ("kraehenbuehl", {"mean": math.nan}, ValueError, "mean must be finite"),
        ("mup", {"base_width": 0.0}, ValueError, "base_width must be positive"),
        ("lsuv", {"gain": 2.0}, TypeError, "lsuv has no parameter 'gain'; it has none"),
        ("mup", {"base_width": (64, -1)}, ValueError, "base_width must be positive, not -1"),
        ("mup", {"output_multiplier": 0.0}, ValueError, "output_multiplier must be positive"),
        ("mup", {"gain": 2.0}, TypeError, "mup has no parameter 'gain'; it has base_width"),
        ("idinit", {"scale": 0.0}, ValueError, "scale must be positive"),
        ("idinit", {"epsilon": -1e-6}, ValueError, "epsilon must be at least 0"),
        ("siren", {"frequency": 0.0}, ValueError, "frequency must be positive"),
        ("siren", {"biases": 1}, ValueError, "biases must be True or False, not 1"),
        ("tat", {"curvature": 0.0}, ValueError, "curvature must be positive"),
        ("metainit", {"steps": -1}, ValueError, "steps must be an integer of at least 0"),
        ("metainit", {"momentum": 1.5}, ValueError, "momentum must be .*at most 1"),
        ("gradinit", {"examples": 1}, ValueError, "examples must be an integer of at least 2"),
        ("gradinit", {"bound": 0.0}, ValueError, "bound must be positive"),
    ],
)
def test_bad_parameters_are_refused_when_built(name, parameters, error, message):
    with pytest.raises(error, match=message):
        SCHEMES[name].replace(**parameters)
    with pytest.raises(error, match=message):
        draw_network(name, (3, 2), **parameters)
