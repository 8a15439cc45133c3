"""nanochat: the spectral condition, with branches and logits that start at 0.

Karpathy, nanochat, ``GPT.init_weights`` of October 2025: linear layers N(0, min(1, m/n)/n), after
Yang, Simon & Bernstein, arXiv:2310.17813; embedding N(0, 1); the layers that end branches, and the
head, 0. Its later revisions draw from a uniform distribution.
"""

from dataclasses import dataclass

from initperf.torch.recipe import Assign, Recipe, register
from initperf.torch.recipes._transformer import is_head, is_output
from initperf.torch.recipes.spectral import Spectral


@dataclass(frozen=True, kw_only=True)
class Nanochat(Recipe):
    """N(0, min(1, m/n)/n); 0 for the head and where branches end; embeddings N(0, 1)."""

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            Assign(is_head, "zeros"),
            Assign(is_output, "zeros"),
            *Spectral().assignments(),
        )


register(
    Nanochat(
        name="nanochat",
        formula="N(0, min(1, m/n)/n), head and ends of branches 0, embeddings N(0, 1)",
        cite="Karpathy 2025, nanochat; 2310.17813",
    )
)
