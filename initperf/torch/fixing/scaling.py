"""Factors that weights are multiplied by where a pass uses them."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import torch

from initperf.torch.fixing.graph import Moment, Use
from initperf.torch.fixing.owners import Held

Decide = Callable[[Use, Moment], float]


class Scaling:
    """Decides on factors, applies them, and counts the uses of weights.

    Parameters
    ----------
    decide : callable or None
        From a use, and the second moments of nodes by their places, to the factor by which to
        multiply its weight; without it, all are 1.

    Attributes
    ----------
    factors : dict of str to float
        By what weights were multiplied.
    """

    def __init__(self, decide: Decide | None) -> None:
        self.factors: dict[str, float] = {}
        self._decide = decide
        self._calls: Counter[str] = Counter()

    def call(self, name: str) -> int:
        """Return how often a weight was used before, and count one more use."""
        self._calls[name] += 1
        return self._calls[name] - 1

    def factor(self, use: Use, places: tuple[int, ...], moment: Moment) -> float:
        """Return the factor that is decided; what overflowed is decided by its expectation.

        Parameters
        ----------
        use : Use
        places : tuple of int
            Of what the weight multiplies.
        moment : callable
            From the place of a node to its second moment.
        """
        if self._decide is None:
            return 1.0
        if not math.isfinite(use.power) and places:
            use = replace(use, power=use.gain * (moment(places[0]) or 0.0))
        return self._decide(use, moment)

    def scale(self, held: Held, factor: float) -> None:
        """Multiply a parameter, and its copies of this pass.

        Parameters
        ----------
        held : Held
        factor : float
        """
        name = held.parameter.name
        with torch.no_grad():
            for tensor in (held.parameter.tensor, *held.copies):
                tensor.mul_(factor)
        torch.autograd.graph.increment_version(held.parameter.tensor)
        self.factors[name] = self.factors.get(name, 1.0) * factor
