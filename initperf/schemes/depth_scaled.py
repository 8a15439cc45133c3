"""Residual blocks whose last weights shrink with the number of blocks.

Radford et al., "Language models are unsupervised multitask learners", 2019 (GPT-2), section 2.3,
divide the weights that feed the residual stream by the root of the number of their additions: 2L
for L blocks of two. De & Smith, 2020 (2002.10444), show why: without the factor each
addition doubles the variance of the signal.
"""

import math
from dataclasses import dataclass

from initperf.activations import Activation
from initperf.initializers import INITIALIZERS, Initializer
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._residual import check_residual, gain
from initperf.schemes._scheme import Network, PerLayer, register


@dataclass(frozen=True, kw_only=True)
class DepthScaled(PerLayer):
    """N(0, g²/n), in the last layer of each of the L residual blocks N(0, g²/(2Ln)).

    Attributes
    ----------
    additions : float
        Number of additions that a block counts for: 2 in the paper, one of attention and one of
        a branch of two layers.
    """

    additions: float = 2.0

    def __post_init__(self) -> None:
        self.check_numbers("additions", positive=True)

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: int) -> None:
        """Refuse a network without residual blocks; see `Scheme.check`."""
        check_residual(self.name, hidden, residual)

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return normals, smaller at the end of a block, and zeros."""
        scale = gain(network, number)
        if any(number == block[-1] for block in network.blocks):
            scale /= math.sqrt(self.additions * len(network.blocks))
        return VarianceScaling(gain=scale), INITIALIZERS["zeros"]


register(
    "depth_scaled",
    DepthScaled(
        formula="N(0, g²/n), at the end of a block N(0, g²/(2Ln)), g the layer's gain; biases 0",
        cite="Radford et al. 2019, section 2.3; De & Smith 2020",
    ),
    aliases=("residual_scaled",),
)
