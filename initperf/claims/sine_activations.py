"""Activations of sinusoidal networks (Sitzmann et al. 2020, SIREN, 2006.09661)."""

import math

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._random import uniforms

_WIDTH, _LAYERS, _COUNT = 256, 50, 200
_FREQUENCY = 30.0
_CITE = "Sitzmann, Martel, Bergman, Lindell & Wetzstein 2020 (2006.09661), "


def _std(seed: int, bias_bound: float) -> float:
    """Return the standard deviation of the activations of layer 50, over units and inputs."""
    x = uniforms(seed, 1 << 20, (_COUNT, 2), 1.0)
    x = np.sin(_FREQUENCY * (x @ uniforms(seed, 0, (2, _WIDTH), 0.5)))
    bound = math.sqrt(6.0 / _WIDTH)
    for layer in range(1, _LAYERS):
        biases = uniforms(seed, (1 << 21) + layer, (_WIDTH,), bias_bound)
        x = np.sin(x @ uniforms(seed, layer, (_WIDTH, _WIDTH), bound) + biases)
    return float(x.std(dtype=np.float64))


def _theorem(seed: int, quick: bool) -> float:
    return _std(seed, 0.0)


def _code(seed: int, quick: bool) -> float:
    return _std(seed, _FREQUENCY / math.sqrt(_WIDTH))


register(
    Claim(
        name="siren_arcsine",
        statement="Activations of a SIREN keep an arcsine distribution, of standard deviation "
        "√½, through 50 layers.",
        cite=_CITE + "theorem 1.8 of the supplement",
        setting="50 layers of 256 units, weights U(±√(6/n)), ω₀ = 30 in the first, no biases, 200 "
        "inputs in ±1.",
        quantity="standard deviation of activations of layer 50",
        number=0.7071,
        low=0.687,
        high=0.727,
        tolerance="0.02.",
        measure=_theorem,
        seeds=40,
        quick_seeds=20,
        remark="A sine of N(0, 1) has the variance (1 − e⁻²)/2 = 0.43 and not the 1/2 of an "
        "arcsine distribution, and the map q = 1 − e^(−2q) goes on to q = 0.797: the standard "
        "deviation settles at 0.631. The paper's step from the one to the other is approximate.",
    )
)
register(
    Claim(
        name="siren_with_biases",
        statement="With the biases of the reference implementation, ω₀ times U(±1/√n), activations "
        "have the standard deviation √½ through 50 layers.",
        cite=_CITE + "reference implementation, SineLayer",
        setting="as siren_arcsine, with biases that ω₀ multiplies too.",
        quantity="standard deviation of activations of layer 50",
        number=0.7071,
        low=0.687,
        high=0.727,
        tolerance="0.02.",
        measure=_code,
        source_read="compared with copies of the implementation, the number from memory",
        seeds=40,
        quick_seeds=20,
        remark="The biases, PyTorch's default times 30, spread the pre-activations so far that the "
        "sine is nearly uniform in phase; the theorem does not mention them.",
    )
)
