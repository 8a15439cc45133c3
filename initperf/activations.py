"""The activations: value, slope and everything derived from them, ONE record each.

A record's function is written once: it runs on NumPy arrays, and compiled into the loops of the
training kernels. Gains come from quadrature, not from tables.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf.kernels._elementary import exp, log, tanh
from initperf.kernels._kernel import like, portable, where
from initperf.kernels.activate import add_activation
from initperf.registry import Registry

Pair = tuple[Any, Any]

_NODES = 400
_SATURATION = 0.01


@dataclass(frozen=True)
class Activation:
    """An activation function.

    Attributes
    ----------
    name : str
        What it goes by.
    formula : str
        The function in one line.
    cite : str
        Paper or source.
    value_and_slope : callable
        Takes a float32 or float64 array, or a scalar in compiled code, to the function's value
        and its derivative there.
    steepest : float
        The largest magnitude of the slope; a unit whose slope is under a hundredth of it is
        saturated.
    code : int
        The number that compiled code knows it by.
    """

    name: str
    formula: str
    cite: str
    value_and_slope: Callable[[Any], Pair]
    steepest: float
    code: int

    def value(self, x: Any) -> Any:
        """Return the function's value, in the dtype of `x` (float64 for plain numbers)."""
        return self.value_and_slope(_floating(x))[0]

    def derivative(self, x: Any) -> Any:
        """Return the function's derivative, in the dtype of `x` (float64 for plain numbers)."""
        return self.value_and_slope(_floating(x))[1]

    @functools.cached_property
    def gain(self) -> float:
        """Return the factor that keeps a unit second moment: 1/√E[f(z)²], z standard normal."""
        z, law = _normal_quadrature()
        return float(1.0 / np.sqrt(np.sum(law * self.value(z) ** 2)))


@functools.cache
def _normal_quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Return points and weights whose sums are expectations under the standard normal law."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    z = np.concatenate([5.0 * nodes - 5.0, 5.0 * nodes + 5.0])  # 0, the kink, between panels
    return z, np.tile(5.0 * weights, 2) * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)


def _floating(x: Any) -> Any:
    array = np.asarray(x)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


ACTIVATIONS: Registry[Activation] = Registry("activation")


def _register(
    name: str,
    formula: str,
    cite: str,
    steepest: float = 1.0,
    aliases: tuple[str, ...] = (),
    curved: bool = True,
    zero_where_flat: bool = False,
) -> Callable[[Callable[[Any], Pair]], Callable[[Any], Pair]]:
    def add(value_and_slope: Callable[[Any], Pair]) -> Callable[[Any], Pair]:
        function = portable(value_and_slope)
        code = add_activation(function, _SATURATION * steepest, curved, zero_where_flat)
        record = Activation(name, formula, cite, function, steepest, code)
        ACTIVATIONS.register(name, record, aliases)
        return function

    return add


@_register("linear", "x", "identity", aliases=("identity", "none"), curved=False)
def _linear(x: Any) -> Pair:
    return x, like(x, 1.0) + like(x, 0.0) * x


@_register(
    "relu",
    "max(0, x)",
    "Nair & Hinton 2010",
    aliases=("rectifier",),
    curved=False,
    zero_where_flat=True,
)
def _relu(x: Any) -> Pair:
    zero = like(x, 0.0)
    return where(x > zero, x, zero), where(x > zero, like(x, 1.0), zero)


@_register("tanh", "(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)", "LeCun et al. 1998")
def _tanh(x: Any) -> Pair:
    y = tanh(x)
    return y, like(x, 1.0) - y * y


@_register(
    "sigmoid", "1 / (1 + e⁻ˣ)", "Rumelhart et al. 1986", steepest=0.25, aliases=("logistic",)
)
def _sigmoid(x: Any) -> Pair:
    half = like(x, 0.5)
    y = half + half * tanh(half * x)
    return y, y * (like(x, 1.0) - y)


_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717


@_register(
    "selu",
    "λx for x > 0, else λα(eˣ − 1)",
    "Klambauer et al. 2017",
    steepest=_SELU_SCALE * _SELU_ALPHA,
)
def _selu(x: Any) -> Pair:
    zero, scale = like(x, 0.0), like(x, _SELU_SCALE)
    edge = like(x, _SELU_SCALE * _SELU_ALPHA)
    slope = edge * exp(where(x > zero, zero, x))
    return where(x > zero, scale * x, slope - edge), where(x > zero, scale, slope)


@_register(
    "leaky_relu", "max(x, 0.01x)", "Maas, Hannun & Ng 2013", aliases=("lrelu",), curved=False
)
def _leaky_relu(x: Any) -> Pair:
    zero, slope = like(x, 0.0), like(x, 0.01)
    return where(x > zero, x, slope * x), where(x > zero, like(x, 1.0), slope)


@_register("elu", "x for x > 0, else eˣ − 1", "Clevert, Unterthiner & Hochreiter 2016")
def _elu(x: Any) -> Pair:
    zero, one = like(x, 0.0), like(x, 1.0)
    slope = exp(where(x > zero, zero, x))
    return where(x > zero, x, slope - one), where(x > zero, one, slope)


@_register("silu", "x / (1 + e⁻ˣ)", "Elfwing et al. 2018", steepest=1.0998394, aliases=("swish",))
def _silu(x: Any) -> Pair:
    one, far = like(x, 1.0), like(x, -80.0)
    gate = one / (one + exp(-where(x < far, far, x)))
    y = x * gate
    return y, gate + y * (one - gate)


_GELU_SCALE = 0.79788456080286535588  # √(2/π)
_GELU_CUBE = 0.044715


@_register(
    "gelu",
    "x (1 + tanh(√(2/π) (x + 0.044715x³))) / 2, the tanh form",
    "Hendrycks & Gimpel 2016",
    steepest=1.1289952,
)
def _gelu(x: Any) -> Pair:
    one, far = like(x, 1.0), like(x, 12.0)  # further out the gate is open or shut
    scale, cube = like(x, 2.0 * _GELU_SCALE), like(x, _GELU_CUBE)
    z = where(x > far, far, x)
    z = where(z < -far, -far, z)
    square = cube * (z * z)
    gate = one / (one + exp(-(scale * z * (one + square))))
    rise = scale * z * (one + like(x, 3.0) * square) * gate * (one - gate)
    return x * gate, gate + rise


@_register("softplus", "log(1 + eˣ)", "Dugas et al. 2001")
def _softplus(x: Any) -> Pair:
    zero, one, half = like(x, 0.0), like(x, 1.0), like(x, 0.5)
    tail = exp(-abs(x))
    return where(x < zero, zero, x) + log(one + tail), half + half * tanh(half * x)
