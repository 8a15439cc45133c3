"""What each scheme promises, measured on networks that it has set."""

import math

import numba
import numpy as np
import pytest
from scipy import special, stats
from sklearn.neural_network import MLPClassifier
from small_networks import descend, inputs, one_step

from initperf import INITIALIZERS, SCHEMES, Experiment, draw, draw_network, train
from initperf.activations import ACTIVATIONS
from initperf.optimizers import OPTIMIZERS
from initperf.schemes import change_rates, signals
from initperf.schemes.random_walk import gain
from initperf.training.network import Mlp

BACKEND = "numpy" if numba.config.DISABLE_JIT else "numba"  # the quicker one
RATE = 1e-5
CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others


def uniform_allowed(std, size):
    # the fourth moment of a uniform distribution is 9/5 of the squared variance
    return stats.norm.isf(CHANCE / 2) * std * math.sqrt((9 / 5 - 1) / (4 * size))


@pytest.mark.parametrize(
    ("name", "activation", "bound", "biases"),
    [
        # as each framework's documentation has it, for 300 inputs and 200 outputs
        ("torch.Linear", "relu", 1 / math.sqrt(300), "same"),
        ("keras.Dense", "relu", math.sqrt(6 / 500), "zeros"),
        ("sklearn.MLP", "relu", math.sqrt(6 / 500), "same"),
        ("sklearn.MLP", "sigmoid", math.sqrt(2 / 500), "same"),
    ],
)
def test_uniform_presets_fill_their_bounds(name, activation, bound, biases):
    (weights, values), _ = draw_network(name, (300, 200, 10), activation, rng=0, dtype="float64")
    for sample in (weights.ravel(), values):
        if sample is values and biases == "zeros":
            assert not sample.any()
            continue
        assert stats.kstest(sample, stats.uniform(-bound, 2 * bound).cdf).pvalue > CHANCE
        assert np.abs(sample).max() <= bound


@pytest.mark.parametrize(("name", "std"), [("flax.Dense", 1.0), ("haiku.Linear", 0.879625661)])
def test_truncated_presets_differ_in_the_correction(name, std):
    (weights, values), _ = draw_network(name, (300, 200, 10), rng=0, dtype="float64")
    sample, parent = weights.ravel() * math.sqrt(300), std / 0.879625661
    distribution = stats.truncnorm(-2.0, 2.0, scale=parent)
    assert stats.kstest(sample, distribution.cdf).pvalue > CHANCE
    assert np.abs(sample).max() <= 2.0 * parent
    assert distribution.std() == pytest.approx(std, rel=1e-8)
    assert not values.any()


