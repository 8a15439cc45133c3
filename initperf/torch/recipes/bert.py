"""BERT: one standard deviation for everything.

Devlin, Chang, Lee & Toutanova, "BERT", arXiv:1810.04805; the code of the paper draws from
``truncated_normal_initializer(0.02)``, cut at two standard deviations; transformers draws without
a cut. ``cut=2.0`` gives the former, the default the latter.
"""

from dataclasses import dataclass

from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role
from initperf.torch.recipes._transformer import position_tables


@dataclass(frozen=True, kw_only=True)
class Bert(Recipe):
    """N(0, std²) for weights and embeddings; biases 0.

    Attributes
    ----------
    std : float
        Standard deviation before a cut.
    cut : float, optional
        Values beyond so many standard deviations are drawn anew; by default none.
    """

    std: float = 0.02
    cut: float | None = None

    def __post_init__(self) -> None:
        self.check_numbers("std", least=0.0)

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign(role("weight", "embedding"), normal(self.std, self.cut)),
            *position_tables(self.std, self.cut),
            *BIASES,
        )


register(
    Bert(name="bert", formula="N(0, 0.02²)", cite="Devlin et al. 2018 (1810.04805); transformers")
)
