"""Checks see every operation: functional, in-place, views, tuples, reused, recurrent, scripted."""

import math
from collections import namedtuple

import pytest
import torch
from check_trials import Decoder, Recurrent, Tied, attentions, integers, vectors, words
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import initperf.torch

X = vectors()()


def seen(model, batch, **options):
    result = initperf.torch.check(model, batch, **options)
    forward = [each for each in result.measurements if each.direction == "forward"]
    return result, {each.operation.name: each for each in forward}


def kinds(result):
    return {each.name: each.kind for each in result.operations}


def parents(result, name):
    operation = next(each for each in result.operations if each.name == name)
    return [result.operations[parent].name for parent in operation.parents]


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 64)

    def forward(self, x):
        y = self.fc(x)
        y.mul_(2.0)
        y[:, :32].add_(1.0)
        return y.relu_()


def test_operations_in_place_are_seen_and_joined():
    result, found = seen(InPlace(), X)
    assert list(found) == ["input", "fc", "mul", "add", "relu"]
    assert parents(result, "mul") == ["fc"]
    assert parents(result, "add") == ["mul"]
    assert set(parents(result, "relu")) == {"mul", "add"}  # of which one fills half of the memory
    assert found["relu"].statistics.zeros > 0.1
    assert found["fc"].statistics.zeros == 0.0
    assert found["mul"].statistics.root_mean_square == pytest.approx(
        2.0 * found["fc"].statistics.root_mean_square, rel=1e-6
    )
    backward = {e.operation.name for e in result.measurements if e.direction == "cotangent"}
    # the gradient of a part is one of the whole, by CopySlices
    assert backward == {"fc", "mul", "relu"}


class Views(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(64, 192)
        self.out = nn.Linear(64, 64)

    def forward(self, x):
        q, k, v = self.qkv(x).clone().view(8, 4, 3, 2, 32).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).reshape(8, 4, 64)).flatten(1)


def test_views_are_looked_through():
    result, found = seen(Views(), X)
    assert list(kinds(result).values()) == ["input", "linear", "attention", "linear"]
    attention = result.operations[2].name
    assert parents(result, attention) == ["qkv"]
    assert parents(result, "out") == [attention]
    assert found["qkv"].gain == pytest.approx(1.0 / math.sqrt(3.0), rel=0.1)


Pair = namedtuple("Pair", "first second")


class Several(nn.Module):
    """Takes tuples, mappings and integers, and returns several results."""

    def __init__(self):
        super().__init__()
        self.table, self.fc = nn.Embedding(10, 64), nn.Linear(64, 64)

    def forward(self, pair, ids, more=None):
        one = self.fc(pair.first) + self.table(ids)
        two = functional.tanh(pair.second)
        return one, {"two": [two * more["scale"]]}, ids


def test_tuples_mappings_integers_and_several_results():
    batch = {"pair": Pair(X, X + 1.0), "ids": integers(10, 32), "more": {"scale": torch.ones(1)}}
    result, found = seen(Several(), batch)
    assert kinds(result)["table"] == "embedding"
    assert {"input: pair 0", "input: pair 1", "fc", "table", "add", "tanh", "mul"} <= set(found)
    assert kinds(result)["add"] == "add"
    assert parents(result, "tanh") == ["input: pair 1"]
    backward = {e.operation.name for e in result.measurements if e.direction == "cotangent"}
    assert {"fc", "table", "add"} <= backward
    result, _ = seen(Several(), (Pair(X, X), integers(10, 32), {"scale": torch.ones(1)}))
    assert "input 0 1" in kinds(result)


def test_reused_and_tied_modules_are_seen_each_time():
    shared = nn.Linear(64, 64)
    result, _ = seen(nn.Sequential(shared, nn.ReLU(), shared), X)
    assert [each.name for each in result.operations] == ["input", "0", "1", "0 (2)"]
    result, _ = seen(Tied(0.02), integers(300, 4, 16), loss=words)
    head = next(each for each in result.operations if each.name == "head")
    assert head.weight == "embedding.weight"
    assert not result.unreached


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrent_layers_are_seen(kind):
    result, found = seen(kind(64, 48, batch_first=True), torch.randn(4, 9, 64))
    assert len(found) > 1
    backward = [e for e in result.measurements if e.direction == "cotangent"]
    assert backward
    assert all(each.reached for each in result.parameters)


