"""Checks of PyTorch models: what they measure and how they name it; results and errors."""

import json
import math

import pytest
import torch
from check_trials import (
    HEALTHY,
    WIDTH,
    classified,
    perceptron,
    residual,
    squared,
    vectors,
    with_gate,
)
from torch import nn
from torch.nn import functional

import initperf.torch
from initperf.errors import UnsuitableError
from initperf.optimizers import OPTIMIZERS
from initperf.torch.signals.samples import likeness

X = vectors()()


def forward(result):
    return [each for each in result.measurements if each.direction == "forward"]


def names(result):
    return [each.name for each in result.operations]


def test_moments_and_gradients_are_those_of_the_activations():
    model = perceptron(depth=3)
    result = initperf.torch.check(model, X, loss=squared)
    values, value = [], X
    for layer in model:
        value = layer(value)
        value.retain_grad()
        values.append(value)
    squared(value).backward()
    found = forward(result)[1 : 1 + len(values)]
    slopes = {e.operation.name: e for e in result.measurements if e.direction == "loss"}
    assert [each.operation.name for each in found] == [str(i) for i in range(len(model))]
    for each, value in zip(found, values, strict=True):
        exact, slope = value.detach().double(), value.grad.double()
        statistics = each.statistics
        # sums of 2048 terms in float64, taken in other orders
        assert statistics.mean == pytest.approx(exact.mean().item(), rel=1e-12, abs=1e-15)
        assert statistics.second_moment == pytest.approx((exact**2).mean().item(), rel=1e-12)
        centred = exact - exact.mean()
        kurtosis = ((centred**4).mean() / (centred**2).mean() ** 2).item()
        assert statistics.kurtosis == pytest.approx(kurtosis, rel=1e-10)
        assert statistics.zeros == (exact == 0.0).double().mean().item()
        assert statistics.dead == (exact == 0.0).all(0).double().mean().item()
        assert statistics.largest == exact.abs().max().item()
        assert statistics.range_share == statistics.largest / torch.finfo(torch.float32).max
        cosines = functional.normalize(exact[:16]) @ functional.normalize(exact[:16]).T
        apart = cosines[~torch.eye(16, dtype=bool)]
        # inner products in float32, of 64 terms
        assert statistics.cosine == pytest.approx(apart.mean().item(), abs=1e-5)
        assert statistics.highest_cosine == pytest.approx(apart.max().item(), abs=1e-5)
        energies = torch.linalg.svdvals(exact[:16]) ** 2
        shares = energies / energies.sum()
        assert statistics.rank == pytest.approx(
            math.exp(-(shares * shares.log()).sum().item()), rel=1e-3
        )
        gradient = slopes[each.operation.name].statistics
        assert gradient.second_moment == pytest.approx((slope**2).mean().item(), rel=1e-12)
    parameters = {each.name: each for each in result.parameters}
    for name, parameter in model.named_parameters():
        expected = parameter.grad.double().norm().item()
        assert parameters[name].gradient_norm == pytest.approx(expected, rel=1e-6)
    gain = math.sqrt(found[0].statistics.second_moment / squared(X.double()).item())
    assert found[0].gain == pytest.approx(gain, rel=1e-12)


def test_cosines_of_long_samples_are_summed_exactly():
    # 2²³ terms of one size: a running sum in float32 would be off by up to 2²³ · 2⁻²⁴
    x = torch.randn(2, 1 << 23, generator=torch.Generator().manual_seed(0)).mul_(0.1).add_(1.0)
    exact = functional.cosine_similarity(*x.double(), dim=0).item()
    assert likeness(x, 2, 2.0).cosine == pytest.approx(exact, abs=2e-6)


def test_cotangents_tell_the_losses_scale_apart():
    model = perceptron(depth=3)
    one, other = (
        initperf.torch.check(model, X, loss=lambda y, s=s: s * squared(y)).table for s in (1.0, 1e3)
    )
    for direction, factor in (("loss", 1e6), ("cotangent", 1.0)):
        first, second = (
            table[(table["direction"] == direction) & (table["module"] != "")][
                "second_moment"
            ].to_numpy()
            for table in (one, other)
        )
        assert len(first) == len(model)
        assert second == pytest.approx(factor * first, rel=1e-5)
    last = one[(one["direction"] == "cotangent") & (one["name"] == "5")]
    # the gradient at the result is the random tensor of norm 1 itself
    assert last["second_moment"].item() * last["elements"].item() == pytest.approx(1.0, rel=1e-6)


def test_names_are_those_of_modules_and_operations():
    result = initperf.torch.check(residual(depth=2), X)
    first = ["blocks.0.norm", "blocks.0.fc", "blocks.0: gelu", "blocks.0: mul", "blocks.0: add"]
    second = [name.replace("0", "1") for name in first]
    assert names(result) == ["input", *first, *second, "last", "head"]
    shared = nn.Linear(WIDTH, WIDTH)
    assert names(initperf.torch.check(nn.Sequential(shared, shared), X)) == ["input", "0", "0 (2)"]


