"""Default initializations of dense layers in frameworks.

They differ in the distribution, the truncation, and whether biases are drawn.
"""

import math

from initperf.initializers import INITIALIZERS, Initializer
from initperf.initializers.truncated_normal import TruncatedNormal
from initperf.initializers.uniform import Uniform
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._plain import Plain
from initperf.schemes._scheme import Network, PerLayer, register

_ZEROS = INITIALIZERS["zeros"]


class TorchLinear(PerLayer):
    """U(±1/√n), weights and biases alike."""

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return one distribution for weights and biases."""
        bound = 1.0 / math.sqrt(network.sizes[number])
        both = Uniform(low=-bound, high=bound)
        return both, both


class HaikuLinear(PerLayer):
    """N(0, 1/n) truncated at two standard deviations, which leaves 0.88 of 1/√n."""

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return the truncated normal, and zeros."""
        scale = 1.0 / math.sqrt(network.sizes[number])
        return TruncatedNormal(scale=scale, low=-2.0 * scale, high=2.0 * scale), _ZEROS


class SklearnMlp(PerLayer):
    """Glorot's uniform distribution for weights and biases; with the sigmoid 1/3 of its variance.

    The activation of the hidden layers decides, for the output layer too.
    """

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return one distribution for weights and biases."""
        factor = 2.0 if network.activation.name == "sigmoid" else 6.0
        bound = math.sqrt(factor / (network.sizes[number] + network.sizes[number + 1]))
        both = Uniform(low=-bound, high=bound)
        return both, both


register(
    "torch.Linear",
    TorchLinear(formula="U(±1/√n), biases too", cite="PyTorch, nn.Linear.reset_parameters"),
)
register(
    "keras.Dense",
    Plain(
        weights=INITIALIZERS["glorot_uniform"],
        formula="U(±√(6/(n+m))), biases 0",
        cite="Keras, layers.Dense: glorot_uniform",
        suits=("tanh", "sigmoid"),
    ),
)
register(
    "flax.Dense",
    Plain(
        weights=VarianceScaling(distribution="truncated_normal"),
        formula="variance 1/n, truncated at 2σ and corrected, biases 0",
        cite="Flax, linen.Dense: lecun_normal",
        suits=("selu", "tanh", "sigmoid"),
    ),
)
register(
    "haiku.Linear",
    HaikuLinear(
        formula="N(0, 1/n) truncated at 2σ, not corrected: variance 0.774/n; biases 0",
        cite="Haiku, Linear: TruncatedNormal(1/√n)",
    ),
)
register(
    "sklearn.MLP",
    SklearnMlp(
        formula="U(±√(6/(n+m))), 2 for 6 with sigmoid, biases too",
        cite="scikit-learn, MLPClassifier: after Glorot & Bengio 2010",
        suits=("tanh", "sigmoid"),
    ),
)
