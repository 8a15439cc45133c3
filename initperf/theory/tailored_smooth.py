"""Smooth activations tailored so that a deep plain network keeps angles between inputs: TAT.

Zhang, Botev & Martens, "Deep learning without shortcuts: shaping the kernel with tailored
rectifiers", ICLR 2022 (2203.08120), section 3.2, for activations other than leaky ReLU; the
conditions and τ were compared with the authors' package `dks`.
"""

import functools
import math

import numpy as np
import scipy

from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.theory import _domain
from initperf.theory._moments import as_activation, slopes
from initperf.theory._partition import partition
from initperf.theory._quadrature import normal_rule
from initperf.theory.kernel_shaping import Shaping

_STARTS = [
    (math.log(scale), shift)
    for scale in (0.1, 0.3, 1.0, 0.03)
    for shift in (0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 0.1)
]
_RESIDUAL = 1e-7  # of equations with differences of slopes, right to 1e-10 of numbers below 1e-2
_WILDEST = 8.0  # of log α and of β
_STEEPEST = 2.0  # αγ times the largest slope: beyond, the authors' package has unstable Q maps
_APART = 1e-5  # of the points of a difference
_REACH = 64.0
_NOTHING = 1e-200  # of E[f'²]: the activation is flat there
_WRONG = 1e9


@functools.lru_cache(maxsize=256)
def tailored_activation(
    activation: Activation | str, depth: int, curvature: float = 0.3
) -> Shaping:
    """Return the transformation of a smooth activation that TAT asks for in a plain network.

    The four constants are such that Q(1) = 1, Q'(1) = 1, C'(1) = 1 and C''(1) = τ/L: the C map of
    all layers touches the identity at 1, and bends away from it by τ.

    Parameters
    ----------
    activation : Activation or str
        Its slope must not jump.
    depth : int
        L, the layers that have an activation, at least 1.
    curvature : float
        τ, positive: the network's C''(1); 0.3 in the paper.

    Returns
    -------
    Shaping
        The conditions hold to 1e-7. Of several solutions it is the one whose β is smallest in
        magnitude, and of these that with the larger β.

    Raises
    ------
    ValueError
        For a depth or curvature that is not allowed, or an unknown name.
    initperf.errors.UnsuitableError
        When no transformation of the activation meets the conditions.

    Examples
    --------
    >>> from initperf.theory import MeanField, tailored_activation
    >>> field = MeanField(tailored_activation("tanh", 50).shaped, 1.0)
    >>> round(field.q_map(1.0), 6), round(field.q_slope(1.0), 6), round(field.chi(1.0), 6)
    (1.0, 1.0, 1.0)
    """
    found = as_activation(activation)
    layers = _domain.layers("depth", depth, 1)
    if not isinstance(curvature, (int, float)) or not 0.0 < curvature < math.inf:
        raise ValueError(f"curvature must be finite and positive, not {curvature!r}")
    solutions = []
    if slopes(found) is None and not _slope_jumps(found):
        for start in _STARTS:
            excess = functools.partial(_excess, found, curvature / layers)
            solved = scipy.optimize.root(excess, start, tol=1e-11)
            if np.abs(solved.fun).max() < _RESIDUAL and np.abs(solved.x).max() < _WILDEST:
                scale, shift = math.exp(solved.x[0]), float(solved.x[1])
                factor, offset, *_ = _conditions(found, scale, shift)
                if scale * factor * found.steepest < _STEEPEST:
                    solutions.append(Shaping(found, scale, shift, factor, offset))
    if not solutions:
        network = "1 layer" if layers == 1 else f"{layers} layers"
        raise UnsuitableError(
            f"no scale and shift of {found.name} give {network} the kernel of TAT with "
            f"curvature {curvature:g}; smooth activations have them, as tanh and silu"
        )
    return min(solutions, key=lambda one: (round(abs(one.input_shift), 6), -one.input_shift))


def _slope_jumps(activation: Activation) -> bool:
    kinks = partition(activation, _REACH).kinks
    sides = activation.derivative(np.stack([kinks - 1e-8, kinks + 1e-8]))
    return bool(np.any(np.abs(np.diff(sides, axis=0)) > 1e-6))


def _conditions(
    activation: Activation, scale: float, shift: float
) -> tuple[float, float, float, float]:
    """Return γ and δ that make C'(1) and Q'(1) equal to 1, and Q(1) and C''(1) with them.

    By Stein's lemma Q'(1) is C'(1) + γ² α² E[(f + δ) f''], so that δ makes the expectation 0.
    """
    z, weights, _ = normal_rule(activation, scale * scale, shift)
    inside = scale * z + shift
    value, slope = activation.value_and_slope(inside)
    above, below = (activation.derivative(inside + x) for x in (_APART, -_APART))
    bend = (above - below) / (2.0 * _APART)
    steepness, bending = float(weights @ (slope * slope)), float(weights @ bend)
    if steepness < _NOTHING or bending == 0.0:
        return math.inf, math.inf, math.inf, math.inf
    factor = 1.0 / (scale * math.sqrt(steepness))
    offset = -float(weights @ (value * bend)) / bending
    moment = factor * factor * float(weights @ (value + offset) ** 2)
    return factor, offset, moment, scale * scale * float(weights @ bend**2) / steepness


def _excess(activation: Activation, local: float, parameters: np.ndarray) -> list[float]:
    log_scale, shift = (float(x) for x in np.clip(parameters, -2.0 * _WILDEST, 2.0 * _WILDEST))
    with np.errstate(over="ignore", invalid="ignore"):
        _, _, moment, curvature = _conditions(activation, math.exp(min(log_scale, 3.0)), shift)
    return [min(moment, _WRONG) - 1.0, min(curvature / local, _WRONG) - 1.0]
