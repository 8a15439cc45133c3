"""Normal weights and biases of given variances: the plane of the mean field theory of signals.

Poole et al., NeurIPS 2016 (1606.05340); Schoenholz et al., ICLR 2017 (1611.01232). The theory's
predictions for a pair of variances are those of `initperf.theory.MeanField`.
"""

import math
from dataclasses import dataclass

from initperf.initializers import Initializer
from initperf.initializers.normal import Normal
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._scheme import Network, PerLayer, register


@dataclass(frozen=True, kw_only=True)
class MeanFieldScheme(PerLayer):
    """N(0, σw²/n) for weights and N(0, σb²) for biases.

    Attributes
    ----------
    weight_variance : float
        σw², the variance of weights times the fan-in.
    bias_variance : float
        σb², the variance of biases.
    """

    weight_variance: float = 1.0
    bias_variance: float = 0.0

    def __post_init__(self) -> None:
        self.check_numbers("weight_variance", "bias_variance", least=0.0)

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return normal distributions for both."""
        biases = Normal(scale=math.sqrt(self.bias_variance))
        return VarianceScaling(scale=self.weight_variance), biases


register(
    "mean_field",
    MeanFieldScheme(
        formula="N(0, σw²/n), biases N(0, σb²) (default 1 and 0)",
        cite="Poole et al. 2016; Schoenholz et al. 2017",
    ),
)
