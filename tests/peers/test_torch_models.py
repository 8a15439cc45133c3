"""Recipes against the initialization of the libraries themselves, parameter by parameter."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch_models import CASES, drawn_by_library

from initperf.torch import init_, plan

_SAMPLE = 20_000
_LEVEL = 1e-9
"""Chance of a false alarm of one comparison; there are fewer than a thousand."""


@pytest.mark.parametrize("name", CASES)
def test_a_recipe_draws_what_the_library_draws(name):
    case = CASES[name]
    model = case.make()
    rows = plan(model, case.recipe, **dict(case.options))
    init_(model, case.recipe, rng=1, **dict(case.options))
    theirs = drawn_by_library(name)
    assert [row.parameter.name for row in rows] == list(theirs)
    for row in rows:
        own = row.parameter.tensor.detach().double().flatten().numpy()
        other = theirs[row.parameter.name].double().flatten().numpy()
        (mean, std), (low, high) = row.moments(), row.support()
        for values in (own, other):
            check_moments(values, mean, std, row.parameter.name)
            # float32 rounds a bound by half a unit in the last place
            slack = 2.0**-24 * max(abs(low), abs(high)) if math.isfinite(high - low) else 0.0
            assert values.min() >= low - slack, row.parameter.name
            assert values.max() <= high + slack, row.parameter.name
        if std > 0.0:
            sample = np.random.default_rng(0).permutation(own.size)[:_SAMPLE]
            found = stats.ks_2samp(own[sample], other[sample])
            assert found.pvalue > _LEVEL, row.parameter.name


def check_moments(values, mean, std, name):
    """Compare with standard errors σ/√n and, as kurtoses here are at most 3, σ/√(2n)."""
    factor = stats.norm.isf(_LEVEL / 2)
    if std == 0.0:
        assert np.all(values == np.float32(mean)), name
        return
    assert abs(values.mean() - mean) <= factor * std / math.sqrt(values.size), name
    if values.size > 500:  # else the error of a standard deviation is far from normal
        assert abs(values.std() / std - 1.0) <= factor / math.sqrt(2 * values.size), name


def test_a_wrong_recipe_is_seen():
    model = CASES["transformers GPT-2"].make()
    init_(model, "bert", rng=1)  # without the scale of branches
    own = model.transformer.h[0].mlp.c_proj.weight.detach().flatten().numpy()
    theirs = drawn_by_library("transformers GPT-2")["transformer.h.0.mlp.c_proj.weight"]
    assert stats.ks_2samp(own, theirs.flatten().numpy()).pvalue < _LEVEL


def test_the_models_work_after_it():
    model = CASES["transformers GPT-2"].make().eval()
    init_(model, "gpt2", rng=1)
    with torch.no_grad():
        logits = model(torch.arange(8)[None]).logits
    assert torch.isfinite(logits).all()
