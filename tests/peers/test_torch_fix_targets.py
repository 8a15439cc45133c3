"""Rescaling of first weights: which mean squares layers have afterwards."""

import math

import pytest
import torch
from check_trials import HEALTHY
from fix_models import (
    IDS,
    METHODS,
    WIDTH,
    Recurrent,
    inputs,
    made,
    perceptron,
    residual,
    results_of_layers,
)
from torch import nn

import initperf.torch
from initperf.torch.fixing.gains import TOLERANCE


def test_rescale_finds_the_variance_of_he():
    model = perceptron()
    fixed = initperf.torch.fix_(model, inputs())
    assert not fixed.before.healthy
    assert fixed.after.healthy
    changed = {each.name for each in fixed.changes}
    reaching = float((inputs() ** 2).mean())
    for name, layer in model.named_children():
        if isinstance(layer, nn.Linear):
            # rows of squared norm 2 where half of a unit second moment has passed ReLU
            power = float((layer.weight.detach() ** 2).sum()) / WIDTH * reaching
            if f"{name}.weight" in changed:
                assert power == pytest.approx(1.0, rel=10 * 2.0**-23)  # ten roundings of float32
            assert abs(math.sqrt(power) - 1.0) < TOLERANCE * 1.001
            reaching = power / 2.0
    assert len(changed) >= 29


@pytest.mark.parametrize("name", ["perceptron", "convolutions"])
def test_lsuv_brings_every_layer_to_one(name):
    model, x = made(name)
    initperf.torch.fix_(model, x, "lsuv")
    found = results_of_layers(model, x)
    assert found
    for layer, (power,) in found.items():
        # a factor within the tolerance of 1 is not applied
        assert (1 - TOLERANCE) ** 2 <= power <= (1 + TOLERANCE) ** 2 * 1.0001, layer


def test_lsuv_brings_a_shared_layer_to_one_in_the_geometric_mean():
    model, x = made("shared")
    initperf.torch.fix_(model, x, "lsuv")
    powers = results_of_layers(model, x)["layer"]
    assert len(powers) == 4
    mean = math.exp(sum(map(math.log, powers)) / 4)
    assert (1 - TOLERANCE) ** 2 <= mean <= (1 + TOLERANCE) ** 2 * 1.0001


@pytest.mark.parametrize("how", METHODS)
def test_a_hundred_residual_blocks_raise_the_trunk_by_e_at_most(how):
    model = residual(100)
    fixed = initperf.torch.fix_(model, inputs(), how)
    assert not fixed.before.healthy
    assert fixed.after.healthy, fixed.after.verdict
    with torch.no_grad():
        x = model[0](inputs())
        grown = float((model(inputs()) ** 2).mean()) / float((x**2).mean())
    # e in expectation; branches are correlated with the trunk by chance, 1/√(width) each, and
    # their sum over 100 blocks by as much: four standard deviations
    assert grown < math.e * (1 + 4 / math.sqrt(WIDTH))
    assert grown > 1.5


@pytest.mark.parametrize("how", METHODS)
def test_a_tied_head_stays_tied_and_gets_logits_of_one(how):
    model, x = made("GPT-2")
    with torch.no_grad():
        model.lm_head.weight *= 60.0
    targets = IDS.roll(-1, 1)

    def loss(result):
        return nn.functional.cross_entropy(result.logits.reshape(-1, 300), targets.reshape(-1))

    fixed = initperf.torch.fix_(model, x, how, loss=loss)
    assert not fixed.before.healthy
    assert fixed.after.healthy, fixed.after.verdict
    assert model.lm_head.weight is model.transformer.wte.weight
    logits = model(**x).logits.detach()
    # rescale takes final activations and rows of the embedding as uncorrelated, which inputs are
    # not with the rows that they are made of
    assert 0.5 < float((logits**2).mean()) < 2.0


class Gated(nn.Module):
    def __init__(self, gate):
        super().__init__()
        self.fc, self.gate = nn.Linear(WIDTH, WIDTH), nn.Parameter(torch.tensor(gate))

    def forward(self, x):
        return x + self.gate * self.fc(x)


@pytest.mark.parametrize("how", METHODS)
@pytest.mark.parametrize("gate", [0.0, 0.1])
def test_a_gate_is_left_and_its_branch_has_a_target_of_one(gate, how):
    model = Gated(gate)
    initperf.torch.fix_(model, inputs(), how)
    assert float(model.gate.detach()) == pytest.approx(gate)
    power = results_of_layers(model, inputs())["fc"][0]
    # by formula in expectation: 64 × 64 products scatter by √(2/64) around it
    assert abs(power - 1.0) < (4 * math.sqrt(2 / WIDTH) if how == "rescale" else 0.03)


