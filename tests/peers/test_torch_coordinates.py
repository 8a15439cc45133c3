"""Coordinate checks: exponents of known growth, the maximal update parametrization, pictures."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import initperf.torch
from initperf.errors import UnsuitableError
from initperf.torch.exponents import LIMIT, exponents
from initperf.torch.recipes.mup import mup_groups

WIDTHS = (32, 64, 128, 256)
BASE = 8.0
X = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))


def network(width):
    return nn.Sequential(
        nn.Linear(8, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, 8),
    )


def standard(width):
    return initperf.torch.init_(network(width), "lecun_normal", rng=int(torch.initial_seed()))


def maximal(width):
    seed = int(torch.initial_seed())
    return initperf.torch.init_(network(width), "mup", rng=seed, base_width=BASE)


def maximal_adam(model):
    return torch.optim.Adam(mup_groups(model, 0.03, base_width=BASE))


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=0.003)


def test_the_maximal_update_parametrization_holds():
    result = initperf.torch.coordinate_check(maximal, WIDTHS, X, 4, optimizer=maximal_adam)
    assert result.holds, str(result)
    assert result.verdict.startswith("maximal update holds")
    assert [each.layer for each in result.exponents] == ["0", "2", "4", "6"]
    result.require()


def test_the_standard_parametrization_fails_where_theory_says():
    result = initperf.torch.coordinate_check(standard, WIDTHS, X, 4, optimizer=adam)
    assert result.holds is False
    verdicts = {each.layer: each.verdict for each in result.exponents}
    # Adam moves every entry alike: the input layer's results by as much at any width, all others
    # by the sum over `width` aligned entries (Yang & Hu 2021, table 1)
    assert verdicts == {"0": "holds", "2": "grows", "4": "grows", "6": "grows"}
    assert result.verdict.startswith("maximal update fails at layer 2: its change grows")
    with pytest.raises(UnsuitableError, match="fails at layer 2"):
        result.require()
    assert str(result).splitlines()[0] == result.verdict
    assert "fails at layer 2" in result._repr_html_()


def test_a_lazy_parametrization_vanishes():
    def lazy(model):
        # a rate of 1/width for all: the input layer's change falls as the width grows
        return torch.optim.Adam(model.parameters(), lr=0.1 / model[0].out_features)

    result = initperf.torch.coordinate_check(standard, WIDTHS, X, 1, optimizer=lazy)
    first = result.exponents[0]
    assert first.verdict == "vanishes"
    # one step of Adam moves each entry by the rate, up to its epsilon
    assert first.value == pytest.approx(-1.0, abs=0.05)


def synthetic(slopes, seeds=4, noise=0.0):
    random = np.random.default_rng(0)
    rows = [
        {
            "layer": f"layer{order}",
            "order": order,
            "width": width,
            "seed": seed,
            "step": step,
            "change": step * width**slope * math.exp(noise * random.normal()),
        }
        for order, slope in enumerate(slopes)
        for width in WIDTHS
        for seed in range(seeds)
        for step in (1, 2)
    ]
    return pd.DataFrame(rows)


def test_exponents_are_slopes_of_logarithms():
    found = exponents(synthetic((0.0, 0.5, -1.0)))
    assert [each.value for each in found] == pytest.approx([0.0, 0.5, -1.0], abs=1e-12)
    assert [each.verdict for each in found] == ["holds", "grows", "vanishes"]


def test_intervals_cover_in_all_layers_together():
    missed = 0
    trials = 200
    for trial in range(trials):
        random = np.random.default_rng(trial)
        table = synthetic((0.1, 0.1, 0.1))
        table["change"] *= np.exp(0.2 * random.normal(size=len(table)))
        missed += any(not each.low <= 0.1 <= each.high for each in exponents(table))
    # 5 % of 200, and four standard deviations of the binomial distribution
    assert missed <= 10 + 4 * math.sqrt(trials * 0.05 * 0.95)


def test_what_is_near_the_limit_is_undecided():
    (found,) = exponents(synthetic((LIMIT,), noise=0.1))
    assert found.verdict == "undecided"


def test_the_table_has_a_row_a_layer_width_seed_and_step():
    result = initperf.torch.coordinate_check(standard, (16, 32, 64), X, 3, seeds=2)
    assert len(result.table) == 4 * 3 * 2 * 3
    assert not result.table.duplicated(["layer", "width", "seed", "step"]).any()
    assert (result.table["change"] > 0.0).all()
    again = initperf.torch.coordinate_check(standard, (16, 32, 64), X, 3, seeds=2)
    pd.testing.assert_frame_equal(result.table, again.table)


def test_random_states_are_left():
    before = torch.get_rng_state()
    initperf.torch.coordinate_check(standard, (16, 32, 64), X, 1, seeds=2)
    assert torch.equal(torch.get_rng_state(), before)


def test_models_with_several_results_and_keywords():
    class Two(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.embedding, self.fc = nn.Embedding(5, width), nn.Linear(width, 2)

        def forward(self, ids):
            x = self.embedding(ids)
            return {"hidden": x, "logits": self.fc(x)}

    result = initperf.torch.coordinate_check(
        Two,
        (16, 32, 64),
        {"ids": torch.arange(5)},
        2,
        loss=lambda out: out["logits"].square().mean(),
    )
    assert [each.layer for each in result.exponents] == ["embedding", "fc"]


def test_the_figure_shows_each_layer_twice():
    result = initperf.torch.coordinate_check(standard, (16, 32, 64), X, 1, seeds=2)
    changes, intervals = result.figure().axes
    assert [text.get_text() for text in changes.texts].count("4") == 1
    assert [label.get_text() for label in intervals.get_yticklabels()] == ["0", "2", "4", "6"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": (16, 32)}, "widths must be three or more"),
        ({"widths": (16, 32, 0)}, "widths must be a positive integer"),
        ({"steps": 0}, "steps must be a positive integer"),
        ({"seeds": 1}, "seeds must be 2 or more"),
        ({"make_model": lambda width: width}, "must give a module"),
        ({"make_model": lambda width: nn.ReLU()}, "no layer with weights"),
        ({"optimizer": lambda m: torch.optim.SGD(m.parameters(), lr=0.0)}, "do not change"),
    ],
)
def test_bad_input_is_refused(options, message):
    given = {"make_model": standard, "widths": (16, 32, 64), "batch": X, "steps": 1} | options
    with pytest.raises((TypeError, ValueError), match=message):
        initperf.torch.coordinate_check(**given)
