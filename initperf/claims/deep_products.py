"""Largest singular value of deep linear networks (Pennington et al. 2017, 1711.04735)."""

import numpy as np
from scipy.linalg import svdvals

from initperf.claims._claim import Claim, register
from initperf.initializers import INITIALIZERS, Initializer

_FACTORS = 10
_CITE = "Pennington, Schoenholz & Ganguli 2017 (1711.04735), section 2"


def _largest(rule: Initializer, seed: int, width: int) -> float:
    """Return the squared largest singular value of a product of square matrices."""
    product = np.eye(width, dtype=np.float32)
    for factor in range(_FACTORS):
        product = product @ rule((width, width), rng=seed, stream=factor, threads=1)
    return float(svdvals(product)[0] ** 2)


def _gaussian(seed: int, quick: bool) -> float:
    return _largest(INITIALIZERS["lecun_normal"], seed, 500 if quick else 1000)


def _orthogonal(seed: int, quick: bool) -> float:
    return _largest(INITIALIZERS["orthogonal"], seed, 300)


register(
    Claim(
        name="gaussian_product",
        statement="The largest squared singular value of a product of L Gaussian matrices of "
        "variance 1/n is (L+1)^(L+1)/Lᴸ: 28.5 for 10.",
        cite=_CITE,
        setting="10 square factors of 1,000 units, quick 500, N(0, 1/n).",
        quantity="largest squared singular value",
        number=28.531,
        low=25.68,
        high=31.38,
        tolerance="10 %: the edge is that of infinite width, and fluctuates by n^(−2/3) of it.",
        measure=_gaussian,
        source_read="the edge derived again in initperf.theory.JacobianSpectrum; not compared with "
        "the text",
        seeds=10,
        quick_seeds=10,
    )
)
register(
    Claim(
        name="orthogonal_product",
        statement="All singular values of a product of orthogonal matrices are 1.",
        cite=_CITE,
        setting="10 square factors of 300 units, float32.",
        quantity="largest squared singular value",
        number=1.0,
        low=0.9999,
        high=1.0001,
        tolerance="1e-4: rounding of float32 through ten products.",
        measure=_orthogonal,
        seeds=5,
    )
)
