"""Products inside a recurrent layer that PyTorch runs as one operation.

On the CPU, oneDNN computes one direction of one layer of an LSTM for all steps at once. The layer
multiplies its input by one weight and its own earlier results by another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from initperf.torch.fixing.operations import mean_square

LAYERS = ("mkldnn_rnn_layer",)
"""Operations that are a recurrent layer."""


@dataclass(frozen=True)
class Product:
    """One of the two products of a recurrent layer.

    Attributes
    ----------
    weight : torch.Tensor
        (gates × units, inputs).
    signal : torch.Tensor or None
        What it multiplies; None for earlier results, which the operation does not show.
    gain : float
        As `initperf.torch.fixing.graph.Use` has it.
    power : float
        Mean square of the product; of earlier results, as if theirs were 1.
    """

    weight: torch.Tensor
    signal: torch.Tensor | None
    gain: float
    power: float


def products(named: dict[str, Any]) -> Iterator[Product]:
    """Visit the product with the input, then that with earlier results.

    Parameters
    ----------
    named : dict
        Arguments of the operation by name.
    """
    for name, signal in (("weight0", named["input"]), ("weight1", None)):
        weight = named[name].detach()
        gain = mean_square(weight) * weight.shape[1]
        power = gain if signal is None else mean_square(signal.detach() @ weight.T)
        yield Product(named[name], signal, gain, power)
