"""The rules of gradient descent, ONE record each.

A record's rule is written once: it runs on NumPy arrays, and compiled into the loop of
`initperf.kernels.update`. Weight decay adds to the gradient, as in PyTorch's optimizers of the
same names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from initperf._core.registry import Registry
from initperf.jit.policy import portable


class Settings(NamedTuple):
    """What an optimizer may be told; each takes what it knows."""

    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    weight_decay: float = 0.0


Rule = Callable[[Any, Any, Any, Any, Any], tuple[Any, Any, Any]]
Factors = Callable[[np.ndarray, np.ndarray, Settings], tuple[Any, ...]]


@dataclass(frozen=True)
class Optimizer:
    """A rule that updates weights.

    Attributes
    ----------
    name : str
        What it goes by.
    formula : str
        The rule in one line: weights w, gradient g, rate η.
    cite : str
        Paper or source.
    memories : int
        How many numbers it keeps for each weight, at most 2.
    settings : tuple of str
        The fields of `Settings` that it takes, beside the weight decay.
    rule : callable
        ``rule(w, g, first, second, factors)``, the new weight and memories, of scalars in
        compiled code and of arrays elsewhere; a memory that it does not keep is 0. The first factor
        is the rate, to which alone the step is proportional.
    step_factors : callable
        ``step_factors(rates, steps, settings)``, the factors of the steps counted from 1.
    """

    name: str
    formula: str
    cite: str
    memories: int
    settings: tuple[str, ...]
    rule: Rule
    step_factors: Factors

    def factors(self, rates: np.ndarray, first: int, settings: Settings) -> np.ndarray:
        """Return (steps, factors) of steps from `first`, counted from 0, at these rates."""
        steps = np.arange(first + 1, first + 1 + len(rates))
        columns = self.step_factors(rates, steps, settings)
        return np.stack(np.broadcast_arrays(rates, settings.weight_decay, *columns), axis=1)


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", plugins="initperf.optimizers")


def register(
    name: str,
    formula: str,
    cite: str,
    memories: int = 0,
    settings: tuple[str, ...] = (),
    factors: Factors = lambda rates, steps, settings: (),
    aliases: tuple[str, ...] = (),
) -> Callable[[Rule], Rule]:
    """Add an optimizer; a decorator of its rule."""

    def add(rule: Rule) -> Rule:
        function = portable(rule)
        record = Optimizer(name, formula, cite, memories, settings, function, factors)
        OPTIMIZERS.register(name, record, aliases)
        return function

    return add


@register("sgd", "w − ηg", "Robbins & Monro 1951")
def _sgd(w: Any, g: Any, first: Any, second: Any, factors: Any) -> tuple[Any, Any, Any]:
    g = g + factors[1] * w
    return w - factors[0] * g, first, second


def _momentum_factor(rates: Any, steps: Any, settings: Settings) -> tuple[Any, ...]:
    return (settings.momentum,)


@register(
    "momentum",
    "w − ηv, v ← μv + g",
    "Polyak 1964",
    memories=1,
    settings=("momentum",),
    factors=_momentum_factor,
)
def _momentum(w: Any, g: Any, first: Any, second: Any, factors: Any) -> tuple[Any, Any, Any]:
    g = g + factors[1] * w
    first = factors[2] * first + g
    return w - factors[0] * first, first, second


@register(
    "nesterov",
    "w − η(g + μv), v ← μv + g",
    "Nesterov 1983; in the form of Sutskever et al. 2013",
    memories=1,
    settings=("momentum",),
    factors=_momentum_factor,
)
def _nesterov(w: Any, g: Any, first: Any, second: Any, factors: Any) -> tuple[Any, Any, Any]:
    g = g + factors[1] * w
    first = factors[2] * first + g
    return w - factors[0] * (g + factors[2] * first), first, second


def _adam_factors(rates: Any, steps: Any, settings: Settings) -> tuple[Any, ...]:
    beta, gamma = settings.betas
    unbiased = 1.0 / (1.0 - beta**steps), 1.0 / np.sqrt(1.0 - gamma**steps)
    return beta, 1.0 - beta, gamma, 1.0 - gamma, *unbiased, settings.epsilon


@register(
    "adam",
    "w − ηm̂ / (√v̂ + ε)",
    "Kingma & Ba 2015",
    memories=2,
    settings=("betas", "epsilon"),
    factors=_adam_factors,
)
def _adam(w: Any, g: Any, first: Any, second: Any, factors: Any) -> tuple[Any, Any, Any]:
    g = g + factors[1] * w
    first = factors[2] * first + factors[3] * g
    second = factors[4] * second + factors[5] * (g * g)
    rate = factors[0] * factors[6]
    return w - rate * first / (np.sqrt(second) * factors[7] + factors[8]), first, second
