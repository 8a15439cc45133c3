"""Checks of PyTorch models: what they measure, what they leave alone, and what they find."""

import copy
import json
import math
import random

import numpy as np
import pytest
import torch
import torch_models
from torch import nn

import initperf.torch
from initperf.errors import UnsuitableError

WIDTH, DEPTH = 64, 30


def perceptron(rule="he_normal", depth=DEPTH, width=WIDTH, rng=0, **options):
    layers = [each for _ in range(depth) for each in (nn.Linear(width, width), nn.ReLU())]
    return initperf.torch.init_(nn.Sequential(*layers), rule, rng=rng, **options)


def inputs(width=WIDTH, count=32, **options):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(1), **options)


def mean_square(x):
    return (x * x).mean()


class Block(nn.Module):
    def __init__(self, norm=True):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH) if norm else nn.Identity()
        self.fc = nn.Linear(WIDTH, WIDTH)
        self.gate = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return x + self.gate * nn.functional.gelu(self.fc(self.norm(x)))


class Residual(nn.Module):
    def __init__(self, depth=4, norm=True):
        super().__init__()
        self.blocks = nn.ModuleList(Block(norm) for _ in range(depth))
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return {"logits": self.head(x)}


def residual(depth=4, norm=True, rng=0, gain=1.0):
    model = Residual(depth, norm)
    rules = {"*gate": "ones", "*fc.weight": "he_normal", "*head.weight": "lecun_normal"}
    rest = {"*bias": "zeros"} | ({"*norm.weight": "ones"} if norm else {})
    initperf.torch.init_(model, rules | rest, rng=rng)
    with torch.no_grad():
        for block in model.blocks:
            block.fc.weight *= gain
    return model


def convolutional(rng=0):
    layers = [nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.Dropout(0.1)]
    layers += [nn.Conv2d(16, 16, 3), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.Flatten()]
    return initperf.torch.init_(
        nn.Sequential(*layers, nn.Linear(16 * 16, 10)), "he_normal", rng=rng
    )


def kinds(result):
    return {(finding.kind, finding.name) for finding in result.findings}


def test_moments_and_gradients_are_those_of_the_activations():
    model, x = perceptron(depth=3), inputs()
    result = initperf.torch.check(model, x, loss=mean_square)
    values, value = [], x
    for layer in model:
        value = layer(value)
        value.retain_grad()
        values.append(value)
    mean_square(value).backward()
    forward = [row for row in result.rows if row.direction == "forward"][: len(values)]
    backward = {row.name: row for row in result.rows if row.direction == "backward"}
    assert [row.name for row in forward] == [str(i) for i in range(len(model))]
    for row, value in zip(forward, values, strict=True):
        exact, slope = value.detach().double(), value.grad.double()
        # both sums are taken in float64, in different orders: an ulp for each halving of 2048
        close = pytest.approx
        assert row.measured.mean == close(exact.mean().item(), rel=1e-12, abs=1e-15)
        assert row.measured.second_moment == close((exact**2).mean().item(), rel=1e-12)
        assert row.measured.zeros == pytest.approx((exact == 0.0).double().mean().item())
        assert row.measured.largest == exact.abs().max().item()
        found = backward[row.name].measured
        assert found.second_moment == close((slope**2).mean().item(), rel=1e-12)
    parameters = {row.name: row for row in result.rows if row.direction == "parameter"}
    for name, parameter in model.named_parameters():
        expected = (parameter.grad.double() ** 2).mean().item()
        assert parameters[name].measured.second_moment == pytest.approx(expected, rel=1e-12)
    gain = math.sqrt(forward[0].measured.second_moment / mean_square(x.double()).item())
    assert forward[0].gain == pytest.approx(gain, rel=1e-12)


def test_names_are_those_of_modules_and_operations():
    result = initperf.torch.check(residual(depth=2), inputs())
    names = [row.name for row in result.rows if row.direction == "forward"]
    first = ["blocks.0.norm", "blocks.0.fc", "blocks.0: gelu", "blocks.0: mul", "blocks.0: add"]
    assert names == [*first, *(name.replace("0", "1") for name in first), "head"]
    shared = nn.Linear(WIDTH, WIDTH)
    result = initperf.torch.check(nn.Sequential(shared, shared), inputs())
    assert [r.name for r in result.rows if r.direction == "forward"] == ["0", "0 (2)"]


def test_nothing_of_the_model_is_changed():
    model, x = convolutional(), torch.randn(8, 3, 8, 8)
    model[3].eval()
    model(x).sum().backward()
    hooked = []
    model[0].register_forward_hook(lambda *_: hooked.append(1))
    before = copy.deepcopy(model.state_dict())
    same = [(p, p.grad, p.grad.clone()) for p in model.parameters()]
    buffers = list(model.buffers())
    flags, hooks = [m.training for m in model.modules()], len(model[0]._forward_hooks)
    words = np.random.get_state()[1].copy()  # noqa: NPY002, the user's own state
    states = torch.get_rng_state(), random.getstate()
    everywhere = dict(nn.modules.module._global_forward_hooks)
    given = x.clone()
    initperf.torch.check(model, x, loss=mean_square, seeds=2)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    for parameter, gradient, copied in same:
        assert parameter.grad is gradient
        assert torch.equal(gradient, copied)
    assert all(a is b for a, b in zip(model.buffers(), buffers, strict=True))
    assert [m.training for m in model.modules()] == flags
    assert len(model[0]._forward_hooks) == hooks
    assert dict(nn.modules.module._global_forward_hooks) == everywhere
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    np.testing.assert_array_equal(np.random.get_state()[1], words)  # noqa: NPY002
    assert torch.equal(x, given)


