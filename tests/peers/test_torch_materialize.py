"""`materialize_`: models from ``meta`` to memory, in which no value is left unwritten."""

import pytest
import torch
from torch import nn
from torch_models import CASES, EveryLayer, gpt2, llama

from initperf._core.keys import Key, as_key
from initperf.torch import init_, materialize_, plan
from initperf.torch.pages import HUGE, advise, whole_pages
from initperf.torch.parameters import parameters
from initperf.torch.write import write


@pytest.fixture
def poisoned():
    """Fill all memory that PyTorch allocates with NaN, or the largest integer."""
    torch.use_deterministic_algorithms(True)
    assert torch.utils.deterministic.fill_uninitialized_memory
    assert torch.empty(3).isnan().all()
    yield
    torch.use_deterministic_algorithms(False)


def built_on_meta(make):
    with torch.device("meta"):
        return make()


def assert_same(model, expected):
    names = dict(expected.named_parameters()) | dict(expected.named_buffers())
    found = dict(model.named_parameters()) | dict(model.named_buffers())
    assert list(found) == list(names)
    for name, tensor in found.items():
        assert tensor.device.type == "cpu", name
        assert torch.equal(tensor, names[name]), name


@pytest.mark.parametrize("name", CASES)
def test_a_model_from_meta_has_the_values_of_init(name, poisoned):
    case, options = CASES[name], dict(CASES[name].options)
    model = materialize_(built_on_meta(case.make), case.recipe, rng=1, **options)
    assert_same(model, init_(case.make(), case.recipe, rng=1, **options))


def test_a_materialized_model_computes(poisoned):
    model = materialize_(built_on_meta(llama), "llama", rng=0).eval()
    expected = init_(llama(), "llama", rng=0).eval()
    tokens = torch.arange(8)[None]
    with torch.no_grad():
        assert torch.equal(model(tokens).logits, expected(tokens).logits)


def test_a_materialized_recurrent_layer_computes(poisoned):
    model = materialize_(built_on_meta(lambda: nn.LSTM(3, 4)), "pytorch", rng=0)
    x = torch.ones(2, 1, 3)
    assert torch.equal(model(x)[0], init_(nn.LSTM(3, 4), "pytorch", rng=0)(x)[0])


def test_ties_stay(poisoned):
    model = materialize_(built_on_meta(gpt2), "gpt2", rng=0)
    assert model.lm_head.weight is model.transformer.wte.weight
    assert model.lm_head.weight.requires_grad


def test_the_dtype_is_of_parameters_alone(poisoned):
    model = materialize_(built_on_meta(llama), "llama", rng=0, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert model.model.rotary_emb.inv_freq.dtype == torch.float32
    expected = init_(llama().bfloat16(), "llama", rng=0)
    assert torch.equal(model.lm_head.weight, expected.lm_head.weight)


class Masked(nn.Module):
    """A buffer that its module computes when built, by no means of its own."""

    def __init__(self, buffer=True):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        if buffer:
            self.register_buffer("mask", torch.tril(torch.ones(3, 3)))
        else:
            self.mask = torch.tril(torch.ones(3, 3))


def test_what_cannot_be_computed_is_named_and_nothing_is_written():
    model = built_on_meta(lambda: nn.Sequential(nn.BatchNorm1d(3), Masked()))
    before = list(model.parameters())
    with pytest.raises(ValueError, match=r"^cannot compute 1\.mask: give buffers="):
        materialize_(model, "he_normal", rng=0)
    assert all(map(lambda a, b: a is b, model.parameters(), before))
    assert all(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))

    def halfway(module):
        module.mask[0] = 1.0

    with pytest.raises(ValueError, match=r"^cannot compute mask"):
        materialize_(built_on_meta(Masked), "he_normal", rng=0, buffers=halfway)
    with pytest.raises(ValueError, match=r"^cannot compute mask, an attribute and no buffer"):
        materialize_(built_on_meta(lambda: Masked(buffer=False)), "he_normal", rng=0)


def test_a_function_may_compute_buffers(poisoned):
    def compute(module):
        module.mask.copy_(torch.tril(torch.ones(3, 3)))

    model = materialize_(built_on_meta(Masked), "he_normal", rng=0, buffers=compute)
    assert_same(model, init_(Masked(), "he_normal", rng=0))


def test_what_has_no_memory_cannot_be_kept():
    model = built_on_meta(lambda: nn.Linear(3, 3))
    with pytest.raises(ValueError, match=r"^bias: it is kept, and has no memory to keep"):
        materialize_(model, "he_normal", rng=0, keep="bias")
    assert model.weight.is_meta


def test_what_is_kept_keeps_its_values_in_another_dtype(poisoned):
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1] = nn.Linear(3, 3)  # which has memory
    expected = model[1].weight.detach().bfloat16()
    recipe = {"0.*": "zeros"}
    materialize_(model, recipe, rng=0, dtype=torch.bfloat16, keep="1.*")
    assert torch.equal(model[1].weight, expected)


def test_the_random_state_of_torch_is_left_alone():
    state = torch.get_rng_state()
    materialize_(built_on_meta(llama), "llama", rng=0)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_blocks_for_other_devices_have_the_same_bits(dtype, monkeypatch):
    monkeypatch.setattr("initperf.torch.write._STAGED", 100)  # several blocks a weight
    recipe = [("attention.*", "orthogonal"), ("bag.*", "normal"), ("*weight*", "truncated_normal")]
    recipe += [("*", "uniform")]

    class Layers(nn.Module):
        def __init__(self):
            super().__init__()
            every = EveryLayer()
            self.convolution, self.bag, self.rnn = every.convolution_2, every.bag, every.rnn
            self.attention = nn.ModuleList([nn.Linear(30, 20, bias=False)])
            self.linear = every.linear.to(memory_format=torch.preserve_format)

    model, expected = Layers().to(dtype), init_(Layers().to(dtype), recipe, rng=3)
    rows = plan(model, recipe)
    with torch.no_grad():
        for row in rows:
            write(row.parameter.tensor, row.pieces, Key(as_key(3)), staged=True)
    for one, other in zip(parameters(model), parameters(expected), strict=True):
        assert torch.equal(one.tensor, other.tensor), one.name


def test_huge_pages_lie_within_a_tensor():
    assert whole_pages(HUGE, 2 * HUGE) == (HUGE, 2 * HUGE)
    assert whole_pages(HUGE + 1, 2 * HUGE) == (2 * HUGE, HUGE)
    assert whole_pages(HUGE - 1, 2 * HUGE) == (HUGE, HUGE)
    assert whole_pages(5, HUGE)[1] == 0
    tensor = torch.ones(3 * HUGE // 4)  # of 4 bytes a value
    advise(tensor)
    assert torch.all(tensor == 1.0)
