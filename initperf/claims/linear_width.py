"""Width that deep linear networks need (Hu, Xiao & Pennington 2020, 2001.05992)."""

import math

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._random import normals
from initperf.initializers import INITIALIZERS, Initializer

_FEATURES = 10
_DEPTHS = 4, 32
_WIDTHS = tuple(round(10 * 2 ** (step / 2)) for step in range(1, 12))  # 14 to 453
_STEPS, _PART = 100, 1e-3
_RATE = 0.5


def _converges(rule: Initializer, width: int, depth: int, seed: int) -> bool:
    """Return whether gradient descent brings the squared error to a thousandth.

    The targets are linear in whitened inputs. Weights keep the expected norm of a signal; with the
    rates, which divide by depth and width, the kernel of the error has the scale of `_RATE`.
    """
    widths = [_FEATURES, *[width] * (depth - 1), _FEATURES]
    weights = []
    for number in range(depth):
        shape = widths[number], widths[number + 1]
        w = rule(shape, rng=seed, stream=number, dtype="float64", threads=1)
        # of variance 1/n, or orthogonal: a narrow output or input is scaled to keep the norm
        measured = math.sqrt(float(np.sum(w**2)) / shape[0])
        weights.append(w / measured if rule is INITIALIZERS["orthogonal"] else w)
    target = normals(seed, 1 << 20, (_FEATURES, _FEATURES), _FEATURES**-0.5, "float64")
    rates = [_RATE * _FEATURES / (width * depth)] * (depth - 1) + [_RATE / depth]
    first = math.inf
    for step in range(_STEPS + 1):
        inputs = [np.eye(_FEATURES)]
        for w in weights:
            inputs.append(inputs[-1] @ w)
        gradient = inputs.pop() - target
        error = float(np.sum(gradient**2))
        first = error if step == 0 else first
        if not error < 1e6 * first and step:
            return False
        if error <= _PART * first:
            return True
        for number in reversed(range(depth)):
            below = gradient @ weights[number].T
            weights[number] = weights[number] - rates[number] * inputs[number].T @ gradient
            gradient = below
    return False


def _exponent(rule: Initializer, seed: int) -> float:
    """Return the slope of ln of the least width that converges against ln of the depth."""
    needed = []
    for depth in _DEPTHS:
        fits = (width for width in _WIDTHS if _converges(rule, width, depth, seed))
        needed.append(next(fits, 2 * _WIDTHS[-1]))
    return math.log(needed[1] / needed[0]) / math.log(_DEPTHS[1] / _DEPTHS[0])


def _orthogonal(seed: int, quick: bool) -> float:
    return _exponent(INITIALIZERS["orthogonal"], seed)


def _gaussian(seed: int, quick: bool) -> float:
    return _exponent(INITIALIZERS["lecun_normal"], seed)


_CITE = "Hu, Xiao & Pennington 2020 (2001.05992), theorems 4.1 and 5.1"
_READ = "statement compared with the abstract, theorems not"
_SETTING = (
    "linear networks of 4 and 32 layers, 10 inputs and outputs, widths in steps of √2, 100 steps "
    "of gradient descent with the rate 1/(2L) in the paper's scaling, to a thousandth of the error."
)

register(
    Claim(
        name="orthogonal_width",
        statement="With orthogonal weights the width that gradient descent needs to converge does "
        "not depend on the depth.",
        cite=_CITE,
        setting=_SETTING,
        quantity="exponent of the width in the depth",
        number=0.0,
        low=-0.25,
        high=0.25,
        tolerance="0.25, a factor of 1.7 between 4 and 32 layers.",
        measure=_orthogonal,
        seeds=30,
        quick_seeds=12,
        source_read=_READ,
    )
)
register(
    Claim(
        name="gaussian_width",
        statement="With Gaussian weights the width must grow with the depth, nearly linearly.",
        cite=_CITE,
        setting=_SETTING,
        quantity="exponent of the width in the depth",
        number=1.0,
        low=0.5,
        high=1.5,
        tolerance="0.5: the proofs leave logarithms, and the widths are small.",
        measure=_gaussian,
        seeds=8,
        quick_seeds=4,
        source_read=_READ,
    )
)
