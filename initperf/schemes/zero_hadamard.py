"""Deterministic weights: identities, and Hadamard's matrix where a layer grows.

Zhao, Schäfer & Anandkumar, "ZerO initialization: initializing neural networks with only zeros and
ones", TMLR 2022 (2110.12661), algorithm 1.
"""

import numpy as np

from initperf._core.source import Source
from initperf.initializers._zero_weights import zero_weights
from initperf.schemes._scheme import Network, Scheme, register


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
