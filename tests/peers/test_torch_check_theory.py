"""Checks of a perceptron against closed forms, and against the statistics of training."""

import math

import numpy as np
import pytest
import torch
from check_trials import perceptron
from scipy.special import ndtr
from torch import nn

import initperf.torch
from initperf import Experiment, train
from initperf.theory import relu_log_norm
from initperf.torch.signals import observe
from initperf.torch.signals.statistics import Prediction
from initperf.torch.signals.thresholds import agreement
from initperf.training._epochs import Epochs

WIDTH, DEPTH, DRAWS = 512, 30, 24


def last_signals(rule, draws, depth, width, samples):
    """Visit what each draw gives after the last layer, for inputs of norm √width."""
    x = torch.randn(samples, width, generator=torch.Generator().manual_seed(0))
    x *= math.sqrt(width) / x.norm(dim=1, keepdim=True)
    for seed in range(draws):
        torch.manual_seed(seed)
        yield observe(perceptron(rule, depth, width), x)[-1]


def signal(rule):
    """Return measured and predicted second moments after the last layer of each draw."""
    found = list(last_signals(rule, DRAWS, DEPTH, WIDTH, 8))
    measured = [each.statistics.second_moment for each in found]
    return np.array(measured), np.array([each.prediction.value for each in found])


def interval(values):
    """Return mean and five standard errors over draws; 1 in 10⁵ for 24 draws (Student's)."""
    return values.mean(), 5.0 * values.std(ddof=1) / math.sqrt(len(values))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # half of E[h²] passes a ReLU, and He et al. double it: in the mean over draws 1 stays 1
        ("he_normal", 1.0),
        ("xavier_normal", 2.0**-30),
    ],
)
def test_signals_are_those_of_closed_forms(rule, expected):
    values, predicted = signal(rule)
    mean, error = interval(values / expected)
    assert abs(mean - 1.0) < error
    # the prediction takes the weights' own second moments: √(2/n²) each, 30 of them
    assert np.allclose(predicted, expected, rtol=5.0 * math.sqrt(2.0 * DEPTH) / WIDTH)


@pytest.mark.slow
def test_pytorchs_default_ends_where_its_biases_hold_it():
    values, _ = signal("pytorch")
    # q ← q/6 + 1/(6n), from 1: E[relu²] is half of what U(−1/√n, 1/√n) of weights and biases give
    expected = 1.0
    for _ in range(DEPTH):
        expected = expected / 6.0 + 1.0 / (6.0 * WIDTH)
    mean, error = interval(values / expected)
    assert abs(mean - 1.0) < error
    assert expected == pytest.approx(3.9e-4, rel=0.01)


def test_bands_are_those_of_finite_width():
    draws, depth, width = 200, 10, 32
    log_norm = relu_log_norm([width] * depth)
    found = list(last_signals("he_normal", draws, depth, width, 1))
    for each in found:
        # 5L/n, and the 1 % that is granted to every rule
        assert each.prediction.deviation**2 == pytest.approx(
            log_norm.leading_variance + 1e-4, rel=1e-6
        )
    kinds = [agreement(each) for each in found]
    assert "wrong" not in kinds
    # ln of one sample's signal has this mean and deviation around that of the mean over draws
    band, spread = 2.0 * math.sqrt(log_norm.leading_variance), math.sqrt(log_norm.variance)
    below, above = ((sign * band - log_norm.mean) / spread for sign in (-1.0, 1.0))
    expected = float(ndtr(above) - ndtr(below))
    share = kinds.count("as predicted") / draws
    # four standard deviations of the binomial distribution, and a normal approximation's 1 %
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / draws) + 0.01


