"""Optimizers' steps against their formulas, written out with plain loops."""

import math

import numpy as np
import pytest

from initperf.optimizers import OPTIMIZERS


def steps(rule, w, gradients, rate):
    """Return the weights after each step, by the record's own function on arrays."""
    first = second = np.zeros_like(w)
    found = []
    for row, g in zip(rule.factors(np.full(len(gradients), rate), 0), gradients, strict=True):
        w, first, second = rule.step(w, g, first, second, row)
        found.append(w)
    return np.array(found)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize(("name", "decoupled"), [("adam", False), ("adamw", True)])
def test_adam_and_adamw_are_their_formulas(name, decoupled, decay):
    """Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2, with η_t = 1."""
    rng, rate = np.random.default_rng(0), 0.05
    start, gradients = rng.standard_normal(6), rng.standard_normal((7, 6))
    rule = OPTIMIZERS[name].replace(weight_decay=decay, betas=(0.8, 0.95), epsilon=1e-3)
    found = steps(rule, start, gradients, rate)
    for place in range(6):
        w, m, v = start[place], 0.0, 0.0
        for step in range(1, 8):
            g = gradients[step - 1, place] + (0.0 if decoupled else decay * w)
            m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g * g
            corrected = m / (1 - 0.8**step), v / (1 - 0.95**step)
            shrunk = w - rate * decay * w if decoupled else w
            w = shrunk - rate * corrected[0] / (math.sqrt(corrected[1]) + 1e-3)
            assert found[step - 1, place] == pytest.approx(w, rel=1e-13, abs=1e-14)


def test_decay_beside_the_step_is_decay_through_it_only_where_there_is_none():
    rng = np.random.default_rng(1)
    start, gradients = rng.standard_normal(5), rng.standard_normal((4, 5))
    both = [OPTIMIZERS[name].replace(weight_decay=0.0) for name in ("adam", "adamw")]
    plain, decoupled = (steps(rule, start, gradients, 0.1) for rule in both)
    np.testing.assert_array_equal(plain, decoupled)
    both = [rule.replace(weight_decay=0.5) for rule in both]
    plain, decoupled = (steps(rule, start, gradients, 0.1) for rule in both)
    assert np.abs(plain - decoupled).max() > 0.01


def test_a_weight_without_gradients_shrinks_by_a_fixed_share():
    found = steps(OPTIMIZERS["adamw"], np.array([2.0]), np.zeros((10, 1)), 0.1)
    np.testing.assert_allclose(found[:, 0], 2.0 * 0.999 ** np.arange(1, 11), rtol=1e-14)
