"""Detectors: a classification bias that makes rare objects rare from the start.

Lin, Goyal, Girshick, He & Dollár, "Focal loss for dense object detection", arXiv:1708.02002,
section 4.1: the last bias of the classification head is −ln((1−π)/π), the head's weights are
N(0, 0.01²), all other biases of the head 0.
"""

import math
from dataclasses import dataclass

from initperf.torch.recipe import RECIPES, Assign, Recipe, constant, normal, register, role


@dataclass(frozen=True, kw_only=True)
class Detection(Recipe):
    """N(0, 0.01²) for a detection head, with the prior in its bias; another recipe for all else.

    Attributes
    ----------
    base : str
        The recipe of all other parameters.
    prior : float
        π, the probability that an anchor is first given for an object.
    logits, head : str
        Patterns of the names of the layer of logits, and of the whole head.
    """

    base: str = "pytorch"
    prior: float = 0.01
    logits: str = "*cls_logits.bias"
    head: str = "*head.*"

    def __post_init__(self) -> None:
        if not 0.0 < self.prior < 1.0:
            raise ValueError(f"prior must be a probability between 0 and 1, not {self.prior!r}")

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            Assign(self.logits, constant(-math.log((1.0 - self.prior) / self.prior))),
            Assign((self.head, role("weight")), normal(0.01)),
            Assign((self.head, role("bias")), "zeros", optional=True),
            *RECIPES[self.base].assignments(),
        )


register(
    Detection(
        name="detection",
        formula="head N(0, 0.01²), bias of logits −ln((1−π)/π), π = 0.01",
        cite="Lin et al. 2017 (1708.02002), section 4.1",
    ),
    aliases=("retinanet",),
)
