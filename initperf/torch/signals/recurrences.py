"""Weights inside recurrent layers, gate by gate, with the gains that they lead to."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from initperf.torch.signals.layout import measurable

_GATES: dict[tuple[type[nn.Module], ...], tuple[str, ...]] = {
    (nn.LSTM, nn.LSTMCell): ("input gate", "forget gate", "cell", "output gate"),
    (nn.GRU, nn.GRUCell): ("reset gate", "update gate", "new state"),
    (nn.RNN, nn.RNNCell): ("state",),
}
"""What the weights make that PyTorch stacks along the first axis, by the kind of layer."""

_WEIGHT = re.compile(r"weight_(ih|hh)(_l\d+(_reverse)?)?")
"""Names of the weights in their modules, those that weight normalization adds left out."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """One weight of a recurrent layer.

    Attributes
    ----------
    name : str
        Qualified name of the parameter.
    state : bool
        Whether it multiplies the layer's own state, and not its input.
    gates : tuple of str
        What each of the weights makes that are stacked in it; one of a layer without gates.
    gains : tuple of float
        Of each, √(fan-in E[w²]): by how much it multiplies the root mean square of a signal whose
        elements are uncorrelated.
    """

    name: str
    state: bool
    gates: tuple[str, ...]
    gains: tuple[float, ...]

    @property
    def gated(self) -> bool:
        """Return whether gates read it, which keep or pass on a state of any size."""
        return len(self.gates) > 1


def recurrences(model: nn.Module) -> Iterator[Recurrence]:
    """Visit the weights of a model's LSTM, GRU and RNN layers and cells, but for projections.

    Parameters
    ----------
    model : torch.nn.Module
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for module in model.modules():
        gates = next((made for kinds, made in _GATES.items() if isinstance(module, kinds)), ())
        for attribute, weight in module._parameters.items() if gates else ():
            found = _WEIGHT.fullmatch(attribute)
            if found and weight is not None and measurable(weight):
                yield Recurrence(
                    name=names[id(weight)],
                    state=found[1] == "hh",
                    gates=gates,
                    gains=tuple(map(_gain, weight.detach().chunk(len(gates)))),
                )


def _gain(weight: torch.Tensor) -> float:
    """Return √(fan-in E[w²]) of a weight (units, fan-in)."""
    norm = float(torch.linalg.vector_norm(weight, dtype=torch.float64))
    return norm / math.sqrt(weight.shape[0])
