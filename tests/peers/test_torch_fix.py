"""Rescaling of first weights: what it computes, what it respects, what it leaves alone."""

import copy
import math

import pytest
import torch
import torch_models
from check_trials import FAULTS
from torch import nn
from torch.nn.utils import parametrizations

import initperf.torch
from initperf.theory import MeanField
from initperf.torch.fixing.branches import branch_ends
from initperf.torch.fixing.gains import TOLERANCE
from initperf.torch.fixing.methods import one_pass
from initperf.torch.fixing.propagation import propagate
from initperf.torch.parameters import parameters

WIDTH = 64
METHODS = ("rescale", "lsuv")


def inputs(width=WIDTH, count=64, seed=1):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def images(count=8):
    return inputs(3 * 16 * 16, count).reshape(count, 3, 16, 16)


def perceptron(rule="glorot_normal", depth=30, activation=nn.ReLU, rng=0):
    layers = [each for _ in range(depth) for each in (nn.Linear(WIDTH, WIDTH), activation())]
    model = nn.Sequential(*layers[:-1])
    return initperf.torch.init_(model, rule, rng=rng)


class Block(nn.Module):
    def __init__(self, norm=False):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH) if norm else nn.Identity()
        self.first, self.second = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return x + self.second(torch.relu(self.first(self.norm(x))))


def residual(depth=100, norm=False):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(WIDTH, WIDTH), *(Block(norm) for _ in range(depth)))
    return initperf.torch.init_(model, "he_normal", rng=0)


class Shared(nn.Module):
    """One layer, applied four times, and a head."""

    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 10)

    def forward(self, x):
        for _ in range(4):
            x = torch.relu(self.layer(x))
        return self.head(x)


class Gated(nn.Module):
    def __init__(self, gate):
        super().__init__()
        self.fc, self.gate = nn.Linear(WIDTH, WIDTH), nn.Parameter(torch.tensor(gate))

    def forward(self, x):
        return x + self.gate * self.fc(x)


def convolutional():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, stride=2, groups=2),
        nn.GELU(),
        nn.ConvTranspose2d(16, 8, 4, stride=2),
        nn.SiLU(),
        nn.Flatten(),
        nn.LazyLinear(10),
    )


def made_lazy(model, x):
    model(x)
    return model


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, 4, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


IDS = torch.arange(64).reshape(4, 16)
MODELS = {
    "perceptron": lambda: (perceptron(), inputs()),
    "convolutions": lambda: (made_lazy(convolutional(), images()), images()),
    "shared": lambda: (Shared(), inputs()),
    "attention": lambda: (Attention(), inputs(WIDTH, 40).reshape(4, 10, WIDTH)),
    "residual": lambda: (residual(12), inputs()),
    "ResNet": lambda: (torch_models.resnet(), images()),
    "GPT-2": lambda: (torch_models.gpt2().eval(), {"input_ids": IDS}),
    "Llama": lambda: (torch_models.llama(), {"input_ids": IDS}),
    "BERT": lambda: (torch_models.bert().eval(), {"input_ids": IDS}),
}


def made(name):
    torch.manual_seed(0)
    return MODELS[name]()


def results_of_layers(model, x):
    """Return the mean square of each linear or convolutional layer's result without its bias."""
    found = {}

    def keep(name):
        def hook(module, _given, result):
            shape = (-1, *[1] * (result.ndim - 2)) if result.ndim == 4 else (-1,)
            bias = 0.0 if module.bias is None else module.bias.reshape(shape)
            found.setdefault(name, []).append(float(((result - bias) ** 2).mean()))

        return hook

    handles = [
        module.register_forward_hook(keep(name))
        for name, module in model.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))
    ]
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return found


def test_rescale_finds_the_variance_of_he():
    model = perceptron()
    fixed = initperf.torch.fix_(model, inputs())
    assert not fixed.before.healthy
    assert fixed.after.healthy
    changed = {each.name for each in fixed.changes}
    reaching = float((inputs() ** 2).mean())
    for name, layer in model.named_children():
        if isinstance(layer, nn.Linear):
            # rows of squared norm 2 where half of a unit second moment has passed ReLU
            power = float((layer.weight.detach() ** 2).sum()) / WIDTH * reaching
            if f"{name}.weight" in changed:
                assert power == pytest.approx(1.0, rel=10 * 2.0**-23)  # ten roundings of float32
            assert abs(math.sqrt(power) - 1.0) < TOLERANCE * 1.001
            reaching = power / 2.0
    assert len(changed) >= 29