def test_the_graph_has_parents_kinds_and_parameters():
    result = initperf.torch.check(residual(depth=1), X)
    by_name = {each.name: each for each in result.operations}
    kinds = ["input", "norm", "linear", "activation", "scale", "residual", "norm", "linear"]
    assert [each.kind for each in result.operations] == kinds
    assert by_name["blocks.0: add"].parents == (0, by_name["blocks.0: mul"].index)
    layer = by_name["blocks.0.fc"]
    assert (layer.weight, layer.bias) == ("blocks.0.fc.weight", "blocks.0.fc.bias")
    assert (layer.fan_in, layer.fan_out, layer.units) == (WIDTH, WIDTH, WIDTH)
    assert by_name["blocks.0: gelu"].activation == "gelu_erf"
    assert by_name["blocks.0: mul"].parameters == ("blocks.0.gate",)
    (addition,) = result.additions
    total = by_name["blocks.0: add"]
    trunk, branch = (forward(result)[i].statistics.root_mean_square for i in total.parents)
    assert (addition.trunk, addition.branch) == (trunk, branch)
    assert addition.ratio == branch / trunk


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_updates_are_those_of_pytorchs_optimizers(optimizer):
    model = perceptron(depth=3)
    result = initperf.torch.check(model, X, squared, optimizer=optimizer, rate=0.01)
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
    before = [p.detach().clone() for p in model.parameters()]
    squared(model(X)).backward()
    kinds[optimizer](model.parameters(), lr=0.01).step()
    for each, old, new in zip(result.parameters, before, model.parameters(), strict=True):
        step, size = (new - old).double().norm().item(), old.double().norm().item()
        if size:
            # a step is rounded to float32 entry by entry, at most 2⁻²⁴ of the weight each
            assert each.update_ratio == pytest.approx(step / size, rel=1e-4, abs=1e-6)
        else:
            assert each.update_ratio == math.inf
    assert all(math.isnan(e.update_ratio) for e in initperf.torch.check(model, X).parameters)
    assert OPTIMIZERS[optimizer].name == optimizer


def test_half_precision_ranges_are_counted():
    class Wide(nn.Module):
        def forward(self, x):
            return x * torch.tensor([1.0, 1e5, 1e-9, 3.4e38, 1e-41, 0.0, 65519.0, 2.0**-24])

    row = forward(initperf.torch.check(Wide(), torch.ones(4, 8)))[1].statistics
    assert row.fp16_overflow == 2 / 8
    assert row.fp16_underflow == 2 / 8
    assert row.bf16_overflow == 1 / 8
    assert row.bf16_underflow == 1 / 8
    assert row.zeros == 1 / 8


def test_duplicate_and_dead_units_are_counted():
    layer = nn.Linear(WIDTH, 8)
    with torch.no_grad():
        layer.weight[3] = layer.weight[1]
        layer.bias[3] = layer.bias[1]
        layer.weight[5] = 0.0
        layer.bias[5] = 0.0
    result = initperf.torch.check(layer, X)
    statistics = forward(result)[1].statistics
    assert statistics.duplicates == 1 / 8
    assert statistics.dead == 1 / 8
    assert [each.kind for each in result.findings] == ["duplicate"]
    convolution = nn.Conv2d(3, 8, 3)
    with torch.no_grad():
        convolution.weight[7] = convolution.weight[0]
        convolution.bias[7] = convolution.bias[0]
    image = torch.randn(2, 3, 9, 9)
    for memory in (torch.contiguous_format, torch.channels_last):
        found = forward(initperf.torch.check(convolution, image.to(memory_format=memory)))[1]
        assert found.statistics.duplicates == 1 / 8


def test_a_closed_gate_of_all_blocks_is_a_note():
    model = residual()
    for block in model.blocks:
        nn.init.zeros_(block.gate)
    result = initperf.torch.check(model, X)
    assert not result.findings
    assert [each.kind for each in result.notes] == ["blocked"]
    assert result.verdict.startswith("healthy; gradients of blocks.0.norm.weight")
    result.require()


def test_truncations_that_cut_nothing_are_noted():
    def made(bound):
        layer = nn.Linear(WIDTH, WIDTH)
        nn.init.trunc_normal_(layer.weight, std=0.02, a=-bound, b=bound)
        return layer

    result = initperf.torch.check(lambda: made(2.0), X)
    assert [(each.kind, each.name) for each in result.notes] == [("truncation", "weight")]
    assert not initperf.torch.check(lambda: made(0.04), X).notes


def test_the_loss_at_the_start_is_compared_with_guessing():
    result = initperf.torch.check(residual(), X, classified)
    assert result.initial_loss.classes == 10
    assert result.initial_loss.guessing == math.log(10)
    with torch.no_grad():
        expected = classified(residual()(X)).item()
    assert result.initial_loss.average == pytest.approx(result.initial_loss.value, rel=1e-6)
    assert abs(result.initial_loss.value - expected) < 1.0  # of another draw


