"""Deterministic weights of ZerO: identities, and Hadamard's matrix where a layer grows.

Zhao, Schäfer & Anandkumar, "ZerO initialization: initializing neural networks with only zeros and
ones", TMLR 2022 (2110.12661), algorithm 1.
"""

import math

import numpy as np
import scipy


def zero_weights(fan_in: int, fan_out: int) -> np.ndarray:
    """Return the weights of one layer, (fan_in, fan_out), float64.

    The identity, or its first columns; where the layer grows, c I H I with H Hadamard's matrix of
    the least power of two 2^k that holds the outputs, I identities cut to size and
    c = 2^(−(k−1)/2). Without H the additional units would output 0 and learn identically.

    Parameters
    ----------
    fan_in, fan_out : int
        Shape of the weights.
    """
    if fan_out <= fan_in:
        return np.eye(fan_in, fan_out)
    power = math.ceil(math.log2(fan_out))
    scale = 2.0 ** (-(power - 1) / 2.0)
    weights: np.ndarray = (
        scale * scipy.linalg.hadamard(1 << power, dtype=np.int8)[:fan_in, :fan_out]
    )
    return weights
