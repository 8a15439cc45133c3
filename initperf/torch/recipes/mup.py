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
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from initperf._core.arguments import choice
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
) -> list[dict[str, Any]]:
    """Return the groups of parameters, with their learning rates, for an optimizer of PyTorch.

    Parameters
    ----------
    model : torch.nn.Module
    learning_rate : float
        The rate that is right at `base_width`.
    optimizer : str
        ``"sgd"``, with or without momentum, or ``"adam"`` and its kin.
    base_width : float
        As the recipe ``mup`` takes it.

    Returns
    -------
    list of dict
        With the keys ``params`` and ``lr``; every parameter is in one group.

    Raises
    ------
    ValueError
        For another optimizer.

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
    groups: dict[float, list[Any]] = {}
    for parameter in parameters(model):
        groups.setdefault(rate(parameter, base_width), []).append(parameter.tensor)
    return [{"params": held, "lr": learning_rate * factor} for factor, held in groups.items()]


Rate = Callable[[Parameter, float], float]


def _adam(parameter: Parameter, base_width: float) -> float:
    if parameter.role != "weight" or _is_input(parameter):
        return 1.0
    return base_width / parameter.fans[0]


def _sgd(parameter: Parameter, base_width: float) -> float:
    if parameter.role != "weight":
        return float(parameter.shape[-1]) / base_width if parameter.shape else 1.0
    if _is_input(parameter):
        return parameter.fans[1] / base_width
    return base_width / parameter.fans[0] if is_last(parameter) else 1.0


register(
    Mup(
        name="mup",
        formula="N(0, 1/n), output N(0, 256/n²), embeddings N(0, 1)",
        cite="Yang et al. 2022 (2203.03466), table 3",
    ),
    aliases=("maximal_update",),
)
