"""Low-rank adapters: the product of the two factors starts at 0; all else is kept.

Hu et al., "LoRA: low-rank adaptation of large language models", arXiv:2106.09685, section 4.1, and
the code of peft: A by Kaiming's uniform rule with a = √5, which is U(±1/√n), and B = 0. For
embeddings the roles are exchanged: A = 0, and B from N(0, 1).
"""

from dataclasses import dataclass

from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import KEEP, Assign, Recipe, normal, register, uniform
from initperf.torch.recipes._transformer import inverse_root


def _down(parameter: Parameter) -> Initializer:
    return uniform(inverse_root(parameter.fans[0]))


@dataclass(frozen=True, kw_only=True)
class Lora(Recipe):
    """U(±1/√n) for A and 0 for B."""

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            Assign("*lora_embedding_A*", "zeros", optional=True),
            Assign("*lora_embedding_B*", normal(1.0), optional=True),
            Assign("*lora_A*", _down),
            Assign("*lora_B*", "zeros"),
            Assign("*", KEEP, optional=True),
        )


register(
    Lora(
        name="lora",
        formula="A U(±1/√n), B 0, the rest kept",
        cite="Hu et al. 2021 (2106.09685), section 4.1; peft",
    )
)