MENDED = (
    "weights × 10 in one layer",
    "dead ReLU",
    "float16 overflow",
    "wrong fan in a transposed convolution",
    "tied head too large",
    "residual without scaling",
)


@pytest.mark.parametrize("how", METHODS)
@pytest.mark.parametrize("name", MENDED)
def test_planted_faults_of_scale_turn_healthy(name, how):
    fault = FAULTS[name]
    torch.manual_seed(0)
    fixed = initperf.torch.fix_(fault.trial.make(), fault.trial.batch(), how, loss=fault.trial.loss)
    assert fault.kind in {each.kind for each in fixed.before.findings}
    assert fixed.after.healthy, fixed.after.verdict
    assert fixed.changes


@pytest.mark.parametrize("name", sorted(set(FAULTS) - set(MENDED)))
def test_faults_that_no_scale_mends_are_still_found(name):
    fault = FAULTS[name]
    torch.manual_seed(0)
    fixed = initperf.torch.fix_(fault.trial.make(), fault.trial.batch(), loss=fault.trial.loss)
    assert fault.kind in {each.kind for each in fixed.after.findings}


@pytest.mark.parametrize("name", ["perceptron", "convolutions"])
def test_lsuv_brings_every_layer_to_one(name):
    model, x = made(name)
    initperf.torch.fix_(model, x, "lsuv")
    found = results_of_layers(model, x)
    assert found
    for layer, (power,) in found.items():
        # a factor within the tolerance of 1 is not applied
        assert (1 - TOLERANCE) ** 2 <= power <= (1 + TOLERANCE) ** 2 * 1.0001, layer


def test_lsuv_brings_a_shared_layer_to_one_in_the_geometric_mean():
    model, x = made("shared")
    initperf.torch.fix_(model, x, "lsuv")
    powers = results_of_layers(model, x)["layer"]
    assert len(powers) == 4
    mean = math.exp(sum(map(math.log, powers)) / 4)
    assert (1 - TOLERANCE) ** 2 <= mean <= (1 + TOLERANCE) ** 2 * 1.0001


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


@pytest.mark.parametrize("how", METHODS)
def test_a_hundred_residual_blocks_raise_the_trunk_by_e_at_most(how):
    model = residual(100)
    fixed = initperf.torch.fix_(model, inputs(), how)
    assert not fixed.before.healthy
    assert fixed.after.healthy, fixed.after.verdict
    with torch.no_grad():
        x = model[0](inputs())
        grown = float((model(inputs()) ** 2).mean()) / float((x**2).mean())
    # e in expectation; branches are correlated with the trunk by chance, 1/√(width) each, and
    # their sum over 100 blocks by as much: four standard deviations
    assert grown < math.e * (1 + 4 / math.sqrt(WIDTH))
    assert grown > 1.5


def test_branches_are_told_from_trunks():
    nodes = one_pass(residual(3), inputs()).nodes
    ends = branch_ends(nodes)
    assert set(ends) == {(f"{block}.second.weight", 0) for block in (1, 2, 3)}
    model, x = made("ResNet")  # normalizations end the branches
    assert not branch_ends(one_pass(model, x).nodes)
    model, x = made("GPT-2")
    ends = {name for name, _ in branch_ends(one_pass(model, x).nodes)}
    assert len(ends) == 6
    assert all("c_proj" in name for name in ends)


@pytest.mark.parametrize("how", METHODS)
def test_a_tied_head_stays_tied_and_gets_logits_of_one(how):
    model, x = made("GPT-2")
    with torch.no_grad():
        model.lm_head.weight *= 60.0
    targets = IDS.roll(-1, 1)

    def loss(result):
        return nn.functional.cross_entropy(result.logits.reshape(-1, 300), targets.reshape(-1))

    fixed = initperf.torch.fix_(model, x, how, loss=loss)
    assert not fixed.before.healthy
    assert fixed.after.healthy, fixed.after.verdict
    assert model.lm_head.weight is model.transformer.wte.weight
    logits = model(**x).logits
    # rescale takes final activations and rows of the embedding as uncorrelated, which inputs are
    # not with the rows that they are made of
    assert 0.5 < float((logits**2).mean()) < 2.0


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


@pytest.mark.parametrize("how", METHODS)
def test_a_closed_gate_is_left_and_the_branch_has_a_target_of_one(how):
    model = Gated(0.0)
    initperf.torch.fix_(model, inputs(), how)
    assert float(model.gate) == 0.0
    power = results_of_layers(model, inputs())["fc"][0]
    # by formula in expectation: 64 × 64 products scatter by √(2/64) around it
    assert abs(power - 1.0) < (4 * math.sqrt(2 / WIDTH) if how == "rescale" else 0.03)


