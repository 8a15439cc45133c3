"""Limits of a timing: seconds, precision, rounds, rests and preparations."""

import math
from dataclasses import dataclass, replace

_FEWEST_ROUNDS = 3  # of one of several preparations


@dataclass(frozen=True)
class Budget:
    """When a timing stops, and how often its methods are prepared.

    Attributes
    ----------
    seconds : float
        Seconds of rounds after which no further round begins; first calls are not counted.
    precision : float
        Stop as soon as every interval is within this fraction of its value, on either side, after
        8 rounds at the earliest; of several preparations the first stops so, even earlier, and the
        others take as many rounds.
    least_rounds : int
        Rounds that are taken whatever the seconds, at least 2. Intervals of fewer than 8 hold with
        95 % only where rounds are independent, as disturbances that last cannot be told; those of
        2 or 3 are wide.
    pause_seconds : float
        Rest before every sample, uncounted. The threads of a BLAS or of OpenMP spin on after a
        call, those of OpenBLAS for some 0.1 s, on a processor that the next method could use:
        where methods have different pools of threads, let them go to sleep first.
    preparations : int
        How often all methods are prepared anew, each time for an equal part of the rounds. The
        place of data in memory can make one preparation a seventh slower than the next; ten
        average that out.
    least_preparations : int
        So many suffice once the seconds are spent.

    Raises
    ------
    ValueError
        When a field is out of range.
    """

    seconds: float = 2.0
    precision: float = 0.02
    least_rounds: int = 5
    pause_seconds: float = 0.0
    preparations: int = 1
    least_preparations: int = 3

    def __post_init__(self) -> None:
        if self.least_rounds < 2:
            raise ValueError(f"least_rounds is {self.least_rounds}; an interval takes 2 or more")
        for name in ("seconds", "precision", "pause_seconds"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 or more")
        for name in ("preparations", "least_preparations"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more")

    def of_one_pass(self, passes: int) -> "Budget":
        """Return the share of one of several passes, an equal part of everything."""
        share = replace(
            self,
            seconds=self.seconds / passes,
            least_rounds=max(2, math.ceil(self.least_rounds / passes)),
        )
        if self.preparations == 1:
            return share
        return replace(
            share,
            preparations=max(2, math.ceil(self.preparations / passes)),
            least_preparations=math.ceil(self.least_preparations / passes),
        )

    def of_one_preparation(self) -> "Budget":
        """Return the share of one of the preparations."""
        if self.preparations == 1:
            return self
        return replace(
            self,
            seconds=self.seconds / self.preparations,
            least_rounds=max(_FEWEST_ROUNDS, math.ceil(self.least_rounds / self.preparations)),
            preparations=1,
        )
