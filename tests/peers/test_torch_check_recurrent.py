"""Verdicts on recurrent layers: what multiplies the state, gate by gate, and what the input."""

from functools import partial

import pytest
import torch
from check_trials import WIDTH, Recurrent, classified, recurrent, sentences
from torch import nn

import initperf.torch
from initperf.torch.fixing.fix import METHODS

KINDS = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}
SEEDS = 20


def check(make, **options):
    return initperf.torch.check(make, sentences(), classified, **options)


class Stepped(nn.Module):
    """A recurrent cell, called once for each step."""

    def __init__(self, kind):
        super().__init__()
        self.embedding = nn.Embedding(300, WIDTH)
        self.cell = kind(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, ids):
        state = None
        for step in self.embedding(ids).unbind(1):
            state = self.cell(step, state)
        return self.head(state[0] if isinstance(state, tuple) else state)


def healthy(kind, rule):
    model = Stepped(kind) if issubclass(kind, nn.RNNCellBase) else Recurrent(kind, 1)
    return initperf.torch.init_(model, rule, rng=torch.default_generator)


@pytest.mark.parametrize("rule", ["pytorch", "lstm"])
@pytest.mark.parametrize("kind", [*KINDS.values(), nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_usual_rules_raise_no_finding(kind, rule):
    result = check(partial(healthy, kind, rule), seeds=SEEDS)
    assert not result.findings, result.verdict


@pytest.mark.parametrize("kind", KINDS)
def test_a_recurrent_weight_that_is_too_large_is_found_and_fixed(kind):
    make = partial(recurrent, 10.0, kind=KINDS[kind])
    found = check(make, seeds=3).findings[0]
    # U(−1/√n, 1/√n) of fan-in n has √(n E[w²]) = 1/√3; of 64 × 64 entries within 2 %
    assert (found.kind, found.name) == ("recurrent", "layer.weight_hh_l0")
    assert found.text.startswith("layer.weight_hh_l0 multiplies the state of its layer by 5.")
    assert ("gates saturate" in found.cause) is (kind != "RNN")
    assert found.remedy.startswith("orthogonal would hold")
    for how in METHODS:
        torch.manual_seed(0)
        fixed = initperf.torch.fix_(make(), sentences(), how, loss=classified)
        assert not fixed.before.healthy
        assert fixed.after.healthy, fixed.after.verdict


@pytest.mark.parametrize("factor", [0.0, 0.1])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_without_gates_must_pass_on_its_state(kind, factor):
    result = check(partial(recurrent, factor, kind=KINDS[kind]))
    said = result.findings if kind == "RNN" else result.notes
    (found,) = [each for each in said if each.name == "layer.weight_hh_l0"]
    assert found.kind == "recurrent"
    assert ("forgets" in found.cause) is (kind == "RNN")
    assert result.healthy is (kind != "RNN")


@pytest.mark.parametrize("how", METHODS)
def test_a_recurrent_weight_of_zeros_is_left_for_a_reason(how):
    fixed = initperf.torch.fix_(recurrent(0.0, kind=nn.RNN), sentences(), how)
    (left,) = [each for each in fixed.unmended if each.finding.name == "layer.weight_hh_l0"]
    assert left.reason.startswith("layer.weight_hh_l0 is left as it is: it is zero")


@pytest.mark.parametrize("kind", KINDS)
def test_a_weight_of_the_input_is_found_where_it_saturates_gates(kind):
    weight = "weight_ih_l0"
    (found,) = check(partial(recurrent, 10.0, weight, kind=KINDS[kind])).findings
    assert (found.kind, found.name) == ("layer", f"layer.{weight}")
    assert found.remedy.startswith("glorot_uniform would hold")

    def small():
        model = recurrent(10.0, weight, KINDS[kind])
        model.embedding.weight.data.mul_(0.1)
        return model

    # what reaches the gates is then as large as it is by PyTorch's default
    assert check(small).healthy is (kind != "RNN")


def test_the_gate_that_is_too_large_is_named():
    def make():
        model = Recurrent()
        with torch.no_grad():
            model.layer.weight_hh_l1[WIDTH : 2 * WIDTH] *= 10.0
        return model

    (found,) = check(make).findings
    assert found.name == "layer.weight_hh_l1"
    assert "too large in its forget gate, so that" in found.cause


def test_an_exploding_state_is_no_residual_branch():
    result = check(partial(recurrent, 10.0, kind=partial(nn.RNN, nonlinearity="relu")))
    assert not result.additions
    found = {each.kind: each for each in result.findings}
    assert set(found) >= {"recurrent", "signal", "gradient"}
    for kind in ("signal", "gradient"):
        assert found[kind].cause.startswith("layer.weight_hh_l0 multiplies the state")


def test_constant_weights_inside_of_a_layer_are_found():
    def make():
        model = Recurrent()
        nn.init.constant_(model.layer.weight_ih_l1, 0.05)
        return model

    (found,) = check(make).findings
    assert (found.kind, found.name) == ("constant", "layer.weight_ih_l1")


def test_a_weight_that_is_used_several_times_is_found_once():
    shared = nn.Linear(WIDTH, WIDTH, bias=False)
    nn.init.orthogonal_(shared.weight, gain=6.0)
    model = nn.Sequential(shared, nn.Tanh(), shared, nn.Tanh(), shared)
    found = initperf.torch.check(model, torch.randn(32, WIDTH)).findings
    assert [each.name for each in found if each.kind == "layer"] == ["0"]