def test_an_open_gate_counts_in_the_target():
    model = Gated(0.1)
    initperf.torch.fix_(model, inputs(), "lsuv")
    branch = 0.1 * (model.fc(inputs()) - model.fc.bias)
    trunk = max(1.0, float((inputs() ** 2).mean()))
    # the survey's ratio holds the bias, PyTorch's of variance 1/(3 · 64)
    assert float((branch**2).mean()) == pytest.approx(trunk, rel=0.05)


CONVOLUTIONS = [
    nn.Conv2d(4, 6, 3, padding=1),
    nn.Conv2d(4, 6, 3, stride=2, groups=2),
    nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1),
    nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, output_padding=1),
    nn.Conv1d(4, 6, 5, dilation=2, padding=3),
    nn.Linear(4, 6),
]


@pytest.mark.parametrize("layer", CONVOLUTIONS, ids=str)
def test_gains_are_those_of_the_linear_map(layer):
    sides = {"Conv2d": (7, 5), "ConvTranspose2d": (4, 5), "Conv1d": (9,), "Linear": ()}
    x = torch.randn(2, 4, *sides[type(layer).__name__])
    (use,) = [node.use for node in one_pass(layer, x).nodes if node.use is not None]
    jacobian = torch.autograd.functional.jacobian(lambda z: layer(z[None])[0], x[0])
    matrix = jacobian.reshape(-1, x[0].numel())
    # sums of a hundred squares in float32
    assert use.gain == pytest.approx(float((matrix**2).sum(1).mean()), rel=1e-5)
    bias = layer.bias.reshape(-1, *[1] * (x.ndim - 2))
    assert use.power == pytest.approx(float(((layer(x) - bias) ** 2).mean()), rel=1e-5)


class Written(nn.Module):
    """GELU's tanh form written out, after a linear layer."""

    def __init__(self):
        super().__init__()
        self.fc, self.head = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, 3)

    def forward(self, x):
        x = self.fc(x)
        x = 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return self.head(x)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 3)), "tanh"),
        (lambda: nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 3)), "silu"),
        (lambda: nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ELU(), nn.Linear(WIDTH, 3)), "elu"),
        (Written, "gelu"),
    ],
)
def test_elementwise_operations_are_integrated(make, name):
    model = make()
    initperf.torch.init_(model, "he_normal", rng=0)
    nodes = one_pass(model, inputs()).nodes
    moments = propagate(nodes, lambda use, power, moment: 1.0)
    first, last = (place for place, node in enumerate(nodes) if node.use is not None)
    reaching = moments[nodes[last].operands[0]]
    # 2,001 quantiles against Gauss-Legendre: the tails beyond them carry 2e-4
    expected = float(MeanField(name, 1.0).q_map(moments[first]))
    assert reaching == pytest.approx(expected, rel=1e-3)


def test_normalizations_keep_their_moments_whatever_reaches_them():
    model = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 3))
    nodes = one_pass(model, inputs()).nodes
    moments = propagate(nodes, lambda use, power, moment: 7.0)
    place = next(place for place, node in enumerate(nodes) if node.normalizes)
    assert moments[place] == nodes[place].second_moment
    evaluated = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.Linear(WIDTH, 3))
    nodes = one_pass(evaluated.eval(), inputs()).nodes
    assert not any(node.normalizes for node in nodes)
    moments = propagate(nodes, lambda use, power, moment: 7.0)
    uses = [place for place, node in enumerate(nodes) if node.use is not None]
    reaching = nodes[uses[1]].operands[0]
    assert moments[reaching] > 40.0 * nodes[reaching].second_moment


def test_a_models_own_error_comes_first_and_nothing_is_written():
    model = perceptron(depth=2)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        initperf.torch.fix_(model, inputs(WIDTH + 1))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_another_method_is_refused():
    with pytest.raises(ValueError, match="how must be"):
        initperf.torch.fix_(perceptron(depth=2), inputs(), "magic")


def test_every_weight_of_a_model_is_moved_or_named():
    for name in MODELS:
        model, x = made(name)
        fixed = initperf.torch.fix_(model, x, "lsuv")
        known = {each.name for each in (*fixed.changes, *fixed.left)}
        untouched = [
            each.name
            for each in parameters(model)
            if each.role == "weight" and each.name not in known
        ]
        second = initperf.torch.fix_(model, x, "lsuv")
        # those that were within the tolerance from the beginning
        assert not {each.name for each in second.changes} & set(untouched)
