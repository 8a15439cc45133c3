"""Record of a published claim, and the registry of all."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from initperf._core.registry import Registry

Measure = Callable[[int, bool], float]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One number that a paper or a tutorial claims, and how it is measured here.

    Attributes
    ----------
    name : str
        Lower-case letters, digits and underscores.
    statement : str
        What is claimed, in one sentence.
    cite : str
        Authors, year and place; where in it, as far as known.
    setting : str
        What is measured here, and where it differs from the source.
    quantity : str
        What the number is, as the label of an axis.
    number : float or None
        The claimed number; None where the claim is the range alone.
    low, high : float
        The tolerance: the claim is that the number is in [low, high]; either may be infinite.
    tolerance : str
        Why the tolerance is as wide as it is.
    measure : callable
        ``measure(seed, quick)`` returns the number for one seed; it is called from several threads
        at a time, each with BLAS limited to one. `quick` asks for a smaller sample.
    seeds, quick_seeds : int
        Seeds of the whole and the quick measurement, 0 and up; ignored of an exact one.
    exact : bool
        Whether the measurement has no randomness: it is then made once.
    source_read : str
        How the number was compared with its source.
    remark : str
        What the measurement says about the literature, in plain words; empty where nothing.

    Raises
    ------
    ValueError
        For a name that is no word, an empty tolerance, a number outside of it, or a single seed.
    """

    name: str
    statement: str
    cite: str
    setting: str
    quantity: str
    number: float | None
    low: float
    high: float
    tolerance: str
    measure: Measure
    seeds: int = 10
    quick_seeds: int = 5
    exact: bool = False
    source_read: str = "from memory; not compared with the text"
    remark: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"a claim's name is lower case letters, digits and _; got {self.name}")
        if not self.low <= self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise ValueError(f"{self.name}: no tolerance from {self.low} to {self.high}")
        if self.number is not None and not self.low <= self.number <= self.high:
            raise ValueError(f"{self.name}: {self.number} is not in [{self.low}, {self.high}]")
        if not self.exact and min(self.seeds, self.quick_seeds) < 2:
            raise ValueError(f"{self.name}: an interval needs at least two seeds")

    def count(self, quick: bool) -> int:
        """Return the number of seeds of a measurement."""
        if self.exact:
            return 1
        return self.quick_seeds if quick else self.seeds


CLAIMS: Registry[Claim] = Registry("claim", plugins="initperf.claims")


def register(claim: Claim) -> Claim:
    """Add a claim to CLAIMS; each file of claims calls it.

    Raises
    ------
    ValueError
        When the name is taken.
    """
    return CLAIMS.register(claim.name, claim)
