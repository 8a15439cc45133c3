"""MetaInit and GradInit: their objectives' gradients, and what their weights promise."""

import numpy as np
import pytest

from initperf import SCHEMES, draw_network
from initperf.errors import UnsuitableError
from initperf.schemes._loss import Loss
from initperf.schemes.gradinit import by_layer, scaled
from initperf.schemes.metainit import gradient_quotient
from initperf.training.network import Mlp

SIZES = (20, 30, 30, 30, 5)


def examples(count=120, features=SIZES[0], classes=SIZES[-1], seed=0, size=1.0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((classes, features))
    labels = rng.integers(classes, size=count)
    return size * (centres[labels] + 0.5 * rng.standard_normal((count, features))), labels


def network_of(rule, activation="tanh", inputs=None, labels=None, sizes=SIZES, rng=1):
    network = Mlp(sizes, activation, "float64", "numpy")
    return network.initialize(rule, rng, batch=inputs, labels=labels)


def norms(network):
    return np.array([np.linalg.norm(weights) for weights, _ in network.layers()])


@pytest.mark.parametrize("activation", ["tanh", "relu", "softplus"])
def test_the_gradient_of_the_quotient_is_the_limit_of_differences(activation):
    # a large ε, so that no denominator is small enough to make the differences themselves wrong
    network = network_of("torch.Linear", activation, sizes=(6, 7, 5, 4))
    loss, epsilon = Loss(network, *examples(9, 6, 4)), 0.05
    value, gradient = gradient_quotient(loss, network.parameters, epsilon)
    rng, step = np.random.default_rng(1), 1e-6
    for _ in range(5):
        way = rng.standard_normal(gradient.size)
        way /= np.linalg.norm(way)
        ends = [
            gradient_quotient(loss, network.parameters + x * way, epsilon)[0] for x in (-step, step)
        ]
        # 1e-7 of third derivatives of activations, by denominators of 0.05
        assert gradient @ way == pytest.approx((ends[1] - ends[0]) / (2 * step), abs=2e-5)
    assert value > 0.0
    assert np.linalg.norm(gradient) > 1e-2


def mean_quotient(network, count=20):
    rng = np.random.default_rng(9)
    values = []
    for _ in range(count):
        inputs = rng.standard_normal((32, SIZES[0]))
        loss = Loss(network, inputs, rng.integers(SIZES[-1], size=32))
        values.append(gradient_quotient(loss, network.parameters, 1e-5)[0])
    return np.mean(values)


@pytest.mark.slow
@pytest.mark.parametrize("start", [1.0, 3.0])
def test_metainit_recovers_from_weights_that_are_too_large(start):
    """The paper's claim; measured before: 18 and 988, and after 0.28 and 0.32."""
    rule = SCHEMES["metainit"].replace(start=start, steps=300)
    before, after = (network_of(rule.replace(steps=n), "relu") for n in (0, 300))
    assert mean_quotient(before) > 5.0
    assert mean_quotient(after) < 0.5
    # norms follow the batches, by 0.1 a step and more with momentum, but are those of small weights
    assert np.all(norms(after) < 0.6 * norms(before))


def test_metainit_that_brings_weights_to_zero_is_refused_without_a_warning():
    images = np.random.default_rng(0).random((256, 20))
    sizes = (20, 16, 16, 16, 16, 5)
    with pytest.raises(UnsuitableError, match="metainit left the range of numbers in step"):
        draw_network("metainit", sizes, "linear", rng=2, batch=images, residual=1)


def test_metainit_changes_norms_alone():
    before, after = (network_of(SCHEMES["metainit"].replace(steps=n)) for n in (0, 20))
    for (old, _), (new, biases) in zip(before.layers(), after.layers(), strict=True):
        cosine = np.vdot(old, new) / np.linalg.norm(old) / np.linalg.norm(new)
        assert cosine == pytest.approx(1.0, abs=1e-12)
        assert abs(np.linalg.norm(new) - np.linalg.norm(old)) > 0.05
        assert not biases.any()


def test_one_step_of_metainit_moves_each_norm_by_the_rate():
    rules = [SCHEMES["metainit"].replace(steps=n, rate=0.01) for n in (0, 1, 2)]
    zero, one, two = (norms(network_of(rule)) for rule in rules)
    np.testing.assert_allclose(np.abs(one - zero), 0.01, rtol=1e-9)
    # 0.9 of the last change, and 0.01 in one direction or the other
    change = np.abs((two - one) - 0.9 * (one - zero))
    np.testing.assert_allclose(change, 0.01, rtol=1e-9)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_derivatives_by_factors_are_the_limits_of_differences(activation):
    network = network_of("torch.Linear", activation)
    for _, biases in network.layers():
        biases[:] = 0.0  # the method has no factor for them
    loss, first = Loss(network, *examples(40)), network.parameters.copy()
    factors = np.array([1.1, 0.9, 1.2, 0.8])

    def norm(values):
        return np.linalg.norm(loss.gradients(scaled(network, first, values))[0])

    parameters = scaled(network, first, factors)
    (gradient,) = loss.gradients(parameters)
    _, product = loss.gradients(parameters, gradient)
    found = by_layer(network, first, product / norm(factors))
    step = 1e-6
    for layer in range(network.depth):
        move = step * np.eye(network.depth)[layer]
        difference = (norm(factors + move) - norm(factors - move)) / (2 * step)
        assert found[layer] == pytest.approx(difference, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_gradinit_bounds_the_gradient_and_betters_the_first_step(activation):
    inputs, labels = examples(300, size=3.0)
    rule = SCHEMES["gradinit"]
    before, after = (
        network_of(rule.replace(iterations=n), activation, inputs, labels) for n in (0, 390)
    )

    def stepped(network):
        loss = Loss(network, inputs, labels)
        (gradient,) = loss.gradients(network.parameters)
        size = np.linalg.norm(gradient)
        return size, loss.value(network.parameters - rule.step / size * gradient)

    (old_norm, old_loss), (new_norm, new_loss) = stepped(before), stepped(after)
    assert old_norm > 1.5 * rule.bound
    # factors oscillate about the bound by what a step of 0.01 changes, and batches differ
    assert new_norm < 1.2 * rule.bound
    assert new_loss < old_loss


def test_gradinit_scales_whole_layers_and_keeps_factors_above_their_bound():
    inputs, labels = examples(300, size=3.0)
    rule = SCHEMES["gradinit"].replace(iterations=60, rate=0.2, least=0.5)
    before, after = (
        network_of(rule.replace(iterations=n), "tanh", inputs, labels) for n in (0, 60)
    )
    factors = norms(after) / norms(before)
    assert factors.min() == pytest.approx(0.5)
    for (old, _), (new, biases), factor in zip(
        before.layers(), after.layers(), factors, strict=True
    ):
        np.testing.assert_allclose(new, factor * old, rtol=1e-12)
        assert not biases.any()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, r"gradinit uses labels: labels must be given, \(120,\)"),
        (np.zeros(119, int), r"shape \(120,\), not \(119,\)"),
        (np.zeros((120, 1), int), r"shape \(120,\), not \(120, 1\)"),
        (np.zeros(120), "labels must be integers from 0 to 4"),
        (np.full(120, 5), "labels must be integers from 0 to 4"),
        (np.full(120, -1), "labels must be integers from 0 to 4"),
    ],
)
def test_labels_that_say_nothing_are_refused_and_nothing_written(labels, message):
    network = Mlp(SIZES, "tanh")
    network.parameters[:] = 7.0
    with pytest.raises(UnsuitableError, match=message):
        network.initialize("gradinit", 0, batch=examples()[0], labels=labels)
    assert np.all(network.parameters == 7.0)


def test_training_gives_a_scheme_the_labels_of_its_images(blobs):
    from initperf import Experiment, train

    experiment = Experiment(
        "gradinit(iterations=5)", hidden=(16,), epochs=1, learning_rate=0.0, batch_size=300
    )
    run = train(experiment, dataset=blobs)
    order = np.random.default_rng([0, 0]).permutation(300)[:512]
    images, labels = blobs.features("train", "float32")[order], blobs.train_labels[order]
    rule = SCHEMES["gradinit"].replace(iterations=5)
    network = Mlp((784, 16, 10)).initialize(rule, 0, batch=images, labels=labels)
    stds = run.layers.set_index("layer")["weight_std"]
    for number, (weights, _) in enumerate(network.layers()):
        assert stds[number + 1] == pytest.approx(weights.std(), rel=1e-5)
