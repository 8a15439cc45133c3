"""Random Fourier features before any other recipe.

Tancik et al., "Fourier features let networks learn high frequency functions in low dimensional
domains", arXiv:2006.10739: inputs v become (cos 2πBv, sin 2πBv), with entries of B from N(0, σ²)
that stay as they are drawn. σ sets the bandwidth and is chosen for the data: 10 for the paper's
images. A B that is a buffer and not a parameter is not drawn by recipes: ``init_(model.B, "normal",
scale=10.0)`` sets it, and ``materialize_`` takes a function of `buffers` that does so.
"""

from dataclasses import dataclass

from initperf.torch.parameters import Parameter
from initperf.torch.recipe import RECIPES, Assign, Recipe, normal, register


@dataclass(frozen=True, kw_only=True)
class FourierFeatures(Recipe):
    """N(0, std²) for the matrix of frequencies, and another recipe for all else.

    Attributes
    ----------
    base : str
        The recipe of all other parameters.
    features : tuple of str
        Patterns of the matrix's name, of which at least one must match.
    std : float
        σ, the standard deviation of a frequency, in periods a unit of the input where the model
        multiplies by 2π.
    """

    base: str = "pytorch"
    features: tuple[str, ...] = ("B", "*.B", "*fourier*", "*frequencies")
    std: float = 10.0

    def __post_init__(self) -> None:
        self.check_numbers("std", least=0.0)

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        tests = [Assign(pattern, "zeros").matches() for pattern in self.features]

        def is_frequency(parameter: Parameter) -> bool:
            return any(test(parameter) for test in tests)

        is_frequency.__name__ = f"features {', '.join(self.features)}"
        return (Assign(is_frequency, normal(self.std)), *RECIPES[self.base].assignments())


register(
    FourierFeatures(
        name="fourier_features",
        formula="B N(0, 10²), all else as pytorch",
        cite="Tancik et al. 2020 (2006.10739)",
    ),
    aliases=("fourier",),
)
