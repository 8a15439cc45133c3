"""Weights at the edge of chaos, for any activation.

Poole et al., NeurIPS 2016 (1606.05340); Schoenholz et al., ICLR 2017 (1611.01232). The variances
come from `initperf.theory.critical`.
"""

import functools
import math
from dataclasses import dataclass

from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.initializers import Initializer
from initperf.initializers.normal import Normal
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._scheme import Network, PerLayer, register
from initperf.theory import critical
from initperf.theory.critical_points import Critical


@functools.cache
def _point(activation: Activation, bias_variance: float | None) -> Critical:
    return critical(activation, bias_variance)


@dataclass(frozen=True, kw_only=True)
class CriticalScheme(PerLayer):
    """N(0, σw²/n) with σw² such that a layer keeps the mean square of gradients: χ₁ = 1.

    Attributes
    ----------
    bias_variance : float, optional
        σb², the variance of normal biases; by default the least with a critical point.
    """

    bias_variance: float | None = None

    def __post_init__(self) -> None:
        if self.bias_variance is not None:
            self.check_numbers("bias_variance", least=0.0)

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: int) -> None:
        """Refuse an activation without a critical point, and residual layers, which move it."""
        try:
            _point(activation, self.bias_variance)
        except ValueError as error:
            raise UnsuitableError(str(error)) from None
        if residual:
            raise UnsuitableError(
                f"{self.name} is derived for networks without residual layers: residual must be "
                "0; depth_scaled and fixup are for those that have them"
            )

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return normal distributions for both."""
        point = _point(network.activation, self.bias_variance)
        biases = Normal(scale=math.sqrt(point.bias_variance))
        return VarianceScaling(scale=point.weight_variance), biases


register(
    "critical",
    CriticalScheme(
        formula="N(0, σw²/n), biases N(0, σb²), with χ₁ = σw² E[f'²] = 1",
        cite="Poole et al. 2016; Schoenholz et al. 2017",
        suits=("tanh", "relu", "elu", "gelu", "silu"),
    ),
    aliases=("edge_of_chaos",),
)
