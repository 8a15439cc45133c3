import numpy as np
import pytest
from small_networks import BLOCKS, one_step, problem

from initperf.activations import ACTIVATIONS
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS
from initperf.kernels.train_epoch import STATISTICS
from initperf.optimizers import OPTIMIZERS
from initperf.training.network import Mlp


def differ_by_their_gradients(network, images, labels):
    _, gradients, _ = one_step(network, images, labels)
    step = 1e-6
    for at in range(len(network.parameters)):
        losses = []
        for sign in (1.0, -1.0):
            before = network.parameters[at]
            network.parameters[at] = before + sign * step
            losses.append(network.evaluate(images, labels)[0])
            network.parameters[at] = before
        difference = (losses[0] - losses[1]) / (2 * step)
        # third derivatives of order 1 times step^2, and losses of order 1 rounded, by the step
        assert gradients[at] == pytest.approx(difference, abs=100 * step**2 + 1e-15 / step)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_the_limit_of_differences(activation, backend):
    differ_by_their_gradients(*problem(activation, backend))


# two blocks, with layers in none before, between and after them, and one that narrows


@pytest.mark.parametrize("layers", BLOCKS)
def test_blocks_are_the_layers_between_equal_widths(layers):
    sizes, blocks = BLOCKS[layers]
    network = Mlp(sizes, residual=layers)
    assert [tuple(block) for block in network.blocks] == blocks
    linear = {network.depth - 1, *(block[-1] for block in blocks if layers > 1)}
    assert {n for n in range(network.depth) if network.is_linear(n)} == linear


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu"])
@pytest.mark.parametrize("layers", BLOCKS)
def test_gradients_of_residual_blocks_are_the_limit_of_differences(layers, activation, backend):
    sizes, _ = BLOCKS[layers]
    differ_by_their_gradients(*problem(activation, backend, sizes=sizes, residual=layers))


@pytest.mark.parametrize("layers", BLOCKS)
def test_a_block_hands_on_its_input_and_what_its_branch_makes_of_it(layers):
    network, images, _ = problem("tanh", "numba", sizes=BLOCKS[layers][0], residual=layers)
    firsts, lasts = ({block[i] for block in BLOCKS[layers][1]} for i in (0, -1))
    x = entered = images
    for number, (weights, biases) in enumerate(network.layers()):
        entered = x if number in firsts else entered
        z = x @ weights + biases
        linear = number == network.depth - 1 or (layers > 1 and number in lasts)
        x = (z if linear else np.tanh(z)) + (entered if number in lasts else 0.0)
    np.testing.assert_allclose(network.logits(images), x, rtol=1e-12)


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_blocks_that_do_not_fit_are_refused(layers):
    words = rf"residual={layers} needs .*hidden layer.* widths are \(8, 4, 5\)"
    with pytest.raises(UnsuitableError, match=words):
        Mlp((6, 8, 4, 5, 4), residual=layers)


