"""Depth until which a rule learns: where accuracy falls below half-way from chance to the best."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from initperf._core.comparisons import t_interval

BETWEEN, AT_LEAST, AT_MOST = "", "at least", "at most"


@dataclass(frozen=True)
class DepthLimit:
    """Depth at which accuracy falls below a level, over seeds.

    Attributes
    ----------
    depth : float
        Geometric mean over seeds, in hidden layers.
    low, high : float
        Its 95 % t interval on the logarithm; NaN for a single seed. Infinite above where a seed
        learns at the greatest depth that was tried, 0 below where one fails at the least.
    bound : str
        ``"at least"`` where a seed learns at the greatest depth, which then stands for its limit;
        ``"at most"`` where one fails at the least; else empty.
    seeds : int
    """

    depth: float
    low: float
    high: float
    bound: str
    seeds: int

    def words(self) -> str:
        """Return it in words: ``"22 (17 to 29)"``, ``"at least 64"``."""
        if self.bound:
            return f"{self.bound} {self.depth:.0f}"
        if math.isnan(self.low):
            return f"{self.depth:.0f}"
        return f"{self.depth:.0f} ({self.low:.0f} to {self.high:.0f})"


def half_way(chance: float, best: float) -> float:
    """Return the accuracy half-way from that of guessing to the best."""
    return 0.5 * (chance + best)


def crossing(depths: Sequence[float], accuracies: Sequence[float], level: float) -> float:
    """Return the depth at which accuracy first falls below a level.

    Interpolated on the logarithm of the depth, between the first depth whose accuracy is below
    the level and the one before.

    Parameters
    ----------
    depths : sequence of float
        Rising.
    accuracies : sequence of float
        Of each depth.
    level : float

    Returns
    -------
    float
        0 where the least depth is below already, infinite where none is.

    Raises
    ------
    ValueError
        For no depths, or depths that do not rise.
    """
    if not depths or any(b <= a for a, b in itertools.pairwise(depths)):
        raise ValueError(f"depths must be one or more that rise, not {list(depths)}")
    for place, accuracy in enumerate(accuracies):
        if accuracy < level:
            if place == 0:
                return 0.0
            before = accuracies[place - 1]
            share = (before - level) / (before - accuracy)
            return depths[place - 1] * math.pow(depths[place] / depths[place - 1], share)
    return math.inf


def depth_limit(seeds: Sequence[Mapping[float, float]], level: float) -> DepthLimit:
    """Return the depth until which networks learn, with its interval over seeds.

    Parameters
    ----------
    seeds : sequence of mapping
        Of each seed, the accuracy by depth; depths that a seed lacks are passed over.
    level : float
        Accuracy below which a network has not learned.

    Raises
    ------
    ValueError
        For no seeds, or a seed without depths.
    """
    if not seeds:
        raise ValueError("a depth limit needs at least one seed")
    found = []
    for own in seeds:
        depths = sorted(own)
        found.append(crossing(depths, [own[depth] for depth in depths], level))
    ends = min(min(own) for own in seeds), max(max(own) for own in seeds)
    logs = np.log(np.clip(found, *ends))
    mean, low, high = (float(np.exp(value)) for value in t_interval(logs))
    beyond, before = math.inf in found, 0.0 in found
    return DepthLimit(
        depth=mean,
        low=0.0 if before else low,
        high=math.inf if beyond else high,
        bound=AT_LEAST if beyond else AT_MOST if before else BETWEEN,
        seeds=len(found),
    )
