"""Activation functions: value and derivative, one record each, and all that follows from them.

There are two forms of GELU: ``gelu`` is the tanh form, of BERT, GPT-2 and JAX's default, and keeps
that name for the runs that are stored; ``gelu_erf`` is the exact one, of PyTorch's and Keras's
default. ``gelu_tanh`` is another name of the first.

A record's function is written once. It runs on NumPy arrays, and on scalars where it is compiled
into the loops of the training kernels. Gains, largest slopes and the flags that compiled loops
need are computed from it.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.quadrature import normal_quadrature
from initperf._core.registry import Registry
from initperf.jit.elementary import exp, log, tanh
from initperf.jit.normal_mass import normal_mass
from initperf.jit.policy import like, portable, where
from initperf.jit.radians import sine_and_cosine

Pair = tuple[Any, Any]
ValueAndSlope = Callable[[Any], Pair]

_SATURATION = 0.01
_FARTHEST = 32.0
_POINTS = 8193  # over [-32, 32], so that 0 is one of them, and steps are powers of two


@dataclass(frozen=True)
class Activation:
    """Activation function of the hidden layers.

    Attributes
    ----------
    name : str
        Canonical name.
    formula : str
        The function in one line.
    cite : str
        Paper or source.
    value_and_slope : callable
        From x, a float32 or float64 array or a scalar in compiled code, to (f(x), f'(x)) in the
        same dtype; see `register`.
    """

    name: str
    formula: str
    cite: str
    value_and_slope: ValueAndSlope

    def value(self, x: Any) -> Any:
        """Return f(x) in the dtype of `x` (float64 for plain numbers)."""
        return self.value_and_slope(_floating(x))[0]

    def derivative(self, x: Any) -> Any:
        """Return f'(x) in the dtype of `x` (float64 for plain numbers)."""
        return self.value_and_slope(_floating(x))[1]

    @functools.cached_property
    def gain(self) -> float:
        """Factor that keeps a unit second moment: 1/√E[f(z)²], z standard normal."""
        z, weights = normal_quadrature()
        return float(1.0 / np.sqrt(np.sum(weights * self.value(z) ** 2)))

    @functools.cached_property
    def steepest(self) -> float:
        """Largest magnitude of the slope over [-32, 32], to a relative 1e-12."""
        centre, reach = 0.0, _FARTHEST
        largest = 0.0
        while reach > 1e-7:  # the slope is flat at its largest: its error is the square of this
            x = np.linspace(centre - reach, centre + reach, _POINTS)
            size = np.abs(self.derivative(x))
            largest = max(largest, float(size.max()))
            centre, reach = float(x[size.argmax()]), 4.0 * reach / _POINTS
        return largest

    @property
    def saturation(self) -> float:
        """Magnitude of the slope below which a unit counts as saturated: 1 % of the largest."""
        return _SATURATION * self.steepest

    @functools.cached_property
    def piecewise_linear(self) -> bool:
        """Whether the slope takes at most two values, as of ReLU, so that it costs next to nothing.

        Compiled loops take the statistics of the other functions apart where registers have
        512 bits.
        """
        return len(np.unique(self.derivative(_grid()))) <= 2

    @functools.cached_property
    def zero_where_saturated(self) -> bool:
        """Whether the value is 0 where a unit is saturated and nowhere else, as of ReLU.

        Compiled loops then count zeros and saturated units together.
        """
        value, slope = self.value_and_slope(_grid())
        return bool(np.array_equal(value == 0.0, np.abs(slope) < self.saturation))


def _grid() -> np.ndarray:
    return np.linspace(-_FARTHEST, _FARTHEST, _POINTS)


def _floating(x: Any) -> Any:
    array = np.asarray(x)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


ACTIVATIONS: Registry[Activation] = Registry("activation", plugins="initperf.activations")


def register(
    name: str, formula: str, cite: str, aliases: tuple[str, ...] = ()
) -> Callable[[ValueAndSlope], ValueAndSlope]:
    """Add an activation; a decorator of the function that computes value and slope.

    The function must be written with `initperf.jit.policy.like` for its constants and
    `initperf.jit.policy.where` for its branches, and may call `exp`, `log` and `tanh` of
    `initperf.jit.elementary`, so that it runs on arrays and compiled on scalars.

    Parameters
    ----------
    name : str
        Canonical name, lower case.
    formula : str
        The function in one line.
    cite : str
        Paper or source.
    aliases : tuple of str
        Other names of it.

    Returns
    -------
    callable
        The decorator; it returns the function, callable from other compiled code.

    Raises
    ------
    ValueError
        When a name is taken.

    Examples
    --------
    >>> from initperf.activations import ACTIVATIONS, register
    >>> from initperf.jit.policy import like
    >>> @register("square", "x²", "an example")
    ... def square(x):
    ...     return x * x, like(x, 2.0) * x
    >>> float(ACTIVATIONS["square"].derivative(3.0))
    6.0
    """

    def add(value_and_slope: ValueAndSlope) -> ValueAndSlope:
        function = portable(value_and_slope)
        ACTIVATIONS.register(name, Activation(name, formula, cite, function), aliases)
        return function

    return add


@register("linear", "x", "identity", aliases=("identity", "none"))
def _linear(x: Any) -> Pair:
    return x, like(x, 1.0) + like(x, 0.0) * x


@register(
    "relu",
    "max(0, x)",
    "Nair & Hinton 2010",
    aliases=("rectifier",),
)
def _relu(x: Any) -> Pair:
    zero = like(x, 0.0)
    return where(x > zero, x, zero), where(x > zero, like(x, 1.0), zero)


@register("tanh", "(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)", "LeCun et al. 1998")
def _tanh(x: Any) -> Pair:
    y = tanh(x)
    return y, like(x, 1.0) - y * y


@register("sigmoid", "1 / (1 + e⁻ˣ)", "Rumelhart et al. 1986", aliases=("logistic",))
def _sigmoid(x: Any) -> Pair:
    half = like(x, 0.5)
    y = half + half * tanh(half * x)
    return y, y * (like(x, 1.0) - y)


_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717


@register(
    "selu",
    "λx for x > 0, else λα(eˣ − 1)",
    "Klambauer et al. 2017",
)
def _selu(x: Any) -> Pair:
    zero, scale = like(x, 0.0), like(x, _SELU_SCALE)
    edge = like(x, _SELU_SCALE * _SELU_ALPHA)
    slope = edge * exp(where(x > zero, zero, x))
    return where(x > zero, scale * x, slope - edge), where(x > zero, scale, slope)


@register("leaky_relu", "max(x, 0.01x)", "Maas, Hannun & Ng 2013", aliases=("lrelu",))
def _leaky_relu(x: Any) -> Pair:
    zero, slope = like(x, 0.0), like(x, 0.01)
    return where(x > zero, x, slope * x), where(x > zero, like(x, 1.0), slope)


@register("elu", "x for x > 0, else eˣ − 1", "Clevert, Unterthiner & Hochreiter 2016")
def _elu(x: Any) -> Pair:
    zero, one = like(x, 0.0), like(x, 1.0)
    slope = exp(where(x > zero, zero, x))
    return where(x > zero, x, slope - one), where(x > zero, one, slope)


@register("silu", "x / (1 + e⁻ˣ)", "Elfwing et al. 2018", aliases=("swish",))
def _silu(x: Any) -> Pair:
    one, far = like(x, 1.0), like(x, -80.0)
    gate = one / (one + exp(-where(x < far, far, x)))
    y = x * gate
    return y, gate + y * (one - gate)


_GELU_SCALE = 0.79788456080286535588  # √(2/π)
_GELU_CUBE = 0.044715


@register(
    "gelu",
    "x (1 + tanh(√(2/π) (x + 0.044715x³))) / 2, the tanh form",
    "Hendrycks & Gimpel 2016",
    aliases=("gelu_tanh",),
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


@register("gelu_erf", "x (1 + erf(x/√2)) / 2, the exact form", "Hendrycks & Gimpel 2016")
def _gelu_erf(x: Any) -> Pair:
    far = like(x, 12.0)  # further out the gate is open or shut
    z = where(x > far, far, x)
    z = where(z < -far, -far, z)
    gate, density = normal_mass(z)
    return x * gate, gate + z * density


@register("softplus", "log(1 + eˣ)", "Dugas et al. 2001")
def _softplus(x: Any) -> Pair:
    zero, one, half = like(x, 0.0), like(x, 1.0), like(x, 0.5)
    tail = exp(-abs(x))
    return where(x < zero, zero, x) + log(one + tail), half + half * tanh(half * x)


@register("sin", "sin x", "Sitzmann et al. 2020", aliases=("sine",))
def _sin(x: Any) -> Pair:
    both: Pair = sine_and_cosine(x)
    return both
