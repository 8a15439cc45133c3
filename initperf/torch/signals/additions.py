"""Residual additions: how large the trunk is, and what the branch adds to it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from initperf.torch.signals.statistics import Measurement


@dataclass(frozen=True, slots=True)
class Addition:
    """Trunk and branch of one residual addition.

    Attributes
    ----------
    name : str
        Of the operation that adds.
    index : int
        Its place in the run.
    seed : int
        Seed of the run.
    trunk, branch, total : float
        Root mean squares of the two operands and of the sum.
    """

    name: str
    index: int
    seed: int
    trunk: float
    branch: float
    total: float

    @property
    def ratio(self) -> float:
        """Return the branch divided by the trunk; NaN where both are 0."""
        if self.trunk == 0.0:
            return math.nan if self.branch == 0.0 else math.inf
        return self.branch / self.trunk


def additions(measurements: Sequence[Measurement]) -> list[Addition]:
    """Return the residual additions of one run, in order.

    Parameters
    ----------
    measurements : sequence of Measurement
        Forward, by the index of their operations.
    """
    found = []
    for each in measurements:
        if each.operation.kind == "residual":
            trunk, branch = (
                measurements[parent].statistics.root_mean_square
                for parent in each.operation.parents[:2]
            )
            found.append(
                Addition(
                    each.operation.name,
                    each.operation.index,
                    each.seed,
                    trunk,
                    branch,
                    each.statistics.root_mean_square,
                )
            )
    return found
