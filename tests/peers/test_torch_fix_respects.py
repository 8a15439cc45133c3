"""Rescaling of first weights: what it leaves alone, what it names, and what it refuses."""

import copy
import math

import pytest
import torch
from fix_models import METHODS, MODELS, WIDTH, inputs, made, perceptron
from torch import nn
from torch.nn.utils import parametrizations

import initperf.torch
from initperf.torch.fixing.methods import lsuv
from initperf.torch.parameters import parameters


@pytest.mark.parametrize("how", METHODS)
@pytest.mark.parametrize("name", MODELS)
def test_a_second_call_changes_nothing(name, how):
    model, x = made(name)
    first = initperf.torch.fix_(model, x, how)
    assert first.changes
    assert first.after.healthy, first.after.verdict
    before = copy.deepcopy(model.state_dict())
    second = initperf.torch.fix_(model, x, how)
    assert not second.changes
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), key


@pytest.mark.parametrize("how", METHODS)
def test_only_scales_of_weights_change(how):
    model, x = made("ResNet")
    model(x).sum().backward()
    before = copy.deepcopy(model.state_dict())
    gradients = {name: (p.grad, p.grad.clone()) for name, p in model.named_parameters()}
    flags, random = [m.training for m in model.modules()], torch.get_rng_state()
    fixed = initperf.torch.fix_(model, x, how)
    factors = {each.name: each.factor for each in fixed.changes}
    for name, value in model.state_dict().items():
        if name in factors:
            # several factors of one weight are rounded one after another
            assert torch.allclose(value, before[name] * factors[name], rtol=1e-5, atol=0), name
        else:
            assert torch.equal(value, before[name]), name
    for name, parameter in model.named_parameters():
        assert parameter.grad is gradients[name][0]
        assert torch.equal(*gradients[name]), name
    assert [m.training for m in model.modules()] == flags
    assert torch.equal(torch.get_rng_state(), random)


def frozen():
    model = perceptron(depth=2)
    model[0].weight.requires_grad_(False)
    return model


def zero():
    model = perceptron(depth=2)
    nn.init.zeros_(model[0].weight)
    return model


def not_finite():
    model = perceptron(depth=2)
    with torch.no_grad():
        model[2].weight[0, 0] = math.nan
    return model


def normed():
    torch.manual_seed(0)
    model = perceptron(depth=2)
    parametrizations.weight_norm(model[0])
    return model


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(WIDTH, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.used(x)


@pytest.mark.parametrize("how", METHODS)
@pytest.mark.parametrize(
    ("make", "name", "reason"),
    [
        (frozen, "0.weight", "requires_grad is False"),
        (zero, "0.weight", "it is zero"),
        (zero, "2.weight", "no signal reaches it"),
        (not_finite, "2.weight", "not finite"),
        (normed, "0.parametrizations.weight.original1", "the model computes the weight"),
        (Unused, "unused.weight", "no operation of the model multiplies by it"),
    ],
)
def test_what_cannot_be_moved_is_named_with_a_reason(make, name, reason, how):
    fixed = initperf.torch.fix_(make(), inputs(), how)
    left = {each.name: each.reason for each in fixed.left}
    assert reason in left[name]
    assert f"left as it is: {left[name]}" in str(fixed)
    assert left[name] in fixed._repr_html_()
    assert name not in {each.name for each in fixed.changes}


def test_a_models_own_error_comes_first_and_nothing_is_written():
    model = perceptron(depth=2)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        initperf.torch.fix_(model, inputs(WIDTH + 1))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_another_method_is_refused():
    with pytest.raises(ValueError, match="how must be"):
        initperf.torch.fix_(perceptron(depth=2), inputs(), "magic")


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_of_a_model_is_moved_or_named(name):
    model, x = made(name)
    found = {each.name: each for each in parameters(model)}
    scaled = lsuv(model, x, found)
    known = {*scaled.factors, *scaled.obstacles}
    untouched = {n for n, each in found.items() if each.role == "weight" and n not in known}
    # those that were within the tolerance from the beginning
    assert not untouched.intersection(lsuv(model, x, found).factors)
