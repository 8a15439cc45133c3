"""Weights from data: units of unit variance, and layers with equal relative rates of change.

Krähenbühl, Doersch, Donahue & Darrell, "Data-dependent initializations of convolutional neural
networks", ICLR 2016 (1511.06856), algorithms 1 and 2.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from initperf._core.source import Source
from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS
from initperf.schemes._scheme import (
    BIAS_STREAMS,
    Network,
    Scheme,
    register,
    varies,
)
from initperf.schemes._signal import change_rates, output

_TANGENTS = 2 * BIAS_STREAMS


@dataclass(frozen=True, kw_only=True)
class Kraehenbuehl(Scheme):
    """Pre-activations of mean `mean` and variance 1, unit by unit, and equal rates of change.

    First each unit's weights and bias are set by the mean and standard deviation of its
    pre-activation on the batch. Then the layers are scaled against each other, which leaves the
    output of the network unchanged, so that a step changes the weights of each by the same
    fraction; the loss for this is a random linear function of the logits. The paper approaches
    those scales in damped steps. With f(ax) = a f(x), each rate is proportional to the inverse
    square of its layer's scale, which gives them in closed form.

    Attributes
    ----------
    mean : float
        Mean of the pre-activations before the layers are scaled.
    """

    mean: float = 0.0
    images: ClassVar[int] = 512

    def __post_init__(self) -> None:
        self.check_numbers("mean")

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: int) -> None:
        """Refuse networks whose output changes when one layer is scaled up and the next down."""
        x = np.array([-1.0, 1.0])
        if not np.array_equal(activation.value(2.0 * x), 2.0 * activation.value(x)):
            raise UnsuitableError(
                f"{self.name} scales layers against each other, which needs an activation with "
                f"f(ax) = a f(x): relu, leaky_relu or linear, not {activation.name}"
            )
        if residual:
            raise UnsuitableError(
                f"{self.name} scales layers against each other, which residual layers do not "
                "undo: residual must be 0"
            )

    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Set the parameters of a checked network; see `Scheme.set_parameters`."""
        layers, normal, inputs = list(network.layers()), INITIALIZERS["normal"], [batch]
        for number, (weights, biases) in enumerate(layers):
            normal.draw_into(weights, source.of(number))
            z = inputs[-1] @ weights
            if not varies(z).all():
                raise UnsuitableError(
                    f"{int(np.sum(~varies(z)))} of the {len(biases)} units of layer {number + 1} "
                    f"give the same for all {len(batch)} inputs: the units before them are dead; "
                    "another seed or wider layers would be right"
                )
            deviations = z.std(axis=0)
            weights /= deviations
            biases[:] = self.mean - z.mean(axis=0) / deviations
            inputs.append(output(network, inputs, inputs[-1] @ weights + biases))
        tangents = np.empty(inputs[-1].shape)
        normal.draw_into(tangents, source.of(_TANGENTS))
        rates = change_rates(network, batch, tangents)
        if not (rates > 0.0).all():
            raise UnsuitableError(
                f"no gradient reaches layer {int(np.argmin(rates)) + 1}: the units behind it are "
                "dead; another seed or wider layers would be right"
            )
        scales = np.sqrt(rates / math.exp(np.mean(np.log(rates))))
        for (weights, biases), scale, product in zip(
            layers, scales, np.cumprod(scales), strict=True
        ):
            weights *= scale
            biases *= product


register(
    "kraehenbuehl",
    Kraehenbuehl(
        formula="variance 1 of each unit on data, then layers that change at equal rates",
        cite="Krähenbühl et al. 2016, algorithms 1 and 2",
        suits=("relu", "leaky_relu"),
    ),
    aliases=("krahenbuhl", "krähenbühl"),
)
