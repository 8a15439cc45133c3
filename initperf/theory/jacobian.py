"""Spectrum of the input-output Jacobian of a wide network: how far it is from an isometry.

Pennington, Schoenholz & Ganguli, "Resurrecting the sigmoid in deep learning through dynamical
isometry: theory and practice", NeurIPS 2017 (1711.04735), and "The emergence of spectral
universality in deep networks", AISTATS 2018 (1802.09979). The Jacobian of L layers of equal width
is a product of diagonal matrices of slopes and of weights; free probability multiplies their
S-transforms.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from initperf._core.arguments import shown
from initperf._core.quadrature import FARTHEST
from initperf.activations import Activation
from initperf.theory import _domain
from initperf.theory._moments import as_activation, moments
from initperf.theory._quadrature import normal_rule
from initperf.theory.mean_field import MeanField, as_field

_STEEP = 36.0  # logit of the largest argument: 1 to rounding
_COARSE = 361
_POINTS = 4001


@dataclass(frozen=True, eq=False)
class JacobianSpectrum:
    """Squared singular values of ∂z_L/∂z_0 of L layers z ← W f(z), in the limit of width.

    Methods take depths, integers or arrays of them, at least 1, and broadcast them.

    Attributes
    ----------
    field : MeanField
        The activation and the variance of weights, a number; biases count only for `q`.
    q : float, optional
        The second moment of pre-activations, the same in all layers; by default the field's fixed
        point from 1. It does not matter for activations with two slopes, as ReLU.
    orthogonal : bool
        Weights are orthogonal times σw, not normal.

    Raises
    ------
    ValueError
        For a variance of weights that is an array or 0, a second moment that is negative or not
        finite, or one that grows without bound.

    Examples
    --------
    >>> from initperf.theory import JacobianSpectrum, MeanField
    >>> linear = JacobianSpectrum(MeanField("linear", 1.0))
    >>> round(linear.largest(10), 6) == round(11**11 / 10**10, 6), round(linear.variance(10), 6)
    (True, 10.0)
    """

    field: MeanField
    q: Any = None
    orthogonal: bool = False

    def __post_init__(self) -> None:
        as_field(self.field)
        if np.ndim(self.field.weight_variance) or self.field.weight_variance == 0.0:
            raise ValueError(
                "weight_variance must be a positive number for a spectrum, not "
                f"{self.field.weight_variance!r}"
            )
        q = self.field.fixed_point() if self.q is None else self.q
        object.__setattr__(self, "q", _domain.second_moment(q))

    def mean(self, depth: Any) -> Any:
        """Return the mean squared singular value, χᴸ, to a relative 1e-12 · L."""
        return self._each(lambda q, layers: self._chi(q) ** layers, depth)

    def variance(self, depth: Any) -> Any:
        """Return the variance of the squared singular values, to a relative 1e-12 · L.

        χ²ᴸ L (μ₂/μ₁² − 1 − s₁) with μₖ = E[f'²ᵏ] and s₁ = −1 for normal, 0 for orthogonal
        weights.
        """

        def scalar(q: float, layers: float) -> float:
            found = moments(self._activation, q)
            spread = found.slope_fourth / found.slope_square**2 - self.orthogonal
            return float(self._chi(q) ** (2.0 * layers) * layers * max(spread, 0.0))

        return self._each(scalar, depth)

    def largest(self, depth: Any) -> Any:
        """Return the upper edge of the spectrum: the largest squared singular value.

        The minimum over x of λ = (1 + z)/z / Sᴸ(z), z = ψ(x) = E[x f'²/(1 − x f'²)], where S is
        the S-transform of one layer. To a relative 1e-9 for activations whose slope is largest
        within 10 standard deviations √q.
        """
        return self._each(self._largest, depth)

    @property
    def _activation(self) -> Activation:
        return as_activation(self.field.activation)

    def _chi(self, q: float) -> float:
        return float(self.field.weight_variance) * moments(self._activation, q).slope_square

    def _each(self, function: Callable[[float, float], float], depth: Any) -> Any:
        depth = _domain.within("depth", depth, 1.0)
        if np.any(depth != np.floor(depth)):
            raise ValueError(f"depth must be whole numbers of layers, not {shown(depth)}")
        return _domain.elementwise(function, self.q, depth)

    def _largest(self, q: float, layers: float) -> float:
        z, weights, root = normal_rule(self._activation, q)
        squares = self._activation.derivative(root * z) ** 2
        top = max(_steepest(self._activation, root), float(squares.max()))
        weight = float(self.field.weight_variance)
        if top == 0.0:
            return 0.0
        relative = squares / top

        def log_edges(steepness: np.ndarray) -> np.ndarray:
            x, rest = 1.0 / (1.0 + np.exp(-steepness)), 1.0 / (1.0 + np.exp(steepness))
            psi = (relative / (1.0 - relative + rest[:, None] * relative)) @ weights * x
            # of one layer, log((1 + ψ)/ψ / S): that of D² and, of normal weights, 1 + ψ more
            layer = math.log(weight * top) + np.log(psi) - np.log(x)
            layer -= self.orthogonal * np.log1p(psi)
            return np.asarray(np.log1p(psi) - np.log(psi) + layers * layer)

        def log_edge(steepness: float) -> float:
            return float(log_edges(np.array([steepness]))[0])

        places = np.linspace(-_STEEP, _STEEP, _COARSE)
        best = int(np.argmin(log_edges(places)))
        ends = places[max(0, best - 1)], places[min(_COARSE - 1, best + 1)]
        found = minimize_scalar(log_edge, bounds=ends, method="bounded", options={"xatol": 1e-9})
        return math.exp(min(float(found.fun), log_edge(float(places[best]))))


def _steepest(activation: Activation, root: float) -> float:
    """Return the largest squared slope within 10 standard deviations."""
    centre, reach, largest = 0.0, FARTHEST * root, 0.0
    for _ in range(4):
        x = np.linspace(centre - reach, centre + reach, _POINTS)
        squares = activation.derivative(x) ** 2
        largest = max(largest, float(squares.max()))
        centre, reach = float(x[squares.argmax()]), 4.0 * reach / _POINTS
    return largest
