"""Recipes whose source is a paper: the standard deviations of each role, and the gates."""

import math

import pytest
import torch
from torch import nn
from torch_models import gpt2, llama, llama_config, t5
from transformers import LlamaForCausalLM

import initperf
from initperf.torch import RECIPES, init_, mup_groups, plan

D, INNER, LAYERS = 64, 128, 3  # width, feed-forward width and blocks of `torch_models.llama`
STACK = "model.layers.2"


def table(model, recipe, **options):
    return {row.parameter.name: row for row in plan(model, recipe, **options)}


def stds(recipe, names, model=llama, **options):
    rows = table(model(), recipe, **options)
    return [rows[name].moments()[1] for name in names]


Q, V, O = (f"{STACK}.self_attn.{name}_proj.weight" for name in "qvo")  # noqa: E741
GATE, UP, DOWN = (f"{STACK}.mlp.{name}_proj.weight" for name in ("gate", "up", "down"))
TABLE, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def cut_at_three(std):
    """Return the standard deviation of a normal distribution that is cut at ±3 of them."""
    density = math.exp(-4.5) / math.sqrt(2 * math.pi)
    return std * math.sqrt(1 - 6 * density / math.erf(3 / math.sqrt(2)))


def test_llama_is_the_table_of_torchtitan():
    found = stds("llama", [TABLE, Q, V, O, GATE, UP, DOWN, HEAD])
    scaled = 0.02 / math.sqrt(2 * 3)
    expected = [1.0, 0.02, 0.02, scaled, 0.02, scaled, scaled, cut_at_three(D**-0.5)]
    assert found == pytest.approx(expected)
    # what its text says: a cut at two standard deviations
    assert table(llama(), "llama", cut=2.0)[Q].support() == (-0.04, 0.04)


def test_gpt2_divides_where_branches_end():
    scaled = 0.02 / math.sqrt(2 * LAYERS)
    assert stds("gpt2", [TABLE, Q, O, UP, DOWN]) == pytest.approx(
        [0.02, 0.02, scaled, 0.02, scaled]
    )
    names = [f"transformer.h.1.{name}.c_proj.weight" for name in ("attn", "mlp")]
    assert stds("megatron", names, gpt2) == pytest.approx([scaled, scaled])


def test_olmo():
    # fan-ins of the two ends of branches: the width and the feed-forward width
    ends = [1 / math.sqrt(2 * n * 3) for n in (D, INNER)]
    expected = [D**-0.5, D**-0.5, *ends, D**-0.5]
    found = stds("mitchell", [TABLE, Q, O, DOWN, HEAD])
    assert found == pytest.approx([cut_at_three(std) for std in expected])
    assert stds("fan_in", [TABLE, Q, DOWN]) == pytest.approx([D**-0.5, D**-0.5, INNER**-0.5])


def test_small_init_and_wang():
    small, wang = math.sqrt(2 / (5 * D)), 2 / (LAYERS * math.sqrt(D))
    expected = [small, small, wang, wang, small]
    assert stds("small_init", [TABLE, Q, O, DOWN, HEAD]) == pytest.approx(expected)
    assert stds("small_init", [O], wang=False) == pytest.approx([small])


