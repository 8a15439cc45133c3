"""OLMo's rules: Mitchell's, with the depth of a block and fan-in, and fan-in alone.

Groeneveld et al., "OLMo: accelerating the science of language models", arXiv:2402.00838, and the
code of OLMo, ``olmo/initialization.py`` and ``olmo/model.py``: ``mitchell`` cuts at three standard
deviations, ``fan_in`` has no cut.
"""

import math
from dataclasses import dataclass

from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role
from initperf.torch.recipes._transformer import inverse_root, is_output, layer_of, width_of


@dataclass(frozen=True, kw_only=True)
class Mitchell(Recipe):
    """N(0, 1/d), where branches end N(0, 1/(2n(l+1))), n the fan-in, all cut.

    Attributes
    ----------
    cut : float, optional
        Values beyond so many standard deviations are drawn anew; None for none.
    """

    cut: float | None = 3.0

    def _output(self, parameter: Parameter) -> Initializer:
        fan_in, _ = parameter.fans
        return normal(1.0 / math.sqrt(2.0 * fan_in * (layer_of(parameter) + 1)), self.cut)

    def _other(self, parameter: Parameter) -> Initializer:
        return normal(inverse_root(width_of(parameter)), self.cut)

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign(is_output, self._output, optional=True),
            Assign(role("weight", "embedding"), self._other),
            *BIASES,
        )


@dataclass(frozen=True, kw_only=True)
class FanIn(Recipe):
    """N(0, 1/n) everywhere, n the fan-in; of an embedding, the length of its rows."""

    @staticmethod
    def _normal(parameter: Parameter) -> Initializer:
        return normal(inverse_root(parameter.fans[0]))

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (*NORMALIZATIONS, Assign(role("weight", "embedding"), self._normal), *BIASES)


register(
    Mitchell(
        name="mitchell",
        formula="N(0, 1/d), branches end with N(0, 1/(2n(l+1))), cut at 3σ",
        cite="OLMo (2402.00838), InitFnType.mitchell",
    )
)
register(FanIn(name="fan_in", formula="N(0, 1/n)", cite="OLMo, InitFnType.fan_in"))
