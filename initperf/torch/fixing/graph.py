"""Graph of one forward pass: operations, their operands, and the weights that multiply signals.

That of `initperf.torch.signals.graph` describes operations to people. This one can be computed
again for weights that are multiplied by factors: it holds elementwise operations as functions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

Replay = Callable[[Sequence[torch.Tensor]], torch.Tensor]

Moment = Callable[[int], "float | None"]
"""From the place of a node to its second moment, or None where it comes later."""


@dataclass(frozen=True, slots=True)
class Use:
    """One multiplication of a signal by a weight.

    Attributes
    ----------
    weight : str
        The parameter's name.
    call : int
        How often the weight was used before in this pass.
    lookup : bool
        Whether rows of the weight are looked up, so that no signal is multiplied.
    gain : float
        Mean square of the result, without bias, divided by that of the signal, expected of a
        signal whose elements are uncorrelated and a weight without a mean. It counts the weight's
        entries as they are, and the padding, strides and groups of convolutions.
    power : float
        Measured mean square of the result, without bias.
    bias : str or None
        Name of the parameter that is added by the same operation.
    recurrent : bool
        Whether the weight multiplies results of a recurrent layer inside of its module. Sigmoid and
        tanh decide how large these are, so that its gain is to be 1 and not its result.
    """

    weight: str
    call: int
    lookup: bool
    gain: float
    power: float
    bias: str | None
    recurrent: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One operation, or a tensor that no operation made: an input, a parameter, a buffer.

    Attributes
    ----------
    operation : str
        PyTorch's name of the operation; ``"input"``, ``"parameter"``, or ``"constant"`` for buffers
        and what is computed from no signal.
    operands : tuple of int
        Places of the operands among the graph's nodes, without the weight and the bias of `use`.
    mean, second_moment : float
        Averages of x and x² of the result.
    use : Use or None
        The weight that multiplies here.
    silenced : torch.Tensor or None
        Of a rectifier after a bias: which units it gives 0 for everywhere, and would not without
        their bias.
    bias : str or None
        A parameter that is added here: that of `use`, or of a normalization.
    normalizes : bool
        Whether the result does not depend on the scale of the operand.
    replay : callable or None
        Of an elementwise operation: function of other tensors in the place of its operands.
    """

    operation: str
    operands: tuple[int, ...]
    mean: float
    second_moment: float
    silenced: torch.Tensor | None = None
    use: Use | None = None
    bias: str | None = None
    normalizes: bool = False
    replay: Replay | None = None

    @property
    def constant(self) -> bool:
        """Return whether no signal is in it."""
        return self.operation in ("constant", "parameter")
