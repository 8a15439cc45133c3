"""Rescaling of first weights: what it mends, and what it says of what it cannot mend."""

import copy
import html

import pytest
import torch
from check_trials import FAULTS, HEALTHY, MENDED, attentions, classified, residual
from fix_models import METHODS, inputs, made, perceptron
from torch import nn

import initperf.torch
from initperf.torch.fixing.methods import lsuv, rescale
from initperf.torch.fixing.unmended import REASONS
from initperf.torch.parameters import parameters
from initperf.torch.signals.thresholds import THRESHOLDS


@pytest.mark.parametrize("how", METHODS)
@pytest.mark.parametrize("name", MENDED)
def test_planted_faults_of_scale_turn_healthy(name, how):
    fault = FAULTS[name]
    torch.manual_seed(0)
    fixed = initperf.torch.fix_(fault.trial.make(), fault.trial.batch(), how, loss=fault.trial.loss)
    assert fault.kind in {each.kind for each in fixed.before.findings}
    assert fixed.after.healthy, fixed.after.verdict
    assert fixed.changes
    assert not fixed.unmended
    assert next(each for each in fixed.before.findings if each.kind == fault.kind).fix


@pytest.mark.parametrize("name", sorted(set(FAULTS) - set(MENDED)))
def test_faults_that_no_scale_mends_are_left_with_a_reason(name):
    fault = FAULTS[name]
    torch.manual_seed(0)
    fixed = initperf.torch.fix_(fault.trial.make(), fault.trial.batch(), loss=fault.trial.loss)
    assert not fixed.after.healthy
    assert [each.finding for each in fixed.unmended] == list(fixed.after.findings)
    found = next(each for each in fixed.unmended if each.finding.kind == fault.kind)
    assert set(fault.names) <= {found.finding.name, *found.finding.layers}
    assert not found.finding.fix
    assert found.reason == REASONS[fault.kind]
    assert f"- {found.finding}: {found.reason}" in str(fixed).splitlines()
    assert html.escape(found.reason) in fixed._repr_html_()


def drawn(name, parameter, rule):
    """Return the model of a fault with one parameter drawn anew, and its loss."""
    trial = FAULTS[name].trial
    recipe = {parameter: rule, "*": "keep"}
    return initperf.torch.init_(trial.make(), recipe, rng=1), trial.loss


REMEDIES = {
    "zero gate": lambda: drawn("zero gate", "blocks.1.gate", "ones"),
    "unwritten parameter": lambda: drawn("unwritten parameter", "blocks.2.fc.weight", "he_normal"),
    "copied layer": lambda: drawn("copied layer", "6.weight", "he_normal"),
    "detached branch": lambda: (residual(), classified),
    "loss without mean": lambda: (residual(), classified),
    "missing 1/√d": lambda: (attentions(), classified),
}
"""What findings that no scale mends name: another draw, or other code."""


@pytest.mark.parametrize("name", sorted(set(FAULTS) - set(MENDED)))
def test_the_remedy_that_a_finding_names_mends_the_rest(name):
    torch.manual_seed(0)
    model, loss = REMEDIES[name]()
    result = initperf.torch.check(model, FAULTS[name].trial.batch(), loss)
    assert result.healthy, result.verdict


def test_every_kind_of_finding_is_scaled_or_has_a_reason():
    scaled = {"layer", "fan", "signal", "gradient", "head", "overflow", "dead", "scores"}
    scaled.add("recurrent")
    notes = {"blocked", "truncation"}
    limits = {"normalized layer", "siblings", "agreement: expected", "agreement: possible"}
    limits.add("recurrent memory")
    # scores are scaled where weights are too large, and left where the division is missing; what
    # overflows is scaled, and left where the batch is not finite
    assert set(REASONS) - {"scores", "overflow"} == set(THRESHOLDS) - scaled - notes - limits


def test_scores_of_large_weights_are_mended():
    torch.manual_seed(0)
    model, x = attentions(), inputs(64, 128).reshape(8, 16, 64)
    with torch.no_grad():
        model.layers[1].query.weight *= 4.5
    fixed = initperf.torch.fix_(model, x, loss=classified)
    (found,) = fixed.before.findings
    assert (found.kind, found.name) == ("scores", "layers.1: softmax")
    assert found.cause == "the weights of queries and keys are too large"
    assert fixed.after.healthy, fixed.after.verdict


@pytest.mark.parametrize("how", METHODS)
def test_a_copy_is_found_whatever_its_scale(how):
    trial = FAULTS["copied layer"].trial
    torch.manual_seed(0)
    model = trial.make()
    with torch.no_grad():
        model[6].weight *= -3.0
    fixed = initperf.torch.fix_(model, trial.batch(), how)
    for result in (fixed.before, fixed.after):
        found = next(each for each in result.findings if each.kind == "copied")
        assert found.text == (
            "6.weight (linear 64x64) and 2.weight (linear 64x64) hold multiples of the same values"
        )


def test_a_finding_that_stays_names_the_weight_that_could_not_be_moved():
    model = perceptron("he_normal", depth=4)
    with torch.no_grad():
        model[2].weight *= 10.0
    model[2].weight.requires_grad_(False)
    fixed = initperf.torch.fix_(model, inputs())
    (left,) = fixed.unmended
    assert left.finding.name == "2"
    assert left.reason == "2.weight is left as it is: it is frozen: requires_grad is False"


@pytest.mark.parametrize("how", METHODS)
def test_dead_units_are_revived_and_other_biases_left(how):
    model = perceptron("he_normal", depth=4)
    nn.init.constant_(model[2].bias, -8.0)
    nn.init.normal_(model[4].bias, 0.0, 0.1)
    before = model[4].bias.detach().clone()
    fixed = initperf.torch.fix_(model, inputs(), how)
    assert not fixed.before.healthy
    assert fixed.after.healthy, fixed.after.verdict
    assert not model[2].bias.any()
    assert torch.equal(model[4].bias, before)
    assert ("2.bias", 0.0) in {(each.name, each.factor) for each in fixed.changes}
    assert "2.bias" in str(fixed)


def test_overflow_of_half_precision_is_mended():
    model = perceptron("he_normal", depth=4).half()
    with torch.no_grad():
        model[4].weight *= 3e4
    for how in METHODS:
        fixed = initperf.torch.fix_(copy.deepcopy(model), inputs().half(), how)
        assert not fixed.before.healthy
        assert fixed.after.healthy, fixed.after.verdict
        assert not fixed.left


@pytest.mark.parametrize("how", METHODS)
def test_no_gain_is_the_fault_that_a_check_finds(how):
    # the head reads what a recurrent layer bounds, and would need a gain of 3.6
    model, x = made("GRU")
    fixed = initperf.torch.fix_(model, x, how)
    assert fixed.after.healthy, fixed.after.verdict
    (left,) = fixed.left
    assert left.name == "head.weight"
    assert "the cause lies before it" in left.reason


@pytest.mark.parametrize("how", METHODS)
@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_models_stay_healthy_and_a_second_time_is_idle(name, how):
    trial = HEALTHY[name]
    torch.manual_seed(0)
    model, batch = trial.make(), trial.batch()
    fixed = initperf.torch.fix_(model, batch, how, loss=trial.loss)
    assert fixed.before.healthy, fixed.before.verdict
    assert fixed.after.healthy, fixed.after.verdict
    again = {"rescale": rescale, "lsuv": lsuv}[how]
    assert not again(model, batch, {each.name: each for each in parameters(model)}).factors
