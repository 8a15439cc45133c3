"""Gains: factors of the weights with which an activation keeps the size of signals or gradients.

PyTorch's table, ``torch.nn.init.calculate_gain``, holds the values in common use; some of them are
rules of thumb. The exact gain of an activation f keeps a unit second moment, 1/√E[f(z)²] for z
standard normal (Poole et al., "Exponential expressivity in deep neural networks through transient
chaos", NeurIPS 2016), and follows from the activation's record alone.
"""

import math
from typing import Any

from initperf.activations import ACTIVATIONS, Activation
from initperf.theory import _domain
from initperf.theory._moments import as_activation, moments

_CONVOLUTIONS = tuple(f"conv{kind}{axes}d" for kind in ("", "_transpose") for axes in (1, 2, 3))
_TABLE = {"linear": 1.0, "sigmoid": 1.0, "tanh": 25 / 9, "relu": 2.0, "selu": 9 / 16}
"""Squares of PyTorch's gains."""

LEAKY = "leaky_relu"
_SLOPE = 0.01


def canonical(nonlinearity: str) -> str:
    """Return an activation's own name, PyTorch's names of linear layers included.

    Raises
    ------
    UnknownNameError
        When there is none; the message names the nearest.
    """
    return "linear" if nonlinearity in _CONVOLUTIONS else ACTIVATIONS.canonical(nonlinearity)


def calculate_gain(nonlinearity: str, param: float | None = None, *, exact: bool = False) -> float:
    """Return the gain recommended for an activation.

    Parameters
    ----------
    nonlinearity : str
        One of ``ACTIVATIONS`` or an alias, or PyTorch's ``"conv1d"`` and the like, which are
        linear.
    param : float, optional
        The slope below 0 of ``"leaky_relu"``, by default 0.01. No other has a parameter.
    exact : bool
        Return the gain that keeps a unit second moment, by quadrature. By default it is that of
        PyTorch's table, and the exact one only for activations that are not in the table.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        For an unknown name, or a parameter that is not allowed.

    Examples
    --------
    >>> import initperf
    >>> round(initperf.calculate_gain("tanh"), 4)
    1.6667
    >>> round(initperf.calculate_gain("tanh", exact=True), 4)
    1.5925
    """
    return math.sqrt(squared_gain(nonlinearity, param, exact=exact))


def squared_gain(nonlinearity: str, param: Any = None, *, exact: bool = False) -> float:
    """Return the square of `calculate_gain`, which is what a variance is multiplied by.

    Parameters
    ----------
    nonlinearity : str
    param : float, optional
    exact : bool
        All as of `calculate_gain`.

    Raises
    ------
    ValueError
        As of `calculate_gain`.
    """
    name = canonical(nonlinearity)
    if name == LEAKY:
        return 2.0 / (1.0 + _slope(param) ** 2)
    if param is not None:
        raise ValueError(f"param is the slope of {LEAKY}; {name} has no parameter")
    if name in _TABLE and not exact:
        return _TABLE[name]
    return ACTIVATIONS[name].gain ** 2


def signal_gain(activation: Activation | str, q: Any = 1.0) -> Any:
    """Return the gain that keeps a second moment of pre-activations: √(q/E[f(√q z)²]).

    Parameters
    ----------
    activation : Activation or str
    q : float or array_like
        The second moment, at least 1e-290; the gain of ReLU and its relatives is the same at all.

    Returns
    -------
    float or numpy.ndarray
        To a relative 1e-12; infinite where the activation is 0.

    Raises
    ------
    ValueError
        For a second moment that is smaller or not finite, or an unknown name.

    Examples
    --------
    >>> from initperf.theory import signal_gain
    >>> signal_gain("tanh", [0.01, 1.0, 100.0]).round(4)
    array([ 1.0099,  1.5925, 10.4227])
    """
    found = as_activation(activation)
    return _domain.elementwise(lambda x: _gain(x, moments(found, x).square), _positive(q))


def gradient_gain(activation: Activation | str, q: Any = 1.0) -> Any:
    """Return the gain that keeps the squared norm of gradients: 1/√E[f'(√q z)²].

    Parameters
    ----------
    activation : Activation or str
    q : float or array_like
        The second moment of pre-activations, at least 1e-290.

    Returns
    -------
    float or numpy.ndarray
        To a relative 1e-12; infinite where the slope is 0.

    Raises
    ------
    ValueError
        For a second moment that is smaller or not finite, or an unknown name.

    Examples
    --------
    >>> from initperf.theory import gradient_gain
    >>> round(gradient_gain("relu"), 6), round(gradient_gain("tanh"), 4)
    (1.414214, 1.4674)
    """
    found = as_activation(activation)
    return _domain.elementwise(lambda x: _gain(1.0, moments(found, x).slope_square), _positive(q))


def _positive(q: Any) -> Any:
    """Check second moments: finite, and large enough for squares of signals not to underflow."""
    return _domain.within("q", q, 1e-290)


def _gain(wanted: float, found: float) -> float:
    return math.sqrt(wanted / found) if found > 0.0 else math.inf


def _slope(param: Any) -> float:
    if param is None:
        return _SLOPE
    number = isinstance(param, (int, float)) and not isinstance(param, bool)
    if not number or not math.isfinite(param):
        raise ValueError(f"param must be a finite number, the slope of {LEAKY}, not {param!r}")
    return float(param)
