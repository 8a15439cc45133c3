"""Verdicts in words: where signals vanish, how fast, what theory says, and what would hold."""

import math

import pytest
import torch
from check_trials import (
    FAULTS,
    WIDTH,
    attentions,
    normal,
    perceptron,
    residual,
    squared,
    vectors,
)
from torch import nn

import initperf.torch
from initperf.torch.signals.judges.units import dead_chance
from initperf.torch.signals.thresholds import THRESHOLDS

X = vectors()()


def findings(model, batch=X, **options):
    return {each.kind: each for each in initperf.torch.check(model, batch, **options).findings}


def test_xaviers_weights_vanish_under_relu():
    found = findings(lambda: perceptron("xavier_normal"))["signal"]
    # 2^−10 of the root mean square after 20 layers, whose logarithm has a deviation of
    # √(5·20/64)/2 = 0.6, of a layer's ln √2 = 0.35 each
    assert 32 <= int(found.name) <= 50
    assert "the signal vanishes after layer 0 (linear 64x64): layer " in found.text
    assert "relu with Xavier" in found.cause
    assert "theory 0.5" in found.cause
    assert found.remedy == "he_normal would hold"
    assert found.fix == "fix_ scales each layer"


def test_a_signal_that_vanishes_in_each_seed_is_one_finding():
    result = initperf.torch.check(lambda: perceptron("xavier_normal"), X, seeds=4)
    (found,) = [each for each in result.findings if each.kind == "signal"]
    assert "seeds)" not in found.text  # in each of them, at layers of their own


def test_pytorchs_default_stops_gradients_of_thirty_layers():
    found = findings(lambda: perceptron("pytorch"))["gradient"]
    assert "the gradient vanishes" in found.text
    assert found.layers[1] in {str(2 * i) for i in range(22, 30)}


def test_rates_of_models_with_a_weight_of_zeros_are_told():
    torch.manual_seed(0)
    model = perceptron("xavier_normal")
    nn.init.zeros_(model[20].weight)
    nn.init.constant_(model[20].bias, 2.0**-5)  # as much as ten layers of theory leave
    found = findings(model)
    assert found["constant"].name == "20.weight"
    assert "20" in found["signal"].layers
    assert "theory 0.5" in found["signal"].cause


def test_a_wrong_fan_says_which():
    trial = FAULTS["wrong fan in a transposed convolution"].trial
    found = findings(trial.make, trial.batch())["fan"]
    assert "2/72, divided by the fan of the wrong axis; its fan-in is 1152" in found.cause


def test_scores_say_by_what_to_divide():
    found = findings(lambda: attentions({1: 1.0}), normal(8, 16, WIDTH))["scores"]
    assert found.name == "layers.1: softmax"
    assert "not by 1/√64" in found.cause
    assert found.remedy == "divide them by √64 = 8"


class Fused(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        nn.init.normal_(self.qkv.weight, std=WIDTH**-0.5)
        self.scale = scale

    def forward(self, x):
        q, k, v = self.qkv(self.norm(x)).view(8, 16, 3, 2, 32).permute(2, 0, 3, 1, 4)
        return nn.functional.scaled_dot_product_attention(q, k, v, scale=self.scale)


def test_scores_of_fused_attention_are_seen():
    found = findings(lambda: Fused(1.0), normal(8, 16, WIDTH))["scores"]
    assert "not by 1/√32" in found.cause
    assert "scores" not in findings(lambda: Fused(None), normal(8, 16, WIDTH))


def test_a_head_says_by_how_much():
    trial = FAULTS["tied head too large"].trial
    found = findings(trial.make, trial.batch(), loss=trial.loss)["head"]
    assert "ln C is 5.7" in found.text
    assert "tied to the embedding" in found.cause


def test_a_detached_result_is_named():
    trial = FAULTS["detached branch"].trial
    for loss in (None, trial.loss):
        found = findings(trial.make, trial.batch(), loss=loss)["unreached"]
        assert found.cause == "the result of blocks.0: add is detached"
        assert "blocks.0.fc.weight" in found.layers


def test_a_constant_weight_is_found_unless_it_ends_a_branch():
    model = perceptron(depth=3)
    nn.init.constant_(model[2].weight, 0.1)
    found = findings(model)
    assert found["constant"].name == "2.weight"
    assert found["duplicate"].name == "2"
    quiet = residual()
    for block in quiet.blocks:
        nn.init.zeros_(block.fc.weight)
    nn.init.zeros_(quiet.head.weight)
    assert not findings(quiet)


def test_a_layer_unlike_its_siblings_is_found():
    model = residual(6)
    with torch.no_grad():
        model.blocks[3].fc.weight *= 6.0
    found = findings(model)["layer"]
    assert found.name == "blocks.3.fc"


def test_a_sum_that_is_divided_is_a_mean():
    model = perceptron(depth=2)
    assert "loss_sum" in findings(model, loss=lambda y: (y * y).sum())
    assert "loss_sum" not in findings(model, loss=lambda y: (y * y).sum() / y.numel())
    assert "loss_sum" not in findings(model, loss=squared)


@pytest.mark.parametrize(("cosine", "samples"), [(0.0, 3), (0.3, 8), (0.9, 16), (0.999, 16)])
def test_the_chance_of_dead_units_is_that_of_normal_draws(cosine, samples):
    rng = torch.Generator().manual_seed(0)
    count = 200_000
    shared = torch.randn(count, 1, generator=rng, dtype=torch.float64)
    own = torch.randn(count, samples, generator=rng, dtype=torch.float64)
    drawn = math.sqrt(cosine) * shared + math.sqrt(1.0 - cosine) * own
    share = (drawn <= 0.0).all(1).double().mean().item()
    expected = dead_chance(cosine, samples)
    # five standard errors of a share
    assert abs(share - expected) < 5.0 * math.sqrt(expected * (1.0 - expected) / count) + 1e-12


def test_every_finding_has_a_threshold_with_a_source():
    assert all(each.source and each.measures for each in THRESHOLDS.values())
    assert {fault.kind for fault in FAULTS.values()} <= set(THRESHOLDS)
