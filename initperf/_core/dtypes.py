"""Dtypes of 16 bits, to which weights drawn as float32 are rounded."""

import importlib
from typing import Any

import numpy as np

from initperf._core.arguments import shown
from initperf._core.arrays import DTYPES

_NAMES = ("float16", "bfloat16")


def as_rounded_dtype(dtype: Any) -> np.dtype[Any] | None:
    """Return float16 or bfloat16 as a NumPy dtype; None for float32 and float64.

    Parameters
    ----------
    dtype : str, numpy.dtype or type
        bfloat16 is a dtype of the package ml_dtypes, which comes with JAX.

    Raises
    ------
    ValueError
        For any other dtype, and for bfloat16 without ml_dtypes.
    """
    try:
        found = np.dtype(_bfloat16() if isinstance(dtype, str) and dtype == "bfloat16" else dtype)
    except (TypeError, ValueError, SyntaxError, OverflowError, RecursionError) as error:
        if isinstance(error.__cause__, ModuleNotFoundError):
            raise
        found = None
    if found is not None and found in DTYPES:
        return None
    if found is None or found.name not in _NAMES:
        raise ValueError(
            f"dtype must be float32 or float64, or {' or '.join(_NAMES)} for rounded weights, "
            f"not {shown(dtype)}"
        )
    return found


def narrowed(weights: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Return float32 weights rounded to nearest, ties to even.

    Parameters
    ----------
    weights : numpy.ndarray
        Any shape, float32.
    dtype : numpy.dtype
        float16 or bfloat16.

    Raises
    ------
    ValueError
        When a weight is beyond the largest number of the dtype.
    """
    with np.errstate(over="ignore"):
        rounded = weights.astype(dtype)
    if not np.isfinite(rounded).all():
        largest = float(np.abs(weights).max())
        raise ValueError(f"a weight of {largest:g} is more than {dtype.name} can hold")
    return rounded


def _bfloat16() -> type:
    try:
        found: type = importlib.import_module("ml_dtypes").bfloat16
    except ModuleNotFoundError as error:
        raise ValueError("dtype bfloat16 needs the package ml_dtypes") from error
    return found
