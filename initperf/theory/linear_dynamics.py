"""Learning times of deep linear networks trained by gradient flow.

Saxe, McClelland & Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
neural networks", ICLR 2014 (1312.6120). Inputs are whitened and the weights of all D layers start
aligned with the singular vectors of the correlation between inputs and outputs, and balanced; then
each singular value s is learned apart: its strength u, the product of D equal factors, follows
τ u' = D u^(2 − 2/D) (s − u), with τ the inverse of the learning rate.
"""

import math
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, hyp2f1

from initperf._core.arguments import whole
from initperf.theory import _domain

_LEAST = 1e-300  # part of a mode whose logit is a float64
_STEEPEST = 36.0  # logit of the largest part of a mode that differs from all of it in float64


def learning_time(
    initial: Any, final: Any, strength: Any = 1.0, *, layers: int = 2, time_constant: Any = 1.0
) -> Any:
    """Return how long gradient flow takes to bring a mode's strength from one value to another.

    With two layers, τ/(2s) ln(u_f (s − u₀) / (u₀ (s − u_f))).

    Parameters
    ----------
    initial, final : float or array_like
        u₀ and u_f, with 0 < u₀ ≤ u_f < s.
    strength : float or array_like
        s, the singular value to be learned.
    layers : int
        D, the number of weight matrices, at least 1.
    time_constant : float or array_like
        τ: the inverse of the learning rate, in the unit of the result; positive. Steps of
        gradient descent with the rate η on half the mean squared error are 1/η apart in it.

    Returns
    -------
    float or numpy.ndarray
        To a relative 1e-12, unless u₀ and u_f are closer than 1e-3 of s.

    Raises
    ------
    ValueError
        For values outside of these bounds.

    Examples
    --------
    >>> from initperf.theory import learning_time
    >>> round(learning_time(0.01, 0.99, 2.0, time_constant=100.0), 2)
    131.83
    """
    low, high, s, tau = _checked(initial, final, strength, time_constant)
    depth = whole("layers", layers, 1)
    return _domain.elementwise(
        lambda u0, uf, s, tau: _time(u0 / s, uf / s, s, depth) * tau, low, high, s, tau
    )


def mode_strength(
    time: Any, initial: Any, strength: Any = 1.0, *, layers: int = 2, time_constant: Any = 1.0
) -> Any:
    """Return the strength that a mode has reached after a time: the inverse of `learning_time`.

    Parameters
    ----------
    time : float or array_like
        At least 0, in the unit of `time_constant`.
    initial : float or array_like
        u₀, with 1e-300 s <= u₀ < s.
    strength : float or array_like
        s, the singular value to be learned.
    layers : int
        D, the number of weight matrices, at least 1.
    time_constant : float or array_like
        τ: the inverse of the learning rate; positive.

    Returns
    -------
    float or numpy.ndarray
        To a relative 1e-12, besides what the rounding of `time` changes: u' times 1e-16 of it.

    Raises
    ------
    ValueError
        For values outside of these bounds.
    """
    low, _, s, tau = _checked(initial, initial, strength, time_constant)
    depth = whole("layers", layers, 1)

    def scalar(time: float, initial: float, s: float, tau: float) -> float:
        start = math.log(initial / (s - initial))
        target = time / tau

        def excess(logit: float) -> float:
            return _time(initial / s, float(expit(logit)), s, depth) - target

        if excess(_STEEPEST) <= 0.0:
            return s
        return s * float(expit(brentq(excess, start, _STEEPEST, xtol=1e-13)))

    return _domain.elementwise(scalar, _domain.within("time", time, 0.0), low, s, tau)


def _checked(initial: Any, final: Any, strength: Any, time_constant: Any) -> tuple[Any, ...]:
    values = {
        "initial": initial, "final": final, "strength": strength, "time_constant": time_constant
    }  # fmt: skip
    checked = [_domain.within(name, value, 0.0) for name, value in values.items()]
    for name, value in zip(values, checked, strict=True):
        if np.any(np.asarray(value) == 0.0):
            raise ValueError(f"{name} must be positive, not 0")
    low, high, s, _ = checked
    _domain.elementwise(_ordered, low, high, s)
    return tuple(checked)


def _ordered(initial: float, final: float, strength: float) -> float:
    if not initial <= final < strength:
        raise ValueError(
            "strengths must be ordered initial <= final < strength, and are "
            f"{initial:g}, {final:g}, {strength:g}"
        )
    if initial < _LEAST * strength:
        raise ValueError(
            f"initial must be at least {_LEAST:g} of strength, not {initial:g} of {strength:g}"
        )
    return 0.0


def _time(start: float, end: float, strength: float, layers: int) -> float:
    """Return the time between two fractions of a mode, for τ = 1.

    1/(rᵃ (1 − r)) is r⁻ᵃ + r¹⁻ᵃ/(1 − r): a power, or the log of two layers, and a hypergeometric
    function.
    """
    power, rest = 2.0 / layers - 1.0, 2.0 / layers
    first = math.log(end / start) if layers == 2 else (end**power - start**power) / power
    second = end**rest * _series(rest, end) - start**rest * _series(rest, start)
    return float((first + second) / (layers * strength ** (2.0 - rest)))


def _series(power: float, x: float) -> float:
    """Return x⁻ᵇ ∫₀ˣ rᵇ⁻¹/(1 − r) dr, b the power: 2F1(1, b; b + 1; x)/b."""
    return float(hyp2f1(1.0, power, power + 1.0, x)) / power
