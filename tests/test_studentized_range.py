"""Quantiles of the studentized range: exact ones of two normals, and those of SciPy."""

import math

import pytest
from scipy.stats import studentized_range, t

from initperf._core.studentized_range import range_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 40, 1000, 100_000])
@pytest.mark.parametrize("probability", [0.5, 0.95, 0.999])
def test_the_range_of_two_is_a_difference(probability, freedom):
    """|x − y| over its estimate is √2 times a variable of Student's distribution."""
    exact = math.sqrt(2.0) * t.ppf(0.5 + 0.5 * probability, freedom)
    assert range_quantile(probability, 2, freedom) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(("count", "freedom"), [(3, 1), (5, 4), (21, 40), (100, 3)])
def test_quantiles_are_those_of_scipy(count, freedom):
    expected = studentized_range.ppf(0.95, count, freedom)
    # SciPy's own error is of that order where the degrees of freedom are few
    assert range_quantile(0.95, count, freedom) == pytest.approx(expected, rel=1e-9)
