"""How two samples are compared, and a sample with what is declared here."""

import math

import numpy as np
from scipy import stats

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others


def assert_same_samples(theirs, ours):
    """Compare independent values by Kolmogorov and Smirnov's test."""
    assert stats.ks_2samp(theirs.ravel(), ours.ravel()).pvalue > CHANCE


def assert_same_distribution(theirs, ours, rule, shape):
    """Compare two weights with one another, and moments and support with the declared ones."""
    assert theirs.shape == ours.shape == shape
    assert_same_samples(theirs, ours)
    mean, std = rule.mean(shape), rule.std(shape)
    low, high = np.array(rule.support(shape), np.float32)
    # Standard errors: σ/√n of a mean, and at most σ/√2n of a standard deviation, as no distribution
    # here has a kurtosis above 3.
    allowed = stats.norm.isf(CHANCE / 2) * std / math.sqrt(theirs.size)
    for values in (theirs.astype(np.float64), ours.astype(np.float64)):
        assert abs(np.mean(values) - mean) < allowed
        assert abs(np.std(values) - std) < allowed / math.sqrt(2)
        assert np.min(values) >= np.nextafter(low, np.float32(-np.inf))
        assert np.max(values) <= np.nextafter(high, np.float32(np.inf))
