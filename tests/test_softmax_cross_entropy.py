"""Softmax cross-entropy: rows get the same bits whether a block is transposed or not."""

import numpy as np
import pytest

from initperf.kernels import KERNELS

BATCH, FEW = 256, 2  # powers of 2: shares of a mean differ by an exact factor


def evaluated(logits, targets):
    delta, bias_gradient = np.zeros_like(logits), np.zeros(logits.shape[1], logits.dtype)
    scores = np.zeros(2)
    KERNELS["softmax_cross_entropy"]["numba"](logits, targets, delta, bias_gradient, scores)
    return delta, bias_gradient, scores


def spoiled(logits, rng):
    """Put ties, infinities and NaN in some entries."""
    for value, share in ((40.0, 0.3), (np.inf, 0.01), (-np.inf, 0.01), (np.nan, 0.01)):
        logits[rng.random(logits.shape) < share] = value
    return logits


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classes", [8, 10, 17, 40])
@pytest.mark.parametrize("spoil", [lambda logits, rng: logits, spoiled], ids=["finite", "spoiled"])
def test_many_rows_get_the_bits_of_few(dtype, classes, spoil):
    """Two rows are too few to be transposed, 256 rows of 40 classes are several blocks."""
    rng = np.random.default_rng(classes)
    logits = spoil(30.0 * rng.standard_normal((BATCH, classes)), rng).astype(dtype)
    targets = rng.integers(0, classes, (BATCH, 1)).astype(dtype)
    delta, bias_gradient, scores = evaluated(logits, targets)
    pairs = [evaluated(logits[i : i + FEW], targets[i : i + FEW]) for i in range(0, BATCH, FEW)]
    expected = np.concatenate([one[0] for one in pairs]) * np.asarray(FEW / BATCH, dtype)
    # below the least normal number, a factor of a power of 2 rounds
    np.testing.assert_allclose(delta, expected, rtol=0, atol=np.finfo(dtype).smallest_subnormal)
    total = np.zeros(classes, dtype)
    for row in delta:
        total += row
    np.testing.assert_array_equal(bias_gradient, total)
    assert scores[1] == sum(one[2][1] for one in pairs)
    if spoil is not spoiled:
        # 256 sums of losses and of pairs of them, each rounded once
        loss = sum(one[2][0] for one in pairs) * FEW / BATCH
        assert scores[0] == pytest.approx(loss, rel=BATCH * np.finfo(float).eps)
