"""Layer-sequential unit-variance weights.

Mishkin & Matas, "All you need is a good init", ICLR 2016 (1511.06422), algorithm 1: orthonormal
weights, each layer divided by the standard deviation of its pre-activations on a batch.
"""

import math
from typing import ClassVar

import numpy as np

from initperf._core.source import Source
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS
from initperf.schemes._scheme import Network, Scheme, register, varies
from initperf.schemes._signal import output


class Lsuv(Scheme):
    """Orthonormal weights, scaled so that each layer's pre-activations have variance 1.

    The variance is that over all units and inputs. The paper repeats the division until the
    variance is 1 within a tolerance; without biases the output of a dense layer is linear in its
    weights, and one division, in float64, is exact.
    """

    images: ClassVar[int] = 512

    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Set the parameters of a checked network; see `Scheme.set_parameters`."""
        rule = INITIALIZERS["orthogonal"]
        inputs = [batch]
        for number, (weights, biases) in enumerate(network.layers()):
            rule.draw_into(weights, source.of(number))
            biases[:] = 0.0
            x = inputs[-1]
            z = x @ weights
            if not varies(z).any():
                raise UnsuitableError(
                    f"layer {number + 1} gives the same for all {len(batch)} inputs: the units "
                    "before it are dead, and no scale makes its variance 1; another seed, wider "
                    "layers or an activation that does not die would be right"
                )
            scale = 1.0 / math.sqrt(z.var())
            weights *= scale
            inputs.append(output(network, inputs, x @ weights))


register(
    "lsuv",
    Lsuv(
        formula="orthogonal / std of the layer's output on data, biases 0",
        cite="Mishkin & Matas 2016, algorithm 1",
        suits=("relu", "leaky_relu", "elu", "tanh"),
    ),
    aliases=("dynamic",),
)
