"""What `init_` refuses of modules: by the parameter's name, before anything is written."""

import sys
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from initperf.initializers import INITIALIZERS
from initperf.schemes import SCHEMES
from initperf.torch import Assign, draw, init_, materialize_, plan


def complex_layer():
    layer = nn.Linear(3, 2)
    layer.weight = nn.Parameter(torch.zeros((2, 3), dtype=torch.complex64))
    return layer


def integer_layer():
    layer = nn.Linear(3, 2)
    layer.weight = nn.Parameter(torch.zeros((2, 3), dtype=torch.int8), requires_grad=False)
    return layer


def sparse_layer():
    layer = nn.Linear(3, 2)
    layer.weight = nn.Parameter(torch.eye(2, 3).to_sparse())
    return layer


def expanded_layer():
    layer = nn.Linear(3, 2)
    layer.weight = nn.Parameter(torch.zeros(3).expand(2, 3))
    return layer


def computed_layer():
    layer = nn.Linear(3, 2)
    del layer.weight
    layer._parameters["weight"] = torch.zeros(2, 3, requires_grad=True) * 2
    return layer


def old_weight_norm():
    with pytest.warns(FutureWarning, match="weight_norm"):
        return nn.utils.weight_norm(nn.Linear(3, 2))


def sharing():
    layers = nn.ModuleList([nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)])
    layers[1].weight = nn.Parameter(layers[0].weight.detach().view(3, 3))
    return layers


def quantized_layer():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch has deprecated these modules
        return torch.ao.nn.quantized.dynamic.Linear(3, 2)


