"""What a wide random network does to signals and gradients, predicted by mean-field theory.

Poole, Lahiri, Raghu, Sohl-Dickstein & Ganguli, "Exponential expressivity in deep neural networks
through transient chaos", NeurIPS 2016 (1606.05340); Schoenholz, Gilmer, Ganguli & Sohl-Dickstein,
"Deep information propagation", ICLR 2017 (1611.01232). Weights have variance σw²/n with n the
fan-in, biases σb²; in the limit of width the pre-activations are normal, and all that follows is
an expectation over one or two normal numbers.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from initperf.activations import ACTIVATIONS, Activation

_NODES = 300
_FARTHEST = 10.0  # standard deviations; beyond lies less than 1e-22 of the normal law
_STRIDE = 1.05
_LARGEST = 1e12  # a second moment beyond it has diverged
_SMALLEST = 1e-12  # and one below it is 0
_NEAR = 1e-5  # a central difference over it is right to about 1e-10
_SETTLED = 1e-12
_PLACES = [float(q) for q in np.geomspace(1e-6, 1e6, 241)]
_APART = 1e-3


@functools.cache
def _normal_law() -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of a quadrature of the standard normal law, 0 between two panels.

    Functions with a kink at 0, as ReLU, keep its order.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = 0.5 * _FARTHEST
    z = np.concatenate([half * (nodes - 1.0), half * (nodes + 1.0)])
    return z, np.tile(half * weights, 2) * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _mean(values: np.ndarray) -> float:
    return float(np.sum(_normal_law()[1] * values))


@dataclass(frozen=True)
class MeanField:
    """A network of endless width: one activation, one variance of weights and one of biases.

    Attributes
    ----------
    activation : Activation or str
        A name is held as the activation that it stands for.
    weight_variance : float
        σw²: a weight has variance σw² by the fan-in.
    bias_variance : float
        σb².

    Raises
    ------
    ValueError
        For a variance that is negative or not finite, or a name that is not known.
    """

    activation: Activation | str
    weight_variance: float
    bias_variance: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.activation, str):
            object.__setattr__(self, "activation", ACTIVATIONS[self.activation])
        for name in ("weight_variance", "bias_variance"):
            _variance(name, getattr(self, name))

    def q_map(self, q: float) -> float:
        """Return the second moment of a layer's pre-activations from that, `q`, of the one before.

        σw² E[f(√q z)²] + σb².
        """
        return self.weight_variance * _moments(self.activation, q)[0] + self.bias_variance

    def q_slope(self, q: float) -> float:
        """Return the derivative of `q_map`: below 1 at a fixed point that attracts."""
        return self.weight_variance * _moments(self.activation, q)[2]

    def chi(self, q: float) -> float:
        """Return the factor by which a layer multiplies the squared norm of a gradient, χ₁ at q*.

        σw² E[f'(√q z)²]. Above 1 gradients explode, below 1 they vanish.
        """
        return self.weight_variance * _moments(self.activation, q)[1]

    def correlation_map(self, correlation: float, q: float) -> float:
        """Return the correlation of two inputs' pre-activations from that in the layer before.

        The second moment of both is `q`. The kinks of ReLU and its
        relatives leave an error of about 1e-4 in this double integral.
        """
        if not -1.0 <= correlation <= 1.0:
            raise ValueError(f"correlation must be in [-1, 1], not {correlation!r}")
        z, weights = _normal_law()
        root = math.sqrt(_moment(q))
        other = correlation * z[:, None] + math.sqrt(1.0 - correlation**2) * z
        value = _function(self.activation).value
        inner = value(root * other) @ weights
        product = _mean(value(root * z) * inner)
        return (self.weight_variance * product + self.bias_variance) / self.q_map(q)

    def fixed_point(self, start: float = 1.0) -> float:
        """Return q*, to which the second moment goes, layer after layer, from `start`.

        Found as the first sign change of q_map(q) − q on the way that the first layer takes, which
        a map that rises, as those of all common activations, cannot pass.

        Raises
        ------
        ValueError
            When it grows without bound.
        """
        q = _moment(start)
        first = self.q_map(q) - q
        if abs(first) <= _SETTLED * q:
            return q
        factor = _STRIDE if first > 0.0 else 1.0 / _STRIDE
        q = max(q, _SMALLEST)
        while _SMALLEST <= q <= _LARGEST:
            following = q * factor
            if (self.q_map(following) - following) * first <= 0.0:
                ends = min(q, following), max(q, following)
                return float(brentq(lambda x: self.q_map(x) - x, *ends, xtol=1e-15))
            q = following
        if first > 0.0:
            raise ValueError(
                f"with {_name(self.activation)}, weight_variance {self.weight_variance:g} and "
                f"bias_variance {self.bias_variance:g} the second moment grows without bound"
            )
        return 0.0

    def depth_scales(self, q: float | None = None) -> tuple[float, float]:
        """Return in how many layers deviations shrink to 1/e: of q from q*, of correlations from 1.

        −1/log of `q_slope` and of χ₁. Infinite where they do not
        shrink, as on the critical line; negative where they grow.
        """
        q = self.fixed_point() if q is None else q
        return _scale(self.q_slope(q)), _scale(self.chi(q))

    def second_moments(self, first: float, depth: int) -> np.ndarray:
        """Return the second moments of the pre-activations of `depth` layers, the first given."""
        moments = [_moment(first)]
        while len(moments) < depth:
            moments.append(self.q_map(moments[-1]) if moments[-1] < _LARGEST else math.inf)
        return np.array(moments[:depth])


def activation_variance(activation: Activation | str, q: float) -> float:
    """Return the variance of f(√q z), z standard normal: of a layer's activations."""
    z, _ = _normal_law()
    values = _function(activation).value(math.sqrt(_moment(q)) * z)
    return _mean(values**2) - _mean(values) ** 2


@dataclass(frozen=True)
class Critical:
    """Variances of weights and biases at which χ₁ = 1, and the second moment at rest there."""

    weight_variance: float
    bias_variance: float
    q: float


def critical(activation: Activation | str, bias_variance: float | None = None) -> Critical:
    """Return the weight variance at which gradients neither vanish nor explode.

    For a given q*, χ₁ = 1 gives σw² = 1/E[f'²], and the fixed point then σb² = q* − σw² E[f²]:
    one equation for q*. Of its solutions the first is taken that attracts what is near, from
    below or above.

    Parameters
    ----------
    activation : Activation or str
    bias_variance : float, optional
        σb²; by default the least with such a q*. That is 0 for most activations. SiLU and GELU
        need biases; theirs are those of Roberts, Yaida & Hanin, "The principles of deep learning
        theory" (2106.10165), section 5.3.4.

    Returns
    -------
    Critical
        Where every q* is a fixed point, as ReLU's without biases, it is the one of 1.

    Raises
    ------
    ValueError
        When there is none; the message names a bias variance that has one, if any has.
    """
    if bias_variance is not None:
        _variance("bias_variance", bias_variance)
        found = _critical(activation, bias_variance)
        if found is not None:
            return found
    least = _critical(activation, 0.0) or _half_stable(activation)
    if bias_variance is None and least is not None:
        return least
    given = "" if bias_variance is None else f" with bias_variance {bias_variance:g}"
    right = "" if least is None else f"; {least.bias_variance:.6g} would be right"
    raise ValueError(
        f"{_name(activation)} has no critical weights{given}: nowhere does the second moment come "
        f"to rest while χ₁ = 1{right}"
    )


def _critical(activation: Activation | str, bias_variance: float) -> Critical | None:
    def excess(q: float) -> float:
        return _bias_variance(activation, q) - bias_variance

    values = np.array([excess(q) for q in _PLACES])
    if np.all(np.abs(values) <= 1e-9 * np.array(_PLACES)):
        return _at(activation, 1.0, bias_variance)
    ends = np.flatnonzero(np.sign(values[:-1]) != np.sign(values[1:]))
    found = [float(brentq(excess, _PLACES[i], _PLACES[i + 1], xtol=1e-14)) for i in ends]
    if bias_variance == 0.0 and _moments(activation, 0.0)[0] == 0.0:
        found.insert(0, 0.0)
    for q in found:
        point = _at(activation, q, bias_variance)
        q_map = MeanField(activation, point.weight_variance, bias_variance).q_map
        above, below = q * (1.0 + _APART) + _APART * (q == 0.0), q * (1.0 - _APART)
        if q_map(above) < above or q_map(below) > below:
            return point
    return None


def _half_stable(activation: Activation | str) -> Critical | None:
    """Return the critical point of least biases, where the slope of the q map is 1 too."""

    def excess(q: float) -> float:
        return MeanField(activation, _at(activation, q, 0.0).weight_variance).q_slope(q) - 1.0

    values = np.array([excess(q) for q in _PLACES])
    for i in np.flatnonzero((values[:-1] > 0.0) & (values[1:] <= 0.0)):
        q = float(brentq(excess, _PLACES[i], _PLACES[i + 1], xtol=1e-14))
        if _bias_variance(activation, q) > 0.0:
            return _at(activation, q, _bias_variance(activation, q))
    return None


def _at(activation: Activation | str, q: float, bias_variance: float) -> Critical:
    return Critical(1.0 / _moments(activation, q)[1], bias_variance, q)


def _bias_variance(activation: Activation | str, q: float) -> float:
    """Return the bias variance that makes `q` a fixed point of weights with χ₁ = 1."""
    square, slope, _ = _moments(activation, q)
    return q - square / slope


def _function(activation: Activation | str) -> Activation:
    return ACTIVATIONS[activation] if isinstance(activation, str) else activation


def _name(activation: Activation | str) -> str:
    return _function(activation).name


def _moments(activation: Any, q: float) -> tuple[float, float, float]:
    """Return E[f²], E[f'²] and the derivative of E[f²] by q, of f and f' at √q z."""
    function = _function(activation)
    root = math.sqrt(_moment(q))
    z, _ = _normal_law()
    value, slope = function.value(root * z), function.derivative(root * z)
    if q == 0.0:
        # at a kink the sides weigh alike, as they do for every q > 0 however small
        near = 1e-300 * np.sign(z)
        value, slope = function.value(0.0 * z), function.derivative(near)
        bent = np.diff(function.derivative(np.array([-_NEAR, _NEAR]))) / (2.0 * _NEAR)
        # the second derivative counts where f(0) is not 0, and there no activation has a kink
        growth = _mean(slope**2) + float(value[0] * bent[0])
        return _mean(value**2), _mean(slope**2), growth
    return _mean(value**2), _mean(slope**2), _mean(value * slope * z) / root


def _scale(factor: float) -> float:
    if factor <= 0.0:
        return 0.0
    rate = -math.log(factor)
    return math.inf if abs(rate) < 1e-9 else 1.0 / rate


def _variance(name: str, value: float) -> None:
    if isinstance(value, bool) or not 0.0 <= value < math.inf:
        raise ValueError(f"{name} must be finite and at least 0, not {value!r}")


def _moment(q: float) -> float:
    if not 0.0 <= q < math.inf:
        raise ValueError(f"a second moment must be finite and at least 0, not {q!r}")
    return q