class Numbered(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x):
        return x + 0.5 * self.fc(x)


def test_a_number_counts_in_the_target_of_a_branch():
    model = Numbered()
    initperf.torch.fix_(model, inputs(), "lsuv")
    branch = 0.5 * model.fc(inputs()).detach()
    trunk = max(1.0, float((inputs() ** 2).mean()))
    # a factor within the tolerance of 1 is not applied
    assert float((branch**2).mean()) == pytest.approx(trunk, rel=2.1 * TOLERANCE)


def test_numbers_before_activations_count_and_frequencies_are_left():
    trial = HEALTHY["SIREN"]
    torch.manual_seed(0)
    model = trial.make()
    with torch.no_grad():
        model[2].linear.weight *= 6.0
    fixed = initperf.torch.fix_(model, trial.batch(), "lsuv")
    factors = {each.name: each.factor for each in fixed.changes}
    # Sitzmann et al. 2020, theorem 1.8: 30 Wx has variance 1 for any layer but the first
    assert factors["2.linear.weight"] == pytest.approx(1 / 6, rel=0.1)
    assert "frequencies" in {each.name: each.reason for each in fixed.left}["0.linear.weight"]


KINDS = {
    "LSTM": nn.LSTM,
    "GRU": nn.GRU,
    "RNN": nn.RNN,
    "LSTM with projections": lambda *sizes, **options: nn.LSTM(*sizes, proj_size=16, **options),
    "LSTM of both directions": lambda *sizes, **options: nn.LSTM(
        *sizes, bidirectional=True, **options
    ),
    "LSTM without biases": lambda *sizes, **options: nn.LSTM(*sizes, bias=False, **options),
}


@pytest.mark.parametrize("how", METHODS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_recurrent_layers_read_at_one_and_keep_what_they_pass_on(kind, how):
    torch.manual_seed(0)
    model = KINDS[kind](WIDTH, 48, 2, batch_first=True)
    x = 3.0 * inputs(WIDTH, 40).reshape(4, 10, WIDTH)
    with torch.no_grad():
        model.weight_hh_l0 *= 20.0
    fixed = initperf.torch.fix_(model, x, how)
    assert not fixed.left
    for name, parameter in model.named_parameters():
        if name.startswith("bias"):
            continue
        weight = parameter.detach()
        if name.startswith("weight_ih_l0"):
            power = float(((x @ weight.T) ** 2).mean())
            # by formula in expectation: 192 × 64 products of 40 rows scatter by √(2/64) around it
            assert abs(power - 1.0) < (4 * math.sqrt(2 / WIDTH) if how == "rescale" else 0.03)
        else:
            # results of the layer are bounded by its sigmoid and tanh: gain 1, whatever their size
            gain = float((weight**2).mean()) * weight.shape[1]
            assert (1 - TOLERANCE) ** 2 * 0.9999 <= gain <= (1 + TOLERANCE) ** 2 * 1.0001, name


@pytest.mark.parametrize("how", METHODS)
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_recurrent_weight_that_cannot_be_scaled_is_named(kind, how):
    model = Recurrent(kind)
    model.layer.weight_hh_l0.requires_grad_(False)
    nn.init.zeros_(model.layer.weight_hh_l1)
    fixed = initperf.torch.fix_(model, inputs(WIDTH, 40).reshape(4, 10, WIDTH), how)
    left = {each.name: each.reason for each in fixed.left}
    assert left["layer.weight_hh_l0"] == "it is frozen: requires_grad is False"
    assert left["layer.weight_hh_l1"].startswith("it is zero")


class Squares(nn.Module):
    """Operations of one tensor with itself, and with a condition."""

    def __init__(self):
        super().__init__()
        self.fc, self.head = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, 3)

    def forward(self, x):
        x = self.fc(x)
        x = torch.where(x > 0.0, x * x, -x * x) + x + x
        return self.head(torch.cat([x, x], -1)[..., :WIDTH])


@pytest.mark.parametrize("how", METHODS)
def test_a_tensor_may_be_an_operand_twice(how):
    model = initperf.torch.init_(Squares(), "he_normal", rng=0)
    initperf.torch.fix_(model, inputs(), how)
    power = results_of_layers(model, inputs())["fc"][0]
    # by formula in expectation: 64 × 64 products scatter by √(2/64) around it
    assert abs(power - 1.0) < (4 * math.sqrt(2 / WIDTH) if how == "rescale" else 0.03)