def quantized_tensor():
    layer = nn.Linear(3, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensor = torch.quantize_per_tensor(torch.zeros(2, 3), 0.1, 0, torch.qint8)
    layer.weight = nn.Parameter(tensor, requires_grad=False)
    return layer


class Mapped(nn.Module):
    """A weight in a file that is mapped for reading: a write to it would end the process."""

    def __init__(self, path):
        super().__init__()
        np.zeros((2, 3), np.float32).tofile(path)
        array = np.memmap(path, np.float32, "r", shape=(2, 3))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is not writable
            self.weight = nn.Parameter(torch.from_numpy(array))


def inverted_layer():
    layer = nn.Linear(3, 2)
    imaginary = torch.zeros(2, 3, dtype=torch.complex64).conj().imag
    layer.weight = nn.Parameter(imaginary)
    return layer


class Own(nn.Module):
    """Parameters whose names say nothing."""

    def __init__(self):
        super().__init__()
        self.q = nn.Parameter(torch.zeros(3, 3))
        self.pos_embed = nn.Parameter(torch.zeros(1, 4, 3))


REFUSED = {
    "meta": (lambda: nn.Linear(3, 2, device="meta"), r"^1\.weight: it is on the device meta"),
    "lazy": (lambda: nn.LazyLinear(2), r"^1\.weight: it has no shape before the first call"),
    "half": (lambda: nn.Linear(3, 2).half(), r"^1\.weight: values up to .*float16 can hold"),
    "complex": (complex_layer, r"^1\.weight: a tensor must be float32"),
    "integer": (integer_layer, r"^1\.weight: .*not torch.int8"),
    "sparse": (sparse_layer, r"^1\.weight: a tensor must be dense"),
    "expanded": (expanded_layer, r"^1\.weight: .*share memory"),
    "computed": (computed_layer, r"^1\.weight: it is the result of a computation"),
    "quantized": (quantized_layer, r"^1\.weight: it is quantized and packed"),
    "quantized tensor": (quantized_tensor, r"^1\.weight: .*not torch.qint8"),
    "float8": (
        lambda: nn.Linear(3, 2).to(torch.float8_e4m3fn),
        r"^1\.weight: .*not torch.float8_e4m3fn",
    ),
    "inverted": (inverted_layer, r"^1\.weight: it is a view whose sign is inverted"),
    "sharing": (sharing, r"^1\.1\.weight: it shares memory with 1\.0\.weight"),
    "weight norm": (
        lambda: parametrizations.weight_norm(nn.Linear(3, 2)),
        r"^1\.weight: it is parametrized",
    ),
    "spectral norm": (
        lambda: parametrizations.spectral_norm(nn.Linear(3, 2)),
        r"^1\.weight: it is parametrized",
    ),
    "orthogonal": (
        lambda: parametrizations.orthogonal(nn.Linear(3, 3)),
        r"^1\.weight: it is parametrized",
    ),
    "old weight norm": (old_weight_norm, r"^1\.weight: WeightNorm computes it"),
    "old spectral norm": (
        lambda: nn.utils.spectral_norm(nn.Linear(3, 2)),
        r"^1\.weight: SpectralNorm computes it",
    ),
    "no rule": (Own, r"^no rule covers 1\.q \(3, 3\), 1\.pos_embed \(1, 4, 3\): add one"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_module_is_drawn_whole_or_not_at_all(case):
    make, message = REFUSED[case]
    first = nn.Linear(5, 3)
    before = first.weight.clone()
    generator = np.random.default_rng(0)
    state = generator.bit_generator.state
    with pytest.raises(ValueError, match=message):
        init_(nn.Sequential(first, make()), "he_normal", rng=generator, gain=1e5)
    assert torch.equal(first.weight, before)
    assert generator.bit_generator.state == state


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells how memory is mapped")
def test_memory_that_is_mapped_for_reading_is_refused(tmp_path):
    first = nn.Linear(5, 3)
    before = first.weight.clone()
    mapped = Mapped(tmp_path / "weight")
    with pytest.raises(ValueError, match=r"^1\.weight: its memory is read-only"):
        init_(nn.Sequential(first, mapped), "he_normal", rng=0)
    assert torch.equal(first.weight, before)
    with pytest.raises(ValueError, match=r"^target: its memory is read-only"):
        init_(mapped.weight, "he_normal", rng=0)
    # what NumPy lends, and maps for writing, is drawn
    lent = np.zeros((2, 3), np.float32)
    init_(torch.from_numpy(lent), "he_normal", rng=0)
    assert lent.all()


@pytest.mark.parametrize(
    "name",
    [
        name
        for own, found in SCHEMES.items()
        if found.images
        for name in (own, *SCHEMES.aliases(own))
    ],
)
def test_rules_that_look_at_data_are_refused_with_the_reason(name):
    layer = nn.Linear(3, 2)
    before = layer.weight.clone()
    reason = rf"{name} looks at data: .* on a batch"
    with pytest.raises(ValueError, match=reason):
        init_(layer, name, rng=0)
    with pytest.raises(ValueError, match=rf"^weight: {reason}"):
        plan(layer, {"weight": name, "*": "zeros"})
    with pytest.raises(ValueError, match=reason):
        init_(layer.weight, name, rng=0)
    with pytest.raises(ValueError, match=reason):
        draw(name, (3, 2), rng=0)
    assert torch.equal(layer.weight, before)


def test_slices_of_rules_cover_the_parameter():
    normal, zeros = INITIALIZERS["normal"], INITIALIZERS["zeros"]
    halves = {
        "weight": lambda p: [(np.s_[:2], normal), (np.s_[2:, 1:], zeros)],
        "bias": "zeros",
    }
    with torch.device("meta"):
        layer = nn.Linear(3, 4)
    with pytest.raises(
        ValueError, match=r"^weight: the slices of its rules leave some of \(4, 3\)"
    ):
        materialize_(layer, halves, rng=0)
    assert layer.weight.is_meta
    # overlapping slices that leave nothing out
    plan(layer, {"weight": lambda p: [(np.s_[:3], normal), (np.s_[2:], zeros)], "bias": "zeros"})


def test_what_shall_stay_is_named():
    model = Own()
    init_(model, "he_normal", rng=0, keep=["q", "pos_*"])
    assert not any(parameter.any() for parameter in model.parameters())
    with pytest.raises(ValueError, match=r"'nothing\.\*' of the recipe decides about no parameter"):
        init_(model, "he_normal", rng=0, keep=["q", "pos_*", "nothing.*"])


def test_patterns_that_match_nothing_are_named():
    recipe = [("*.wieght", "zeros"), (nn.Conv2d, "zeros"), ("*", "ones")]
    with pytest.raises(ValueError, match=r"^'\*\.wieght', Conv2d of the recipe decides about no"):
        plan(nn.Linear(2, 2), recipe)
    # a pattern is as idle when earlier ones leave it nothing
    with pytest.raises(ValueError, match=r"^'bias' of the recipe decides"):
        plan(nn.Linear(2, 2), {"*": "ones", "bias": "zeros"})
    plan(nn.Linear(2, 2), [Assign("*.wieght", "zeros", optional=True), ("*", "ones")])


def test_a_rule_that_cannot_apply_is_named():
    with pytest.raises(ValueError, match=r"^bias: fan-in and fan-out need a shape of at least two"):
        plan(nn.Linear(2, 2), {"*": "he_normal"})
    with pytest.raises(ValueError, match=r"^weight: a rule must be an initializer .* not 0\.02"):
        plan(nn.Linear(2, 2), {"*": 0.02})


def test_unknown_recipes_name_the_nearest():
    with pytest.raises(KeyError, match="did you mean 'he_normal'"):
        init_(nn.Linear(2, 2), "he_norma")
    with pytest.raises(KeyError, match="did you mean 'pytorch'"):
        init_(nn.Linear(2, 2), "pytroch")
    with pytest.raises(KeyError, match=r"there are the recipes .*pytorch"):
        init_(nn.Linear(2, 2), "zzzz")
    with pytest.raises(TypeError, match="not int"):
        init_(nn.Linear(2, 2), 3)
    with pytest.raises(TypeError, match="he_normal has no parameter 'std'"):
        init_(nn.Linear(2, 2), "he_normal", std=3)
    with pytest.raises(ValueError, match="streams must be 'name' or 'position'"):
        init_(nn.Linear(2, 2), "he_normal", streams="number")


def test_normalizations_hold_values_after_to_empty():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.PReLU(2, init=0.1))
    torch.use_deterministic_algorithms(True)  # memory that nobody wrote is filled with NaN
    try:
        model.to_empty(device="cpu")
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(parameter.isnan().all() for parameter in model.parameters())
    init_(model, "he_normal", rng=0)
    assert torch.all(model[1].weight == 1.0)
    assert torch.all(model[1].bias == 0.0)
    assert torch.all(model[2].weight == torch.tensor(0.1))


def test_padding_rows_stay_zero():
    model = nn.Sequential(nn.Embedding(5, 4, padding_idx=2), nn.EmbeddingBag(5, 4, padding_idx=-1))
    init_(model, "normal", rng=0, scale=1.0)
    assert [layer.weight.any(dim=1).tolist() for layer in model] == [
        [True, True, False, True, True],
        [True, True, True, True, False],
    ]


def std_of(layer, attribute="weight"):
    return getattr(layer, attribute).std().item()


# The relative standard error of a standard deviation of n normal values is 1/√2n; each bound
# below is five of them.
def test_groups_are_those_of_the_module():
    depthwise = nn.ConvTranspose2d(1024, 1024, 3, groups=1024)
    init_(depthwise, "he_normal", rng=0)
    assert std_of(depthwise) == pytest.approx((2 / 9) ** 0.5, rel=5 / (2 * 9216) ** 0.5)
    convolution = nn.Conv2d(1024, 2048, 3, groups=1024)
    init_(convolution, "he_normal", rng=0, mode="fan_out")
    assert std_of(convolution) == pytest.approx((2 / 18) ** 0.5, rel=5 / (2 * 18432) ** 0.5)


@pytest.mark.parametrize("transposed", [False, True])
def test_dirac_is_the_identity_of_each_group(transposed):
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    layer = kind(6, 6, 3, groups=2, padding=1)
    init_(layer, "dirac", rng=0)
    x = torch.randn(2, 6, 5, 5)
    assert torch.equal(layer(x), x)


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (lambda: nn.LSTM(16, 16, 2), 4),
        (lambda: nn.GRUCell(16, 16), 3),
        (lambda: nn.MultiheadAttention(16, 2), 3),
    ],
)
def test_packed_matrices_are_weights_of_their_own(layer, count):
    module = layer()
    init_(module, "orthogonal", rng=0)
    for name, weight in module.named_parameters():
        if weight.ndim == 2 and weight.shape[0] == 16 * count:
            gates = weight.detach().double().chunk(count)
            for gate in gates:
                # rounding: 16 products of float32 of magnitude 1 at most
                assert (gate @ gate.T - torch.eye(16)).abs().max() < 16 * 2**-23, name
            assert len({tuple(gate.flatten().tolist()) for gate in gates}) == count


def test_the_query_of_a_packed_attention_is_scaled_as_alone():
    module = init_(nn.MultiheadAttention(256, 2), "glorot_normal", rng=0)
    query = module.in_proj_weight[:256]
    assert query.std().item() == pytest.approx(256**-0.5, rel=5 / (2 * 256**2) ** 0.5)


def test_weights_without_elements_are_left():
    with pytest.warns(UserWarning, match="zero-element"):
        layer = nn.Linear(0, 3)
    init_(layer, "he_normal", rng=0)
    assert not layer.bias.any()
