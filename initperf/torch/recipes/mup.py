"""μP by role: first values, and the groups of parameters with their learning rates.

Yang, Hu, Babuschkin et al., "Tensor programs V", arXiv:2203.03466. Table 8 multiplies the output
layer by 1/n in the model; a recipe cannot change the model, so this is the equivalent table 3,
without multipliers: hidden weights N(0, 1/n), output weights N(0, b/n²), b the width at which it
all is the standard parametrization. Input weights, embeddings among them, and biases do not depend
on the width. Rates, relative to that at width b:

========  =======  ========  ======
            input    hidden  output
========  =======  ========  ======
SGD           m/b         1     b/n
Adam            1       b/n     b/n
========  =======  ========  ======
"""

import math
from dataclasses import dataclass
from typing import Any

from torch import nn

from initperf._core.arguments import choice
from initperf.errors import UnsuitableError
from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter, parameters
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role
from initperf.torch.recipes._ends import is_first, is_last
from initperf.torch.recipes._transformer import inverse_root

_OPTIMIZERS = ("sgd", "adam")


def _is_input(parameter: Parameter) -> bool:
    return parameter.role == "embedding" or is_first(parameter)


@dataclass(frozen=True, kw_only=True)
class Mup(Recipe):
    """N(0, 1/n), output N(0, base_width/n²), embeddings N(0, 1); biases 0.

    Attributes
    ----------
    base_width : float
        The width at which the parametrization is the standard one.
    """

    base_width: float = 256.0

    def __post_init__(self) -> None:
        self.check_numbers("base_width", positive=True)

    def _output(self, parameter: Parameter) -> Initializer:
        return normal(math.sqrt(self.base_width) / parameter.fans[0])

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign(role("embedding"), normal(1.0), optional=True),
            Assign(is_last, self._output),
            Assign(role("weight"), lambda p: normal(inverse_root(p.fans[0])), optional=True),
            *BIASES,
        )


def mup_groups(
    model: nn.Module,
    learning_rate: float,
    *,
    optimizer: str = "adam",
    base_width: float = 256.0,
    base_model: nn.Module | None = None,
) -> list[dict[str, Any]]:
    """Return the groups of parameters, with their learning rates, for an optimizer of PyTorch.

    Parameters
    ----------
    model : torch.nn.Module
    learning_rate : float
        The rate that is right at `base_width`, or for `base_model`.
    optimizer : str
        ``"sgd"``, with or without momentum, or ``"adam"`` and its kin.
    base_width : float
        As the recipe ``mup`` takes it: what the fans of each layer are compared with.
    base_model : torch.nn.Module, optional
        The model that was tuned, with the same names and other widths; the device ``meta``
        suffices. The fans of each layer are compared with its own there, which counts layers right
        that are not square, such as those of feed-forward networks.

    Returns
    -------
    list of dict
        With the keys ``params`` and ``lr``; every parameter is in one group.

    Raises
    ------
    ValueError
        For another optimizer, or a parameter that `base_model` has not.

    Examples
    --------
    >>> import torch
    >>> from initperf.torch import mup_groups
    >>> model = torch.nn.Sequential(
    ...     torch.nn.Linear(8, 512), torch.nn.Linear(512, 512), torch.nn.Linear(512, 2)
    ... )
    >>> optimizer = torch.optim.Adam(mup_groups(model, 1e-3))
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.001, 0.0005]
    """
    choice("optimizer", optimizer, _OPTIMIZERS)
    rate = _adam if optimizer == "adam" else _sgd
    bases = None if base_model is None else {p.name: p for p in parameters(base_model)}
    groups: dict[float, list[Any]] = {}
    for parameter in parameters(model):
        if bases is not None and parameter.name not in bases:
            raise UnsuitableError(f"{parameter.name}: base_model has no parameter of this name")
        inputs, outputs = _fans(parameter)
        base = (base_width, base_width) if bases is None else _fans(bases[parameter.name])
        factor = rate(parameter, inputs / base[0], outputs / base[1]) if parameter.shape else 1.0
        groups.setdefault(factor, []).append(parameter.tensor)
    return [{"params": held, "lr": learning_rate * factor} for factor, held in groups.items()]


def _fans(parameter: Parameter) -> tuple[float, float]:
    """Return fan-in and fan-out; of all but weights, twice the length of a row."""
    if parameter.role == "weight":
        return parameter.fans
    length = parameter.shape[-1] if parameter.shape else 1
    return length, length


def _adam(parameter: Parameter, inputs: float, outputs: float) -> float:
    """Return Adam's factor, from how many times as many inputs and outputs there are."""
    return 1.0 if parameter.role != "weight" or _is_input(parameter) else 1.0 / inputs


def _sgd(parameter: Parameter, inputs: float, outputs: float) -> float:
    """Return the factor of gradient descent; see `_adam`."""
    if parameter.role != "weight" or _is_input(parameter):
        return outputs
    return 1.0 / inputs if is_last(parameter) else 1.0


register(
    Mup(
        name="mup",
        formula="N(0, 1/n), output N(0, 256/n²), embeddings N(0, 1)",
        cite="Yang et al. 2022 (2203.03466), table 3",
    ),
    aliases=("maximal_update",),
)