def test_a_recurrent_classifier_is_named():
    result, _ = seen(Recurrent(), integers(300, 8, 24))
    found = kinds(result)
    assert found["embedding"] == "embedding"
    assert found["head"] == "linear"
    assert any(name.startswith("layer") for name in found)


class Checkpointed(nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.first, self.second = nn.Linear(64, 64), nn.Linear(64, 64)
        self.reentrant = reentrant

    def forward(self, x):
        x = self.first(x)
        return checkpoint(
            lambda y: functional.relu(self.second(y)), x, use_reentrant=self.reentrant
        )


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointed_blocks_are_seen(reentrant):
    model = Checkpointed(reentrant)
    model.second.weight.grad = torch.ones(64, 64)
    result, found = seen(model, X)
    assert list(found) == ["input", "first", "second", "relu"]
    assert all(each.reached for each in result.parameters)
    assert torch.equal(model.second.weight.grad, torch.ones(64, 64))
    assert model.first.weight.grad is None
    backward = {e.operation.name for e in result.measurements if e.direction == "cotangent"}
    assert backward >= ({"first"} if reentrant else {"first", "second", "relu"})


class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 64)

    def forward(self, x):
        return torch.relu(self.fc(x)) * 2.0


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_scripted_blocks_are_seen():
    model = nn.Sequential(nn.Linear(64, 64), torch.jit.script(Scripted()))
    result, found = seen(model, X)
    assert {each.kind for each in result.operations} >= {"linear", "activation", "scale"}
    assert len([e for e in result.operations if e.kind == "linear"]) == 2
    assert all(each.reached for each in result.parameters)
    assert any(name.startswith("1") for name in found)


def test_attention_written_by_hand_is_understood():
    result, found = seen(attentions(), torch.randn(4, 8, 64))
    kind = kinds(result)
    assert kind["layers.0: bmm"] == "scores"
    assert kind["layers.0: softmax"] == "softmax"
    assert kind["layers.0: bmm (2)"] == "attention"
    assert kind["layers.0: add"] == "residual"
    assert parents(result, "layers.0: bmm") == ["layers.0.query", "layers.0.key"]
    # scores of unit queries and keys, divided by √64
    scores = found["layers.0: mul"].statistics.second_moment
    assert scores == pytest.approx(1.0, rel=0.5)


def test_attention_of_modules_names_its_weights():
    layer = nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True)
    result, _ = seen(layer, torch.randn(2, 8, 64))
    found = kinds(result)
    assert found["self_attn.in_proj"] == "linear"
    assert found["self_attn.out_proj"] == "linear"
    assert [each.kind for each in result.operations].count("residual") == 2


def test_fans_of_convolutions_count_padding_and_strides():
    result, _ = seen(Decoder(), torch.randn(2, 16, 8, 8))
    first = next(each for each in result.operations if each.name == "first")
    assert (first.fan_in, first.fan_out) == (16 * 9, 128 * 9)
    # of 8 places along an axis 6 see three and 2 see two
    assert first.terms == pytest.approx(16 * (22 / 8) ** 2)
    strided = nn.ConvTranspose2d(6, 4, 4, 2, 1)
    result, _found = seen(strided, torch.randn(64, 6, 10, 10))
    operation = result.operations[1]
    assert operation.fan_in == 6 * 16 // 4
    with torch.no_grad():
        strided.weight.fill_(1.0)
        strided.bias.zero_()
        terms = strided(torch.ones(1, 6, 10, 10)).mean().item()
    assert operation.terms == pytest.approx(terms, rel=1e-6)
    plain = nn.Conv2d(6, 4, 3, 2, 1, dilation=2)
    result, _ = seen(plain, torch.randn(4, 6, 11, 9))
    with torch.no_grad():
        plain.weight.fill_(1.0)
        plain.bias.zero_()
        terms = plain(torch.ones(1, 6, 11, 9)).mean().item()
    assert result.operations[1].terms == pytest.approx(terms, rel=1e-6)


class Composite(nn.Module):
    """An activation that PyTorch runs in several operations."""

    def __init__(self):
        super().__init__()
        self.fc, self.act = nn.Linear(64, 64), NewGELU()

    def forward(self, x):
        return self.act(self.fc(x))


class NewGELU(nn.Module):
    def forward(self, x):
        inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))
        return 0.5 * x * (1.0 + torch.tanh(inner))


def test_modules_of_several_operations_stand_for_one():
    result, found = seen(Composite(), X)
    assert kinds(result)["act"] == "activation"
    assert parents(result, "act") == ["fc"]
    assert found["act"].prediction is not None
