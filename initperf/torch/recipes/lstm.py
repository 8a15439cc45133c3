"""Recurrent layers: each gate a matrix of its own, orthogonal recurrence, an open forget gate.

Saxe, McClelland & Ganguli, arXiv:1312.6120, for orthogonal recurrent matrices; Glorot & Bengio,
AISTATS 2010, for what reads the input; Gers, Schmidhuber & Cummins, "Learning to forget", 2000, and
Jozefowicz, Zaremba & Sutskever, ICML 2015, for the forget gate's bias of 1. PyTorch adds two
biases: the one of the input carries it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from initperf.initializers import INITIALIZERS, Initializer
from initperf.torch.parameters import RECURRENT, Parameter
from initperf.torch.recipe import Assign, Recipe, constant, register
from initperf.torch.recipes import pytorch


def _recurrent(parameter: Parameter) -> bool:
    return isinstance(parameter.module, RECURRENT)


def _is_lstm(module: nn.Module) -> bool:
    return isinstance(module, (nn.LSTM, nn.LSTMCell))


@dataclass(frozen=True, kw_only=True)
class Lstm(Recipe):
    """Glorot's uniform rule for the input, Haar for the recurrence, gate by gate; biases 0.

    Attributes
    ----------
    forget_bias : float
        Bias of the forget gate of an LSTM.
    """

    forget_bias: float = 1.0

    def __post_init__(self) -> None:
        self.check_numbers("forget_bias")

    def _bias(self, parameter: Parameter) -> Any:
        zeros: Initializer = INITIALIZERS["zeros"]
        if not _is_lstm(parameter.module) or "bias_ih" not in parameter.attribute:
            return zeros
        hidden = parameter.module.hidden_size
        forget = constant(self.forget_bias)
        return [(np.s_[:], zeros), (np.s_[hidden : 2 * hidden], forget)]  # gates i, f, g, o

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules; layers that are not recurrent get PyTorch's defaults."""
        return (
            Assign((_recurrent, "*weight_ih*"), "glorot_uniform"),
            Assign((_recurrent, "*weight_hh*"), "orthogonal"),
            Assign((_recurrent, "*weight_hr*"), "glorot_uniform", optional=True),
            Assign((_recurrent, "*bias*"), self._bias, optional=True),
            *pytorch.PyTorch().assignments(),
        )


register(
    Lstm(
        name="lstm",
        formula="input U(±√(6/(n+m))), recurrence Haar, gate by gate; forget bias 1",
        cite="Saxe et al. 2014; Jozefowicz et al. 2015",
    ),
    aliases=("recurrent",),
)