@pytest.mark.parametrize(
    ("theirs", "ours"), [("relu", "relu"), ("logistic", "sigmoid"), ("tanh", "tanh")]
)
def test_scikit_learn_starts_from_the_same_distribution(theirs, ours):
    rng = np.random.default_rng(0)
    x, y = rng.random((40, 300)), np.arange(40) % 10
    model = MLPClassifier((200, 50), activation=theirs, solver="sgd", learning_rate_init=1e-300)
    model.set_params(alpha=0.0, momentum=0.0, random_state=0)
    model.partial_fit(x, y, classes=np.arange(10))  # one step of no length
    drawn = draw_network("sklearn.MLP", (300, 200, 50, 10), ours, rng=0, dtype="float64")
    for layer, (weights, biases) in enumerate(drawn):
        for mine, other in ((weights, model.coefs_), (biases, model.intercepts_)):
            assert mine.shape == other[layer].shape
            assert stats.ks_2samp(mine.ravel(), other[layer].ravel()).pvalue > CHANCE
    for layer, (n, m) in enumerate(((300, 200), (200, 50), (50, 10))):
        bound = math.sqrt((2 if ours == "sigmoid" else 6) / (n + m))
        for array in (model.coefs_[layer], drawn[layer][0]):
            # the largest of n m magnitudes falls short by a relative t with chance (1 − t)^(n m)
            assert bound * CHANCE ** (1 / array.size) < np.abs(array).max() <= bound


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("residual", [0, 1, 2])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "selu"])
def test_lsuv_gives_every_layer_unit_variance(activation, residual, dtype):
    sizes, x = (50, 40, 40, 40, 40, 10), inputs(200, 50)
    network = Mlp(sizes, activation, dtype, residual=residual).initialize("lsuv", 0, batch=x)
    # a weight is rounded twice; a variance goes with their squares, and those of layers before
    allowed = 8 * network.depth * float(np.finfo(dtype).eps)
    for _, z in signals(network, x):
        assert z.var() == pytest.approx(1.0, rel=allowed)
    for weights, biases in network.layers():
        assert not biases.any()
        singular = np.linalg.svd(weights.astype(np.float64), compute_uv=False)
        assert singular[0] == pytest.approx(singular[-1], rel=1e3 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize(("sizes", "residual"), [((4, 5, 5, 3), 1), ((4, 5, 2, 5, 5, 3), 2)])
def test_change_rates_are_the_limit_of_differences(sizes, residual):
    network = Mlp(sizes, "tanh", "float64", residual=residual).initialize("he_normal", 1)
    x = inputs(6, 4)
    tangents = np.random.default_rng(2).standard_normal((6, 3))
    step, rates = 1e-6, change_rates(network, x, tangents)
    for (weights, _), rate in zip(network.layers(), rates, strict=True):
        slopes = np.zeros((6, *weights.shape))
        for at in np.ndindex(weights.shape):
            before, losses = weights[at], []
            for sign in (1.0, -1.0):
                weights[at] = before + sign * step
                losses.append(np.sum(network.logits(x) * tangents, axis=1))
            weights[at] = before
            slopes[(slice(None), *at)] = (losses[0] - losses[1]) / (2 * step)
        expected = math.sqrt(np.sum(slopes**2) / 6) / np.linalg.norm(weights)
        assert rate == pytest.approx(expected, rel=1e-8)


@pytest.mark.exhaustive
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "linear"])
def test_kraehenbuehl_whitens_units_and_equals_the_rates(activation):
    sizes, x = (50, 60, 30, 40, 10), inputs(400, 50)
    network = Mlp(sizes, activation, "float64").initialize("kraehenbuehl", 3, batch=x)
    for _, z in signals(network, x):
        scale = z.std()
        np.testing.assert_allclose(z.mean(axis=0) / scale, 0.0, atol=1e-12)
        np.testing.assert_allclose(z.std(axis=0) / scale, 1.0, rtol=1e-12)
    assert scale == pytest.approx(1.0, rel=1e-12)  # of the logits, which the scales leave alone
    # the tangents that the rule saw: the rates are equal; others: up to their sampling error
    seen = draw("normal", (400, 10), rng=3, stream=1 << 33, dtype="float64")
    rates = change_rates(network, x, seen)
    np.testing.assert_allclose(rates, rates[0], rtol=1e-10)
    rng = np.random.default_rng(8)
    many = np.array([change_rates(network, x, rng.standard_normal((400, 10))) for _ in range(20)])
    gaps = many / many.mean(axis=1, keepdims=True) - 1.0
    error = stats.t.isf(CHANCE / 2, 19) * gaps.std(axis=0, ddof=1)  # of one, as the rule had it
    assert np.all(np.abs(gaps.mean(axis=0)) < error)
    before = Mlp(sizes, activation, "float64").initialize("he_normal", 3)
    uneven = change_rates(before, x, seen)
    assert uneven.max() / uneven.min() > 1.5


def test_kraehenbuehl_takes_a_mean():
    x = inputs(400, 50)
    network = Mlp((50, 60, 10), "relu", "float64")
    network.initialize(SCHEMES["kraehenbuehl"].replace(mean=0.5), 3, batch=x)
    *_, (_, z) = signals(network, x)
    np.testing.assert_allclose(z.mean(axis=0), 0.5, rtol=1e-12)


