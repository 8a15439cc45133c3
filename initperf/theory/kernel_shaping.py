"""Activations transformed so that deep plain networks keep inputs apart: DKS and TAT.

Martens, Ballard, Desjardins, Swirszcz, Dalibard, Sohl-Dickstein & Schoenholz, "Rapid training of
deep neural networks without skip connections or normalization layers using deep kernel shaping",
2021 (2110.01765); Zhang, Botev & Martens, "Deep learning without shortcuts: shaping the kernel
with tailored rectifiers", ICLR 2022 (2203.08120). C maps are the correlation maps of `MeanField`
with weights of variance 1/n, at a second moment of 1.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from initperf._core.arguments import shown
from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.theory import _domain
from initperf.theory._moments import as_activation, slopes
from initperf.theory._quadrature import normal_rule

_STARTS = [
    (math.log(scale), shift)
    for scale in (0.3, 1.0, 0.1, 2.0)
    for shift in (0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 0.1)
]
_STEEPEST = 1e6  # C'(1) of a network; far beyond, no activation can be shaped
_RESIDUAL = 1e-10
_ALIKE = 1e-6  # relative difference of shifts that are solutions for one magnitude
_WILDEST = 8.0  # of log α and of β: further out nothing but rounding solves the equations


@dataclass(frozen=True)
class Shaping:
    """Transformation of an activation f: γ (f(α x + β) + δ).

    Attributes
    ----------
    activation : Activation
        f.
    input_scale, input_shift : float
        α and β.
    output_scale, output_shift : float
        γ and δ.
    """

    activation: Activation
    input_scale: float
    input_shift: float
    output_scale: float
    output_shift: float

    @property
    def shaped(self) -> Activation:
        """The transformed activation, for `MeanField`; of arrays only, not of compiled loops."""
        return Activation(
            name=f"shaped {self.activation.name}",
            formula=f"γ (f(α x + β) + δ), f(x) = {self.activation.formula}",
            cite="Martens et al. 2021",
            value_and_slope=functools.partial(_shaped, self),
        )


def _shaped(shaping: Shaping, x: Any) -> tuple[Any, Any]:
    inside = shaping.input_scale * x + shaping.input_shift
    value, slope = shaping.activation.value_and_slope(inside)
    outside = shaping.output_scale * (value + shaping.output_shift)
    return outside, shaping.output_scale * shaping.input_scale * slope


@functools.lru_cache(maxsize=256)
def deep_kernel_shaping(activation: Activation | str, depth: int, slope: float = 1.5) -> Shaping:
    """Return the transformation of an activation that DKS asks for in a plain network.

    The four constants are such that Q(1) = 1, Q'(1) = 1, C(0) = 0 and C'(1) = ζ^(1/L): the
    second moment is kept, deviations of it neither grow nor shrink, and the C map of all layers,
    which is convex, stays close to the identity, with a slope of ζ at 1.

    Parameters
    ----------
    activation : Activation or str
    depth : int
        L, the layers that have an activation, at least 1.
    slope : float
        ζ, above 1 and at most 1e6: the network's C'(1); 1.5 in the paper.

    Returns
    -------
    Shaping
        The conditions hold to 1e-10. Of several solutions it is the one whose
        β has the smallest magnitude, and of ±β, which odd functions have, the positive one.

    Raises
    ------
    ValueError
        For a depth or slope that is not allowed, or an unknown name.
    initperf.errors.UnsuitableError
        When no transformation of the activation meets the conditions, as of linear ones.

    Examples
    --------
    >>> from initperf.theory import MeanField, deep_kernel_shaping
    >>> field = MeanField(deep_kernel_shaping("softplus", 50).shaped, 1.0)
    >>> round(field.q_map(1.0), 9), round(field.q_slope(1.0), 9), round(field.chi(1.0) ** 50, 6)
    (1.0, 1.0, 1.5)
    """
    found = as_activation(activation)
    layers = _domain.layers("depth", depth, 1)
    if not isinstance(slope, (int, float)) or not 1.0 < slope <= _STEEPEST:
        raise ValueError(
            f"slope must be finite and above 1, and at most {_STEEPEST:g}, not {shown(slope)}"
        )
    if slopes(found) is None:
        local = slope ** (1.0 / layers)
        solutions = []
        for start in _STARTS:
            solved = scipy.optimize.root(functools.partial(_excess, found, local), start, tol=1e-13)
            if np.abs(solved.fun).max() < _RESIDUAL and np.abs(solved.x).max() < _WILDEST:
                solutions.append((math.exp(solved.x[0]), float(solved.x[1])))
        if solutions:
            least = min(abs(shift) for _, shift in solutions)
            near = [one for one in solutions if abs(one[1]) <= least * (1.0 + _ALIKE)]
            scale, shift = min(near, key=lambda one: (one[1] < 0.0, abs(one[1])))
            mean, variance = _conditions(found, scale, shift)[:2]
            return Shaping(found, scale, shift, variance**-0.5, -mean)
    network = "1 layer" if layers == 1 else f"{layers} layers"
    raise UnsuitableError(
        f"no scale and shift of {found.name} give {network} the kernel of DKS with slope "
        f"{slope:g}; smooth activations have them, as tanh and silu, in all but shallow networks"
    )


def _conditions(
    activation: Activation, scale: float, shift: float
) -> tuple[float, float, float, float]:
    """Return E[f] and Var f of f(α z + β), and C'(1) and Q'(1) of it made standard."""
    z, weights, _ = normal_rule(activation, scale * scale, shift)
    value, slope = activation.value_and_slope(scale * z + shift)
    mean = float(weights @ value)
    apart = value - mean
    variance = float(weights @ (apart * apart))
    steepness = scale * scale * float(weights @ (slope * slope)) / variance
    return mean, variance, steepness, scale * float(weights @ (apart * slope * z)) / variance


def _excess(activation: Activation, local: float, parameters: np.ndarray) -> list[float]:
    log_scale, shift = (float(x) for x in np.clip(parameters, -2.0 * _WILDEST, 2.0 * _WILDEST))
    _, _, steepness, growth = _conditions(activation, math.exp(min(log_scale, 3.0)), shift)
    return [steepness - local, growth - 1.0]


def leaky_correlation_map(correlation: Any, slope: Any) -> Any:
    """Return the C map of leaky ReLU with a unit second moment.

    c + (1 − s)²/(π (1 + s²)) (√(1 − c²) − c arccos c).

    Parameters
    ----------
    correlation : float or array_like
        c, in [−1, 1].
    slope : float or array_like
        s, the slope below 0: 0 for ReLU, 1 for the identity.

    Returns
    -------
    float or numpy.ndarray
        To 1e-15.

    Raises
    ------
    ValueError
        For a correlation outside of [−1, 1] or a slope that is not finite.
    """
    c, s = _domain.correlation(correlation), _domain.within("slope", slope, -math.inf)
    bend = np.square(1.0 - s) / (math.pi * (1.0 + np.square(s)))
    result = c + bend * (np.sqrt((1.0 - c) * (1.0 + c)) - c * np.arccos(c))
    return result if np.ndim(result) else float(result)


def tailored_slope(depth: int, correlation: float = 0.9) -> float:
    """Return the slope below 0 that TAT gives leaky ReLU: orthogonal inputs end with η.

    Parameters
    ----------
    depth : int
        L, the layers that have an activation, at least 1.
    correlation : float
        η, in (0, 1): the correlation after all layers of inputs that have none; 0.9 in the paper.

    Returns
    -------
    float
        In [0, 1), to 1e-12; the activation is √(2/(1 + s²)) times leaky ReLU.

    Raises
    ------
    ValueError
        For an argument outside of its domain, or a correlation that even ReLU does not reach.

    Examples
    --------
    >>> from initperf.theory import tailored_slope
    >>> round(tailored_slope(50), 4)
    0.4305
    """
    layers = _domain.layers("depth", depth, 1)
    eta = float(_domain.within("correlation", correlation, 0.0, 1.0))

    def excess(slope: float) -> float:
        c = 0.0
        for _ in range(layers):
            c = min(1.0, leaky_correlation_map(c, slope))
        return c - eta

    most = excess(0.0) + eta
    if not 0.0 < eta <= most or eta == 1.0:
        raise ValueError(
            f"correlation must be above 0 and at most {most:.6g}, which {layers} layers of ReLU "
            f"reach, not {correlation!r}"
        )
    return float(scipy.optimize.brentq(excess, 0.0, 1.0, xtol=1e-14)) if excess(0.0) > 0.0 else 0.0
