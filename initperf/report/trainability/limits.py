"""Depths until which rules learn, of the cells of a study, and their tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from initperf.report.trainability.cells import Cell, Setup, distinguishing_words
from initperf.report.trainability.half_way import DepthLimit, depth_limit, half_way

if TYPE_CHECKING:
    import pandas as pd

CLASSES = 10
"""Classes of the data sets that are built in, which sets the accuracy of guessing."""


@dataclass(frozen=True)
class Limit:
    """Depth until which a rule learns, in setups that differ in the depth alone.

    Attributes
    ----------
    initializer : str
    setup : Setup
        That of the greatest depth.
    depths : tuple of int
        Depths that were tried.
    level : float
        Accuracy half-way from guessing to the best of any rule and depth.
    limit : DepthLimit
    """

    initializer: str
    setup: Setup
    depths: tuple[int, ...]
    level: float
    limit: DepthLimit


def limits_of(cells: dict[Setup, list[Cell]]) -> list[Limit]:
    """Return until which depth each rule learns, where at least two depths were tried.

    Parameters
    ----------
    cells : dict
        See `cells_of`.
    """
    families: dict[tuple[str, str, int, int, int, str], list[Setup]] = {}
    for setup in cells:
        families.setdefault(setup.family(), []).append(setup)
    found = []
    for members in families.values():
        deepest = max(members, key=lambda one: one.depth)
        by_rule: dict[str, dict[int, dict[float, float]]] = {}
        means = []
        for setup in members:
            for cell in cells[setup]:
                scores = {one.seed: one.score for one in cell.counted}
                means.append(sum(scores.values()) / len(scores))
                seeds = by_rule.setdefault(cell.initializer, {})
                for seed, score in scores.items():
                    seeds.setdefault(seed, {})[float(setup.depth)] = score
        level = half_way(1.0 / CLASSES, max(means))
        for name, seeds in by_rule.items():
            depths = sorted({int(depth) for own in seeds.values() for depth in own})
            whole = [own for own in seeds.values() if len(own) == len(depths)]
            if len(depths) > 1 and whole:
                limit = depth_limit(whole, level)
                found.append(Limit(name, deepest, tuple(depths), level, limit))
    return found


def limits_table(limits: Iterable[Limit]) -> "pd.DataFrame":
    """Return one row a rule and activation: until which depth it learns.

    Parameters
    ----------
    limits : iterable of Limit

    Returns
    -------
    pandas.DataFrame
        ``activation``, ``setup``, ``initializer``, ``depth``, ``low``, ``high``, ``bound`` and
        ``seeds`` of `DepthLimit`, ``level``, ``least`` and ``greatest``: the depths that were
        tried.
    """
    import pandas as pd

    every = list(limits)
    words = distinguishing_words(one.setup for one in every)
    return pd.DataFrame(
        [
            {
                "activation": one.setup.activation,
                "setup": words[one.setup],
                "initializer": one.initializer,
                "depth": one.limit.depth,
                "low": one.limit.low,
                "high": one.limit.high,
                "bound": one.limit.bound,
                "seeds": one.limit.seeds,
                "level": one.level,
                "least": one.depths[0],
                "greatest": one.depths[-1],
            }
            for one in every
        ]
    )