COLUMNS = {
    "preactivation_mean": (0, "mean"),
    "preactivation_variance": (0, None),
    "activation_mean": (1, "mean"),
    "activation_variance": (1, None),
    "activation_zero_fraction": (1, "zeros"),
    "saturated_fraction": (1, "saturated"),
    "dead_fraction": (1, "dead"),
}
"""Of each statistic of training: of the layer or its activation, and its name in a check."""


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_signals_are_the_statistics_of_training(blobs, activation):
    options = {"activation": activation, "dtype": "float64", "backend": "numpy"}
    rule = "he_normal" if activation == "relu" else "torch.linear"
    experiment = Experiment(rule, hidden=(48,) * 6, epochs=1, batch_size=300, **options)
    layers = train(experiment, dataset=blobs).layers  # one step, of all images
    images = blobs.features("train", "float64")
    epochs = Epochs(experiment, images, blobs.train_labels.copy(), blobs.classes)
    epochs.initialize()
    parts = []
    for weights, biases in epochs.network.layers():
        linear = nn.Linear(*weights.shape, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights.T.copy()))
            linear.bias.copy_(torch.from_numpy(biases.copy()))
        parts += [linear, nn.ReLU() if activation == "relu" else nn.Tanh()]
    result = initperf.torch.check(nn.Sequential(*parts[:-1]), torch.from_numpy(images.copy()))
    table = result.table.set_index(["name", "direction"])
    for number, row in enumerate(layers.itertuples()):
        if number == 6:
            break  # the last layer is not activated
        for column, (place, name) in COLUMNS.items():
            found = table.loc[(str(2 * number + place), "forward")]
            square = found["second_moment"] - found["mean"] ** 2
            # both are float64, summed in other orders; a share differs by no element
            expected = getattr(row, column)
            value = square if name is None else found[name]
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-12), (number, column)


def test_measured_and_predicted_are_told_apart():
    prediction = Prediction(1.0, 1.0, 0.1, "input")
    assert prediction.agreement(math.exp(0.19), 2.0, 5.0) == "as predicted"
    assert prediction.agreement(math.exp(-0.4), 2.0, 5.0) == "by chance of this seed"
    assert prediction.agreement(math.exp(0.51), 2.0, 5.0) == "wrong"
    assert prediction.agreement(math.nan, 2.0, 5.0) == "not known"
    bounds = Prediction(0.25, 1.0, 0.1, "input")
    assert bounds.agreement(0.5, 2.0, 5.0) == "as predicted"
    assert bounds.agreement(0.2, 2.0, 5.0) == "by chance of this seed"
    assert bounds.agreement(0.1, 2.0, 5.0) == "wrong"


def agreements(model, x, **options):
    table = initperf.torch.check(model, x, **options).table
    forward = table[table["direction"] == "forward"]
    return dict(zip(forward["name"], forward["agreement"], strict=True)), forward


def test_dependent_weights_are_wrong():
    model = perceptron(depth=6)
    with torch.no_grad():
        # the rows of the third layer look where its input lies: no independent draw does
        x = torch.randn(32, 64, generator=torch.Generator().manual_seed(3))
        read = model[:4](x).mean(0)
        weight = model[4].weight
        size = weight.pow(2).mean()
        weight.copy_(read.expand_as(weight) + 0.1 * weight)
        weight *= (size / weight.pow(2).mean()).sqrt()
        signs = torch.where(torch.arange(64) % 2 == 0, 1.0, -1.0)
        weight *= signs[:, None]
    found, _ = agreements(model, x)
    assert found["2"] != "wrong"
    assert found["4"] == "wrong"


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(50, 256)
        self.norm = nn.LayerNorm(256)
        self.gate, self.up, self.down = (nn.Linear(256, 256) for _ in range(3))

    def forward(self, ids):
        x = self.table(ids)
        h = self.norm(x)
        x = x + self.down(nn.functional.silu(self.gate(h)) * self.up(h))
        return torch.sort(x, -1).values


def test_chains_of_known_operations_are_predicted_and_others_say_so():
    found, forward = agreements(Gated(), torch.arange(40).reshape(4, 10))
    known = {"table", "norm", "gate", ": silu", ": mul", "up", "down", ": add"}
    values = {name: found[name.removeprefix(": ")] for name in known}
    assert set(values.values()) <= {"as predicted", "by chance of this seed"}, values
    assert found["sort"] == "not known"
    predicted = dict(zip(forward["name"], forward["predicted"], strict=True))
    # U(−1/16, 1/16) twice: 256 entries of variance 1/768, of an input of second moment 1
    assert predicted["gate"] == pytest.approx(1.0 / 3.0 + 1.0 / 768.0, rel=0.05)