def test_deepnorm():
    beta = (8 * LAYERS) ** -0.25

    def glorot(n, m):
        return math.sqrt(2 / (n + m))

    expected = [
        glorot(D, D),
        beta * glorot(D, D // 2),
        beta * glorot(D, D),
        beta * glorot(D, INNER),
    ]
    assert stds("deepnorm", [Q, V, O, UP]) == pytest.approx(expected)
    model = init_(gpt2(), "deepnorm", rng=0)
    packed = model.transformer.h[0].attn.c_attn.weight.detach().split(D, dim=1)
    for part, gain in zip(packed, (1, 1, beta), strict=True):
        # five standard errors of a standard deviation of 64² normal values
        assert part.std().item() == pytest.approx(gain * D**-0.5, rel=5 / math.sqrt(2 * D * D))


def test_t5_takes_the_width_of_a_head():
    name = "encoder.block.0.layer.0.SelfAttention.q.weight"
    assert stds("t5", [name], t5) == pytest.approx([(64 * 16) ** -0.5])
    assert stds("t5", [name], t5, head_width=4) == pytest.approx([(64 * 4) ** -0.5])
    with pytest.raises(ValueError, match=r"q_proj\.weight: nothing tells the width of a head"):
        plan(llama(), "t5")


def test_the_spectral_condition_holds():
    model = init_(nn.Linear(200, 50), "spectral", rng=0, orthogonal=True)
    norm = torch.linalg.matrix_norm(model.weight.detach(), 2).item()
    assert norm == pytest.approx(math.sqrt(50 / 200), rel=1e-5)  # some ulps of 200 products
    (weight, _) = plan(nn.Linear(50, 200), "spectral")
    assert weight.moments()[1] == pytest.approx(50**-0.5)
    (weight, _) = plan(nn.Linear(200, 50), "spectral")
    assert weight.moments()[1] == pytest.approx(math.sqrt(50 / 200) / math.sqrt(200))


def test_nanochat_starts_branches_and_logits_at_zero():
    expected = [1.0, D**-0.5, math.sqrt(0.5 / D), 0.0, 0.0, 0.0]
    assert stds("nanochat", [TABLE, Q, V, O, DOWN, HEAD]) == pytest.approx(expected)


def test_completep():
    expected = [0.02, 0.02 * math.sqrt(256 / D), 0.02 * math.sqrt(256 / D), 0.02]
    assert stds("completep", [TABLE, Q, DOWN, HEAD]) == pytest.approx(expected)
    assert stds("completep", [Q], base_width=D) == pytest.approx([0.02])


def test_mup():
    found = stds("mup", [TABLE, Q, DOWN, HEAD], base_width=16)
    assert found == pytest.approx([1.0, D**-0.5, INNER**-0.5, 4 / D])


def network(width):
    return nn.Sequential(
        nn.Linear(8, width), nn.ReLU(), nn.Linear(width, width), nn.Linear(width, 2)
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_groups_of_mup_scale_rates_and_hold_every_parameter_once(optimizer):
    model = network(512)
    groups = mup_groups(model, 0.1, optimizer=optimizer, base_width=128)
    rates = {id(p): group["lr"] / 0.1 for group in groups for p in group["params"]}
    assert sorted(rates) == sorted(map(id, model.parameters()))
    found = [rates[id(p)] for p in model.parameters()]
    sgd = [4, 4, 1, 4, 1 / 4, 2 / 128]
    assert found == pytest.approx(sgd if optimizer == "sgd" else [1, 1, 1 / 4, 1, 1 / 4, 1])
    assert {group["lr"] for group in mup_groups(network(128), 0.1, base_width=128)} == {0.1}
    with pytest.raises(ValueError, match="optimizer must be one of sgd, adam"):
        mup_groups(model, 0.1, optimizer="lbfgs")


def wide_llama(times):
    sizes = {"hidden_size": 64 * times, "intermediate_size": 128 * times}
    with torch.device("meta"):
        return LlamaForCausalLM(llama_config(**sizes))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_groups_of_mup_compare_each_layer_with_its_own_in_the_tuned_model(optimizer):
    options = {"optimizer": optimizer, "base_model": wide_llama(1)}
    assert [group["lr"] for group in mup_groups(wide_llama(1), 0.1, **options)] == [0.1]
    model = wide_llama(4)
    groups = mup_groups(model, 0.1, **options)
    rates = {id(p): group["lr"] / 0.1 for group in groups for p in group["params"]}
    found = {name: rates[id(p)] for name, p in model.named_parameters()}
    vector, hidden = (4, 1) if optimizer == "sgd" else (1, 1 / 4)
    expected = {TABLE: vector, Q: hidden, DOWN: hidden, UP: hidden, HEAD: 1 / 4}
    expected[f"{STACK}.input_layernorm.weight"] = vector
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"embed_tokens\.weight: base_model has no parameter"):
        mup_groups(model, 0.1, base_model=nn.Linear(2, 2))


def test_recurrent_layers_gate_by_gate():
    model = nn.ModuleList([nn.LSTM(24, 16), nn.GRU(24, 16), nn.Linear(3, 3)])
    init_(model, "lstm", rng=0)
    bias, other = model[0].bias_ih_l0.detach(), model[0].bias_hh_l0.detach()
    assert bias.tolist() == [0.0] * 16 + [1.0] * 16 + [0.0] * 32
    assert not other.any()
    assert not model[1].bias_ih_l0.any()
    for gate in model[1].weight_hh_l0.detach().chunk(3):
        # rounding: 16 products of float32 of magnitude 1 at most
        assert (gate @ gate.T - torch.eye(16)).abs().max() < 16 * 2**-23
    assert model[0].weight_ih_l0.abs().max() <= math.sqrt(6 / 40)


def test_adapters_start_at_zero_and_leave_the_rest():
    class Adapted(nn.Module):
        def __init__(self):
            super().__init__()
            self.base = nn.Linear(16, 8)
            self.lora_A = nn.ModuleDict({"default": nn.Linear(16, 4, bias=False)})
            self.lora_B = nn.ModuleDict({"default": nn.Linear(4, 8, bias=False)})

    model = Adapted()
    before = model.base.weight.clone()
    init_(model, "lora", rng=0)
    assert torch.equal(model.base.weight, before)
    assert not model.lora_B["default"].weight.any()
    assert 0.2 < model.lora_A["default"].weight.abs().max() <= 0.25


def test_siren_keeps_the_distribution_of_its_activations():
    class Sine(nn.Module):
        def forward(self, x):
            return torch.sin(30 * x)

    layers = [nn.Linear(2, 512), Sine()]
    for _ in range(4):
        layers += [nn.Linear(512, 512), Sine()]
    model = init_(nn.Sequential(*layers), "siren", rng=0)
    assert model[0].weight.abs().max() <= 0.5
    x = 2 * torch.rand(1000, 2, generator=torch.Generator().manual_seed(0)) - 1
    with torch.no_grad():
        # the paper's supplement: arcsine-distributed activations, standard deviation 1/√2
        assert model(x).std().item() == pytest.approx(math.sqrt(0.5), rel=0.02)


def sines(width=96, layers=4):
    return nn.Sequential(
        nn.Linear(2, width), *(nn.Linear(width, width) for _ in range(layers)), nn.Linear(width, 1)
    )


@pytest.mark.parametrize("variance", [0.0, 0.3, 1.0])
def test_critical_siren_solves_both_equations_of_the_paper(variance):
    width, omega = 96, 30.0
    rows = table(sines(width), "siren_critical", variance=variance, omega=omega)
    assert rows["0.weight"].support() == (-0.5, 0.5)
    # c²/3 is the variance of hidden weights times the fan-in, in units of the sine's argument
    c2 = 3 * width * (omega * rows["2.weight"].moments()[1]) ** 2
    b2 = (omega * rows["2.bias"].moments()[1]) ** 2
    assert c2 / 6 * (1 - math.exp(-2 * variance)) + b2 == pytest.approx(variance)
    assert c2 / 6 * (1 + math.exp(-2 * variance)) == pytest.approx(1.0)
    # equation 8; its root is of a difference, so the rounding of 1 is left under it
    equation = 1 - c2 / 3 - math.log(6 / c2 - 1) / 2
    assert b2 == pytest.approx(equation, abs=1e-14)
    # no sine follows the last layer, so nothing divides it
    assert rows["5.weight"].support()[1] == pytest.approx(math.sqrt(c2 / width))


def test_critical_siren_is_the_papers_proposal():
    rows = table(sines(), "siren_2025", omega=1.0, first=30.0)
    assert rows["0.weight"].support() == (-15.0, 15.0)
    assert rows["2.weight"].support()[1] == pytest.approx(math.sqrt(3 / 96))
    assert rows["2.bias"].moments() == (0.0, 0.0)


class Concatenated(nn.Module):
    """The rectifier that keeps both signs."""

    def forward(self, x):
        return torch.cat((x, -x), dim=1).relu()


def rectifiers():
    layers = [nn.Linear(16, 32), nn.ReLU()]
    for _ in range(3):
        layers += [nn.Linear(32, 32), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(32, 16)), {}


def concatenated_rectifiers():
    layers = [nn.Linear(16, 16), Concatenated()]
    for _ in range(3):
        layers += [nn.Linear(32, 16), Concatenated()]
    return nn.Sequential(*layers, nn.Linear(32, 16)), {"concatenated": True}


@pytest.mark.parametrize("make", [rectifiers, concatenated_rectifiers])
def test_a_network_looks_linear(make):
    model, options = make()
    init_(model.double(), "looks_linear", rng=0, **options)
    with torch.no_grad():
        images = model(torch.eye(16, dtype=torch.float64))
        x = torch.randn(7, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        # rounding: five layers of 32 products of magnitude 1 at most
        assert (model(x) - x @ images).abs().max() < 5 * 32 * 2**-50
    # and an isometry, as its blocks are orthogonal
    assert (images @ images.T - torch.eye(16)).abs().max() < 5 * 32 * 2**-50


def test_mirrored_convolutions_and_what_cannot_be_mirrored():
    model = nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Conv2d(8, 6, 3), nn.Flatten())
    init_(model, "looks_linear", rng=0)
    first, last = model[0].weight.detach(), model[2].weight.detach()
    assert torch.equal(first[4:], -first[:4])
    assert torch.equal(last[:, 4:], -last[:, :4])
    rows = table(model, "looks_linear")
    assert rows["0.weight"].rule == "looks_linear"
    # all rows of the block have norm 1: 4 rows of 36 entries
    assert first.std(correction=0).item() == pytest.approx(rows["0.weight"].moments()[1], rel=1e-5)
    with pytest.raises(ValueError, match=r"^0\.weight: mirrored outputs are an even number, not 7"):
        plan(nn.Sequential(nn.Linear(4, 7), nn.Linear(7, 2)), "looks_linear")


def test_zero_hadamard_has_the_weights_of_the_scheme():
    sizes = (6, 6, 4, 11)
    model = nn.Sequential(*map(nn.Linear, sizes, sizes[1:]))
    init_(model, "zero_hadamard", rng=0)
    drawn = initperf.draw_network("zero_hadamard", sizes, rng=0, dtype="float32")
    rows = table(model, "zero_hadamard")
    for number, (weights, _) in enumerate(drawn):
        weight = model[number].weight.detach()
        assert torch.equal(weight.T, torch.from_numpy(weights))
        row = rows[f"{number}.weight"]
        assert row.moments() == pytest.approx(
            (weight.mean().item(), weight.std(correction=0).item()), abs=1e-6
        )
        assert row.support() == pytest.approx((weight.min().item(), weight.max().item()))
    layer = init_(nn.Conv2d(3, 3, 3, padding=1), "zero_hadamard", rng=0)
    x = torch.randn(2, 3, 5, 5)
    assert torch.equal(layer(x), x)


def test_fourier_features():
    class Features(nn.Module):
        def __init__(self):
            super().__init__()
            self.B = nn.Parameter(torch.empty(256, 2), requires_grad=False)
            self.layer = nn.Linear(512, 3)

    rows = table(Features(), "fourier_features", std=5.0)
    assert rows["B"].moments() == (0.0, 5.0)
    assert rows["layer.weight"].support()[1] == pytest.approx(512**-0.5)
    with pytest.raises(ValueError, match=r"^features .* decides about no parameter"):
        plan(nn.Linear(4, 4), "fourier_features")


class Gated(nn.Module):
    """A residual branch behind a gate."""

    def __init__(self, name, shape=()):
        super().__init__()
        self.branch = nn.Linear(4, 4)
        self.register_parameter(name, nn.Parameter(torch.full(shape, 7.0)))


@pytest.mark.parametrize(
    ("recipe", "name", "value"),
    [
        ("rezero", "resweight", 0.0),
        ("skipinit", "skip_gain", 0.0),
        ("layer_scale", "layer_scale", 1e-5),
    ],
)
def test_gates(recipe, name, value):
    model = init_(Gated(name), recipe, rng=0)
    assert getattr(model, name).item() == torch.tensor(value).item()
    assert model.branch.weight.any()
    with pytest.raises(ValueError, match=r"decides about no parameter"):
        plan(nn.Linear(4, 4), recipe)


def test_detection_prior():
    model = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.ModuleDict()})
    model["head"]["cls_logits"] = nn.Conv2d(64, 9, 3)
    init_(model, "detection", rng=0)
    probability = torch.sigmoid(model["head"]["cls_logits"].bias.detach())
    assert probability.tolist() == pytest.approx([0.01] * 9)
    assert model["head"]["cls_logits"].weight.std().item() == pytest.approx(0.01, rel=0.05)


