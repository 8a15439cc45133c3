"""Deep kernel shaping: weights and biases with which a deep plain network keeps inputs apart.

Martens et al., "Rapid training of deep neural networks without skip connections or normalization
layers using deep kernel shaping", 2021 (2110.01765). The paper transforms the activation to
γ (f(α x + β) + δ), see `initperf.theory.deep_kernel_shaping`; here the four constants go into the
weights and biases instead, so that the network computes the same function with f as it is. Its
gradients differ: biases stand for β + α times those of the paper and signals keep the mean −δ, so
that plain gradient descent needs smaller learning rates than with centred signals.
"""

import math
from dataclasses import dataclass

import numpy as np

from initperf._core.source import Source
from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS
from initperf.schemes._scheme import Network, Scheme, register
from initperf.theory import deep_kernel_shaping


@dataclass(frozen=True, kw_only=True)
class DeepKernelShaping(Scheme):
    """Orthogonal weights scaled by α and γ, biases that stand for β and δ.

    Attributes
    ----------
    slope : float
        ζ, above 1: the slope of the whole network's correlation map at 1.
    input_moment : float
        The mean square of the inputs, positive: 1 for standardized data. The first layer makes
        up for it.
    """

    slope: float = 1.5
    input_moment: float = 1.0

    def __post_init__(self) -> None:
        self.check_numbers("slope")
        self.check_numbers("input_moment", positive=True)
        if self.slope <= 1.0:
            raise ValueError(f"slope must be above 1, not {self.slope!r}")

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: int) -> None:
        """Refuse residual layers, and an activation that the transformation cannot shape."""
        if residual:
            raise UnsuitableError(
                f"{self.name} is for networks without residual layers: residual must be 0; "
                "depth_scaled and fixup are for those that have them"
            )
        if hidden:
            deep_kernel_shaping(activation, len(hidden), float(self.slope))

    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Set weights and biases to those of the shaped activation."""
        orthogonal = INITIALIZERS["orthogonal"]
        before = 1.0 / math.sqrt(self.input_moment), 0.0  # γ and δ of the layer below
        for number, (weights, biases) in enumerate(network.layers()):
            orthogonal.draw_into(weights, source.of(number))
            weights *= max(1.0, math.sqrt(weights.shape[1] / weights.shape[0]))
            after, scale, shift = before, 1.0, 0.0
            if not network.is_linear(number):
                found = deep_kernel_shaping(
                    network.activation, network.depth - 1, float(self.slope)
                )
                scale, shift = found.input_scale, found.input_shift
                after = found.output_scale, found.output_shift
            weights *= scale * before[0]
            biases[:] = shift + before[1] * weights.sum(axis=0, dtype=np.float64)
            before = after


register(
    "dks",
    DeepKernelShaping(
        formula="orthogonal W times αγ, biases β + δ ΣW: f becomes γ (f(αx + β) + δ)",
        cite="Martens et al. 2021",
        suits=("tanh", "silu", "gelu", "softplus"),
    ),
    aliases=("deep_kernel_shaping",),
)