@pytest.mark.parametrize("width", [10, 30, 100, 300])
def test_random_walk_takes_the_drift_out_of_the_logarithm(width):
    """The squared norm of a gradient is multiplied by g² χ²_k / n; k = n, or binomial for ReLU."""
    linear = 2 * math.log(gain("linear", width)) + special.psi(width / 2) + math.log(2 / width)
    assert abs(linear) <= 1 / (3 * width**2)  # the next term of the expansion
    active = np.arange(1, width + 1)
    chance = stats.binom.pmf(active, width, 0.5)
    chi = np.sum(chance * (special.psi(active / 2) + math.log(2))) / chance.sum()
    drift = 2 * math.log(gain("relu", width)) + chi - math.log(width)
    without = math.log(2) + chi - math.log(width)
    # the paper's gain is a fit: it leaves a few hundredths of what He's weights would drift
    assert without < -2.4 / width
    assert abs(drift) < 0.05 * abs(without)


def test_random_walk_gains_are_used():
    (weights, _), _ = draw_network("random_walk", (30, 500, 10), "relu", rng=0, dtype="float64")
    expected = math.sqrt(2) * math.exp(1.2 / 27.6) / math.sqrt(30)
    allowed = stats.norm.isf(CHANCE / 2) / math.sqrt(2 * weights.size)
    assert weights.std() == pytest.approx(expected, rel=allowed)


def test_zero_hadamard_is_identity_or_hadamard():
    layers = draw_network("zero_hadamard", (5, 3, 3, 8, 6), dtype="float64")
    weights = [w for w, _ in layers]
    assert np.array_equal(weights[0], np.eye(5, 3))
    assert np.array_equal(weights[1], np.eye(3))
    assert np.array_equal(weights[3], np.eye(8, 6))
    # c²H Hᵀ = 2: rows stay orthogonal, and twice as long, which a ReLU halves again
    np.testing.assert_allclose(weights[2] @ weights[2].T, 2.0 * np.eye(3), atol=1e-15)
    assert set(np.abs(weights[2]).ravel()) == {0.5}
    assert not any(biases.any() for _, biases in layers)
    # every new unit sees the input: with an identity alone, 5 of the 8 would be 0
    assert np.linalg.matrix_rank(weights[2][:, 3:]) == 3


@pytest.mark.exhaustive
@pytest.mark.parametrize("blocks", [4, 40])
def test_depth_scaled_keeps_the_signal_at_any_depth(blocks):
    """Linear: each of the L additions multiplies the second moment by 1 + 1/(2L)."""
    width, draws, growth = 100, 24, {}
    for name in ("depth_scaled", "lecun_normal"):
        found = []
        for seed in range(draws):
            network = Mlp(
                (width,) * (blocks + 1) + (10,), "linear", "float64", "numpy", residual=True
            )
            network.initialize(name, seed)
            x = np.random.default_rng(seed).standard_normal((20, width))
            *_, (last, _) = signals(network, x)
            found.append(np.mean(last**2) / np.mean(x**2))
        growth[name] = np.array(found)
    expected = (1 + 1 / (2 * blocks)) ** blocks
    measured = growth["depth_scaled"]
    error = stats.t.isf(CHANCE / 2, draws - 1) * measured.std(ddof=1) / math.sqrt(draws)
    assert abs(measured.mean() - expected) < error
    assert error < 0.3
    assert growth["lecun_normal"].mean() > 1.5**blocks  # without the factor each doubles it


