"""Deterministic weights: identities, and Hadamard's matrix where a layer grows.

Zhao, Schäfer & Anandkumar, "ZerO initialization: initializing neural networks with only zeros and
ones", TMLR 2022 (2110.12661), algorithm 1.
"""

import math

import numpy as np
from scipy.linalg import hadamard

from initperf._core.source import Source
from initperf.schemes._scheme import Network, Scheme, register


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
    weights: np.ndarray = scale * hadamard(1 << power, dtype=np.int8)[:fan_in, :fan_out]
    return weights


class ZeroHadamard(Scheme):
    """`zero_weights` in every layer, biases 0: the same for every seed."""

    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Set the parameters of a checked network; see `Scheme.set_parameters`."""
        for weights, biases in network.layers():
            weights[:] = zero_weights(*weights.shape)
            biases[:] = 0.0


register(
    "zero_hadamard",
    ZeroHadamard(
        formula="identity (n ≥ m), else 2^(−(k−1)/2) × Hadamard, k = ⌈log₂ m⌉; biases 0",
        cite="Zhao, Schäfer & Anandkumar 2022 (ZerO), algorithm 1",
        suits=("relu",),
    ),
    aliases=("hadamard",),
)
