"""Random arrays of claims, drawn by initperf's own initializers."""

import numpy as np

from initperf.initializers.normal import Normal
from initperf.initializers.uniform import Uniform


def normals(
    seed: int, stream: int, shape: tuple[int, ...], scale: float = 1.0, dtype: str = "float32"
) -> np.ndarray:
    """Draw independent N(0, scale²).

    Parameters
    ----------
    seed, stream : int
        Different streams of a seed are independent.
    shape : tuple of int
    scale : float
        Standard deviation.
    dtype : str
        ``"float32"`` or ``"float64"``.
    """
    rule = Normal(scale=scale)
    return np.asarray(rule(shape, rng=seed, stream=stream, dtype=dtype, threads=1))


def uniforms(seed: int, stream: int, shape: tuple[int, ...], bound: float) -> np.ndarray:
    """Draw independent U(−bound, bound), float32.

    Parameters
    ----------
    seed, stream : int
        Different streams of a seed are independent.
    shape : tuple of int
    bound : float
    """
    rule = Uniform(low=-bound, high=bound)
    return np.asarray(rule(shape, rng=seed, stream=stream, dtype="float32", threads=1))
