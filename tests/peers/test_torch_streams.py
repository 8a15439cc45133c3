"""Streams of parameters: pinned hash of the name, wrappers, ties, collisions, positions."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

import initperf
from initperf.initializers import INITIALIZERS
from initperf.torch import init_, plan, stream_of


def test_the_hash_of_names_is_pinned():
    # BLAKE2b, 8 bytes, little-endian, personalization "initperf.stream": a change to any of these
    # is a change of the bits of every model, and a new STREAM_VERSION.
    assert stream_of("weight") == 0x4AAC500442FF67C9
    assert stream_of("layers.3.attention.wo.weight") == 0x0FE52D5AF9770D60
    assert stream_of("größe.weight") == 0x7099D83860C27D23


def bits(name, stream, shape, **options):
    axes = {"in_axis": 1, "out_axis": 0} | options
    return torch.from_numpy(initperf.draw(name, shape, rng=0, stream=stream, **axes))


def network():
    return nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4))


def test_a_parameter_has_the_bits_of_its_name():
    model = init_(network(), "he_normal", rng=0)
    assert torch.equal(model[2].weight, bits("he_normal", stream_of("2.weight"), (4, 6)))


def test_a_layer_that_is_added_changes_no_other_weight():
    class Grown(nn.Module):
        def __init__(self, extra):
            super().__init__()
            if extra:
                self.new = nn.Linear(3, 3)
            self.old = nn.Linear(5, 6)

    one, other = (init_(Grown(extra), "he_normal", rng=0) for extra in (False, True))
    assert torch.equal(one.old.weight, other.old.weight)


def wrapped():
    yield "compiled", torch.compile
    yield "data parallel", nn.DataParallel
    yield "averaged", torch.optim.swa_utils.AveragedModel
    yield "checkpointed", checkpoint_wrapper
    yield "twice", lambda model: nn.DataParallel(torch.compile(model))

    def inside(model):
        model[2] = checkpoint_wrapper(torch.compile(model[2]))
        return model

    yield "inside", inside


# PyTorch 2.13 warns of itself when torch.compile is first used
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("name", "wrap"), list(wrapped()))
def test_wrappers_do_not_count(name, wrap):
    expected = [p.clone() for p in init_(network(), "he_normal", rng=0).parameters()]
    drawn = list(init_(wrap(network()), "he_normal", rng=0).parameters())
    assert all(map(torch.equal, drawn, expected))


def test_a_child_of_ones_own_that_is_called_module_counts():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = nn.Linear(2, 2)

    assert [row.parameter.name for row in plan(Own(), "zeros")] == ["module.weight", "module.bias"]


def test_tied_weights_count_once_by_their_first_name():
    model = nn.ModuleDict({"embedding": nn.Embedding(7, 5), "head": nn.Linear(5, 7, bias=False)})
    model["head"].weight = model["embedding"].weight
    (row,) = plan(model, "normal")
    assert (row.parameter.name, row.parameter.aliases) == ("embedding.weight", ("head.weight",))
    init_(model, "normal", rng=0)
    assert torch.equal(model["head"].weight, named_bits("normal", "embedding.weight", (7, 5)))
    assert model["head"].weight is model["embedding"].weight


def named_bits(name, parameter, shape):
    return torch.from_numpy(initperf.draw(name, shape, rng=0, stream=stream_of(parameter)))


def test_two_names_of_one_stream_are_an_error(monkeypatch):
    monkeypatch.setattr("initperf.torch.planning.stream_of", lambda name: 7)
    with pytest.raises(ValueError, match=r"0\.bias and 0\.weight have one stream"):
        init_(network(), "he_normal", rng=0)
    init_(network(), "he_normal", rng=0, streams="position")


class Model(nn.Module):
    """One of each kind of layer."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.convolution = nn.Conv2d(4, 6, 3, groups=2)
        self.transposed = nn.ConvTranspose2d(4, 6, 3)
        self.attention = nn.MultiheadAttention(8, 2)
        self.recurrent = nn.LSTM(8, 5, bidirectional=True)
        self.norm = nn.LayerNorm((7, 8))
        self.root = nn.RMSNorm((7, 8))
        self.batch = nn.BatchNorm2d(6)
        self.slope = nn.PReLU(3, init=0.1)
        self.head = nn.Linear(8, 11)
        self.head.weight = self.embedding.weight
        self.scale = nn.Parameter(torch.full((3, 3), 7.0))


PACKED = {"in_proj_weight": 3, "weight_ih": 4, "weight_hh": 4, "convolution.weight": 2}


def test_positions_give_the_streams_of_before():
    model = Model()
    for name, parameter in model.named_parameters():
        if name != "scale":
            parameter.data.fill_(torch.nan)
    assert init_(model, "glorot_normal", rng=5, streams="position", keep="scale") is model

    weights = 0
    for stream, (name, parameter) in enumerate(model.named_parameters()):
        if name == "scale":
            assert torch.all(parameter == 7.0)
        elif name == "slope.weight":
            assert torch.all(parameter == torch.tensor(0.1))
        elif parameter.ndim == 1 or name in ("norm.weight", "norm.bias", "root.weight"):
            ones = name.endswith("weight")
            assert torch.all(parameter == (1.0 if ones else 0.0)), name
        else:
            packed = next((n for part, n in PACKED.items() if part in name), 1)
            axes = {"in_axis": 0, "out_axis": 1} if name == "transposed.weight" else {}
            rule = INITIALIZERS["glorot_normal"].replace(**({"in_axis": 1, "out_axis": 0} | axes))
            matrix = (parameter.shape[0] // packed, *parameter.shape[1:])
            expected = initperf.draw(
                "normal", parameter.shape, scale=rule.std(matrix), rng=5, stream=stream
            )
            np.testing.assert_array_equal(parameter.detach().numpy(), expected, err_msg=name)
            weights += 1
    assert weights == 1 + 1 + 1 + 2 + 4
    assert model.head.weight is model.embedding.weight


def test_a_generator_is_advanced_once_for_a_module():
    generator, twin = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    one, same = (init_(network(), "he_normal", rng=g) for g in (generator, twin))
    other = init_(network(), "he_normal", rng=generator)
    assert torch.equal(one[0].weight, same[0].weight)
    assert not torch.equal(one[0].weight, other[0].weight)
    torch.manual_seed(4)
    first = init_(network(), "he_normal", rng=torch.default_generator)
    torch.manual_seed(4)
    second = init_(network(), "he_normal", rng=torch.default_generator)
    assert torch.equal(first[0].weight, second[0].weight)


def test_apply_ends_with_what_the_whole_model_gets():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    expected = init_(copy.deepcopy(model), "he_normal", rng=0)
    model.apply(lambda module: init_(module, "he_normal", rng=0))
    assert torch.equal(model[0].weight, expected[0].weight)
    assert not torch.equal(model[0].weight, model[2].weight)