def test_a_residual_network_may_begin_as_the_identity():
    from torchvision.models.resnet import BasicBlock, ResNet

    model = ResNet(BasicBlock, [1, 1, 1, 1])
    init_(model, "resnet", rng=0, zero_gamma=True)
    assert not model.layer1[0].bn2.weight.any()
    assert torch.all(model.layer1[0].bn1.weight == 1.0)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_says_its_source_and_formula(name):
    recipe = RECIPES[name]
    assert recipe.name == name
    assert recipe.formula
    assert recipe.cite
    assert not {name, *RECIPES.aliases(name)} & set(initperf.INITIALIZERS.names())


def test_a_plan_is_a_table():
    rows = plan(llama(), "llama")
    assert len(str(rows).splitlines()) == len(rows) + 1
    record = rows.records()[1]
    assert record["name"] == "model.layers.0.self_attn.q_proj.weight"
    assert (record["fan_in"], record["fan_out"], record["rule"]) == (64, 64, "N(0, 0.02²)")


def test_a_model_that_the_rules_cannot_count_is_named():
    with pytest.raises(ValueError, match="the model has neither embedding nor normalization"):
        plan(nn.Linear(3, 3), "mitchell")


def test_a_list_of_rules_may_use_blocks_and_fans():
    recipe = [
        (lambda p: p.layer is not None and p.role == "weight", lambda p: wider(p.layer)),
        ("*", "zeros"),
    ]
    rows = table(llama(), recipe)
    assert [rows[f"model.layers.{i}.mlp.up_proj.weight"].moments()[1] for i in range(3)] == [
        1,
        2,
        3,
    ]


def wider(layer):
    return initperf.INITIALIZERS["normal"].replace(scale=layer + 1.0)
