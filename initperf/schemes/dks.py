"""Deep kernel shaping: weights and biases with which a deep plain network keeps inputs apart.

Martens et al., "Rapid training of deep neural networks without skip connections or normalization
layers using deep kernel shaping", 2021 (2110.01765).
"""

from dataclasses import dataclass

from initperf.activations import Activation
from initperf.schemes._scheme import register
from initperf.schemes._shaped import Shaped
from initperf.theory import Shaping, deep_kernel_shaping


@dataclass(frozen=True, kw_only=True)
class DeepKernelShaping(Shaped):
    """Orthogonal weights scaled by α and γ, biases that stand for β and δ; see `Shaped`.

    Attributes
    ----------
    slope : float
        ζ, above 1: the slope of the whole network's correlation map at 1.
    """

    slope: float = 1.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_numbers("slope")
        if self.slope <= 1.0:
            raise ValueError(f"slope must be above 1, not {self.slope!r}")

    def shaping(self, activation: Activation, layers: int) -> Shaping:
        """Return the transformation of DKS; see `Shaped.shaping`."""
        return deep_kernel_shaping(activation, layers, float(self.slope))


register(
    "dks",
    DeepKernelShaping(
        formula="orthogonal W times αγ, biases β + δ ΣW: f becomes γ (f(αx + β) + δ)",
        cite="Martens et al. 2021",
        suits=("tanh", "silu", "gelu", "gelu_erf", "softplus"),
    ),
    aliases=("deep_kernel_shaping",),
)