def test_fixup_begins_as_the_network_without_its_residual_layers():
    x, labels = inputs(30, 20), np.arange(30) % 5
    found = {}
    for blocks in (1, 2, 30):
        network = Mlp((20, *(16,) * blocks, 5), "tanh", "float64", residual=blocks > 1)
        first = SCHEMES["fixup"] if blocks > 1 else INITIALIZERS["variance_scaling"]
        network.initialize(first, 7)
        layers = list(network.layers())
        if blocks == 1:
            layers[0][0][:] *= network.activation.gain  # no residual layer: no case for fixup
        else:
            assert not any(weights.any() for weights, _ in layers[1:])
        layers[-1][0][:] = draw("lecun_normal", (16, 5), rng=1)
        _, gradients, _ = one_step(network, x, labels)
        slopes = [weights for weights, _ in network.layers(gradients)]
        found[blocks] = network.logits(x), slopes[0]
        # each of the layers between learns, and all of them the same
        assert all(np.allclose(one, slopes[1], rtol=1e-12) for one in slopes[2:-1])
        assert blocks == 1 or np.abs(slopes[1]).min() > 0.0
    for blocks in (2, 30):
        for deep, shallow in zip(found[blocks], found[1], strict=True):
            np.testing.assert_allclose(deep, shallow, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("layers", [2, 3, 4])
@pytest.mark.parametrize("blocks", [1, 5, 20])
def test_fixup_scales_the_branches_that_are_not_zero_by_their_number(blocks, layers):
    width, gain = 60, ACTIVATIONS["relu"].gain
    sizes = (80, *(width,) * (1 + blocks * layers), 10)
    network = Mlp(sizes, "relu", "float64", residual=layers).initialize("fixup", 5)
    (first, _), *inner, (last, _) = network.layers()
    assert len(network.blocks) == blocks
    assert not last.any()
    assert first.std() == pytest.approx(gain / math.sqrt(80), rel=deviation_error(first.size))
    scale = gain / math.sqrt(width) * blocks ** (-1 / (2 * layers - 2))
    for place, (weights, biases) in enumerate(inner):
        assert not biases.any()
        if place % layers == layers - 1:
            assert not weights.any()
        else:
            assert weights.std() == pytest.approx(scale, rel=deviation_error(weights.size))


def deviation_error(count):
    """Return the relative error allowed to the standard deviation of normal values."""
    return stats.norm.isf(CHANCE / 2) / math.sqrt(2 * count)


def change_exponent(layers, seed, scaled):
    """Return how the change of a network's function by one step grows with its blocks."""
    x, labels, blocks, changes = inputs(40, 30, seed), np.arange(40) % 5, (2, 8, 32), []
    for number in blocks:
        sizes = (30, *(64,) * (1 + layers * number), 5)
        activation = "tanh" if layers == 1 else "relu"
        network = Mlp(sizes, activation, "float64", residual=layers).initialize("fixup", seed)
        weights, rates = [weights for weights, _ in network.layers()], [(1.0, 1.0)] * network.depth
        if scaled:
            rates = SCHEMES["fixup"].learning_rates(network)
        else:
            for layer in [layer for block in network.blocks for layer in block[:-1]]:
                weights[layer] *= number ** (1 / (2 * layers - 2))
        weights[-1][:] = draw("lecun_normal", (64, 5), rng=seed)
        before = network.logits(x)
        descend(network, x, labels, np.array([RATE]), "sgd", rates)
        changes.append(np.abs(network.logits(x) - before).mean())
    return np.polyfit(np.log(blocks), np.log(changes), 1)[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_with_fixup_a_step_changes_the_function_as_much_at_any_depth(layers):
    """Zhang et al. 2019, section 3: Θ(rate), where branches not scaled add Θ(rate) each."""
    count = 12
    scaled, plain = (
        np.array([change_exponent(layers, seed, kind) for seed in range(count)])
        for kind in (True, False)
    )
    error = stats.t.isf(CHANCE / 2, count - 1) * scaled.std(ddof=1) / math.sqrt(count)
    assert error < 0.2
    assert abs(scaled.mean()) < error + RATE  # what is of second order in the rate
    assert plain.mean() > scaled.mean() + 0.4


@pytest.mark.exhaustive("backend")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_layer_moves_at_a_rate_of_its_own(optimizer, backend):
    """The first step, of one gradient at whatever rate, is proportional to it."""
    x, labels = inputs(30, 20), np.arange(30) % 5
    layer_rates = [(0.5, 2.0), (3.0, 0.0), (0.25, 4.0)]
    moved = {}
    for rates in ("plain", "layered"):
        network = Mlp((20, 16, 12, 5), "tanh", "float64", backend).initialize("torch.Linear", 3)
        before = network.parameters.copy()
        given = [(1.0, 1.0)] * 3 if rates == "plain" else layer_rates
        descend(network, x, labels, np.full(1, 0.1), optimizer, given)
        moved[rates] = list(network.layers(network.parameters - before))
    for layer, factors in enumerate(layer_rates):
        for plain, layered, factor in zip(
            moved["plain"][layer], moved["layered"][layer], factors, strict=True
        ):
            assert plain.any()
            # a difference of weights that are less than 1, each rounded once
            np.testing.assert_allclose(layered, factor * plain, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_training_gives_mup_the_rates_that_it_declares(blobs, backend):
    experiment = Experiment(
        "mup", "tanh", hidden=(32, 16), epochs=1, dtype="float64", backend=backend
    )
    first = train(experiment, dataset=blobs).layers.iloc[:3]
    network = Mlp((blobs.train_images[0].size, 32, 16, 10), "tanh")
    fans = network.sizes[:-1] * network.sizes[1:]
    length = np.sqrt(fans * (first["weight_mean"] ** 2 + first["weight_std"] ** 2))
    rates = first["update_ratio"] * length / first["gradient_norm"] / experiment.learning_rate
    declared = [weights for weights, _ in SCHEMES["mup"].learning_rates(network)]
    assert declared != [1.0] * 3
    # sums over at most a few thousand weights
    np.testing.assert_allclose(rates, declared, rtol=1e-11)


def coordinate_check(rule, rates, width, optimizer, learning_rate, steps=4):
    """Return by layer how far the pre-activations move in a few steps, in root mean square."""
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((32, 20)), rng.integers(0, 10, 32)
    network = Mlp((20, width, width, 10), "tanh", "float64", BACKEND).initialize(rule, 0)
    before = [z for _, z in signals(network, x)]
    descend(network, x, labels, np.full(steps, learning_rate), optimizer, rates(network))
    moves = zip(signals(network, x), before, strict=True)
    return np.array([np.sqrt(np.mean((z - old) ** 2)) for (_, z), old in moves])


@pytest.mark.exhaustive
@pytest.mark.parametrize(("optimizer", "learning_rate"), [("sgd", 0.1), ("adam", 0.005)])
def test_mup_moves_every_layer_alike_at_any_width(optimizer, learning_rate):
    """The coordinate check of 2203.03466, appendix D.1: exponents of the width, 0 or not."""
    mup, widths = SCHEMES["mup"].replace(base_width=64), (64, 512)

    def exponents(rule, rates):
        small, large = (coordinate_check(rule, rates, w, optimizer, learning_rate) for w in widths)
        return np.log(large / small) / math.log(widths[1] / widths[0])

    ours = exponents(mup, lambda network: mup.learning_rates(network, optimizer))
    # corrections to the limit are of order 1/√width: at 64, as much as an eighth
    assert np.all(np.abs(ours) < math.log(1 + 1 / 8) / math.log(8))
    standard = exponents("lecun_normal", lambda network: [(1.0, 1.0)] * network.depth)
    assert standard[-1] > 0.5  # the logits move with the width's root or more
    weights_alone = exponents(mup, lambda network: [(1.0, 1.0)] * network.depth)
    assert np.abs(weights_alone).max() > 0.5


def test_mup_is_the_standard_parametrization_at_its_base_width():
    mup = SCHEMES["mup"].replace(base_width=64)
    network = Mlp((20, 64, 64, 10), "tanh")
    for optimizer in ("sgd", "adam"):
        assert mup.learning_rates(network, optimizer) == [(1.0, 1.0)] * 3
    *_, (last, _) = draw_network(mup, (20, 64, 64, 2000), "tanh", rng=0, dtype="float64")
    allowed = stats.norm.isf(CHANCE / 2) / math.sqrt(2 * last.size)
    assert last.std() == pytest.approx(1 / 8, rel=allowed)
    with pytest.raises(
        ValueError,
        match="optimizer must be one of sgd, momentum, nesterov, adam, adamw, not 'lion'",
    ):
        mup.learning_rates(network, "lion")
