"""Questions that advice answers: an activation, a depth, and perhaps a width."""

from dataclasses import dataclass

from initperf._core.arguments import whole
from initperf.activations import ACTIVATIONS
from initperf.optimizers import OPTIMIZERS


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes
    ----------
    activation : str
        Of the hidden layers; in canonical form.
    depth : int
        Hidden layers.
    width : int or None
        Units of each; that of the nearest runs where it is None.
    optimizer : str

    Raises
    ------
    ValueError
        For an unknown name, and numbers below 1.
    """

    activation: str
    depth: int
    width: int | None = None
    optimizer: str = "sgd"

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", ACTIVATIONS.canonical(self.activation))
        object.__setattr__(self, "optimizer", OPTIMIZERS.canonical(self.optimizer))
        whole("depth", self.depth, 1, most=10_000)
        if self.width is not None:
            whole("width", self.width, 1, most=1_000_000)