def test_a_models_own_error_comes_through_and_leaves_it_as_it_was():
    model = convolutional()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        initperf.torch.check(model, torch.randn(8, 3, 12, 12))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("make", "x"),
    [
        (perceptron, inputs()),
        (residual, inputs()),
        (convolutional, inputs(3 * 64).reshape(32, 3, 8, 8)),
    ],
)
def test_healthy_models_give_no_finding(make, x, seed):
    result = initperf.torch.check(make(rng=seed), x)
    assert result.verdict == "healthy"
    result.require()


def scaled(model, layer, factor):
    with torch.no_grad():
        model[layer].weight *= factor
    return model


def with_bias(model, layer, value):
    nn.init.constant_(model[layer].bias, value)
    return model


def with_gate(model, value):
    nn.init.constant_(model.blocks[1].gate, value)
    return model


class Detached(Residual):
    def forward(self, x):
        x = x + self.blocks[0](x).detach()
        return self.head(self.blocks[1](x))


def detached():
    model = Detached(depth=2)
    model.load_state_dict(residual(depth=2).state_dict())
    return model


FAULTS = {
    "weights ten times too large": (lambda: scaled(perceptron(), 8, 10.0), "layer", "8"),
    "dead units": (lambda: with_bias(perceptron(), 6, -30.0), "dead", "7"),
    "detached branch": (detached, "unreached", "blocks.0.fc.weight"),
    "vanishing signal": (lambda: perceptron("xavier_normal"), "signal", "40"),
    "vanishing gradient": (lambda: perceptron("pytorch"), "gradient", "14"),
    "no scaling at depth 100": (
        lambda: residual(100, norm=False, gain=1.5),
        "signal",
        None,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found_and_named(fault):
    make, kind, name = FAULTS[fault]
    result = initperf.torch.check(make(), inputs())
    found = kinds(result)
    assert kind in {each for each, _ in found}, result.verdict
    assert name is None or (kind, name) in found, result.verdict
    with pytest.raises(UnsuitableError):
        result.require()


def test_a_closed_gate_is_a_note():
    result = initperf.torch.check(with_gate(residual(), 0.0), inputs())
    assert kinds(result) == {("blocked", "blocks.1.norm.weight")}
    assert result.verdict.startswith("healthy; gradients are exactly 0")
    assert "blocks.1.fc.weight" in result.verdict
    result.require()


IDS = torch.arange(64).reshape(4, 16)
REAL = {
    "torchvision ResNet": (torch_models.resnet, inputs(3 * 64 * 64, 4).reshape(4, 3, 64, 64)),
    "torchvision VisionTransformer": (
        torch_models.vit_torchvision,
        inputs(3 * 32 * 32, 4).reshape(4, 3, 32, 32),
    ),
    "transformers GPT-2": (torch_models.gpt2, {"input_ids": IDS, "labels": IDS}),
    "transformers Llama": (torch_models.llama, {"input_ids": IDS}),
    "transformers BERT": (torch_models.bert, {"input_ids": IDS}),
    "torch.nn.LSTM": (
        lambda: nn.LSTM(24, 48, 2, bidirectional=True),
        inputs(24, 24).reshape(6, 4, 24),
    ),
    "torch.nn.TransformerEncoderLayer": (
        torch_models.encoder_layer,
        inputs(64, 24).reshape(6, 4, 64),
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_models_of_libraries_are_healthy_as_they_start(name):
    make, batch = REAL[name]
    torch.manual_seed(0)
    result = initperf.torch.check(make(), batch)
    assert result.healthy, result.verdict
    assert not result.unreached
    assert {row.direction for row in result.rows} == {"forward", "backward", "parameter"}


def test_overflow_of_half_precision_is_found_where_it_begins():
    model = scaled(perceptron(depth=4), 4, 3e4).half()
    result = initperf.torch.check(model, 10.0 * inputs().half())
    overflows = [name for kind, name in kinds(result) if kind == "overflow"]
    assert overflows == ["4"]


def test_table_json_and_text_agree():
    result = initperf.torch.check(residual(depth=1), inputs(), seeds=2)
    table, found = result.table, json.loads(result.to_json())
    assert len(table) == len(result.rows) == len(found["measurements"])
    assert set(table["seed"]) == {0, 1}
    assert set(table["direction"]) == {"forward", "backward", "parameter"}
    assert found["healthy"] is True
    assert found["measurements"][1]["name"] == "blocks.0.fc"
    assert str(result).splitlines()[0] == "healthy"
    assert sum("blocks.0.fc " in line for line in str(result).splitlines()) == 4


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (3, {}, "model must be a module"),
        (nn.Identity(), {"seeds": 0}, "seeds must be a positive integer"),
        (nn.Linear(WIDTH, 4), {"loss": lambda y: y}, "loss must give a scalar"),
    ],
)
def test_bad_input_is_refused(model, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        initperf.torch.check(model, inputs(), **options)
