"""Accuracy of the normal distribution's mass and density."""

import mpmath
import numpy as np
import pytest

from initperf.jit.normal_mass import normal_mass


@pytest.mark.parametrize(("dtype", "farthest"), [("float32", 12.0), ("float64", 36.0)])
def test_mass_and_density_are_right_to_two_eps(dtype, farthest):
    x = np.concatenate([np.linspace(-farthest, farthest, 1001), np.geomspace(1e-30, 1.0, 200)])
    x = np.concatenate([x, -x]).astype(dtype)
    mass, density = normal_mass(x)
    assert mass.dtype == density.dtype == dtype
    with mpmath.workdps(30):
        wrong = [
            float(mpmath.mpf(float(got)) - exact(mpmath.mpf(float(number))))
            for found, exact in ((mass, mpmath.ncdf), (density, mpmath.npdf))
            for got, number in zip(found, x, strict=True)
        ]
    assert np.max(np.abs(wrong)) < 2 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_numbers_and_none(dtype):
    mass, density = normal_mass(np.array([-np.inf, -1e30, 1e30, np.inf, np.nan], dtype))
    assert mass[2:4].tolist() == [1.0, 1.0]
    assert np.all(mass[:2] < 1e-30)
    assert np.all(density[:4] < 1e-30)
    assert np.isnan(mass[4])
