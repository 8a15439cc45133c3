"""Householder reflectors one at a time, in NumPy for references and compiled for small matrices.

A reflector H = I − τ v vᵀ with v₀ = 1 maps x to −σ‖x‖e₁, where σ is the sign of x₀ and the sign
of 0 is +1. The vector 0 has v = e₁ and τ = 2, the limit of (ε, 0, …, 0), so that it needs no
special case: H·diag(−σ, 1, …) is then the identity.

Compiled functions hold a set of vectors as the rows of an array, each zero before its own v₀.
"""

import math
from typing import Any

import numpy as np

from initperf.jit.policy import jit, like, portable, portable_sums

_SMALL, _LARGE = 1e-280, 1e280


def householder(x: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return v, τ and −σ, the sign of the entry that x is reflected to, in NumPy."""
    peak = np.abs(x).max()
    if peak == 0:
        return np.eye(1, x.size, dtype=x.dtype)[0], 2.0, -1.0
    scaled = x.astype(np.float64) / peak
    norm, sign = np.sqrt(scaled @ scaled), 1.0 if scaled[0] >= 0 else -1.0
    v = scaled / (scaled[0] + sign * norm)
    v[0] = 1.0
    return v.astype(x.dtype), 1.0 + abs(scaled[0]) / norm, -sign


@portable_sums
def _sum_of_squares(x: np.ndarray, scale: float) -> float:
    total: float = 0.0
    for i in range(x.size):
        term = np.float64(x[i]) / scale
        total += term * term
    return total


@portable_sums
def _dot(x: np.ndarray, y: np.ndarray) -> Any:
    total = like(x, 0.0)
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@portable
def _norm(x: np.ndarray) -> float:
    """Return the Euclidean norm, summed in float64, scaled where squares over- or underflow."""
    square = _sum_of_squares(x, 1.0)
    if _SMALL < square < _LARGE:
        return math.sqrt(square)
    peak = 0.0
    for i in range(x.size):
        peak = max(peak, abs(np.float64(x[i])))
    return peak * math.sqrt(_sum_of_squares(x, peak)) if peak > 0.0 else 0.0


@portable
def reflector(x: np.ndarray) -> tuple[float, float]:
    """Replace x by v; return 1/τ and −σ."""
    norm = _norm(x)
    if norm == 0.0:
        x[0] = 1.0
        return 0.5, -1.0
    head = np.float64(x[0])
    sign = 1.0 if head >= 0.0 else -1.0
    pivot = head + sign * norm
    for i in range(x.size):
        x[i] = np.float64(x[i]) / pivot
    x[0] = 1.0
    return norm / (norm + abs(head)), -sign


@portable
def reflect_row(v: np.ndarray, tau: float, row: np.ndarray) -> None:
    """Apply I − τ v vᵀ to a vector in place.

    Parameters
    ----------
    v, row : numpy.ndarray
        Shape (length,), one dtype; `row` is updated.
    tau : float
        τ, float64.
    """
    weight = like(row, tau * _dot(v, row))
    for i in range(row.size):
        row[i] -= weight * v[i]


@jit
def form(rows: np.ndarray, inverse_tau: np.ndarray, diagonal: np.ndarray) -> None:
    """Replace n reflectors by the n columns of H₀ … Hₙ₋₁ D, each in a row.

    Parameters
    ----------
    rows : numpy.ndarray
        The vectors v, replaced by the columns; shape (n, length).
    inverse_tau, diagonal : numpy.ndarray
        1/τ of each, and D; shape (n,).
    """
    count, length = rows.shape
    for k in range(count - 1, -1, -1):
        v, tau = rows[k, k:], 1.0 / np.float64(inverse_tau[k])
        for other in range(k + 1, count):
            reflect_row(v, tau, rows[other, k:])
        weight = like(rows, -tau * diagonal[k])
        for i in range(length - k):
            v[i] *= weight
        v[0] += diagonal[k]
