"""Mirrored weights with which a network of rectifiers starts as a linear one.

Balduzzi, Frean, Leary, Lewis, Ma & McWilliams, "The shattered gradients problem: if resnets are the
answer, then what is the question?", ICML 2017 (1702.08591), section 4, for ReLU in the place of
concatenated rectifiers.
"""

import numpy as np

from initperf._core.source import Source
from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS
from initperf.schemes._scheme import Network, Scheme, register

_PLACES = np.array([0.25, 1.0, 3.0, 20.0])


def odd_part(activation: Activation) -> float | None:
    """Return c where f(x) − f(−x) = c x, as of ReLU, GELU and softplus; else None.

    Parameters
    ----------
    activation : Activation
        f.
    """
    odd = np.asarray(activation.value(_PLACES)) - np.asarray(activation.value(-_PLACES))
    factors = odd / _PLACES
    same = np.allclose(factors, factors[0], rtol=1e-12, atol=0.0)
    return float(factors[0]) if same and factors[0] > 0.0 else None


class LooksLinear(Scheme):
    """Orthogonal weights V in mirrored pairs [[V, −V], [−V, V]], biases 0.

    Half of the units have the pre-activations z, the others −z. The next layer takes the
    difference f(z) − f(−z) = c z of each pair, and V/c of it: whatever the depth, the network
    starts as a product of orthogonal matrices. Training moves the halves apart.
    """

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: int) -> None:
        """Refuse odd widths, activations whose odd part is no line, and residual layers."""
        if odd_part(activation) is None:
            raise UnsuitableError(
                f"{self.name} needs an activation with f(x) − f(−x) = c x, as relu, leaky_relu, "
                f"gelu, silu or softplus, not {activation.name}"
            )
        odd = [width for width in hidden if width % 2]
        if odd:
            raise UnsuitableError(
                f"{self.name} mirrors half of the units of a layer: hidden widths must be even, "
                f"not {odd[0]}"
            )
        if residual:
            raise UnsuitableError(
                f"{self.name} is for networks without residual layers: residual must be 0; "
                "depth_scaled and fixup are for those that have them"
            )

    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Set the parameters of a checked network; see `Scheme.set_parameters`."""
        orthogonal, factor = INITIALIZERS["orthogonal"], odd_part(network.activation) or 1.0
        for number, (weights, biases) in enumerate(network.layers()):
            mirrored = number > 0, number < network.depth - 1  # its inputs, its outputs
            rows, columns = (
                length // (2 if half else 1)
                for length, half in zip(weights.shape, mirrored, strict=True)
            )
            upper = weights[:rows]
            orthogonal.draw_into(upper[:, :columns], source.of(number))
            if mirrored[0]:
                upper[:, :columns] /= factor
            if mirrored[1]:
                np.negative(upper[:, :columns], out=upper[:, columns:])
            if mirrored[0]:
                np.negative(upper, out=weights[rows:])
            biases[:] = 0.0


register(
    "looks_linear",
    LooksLinear(
        formula="orthogonal V as [[V, −V], [−V, V]] / c, f(x) − f(−x) = c x; biases 0",
        cite="Balduzzi et al. 2017, section 4",
        suits=("relu", "leaky_relu", "gelu", "gelu_erf", "silu"),
    ),
    aliases=("mirrored",),
)
