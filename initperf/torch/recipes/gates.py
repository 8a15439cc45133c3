"""Gates of residual branches that start closed, or nearly, beside any other recipe.

Bachlechner et al., "ReZero is all you need", arXiv:2003.04887; De & Smith, "Batch normalization
biases residual blocks towards the identity function" (SkipInit), arXiv:2002.10444; Touvron et al.,
"Going deeper with image transformers" (LayerScale), arXiv:2103.17239, whose value falls with depth:
0.1 up to 18 blocks, 10⁻⁵ up to 24, 10⁻⁶ beyond.
"""

from dataclasses import dataclass

from initperf.torch.parameters import Parameter
from initperf.torch.recipe import RECIPES, Assign, Recipe, constant, register


@dataclass(frozen=True, kw_only=True)
class Gates(Recipe):
    """One value for gates, and another recipe for all else.

    Attributes
    ----------
    base : str
        The recipe of all other parameters.
    gates : tuple of str
        Patterns of the gates' names, of which at least one must match.
    value : float
        What a gate starts with.
    """

    base: str = "pytorch"
    gates: tuple[str, ...] = ()
    value: float = 0.0

    def __post_init__(self) -> None:
        self.check_numbers("value")

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        tests = [Assign(pattern, "zeros").matches() for pattern in self.gates]

        def is_gate(parameter: Parameter) -> bool:
            return any(test(parameter) for test in tests)

        is_gate.__name__ = f"gates {', '.join(self.gates)}"
        return (Assign(is_gate, constant(self.value)), *RECIPES[self.base].assignments())


_ALPHA = ("*resweight", "*rezero", "*.alpha", "*skip_gain", "*.gate")

register(
    Gates(
        name="rezero",
        gates=_ALPHA,
        formula="gates 0",
        cite="Bachlechner et al. 2020 (2003.04887)",
    )
)
register(
    Gates(name="skipinit", gates=_ALPHA, formula="gates 0", cite="De & Smith 2020 (2002.10444)")
)
register(
    Gates(
        name="layer_scale",
        gates=("*layer_scale", "*.gamma", "*.lambda1", "*.ls[12].gamma"),
        value=1e-5,
        formula="gates 1e-5",
        cite="Touvron et al. 2021 (2103.17239)",
    )
)
