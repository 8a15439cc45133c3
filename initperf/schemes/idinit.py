"""Deterministic weights: padded identities, and nearly zero where a residual branch ends.

Pan, Wang, Wu, Wang, Zhang & Xu, "IDInit: a universal and stable initialization method for neural
network training", ICLR 2025 (2503.04626). The padded identity, τ = 1, ε = 1e-6 and the near-zero
end of residual branches were compared with summaries of the paper and its figure 3, not with its
equations: which entries are ε is not known from them, and here those on the padded diagonal are.
"""

from dataclasses import dataclass

import numpy as np

from initperf._core.source import Source
from initperf.initializers.diagonal_noise import DiagonalNoise
from initperf.schemes._scheme import Network, Scheme, register


@dataclass(frozen=True, kw_only=True)
class IdInit(Scheme):
    """`scale` where unit j meets input j modulo the inputs, else 0; biases 0.

    Additional units of a layer that grows repeat the inputs, so that no unit is silent. In the
    last layer of a residual branch the scale is `epsilon`: blocks start as the identity, and yet
    gradients reach the branch.

    Attributes
    ----------
    scale : float
        τ, positive.
    epsilon : float
        ε, at least 0.
    """

    scale: float = 1.0
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        self.check_numbers("scale", positive=True)
        self.check_numbers("epsilon", least=0.0)

    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Set the parameters of a checked network; see `Scheme.set_parameters`."""
        ends = {block[-1] for block in network.blocks}
        for number, (weights, biases) in enumerate(network.layers()):
            diagonal = self.epsilon if number in ends else self.scale
            DiagonalNoise(noise=0.0, diagonal=diagonal).draw_into(weights, source)
            biases[:] = 0.0


register(
    "idinit",
    IdInit(
        formula="1 if i = j modulo n, 1e-6 of it where a residual branch ends; biases 0",
        cite="Pan et al. 2025 (2503.04626)",
        suits=("relu",),
    ),
    aliases=("fully_identical",),
)