def test_findings_of_some_seeds_say_of_how_many():
    made = []

    def sometimes():
        made.append(perceptron(depth=4))
        if len(made) == 2:
            with torch.no_grad():
                made[-1][4].weight.mul_(10.0)
        return made[-1]

    result = initperf.torch.check(sometimes, X, seeds=3)
    assert len({each[0].weight.data_ptr() for each in made}) == 3
    (finding, *_) = result.findings
    assert (finding.kind, finding.name) == ("layer", "4")
    assert "(1 of 3 seeds)" in finding.text


def test_a_module_keeps_its_weights_and_seeds_change_the_cotangents():
    table = initperf.torch.check(perceptron(depth=2), X, seeds=2).table
    ahead = table[table["direction"] == "forward"].groupby("seed")["second_moment"].apply(list)
    behind = table[table["direction"] == "cotangent"].groupby("seed")["second_moment"].apply(list)
    assert ahead[0] == ahead[1]
    assert behind[0] != behind[1]


def test_table_json_and_text_agree():
    result = initperf.torch.check(residual(depth=1), X, seeds=2)
    table, found = result.table, json.loads(result.to_json())
    assert len(table) == len(result.measurements) == len(found["measurements"])
    assert set(table["seed"]) == {0, 1}
    assert set(table["direction"]) == {"forward", "cotangent"}
    assert found["healthy"] is True
    assert found["measurements"][2]["name"] == "blocks.0.fc"
    assert len(result.parameter_table) == len(result.parameters) == len(found["parameters"])
    assert result.addition_table["ratio"].tolist() == [e["ratio"] for e in found["additions"]]
    assert str(result).splitlines()[0] == "healthy"


def test_findings_stand_in_json():
    found = json.loads(initperf.torch.check(with_gate(0.0), X).to_json())
    assert found["healthy"] is False
    assert found["findings"][0]["kind"] == "gate"
    assert found["findings"][0]["layers"] == ["blocks.1.gate"]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (3, {}, "model must be a module or a function"),
        (lambda: 3, {}, "the function must make a module, not int"),
        (nn.Identity(), {"seeds": 0}, "seeds must be a positive integer"),
        (nn.Linear(WIDTH, 4), {"loss": lambda y: y}, "loss must give a scalar, not shape"),
        (nn.Linear(WIDTH, 4), {"loss": lambda y: 3.0}, "loss must give a scalar, not shape float"),
        (nn.Linear(WIDTH, 4), {"rate": 0.0}, "rate must be"),
        (nn.Linear(WIDTH, 4), {"optimizer": 3}, "optimizer must be a name or an Optimizer"),
    ],
)
def test_bad_input_is_refused(model, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        initperf.torch.check(model, X, **options)


def test_a_model_without_floating_point_results_is_refused():
    class Ranks(nn.Module):
        def forward(self, x):
            return x.argsort()

    with pytest.raises(ValueError, match="the model returns no floating-point tensor"):
        initperf.torch.check(Ranks(), X)


def test_require_raises_with_every_finding():
    result = initperf.torch.check(with_gate(0.0), X)
    with pytest.raises(UnsuitableError, match=r"blocks\.1\.gate is 0, and 3 like it are not"):
        result.require()


def test_every_direction_of_real_models_is_measured():
    trial = HEALTHY["Llama, 4 layers, transformers"]
    torch.manual_seed(0)
    result = initperf.torch.check(trial.make(), trial.batch(), trial.loss)
    assert {each.direction for each in result.measurements} == {"forward", "loss", "cotangent"}
    assert not result.unreached
    found = names(result)
    for name in ("self_attn.q_proj", "mlp.act_fn", "input_layernorm", "mlp.down_proj"):
        assert f"model.layers.3.{name}" in found
    assert len(result.additions) == 8


def test_a_batch_that_is_not_finite_is_blamed_alone():
    model, batch = perceptron(depth=3), X.clone()
    batch[3, 5] = math.nan
    (found,) = initperf.torch.check(model, batch).findings
    assert (found.kind, found.cause, found.fix) == ("overflow", "the batch holds them", "")
    (left,) = initperf.torch.fix_(model, batch).unmended
    assert left.reason.startswith("the batch is not finite")


def test_elements_that_are_not_finite_are_counted_in_per_cent():
    (found,) = initperf.torch.check(perceptron(depth=1), torch.full_like(X, math.nan)).findings
    assert "100 % of the elements of input are not finite" in str(found)


def test_models_without_shapes_and_batches_without_samples_are_refused():
    lazy = nn.Sequential(nn.LazyLinear(4))
    with pytest.raises(UnsuitableError, match=r"0\.weight: it has no shape before the first call"):
        initperf.torch.check(lazy, X)
    with pytest.raises(ValueError, match="the batch must hold samples"):
        initperf.torch.check(perceptron(depth=1), X[:0])