@pytest.mark.exhaustive("activation", keep=4)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("clip", ["none", "layer", "global"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_step_is_the_same_on_both_backends(activation, optimizer, clip, dtype):
    clip_norm = 0.0 if clip == "none" else 0.05
    found = {}
    for backend in ("numpy", "numba"):
        network, images, labels = problem(activation, backend, dtype)
        loss, gradients, statistics = one_step(
            network, images, labels, 0.5, clip_norm, optimizer, clip == "global"
        )
        found[backend] = [loss, gradients, network.parameters, statistics]
    tolerance = {"float32": 1e-5, "float64": 1e-12}[dtype]
    for ours, reference in zip(found["numba"], found["numpy"], strict=True):
        np.testing.assert_allclose(
            ours, reference, rtol=tolerance, atol=tolerance * np.max(np.abs(reference))
        )


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_the_statistics_are_those_of_the_arrays(backend):
    network, images, labels = problem("relu", backend, sizes=(6, 7, 5, 4), count=9)
    weights, biases = next(network.layers())
    weights[:, 2], biases[2] = 0.0, -1.0  # a dead unit
    x, states = images, []
    for number, (weights, biases) in enumerate(network.layers()):
        z = x @ weights + biases
        a = np.maximum(z, 0.0) if number < network.depth - 1 else z
        states.append((weights.copy(), z, a, number < network.depth - 1))
        x = a
    _, gradients, statistics = one_step(network, images, labels, rate=0.25)
    slopes = [weights for weights, _ in network.layers(gradients)]
    for layer, (w, z, a, hidden) in enumerate(states):
        g = slopes[layer]
        expected = {
            "weight_mean": w.mean(),
            "weight_std": w.std(),
            "weight_max": np.abs(w).max(),
            "gradient_norm": np.linalg.norm(g),
            "gradient_mean_abs": np.abs(g).mean(),
            "preactivation_mean": z.mean(),
            "preactivation_variance": z.var(),
            "activation_mean": a.mean(),
            "activation_variance": a.var(),
            "activation_zero_fraction": np.mean(a == 0),
            "saturated_fraction": np.mean(z <= 0) if hidden else 0.0,
            "dead_fraction": np.mean((a == 0).all(axis=0)),
            "update_ratio": 0.25 * np.linalg.norm(g) / np.linalg.norm(w),
        }
        assert set(expected) == set(STATISTICS)
        for column, name in enumerate(STATISTICS):
            assert statistics[layer, column] == pytest.approx(expected[name], rel=1e-12, abs=1e-15)
    assert statistics[0, STATISTICS.index("dead_fraction")] >= 1 / 7


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_small_variance_about_a_large_mean_keeps_its_digits(backend):
    network, images, labels = problem("sigmoid", backend, "float32", sizes=(6, 64, 4))
    for weights, _ in network.layers():
        weights *= 1e-3
    weights, biases = next(network.layers())
    biases[:] = 0.0
    _, _, statistics = one_step(network, images, labels)
    exact = 1 / (1 + np.exp(-(images.astype(np.float64) @ weights.astype(np.float64))))
    measured = statistics[0, STATISTICS.index("activation_variance")]
    # values near 1/2 are rounded to 2^-25: noise of variance 2^-50 / 3 at the most on 1e-8
    assert measured == pytest.approx(exact.var(), rel=0.01)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_clipping_bounds_the_step_of_each_layer(backend):
    network, images, labels = problem("relu", backend)
    before = network.parameters.copy()
    one_step(network, images, labels, rate=1.0, clip_norm=0.01)
    moves = network.parameters - before
    for weights, biases in network.layers(moves):
        norm = np.sqrt(np.sum(weights**2) + np.sum(biases**2))
        assert norm == pytest.approx(0.01, rel=1e-9)


def test_layers_draw_from_streams_of_their_own_and_biases_are_zero():
    network = Mlp((20, 20, 20)).initialize("he_normal", rng=9)
    (first, bias), (second, _) = network.layers()
    assert not np.intersect1d(first, second).size
    assert not bias.any()
    assert np.array_equal(first, INITIALIZERS["he_normal"]((20, 20), rng=9, stream=0))
    assert np.array_equal(second, INITIALIZERS["he_normal"]((20, 20), rng=9, stream=1))


def test_a_network_of_zeros_stays_symmetric():
    network, images, labels = problem("tanh", "numba")
    network.initialize("constant", rng=0)
    for _ in range(3):
        one_step(network, images, labels, rate=0.5)
    weights, _ = next(network.layers())
    # equal columns in exact arithmetic; each step rounds them apart by no more than an ulp or so
    np.testing.assert_allclose(weights, weights[:, :1].repeat(weights.shape[1], 1), rtol=1e-12)


def test_logits_that_overflow_count_as_wrong():
    network, images, labels = problem("relu", "numba", "float32")
    network.parameters[:] = 1e30
    loss, accuracy = network.evaluate(np.abs(images), labels)
    assert (loss, accuracy) == (float("inf"), 0.0)


@pytest.mark.parametrize("sizes", [(3,), (3, 0), [[3, 4]], ()])
def test_sizes_that_make_no_network_are_refused(sizes):
    with pytest.raises(ValueError, match="sizes"):
        Mlp(sizes)
