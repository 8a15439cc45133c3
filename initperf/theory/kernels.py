"""Kernels of fully connected networks of infinite width: NNGP and neural tangent kernel.

The outputs of a random network are a Gaussian process whose covariance is the NNGP kernel (Lee,
Bahri, Novak, Schoenholz, Pennington & Sohl-Dickstein, "Deep neural networks as Gaussian
processes", ICLR 2018, 1711.00165); gradient descent trains it as kernel regression with the
neural tangent kernel (Jacot, Gabriel & Hongler, NeurIPS 2018, 1806.07572).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arguments import whole
from initperf.activations import Activation
from initperf.theory import _domain
from initperf.theory._moments import as_activation, moments, products
from initperf.theory.mean_field import MeanField


@dataclass(frozen=True, eq=False)
class Kernels:
    """Kernels of a network between two sets of inputs.

    Attributes
    ----------
    nngp : numpy.ndarray
        (count, others) float64: covariance of an output unit's pre-activations over weights.
    ntk : numpy.ndarray
        (count, others) float64: inner product of the gradients of an output unit by all weights
        and biases, with weights σw ω/√n and biases σb β, of which ω and β are trained.
    """

    nngp: np.ndarray
    ntk: np.ndarray


def network_kernels(field: MeanField, inputs: Any, others: Any = None, *, depth: int) -> Kernels:
    """Return the NNGP and the neural tangent kernel of a fully connected network.

    The first layer gives K = σw² x·x'/features + σb² and Θ = K; each further layer
    K ← σw² E[f(u) f(v)] + σb² and Θ ← K + σw² E[f'(u) f'(v)] Θ, with u and v of the
    covariance K.

    Parameters
    ----------
    field : MeanField
        The activation and the variances, which must be numbers.
    inputs : array_like
        (count, features), finite.
    others : array_like, optional
        (others, features); by default `inputs`.
    depth : int
        Layers with weights, at least 1; the last has no activation.

    Returns
    -------
    Kernels
        To a relative 1e-12 · `depth` of the diagonals; in closed form for activations of two
        slopes, as ReLU, else by quadrature at some 10 ms for a pair of inputs and a layer.

    Raises
    ------
    ValueError
        For inputs that are no finite matrix, sets of different features, variances that are
        arrays, or a depth below 1.

    Examples
    --------
    >>> from initperf.theory import MeanField, network_kernels
    >>> kernels = network_kernels(MeanField("relu", 2.0), [[1.0, 0.0], [0.0, 1.0]], depth=2)
    >>> kernels.nngp.round(4)
    array([[1.    , 0.3183],
           [0.3183, 1.    ]])
    >>> kernels.ntk.round(4)
    array([[2.    , 0.3183],
           [0.3183, 2.    ]])
    """
    x = _matrix("inputs", inputs)
    y = x if others is None else _matrix("others", others)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"others must have {x.shape[1]} features, not {y.shape[1]}")
    if np.ndim(field.weight_variance) or np.ndim(field.bias_variance):
        raise ValueError("network_kernels needs variances that are numbers, not arrays")
    weight, bias = field.weight_variance, field.bias_variance
    activation = as_activation(field.activation)
    scale = weight / x.shape[1]
    rows, columns = (scale * np.sum(z * z, axis=1) + bias for z in (x, y))
    nngp = scale * (x @ y.T) + bias
    ntk = nngp.copy()
    for _ in range(whole("depth", depth, 1) - 1):
        value, slope = _products(activation, rows, columns, nngp, others is None)
        nngp = weight * value + bias
        ntk = nngp + weight * slope * ntk
        rows, columns = (
            np.array([weight * moments(activation, float(q)).square + bias for q in diagonal])
            for diagonal in (rows, columns)
        )
    return Kernels(nngp, ntk)


def _matrix(name: str, value: Any) -> np.ndarray:
    matrix = np.asarray(_domain.within(name, value, -np.inf))
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ValueError(f"{name} must have the shape (count, features), not {matrix.shape}")
    return matrix


def _products(
    activation: Activation, rows: np.ndarray, columns: np.ndarray, nngp: np.ndarray, same: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return E[f(u) f(v)] and E[f'(u) f'(v)] for each pair; of one set, once for both orders."""
    value, slope = np.empty_like(nngp), np.empty_like(nngp)
    for i, j in np.ndindex(nngp.shape):
        if same and j < i:
            value[i, j], slope[i, j] = value[j, i], slope[j, i]
            continue
        first, second = float(rows[i]), float(columns[j])
        norm = math.sqrt(first) * math.sqrt(second)
        correlation = min(1.0, max(-1.0, float(nngp[i, j]) / norm)) if norm else 0.0
        if same and i == j:
            correlation = 1.0
        value[i, j], slope[i, j] = products(activation, first, second, correlation)
    return value, slope
