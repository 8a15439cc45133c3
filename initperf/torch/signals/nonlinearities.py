"""Activations as PyTorch's operations and modules name them."""

import functools
import math
from typing import Any

import numpy as np
from scipy.special import expit

from initperf.activations import ACTIVATIONS, Activation

_NAMES = {
    "relu": "relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "silu": "silu",
    "mish": "mish",
    "sin": "sin",
    "cos": "cos",
    "hardswish": "hardswish",
    "hardsigmoid": "hardsigmoid",
    "softplus": "softplus",
    "log_sigmoid_forward": "log_sigmoid",
    "threshold": "",
    "prelu": "",
    "prelu_kernel": "",
    "celu": "",
    "rrelu_with_noise": "",
}

RECTIFIERS = ("relu", "clamp_min", "threshold", "hardtanh")
"""Operations whose result is 0 for a unit that is off."""

_SELU_SCALE = 1.0507009873554805


def is_activation(operation: str) -> bool:
    """Return whether an operation of PyTorch is an activation."""
    return operation in _NAMES or operation in (
        "gelu",
        "elu",
        "leaky_relu",
        "hardtanh",
        "clamp_min",
    )


def activation_of_call(operation: str, given: dict[str, Any]) -> str:
    """Return the name of an activation, with its parameter where that is not the usual one.

    Parameters
    ----------
    operation : str
        PyTorch's name.
    given : dict
        Arguments of the call by name.
    """
    if operation == "gelu":
        return "gelu" if given.get("approximate") == "tanh" else "gelu_erf"
    if operation == "leaky_relu":
        slope = float(given.get("negative_slope", 0.01))
        return "leaky_relu" if slope == 0.01 else f"leaky_relu({slope:g})"
    if operation == "elu":
        if math.isclose(float(given.get("scale", 1.0)), _SELU_SCALE):
            return "selu"
        plain = float(given.get("alpha", 1.0)) == float(given.get("scale", 1.0)) == 1.0
        return "elu" if plain else ""
    if operation == "hardtanh":
        bounds = float(given.get("min_val", -1.0)), float(given.get("max_val", 1.0))
        return {(-1.0, 1.0): "hardtanh", (0.0, 6.0): "relu6"}.get(bounds, "")
    if operation == "clamp_min":
        return "relu" if given.get("min") == 0 else ""
    if operation == "softplus":
        return "softplus" if given.get("beta", 1) == 1 else ""
    return _NAMES.get(operation, "")


def activation_of_module(kind: str) -> str:
    """Return the name of the activation that a class of modules computes in several operations.

    Parameters
    ----------
    kind : str
        Name of the class, such as ``"NewGELUActivation"``.
    """
    lower = kind.lower()
    if "quick" in lower:
        return ""
    if "gelu" in lower:
        return "gelu_erf" if lower in ("gelu", "geluactivation") else "gelu"
    for name in ("silu", "swish", "mish"):
        if name in lower:
            return "silu" if name == "swish" else name
    return ""


@functools.lru_cache(maxsize=256)
def record_of(name: str) -> Activation | None:
    """Return the record of an activation; None where it is not known.

    Parameters
    ----------
    name : str
        As `activation_of_call` gives it.
    """
    if name in ACTIVATIONS:
        return ACTIVATIONS[name]
    if name.startswith("leaky_relu("):
        slope = float(name.removeprefix("leaky_relu(").removesuffix(")"))

        def leaky(x: Any) -> tuple[Any, Any]:
            return np.where(x > 0, x, slope * x), np.where(x > 0, 1.0, slope)

        return Activation(name, "max(x, sx)", "Maas, Hannun & Ng 2013", leaky)
    found = _OTHERS.get(name)
    return None if found is None else Activation(name, name, "PyTorch", found)


@functools.lru_cache(maxsize=256)
def saturated_beyond(name: str) -> tuple[float, float]:
    """Return the inputs below and above which an activation's slope stays below 1 % of its largest.

    Infinite where there are none, and for an activation that is not known.
    """
    record = record_of(name)
    if record is None:
        return -math.inf, math.inf
    grid = np.linspace(-32.0, 32.0, 8193)
    steep = np.abs(record.derivative(grid)) >= record.saturation
    first, last = int(np.argmax(steep)), len(grid) - 1 - int(np.argmax(steep[::-1]))
    low = _edge(record, grid[first - 1], grid[first]) if first else -math.inf
    high = _edge(record, grid[last + 1], grid[last]) if last < len(grid) - 1 else math.inf
    return low, high


def _edge(record: Activation, flat: float, steep: float) -> float:
    """Return where, between two inputs, the slope is small for the last time."""
    while True:
        middle = 0.5 * (flat + steep)
        if middle in (flat, steep):
            return float(flat)
        if abs(float(record.derivative(middle))) >= record.saturation:
            steep = middle
        else:
            flat = middle


def _sin(x: Any) -> tuple[Any, Any]:
    return np.sin(x), np.cos(x)


def _cos(x: Any) -> tuple[Any, Any]:
    return np.cos(x), -np.sin(x)


def _hardtanh(x: Any) -> tuple[Any, Any]:
    return np.clip(x, -1.0, 1.0), np.where(np.abs(x) < 1.0, 1.0, 0.0)


def _relu6(x: Any) -> tuple[Any, Any]:
    return np.clip(x, 0.0, 6.0), np.where((x > 0.0) & (x < 6.0), 1.0, 0.0)


def _hardsigmoid(x: Any) -> tuple[Any, Any]:
    return np.clip(x / 6.0 + 0.5, 0.0, 1.0), np.where(np.abs(x) < 3.0, 1.0 / 6.0, 0.0)


def _hardswish(x: Any) -> tuple[Any, Any]:
    gate, slope = _hardsigmoid(x)
    return x * gate, gate + x * slope


def _mish(x: Any) -> tuple[Any, Any]:
    kept = np.tanh(np.logaddexp(0.0, x))
    return x * kept, kept + x * (1.0 - kept * kept) * expit(x)


def _log_sigmoid(x: Any) -> tuple[Any, Any]:
    return -np.logaddexp(0.0, -x), expit(-x)


_OTHERS = {
    "sin": _sin,
    "cos": _cos,
    "hardtanh": _hardtanh,
    "relu6": _relu6,
    "hardsigmoid": _hardsigmoid,
    "hardswish": _hardswish,
    "mish": _mish,
    "log_sigmoid": _log_sigmoid,
}
