"""Tailored activations by weights and biases: a deep plain network that keeps angles of inputs.

Zhang, Botev & Martens, "Deep learning without shortcuts: shaping the kernel with tailored
rectifiers", ICLR 2022 (2203.08120), for smooth activations. That of leaky ReLU changes its slope
below 0, which no weights can; see `initperf.theory.tailored_slope`.
"""

from dataclasses import dataclass

from initperf.activations import Activation
from initperf.schemes._scheme import register
from initperf.schemes._shaped import Shaped
from initperf.theory import Shaping, tailored_activation


@dataclass(frozen=True, kw_only=True)
class Tailored(Shaped):
    """Orthogonal weights scaled by α and γ, biases that stand for β and δ; see `Shaped`.

    Attributes
    ----------
    curvature : float
        τ, positive: the second derivative of the whole network's correlation map at 1.
    """

    curvature: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_numbers("curvature", positive=True)

    def shaping(self, activation: Activation, layers: int) -> Shaping:
        """Return the transformation of TAT; see `Shaped.shaping`."""
        return tailored_activation(activation, layers, float(self.curvature))


register(
    "tat",
    Tailored(
        formula="orthogonal W times αγ, biases β + δ ΣW: C'(1) = 1, C''(1) = 0.3/L",
        cite="Zhang, Botev & Martens 2022",
        suits=("tanh", "silu", "gelu", "gelu_erf", "softplus"),
    ),
    aliases=("tailored",),
)
