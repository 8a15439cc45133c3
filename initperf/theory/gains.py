"""Gains: what weights are multiplied by so that an activation neither shrinks nor swells signals.

PyTorch's table, ``torch.nn.init.calculate_gain``, holds the values people know; some of them are
rules of thumb. The exact gain of an activation f keeps a unit second moment, 1/√E[f(z)²] for z
standard normal (Poole et al., "Exponential expressivity in deep neural networks through transient
chaos", NeurIPS 2016), and follows from the activation's record alone.
"""

import math
from typing import Any

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
    from initperf.activations import ACTIVATIONS

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
        For an unknown name or a parameter that cannot be.

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
    """Return the square of `calculate_gain`, which is what a variance is multiplied by."""
    from initperf.activations import ACTIVATIONS

    name = canonical(nonlinearity)
    if name == LEAKY:
        return 2.0 / (1.0 + _slope(param) ** 2)
    if param is not None:
        raise ValueError(f"param is the slope of {LEAKY}; {name} has no parameter")
    if name in _TABLE and not exact:
        return _TABLE[name]
    return ACTIVATIONS[name].gain ** 2


def _slope(param: Any) -> float:
    if param is None:
        return _SLOPE
    number = isinstance(param, (int, float)) and not isinstance(param, bool)
    if not number or not math.isfinite(param):
        raise ValueError(f"param must be a finite number, the slope of {LEAKY}, not {param!r}")
    return float(param)
