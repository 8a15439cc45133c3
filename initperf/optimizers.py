"""Optimizers: how weights follow their gradients, one record each.

The fields of a record are the optimizer's settings. Its `Optimizer.step` is written once: it runs
on NumPy arrays, and on scalars where it is compiled into the loop of `initperf.kernels.update`.
Weight decay adds to the gradient, as in PyTorch's optimizers of the same names; that of `AdamW`
shrinks the weights instead.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from initperf._core.registry import Registry
from initperf._core.schema import Range, Record, setting

__all__ = ["OPTIMIZERS", "Optimizer", "Range", "Rule", "register", "setting"]

Rule = Callable[[Any, Any, Any, Any, Any], tuple[Any, Any, Any]]


@dataclass(frozen=True)
class Optimizer(Record):
    """Optimizer of a set of weights, to be derived from.

    Attributes
    ----------
    name : str
        Canonical name.
    formula : str
        The update in one line: weights w, gradient g, learning rate η.
    cite : str
        Paper or source.
    aliases : tuple of str
        Other names.
    memories : int
        Numbers that it keeps for each weight, at most 2.
    weight_decay : float
        Multiple of each parameter, biases included, that is added to its gradient.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from initperf.optimizers import OPTIMIZERS, Optimizer, register
    >>> import numpy as np
    >>> @register
    ... @dataclass(frozen=True)
    ... class Sign(Optimizer):
    ...     name, formula, cite = "sign", "w − η sign(g)", "an example"
    ...
    ...     @staticmethod
    ...     def step(w, g, first, second, factors):
    ...         return w - factors[0] * np.sign(g + factors[1] * w), first, second
    >>> OPTIMIZERS["sign"]
    Sign(weight_decay=0.0)
    """

    name: ClassVar[str]
    formula: ClassVar[str]
    cite: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    memories: ClassVar[int] = 0

    weight_decay: float = setting(
        0.0,
        "multiple of a weight that is added to its gradient; of adamw, by default 0.01, the share "
        "of a weight that a step of rate 1 removes",
        allowed=Range(at_least=0.0),
    )

    @staticmethod
    def step(w: Any, g: Any, first: Any, second: Any, factors: Any) -> tuple[Any, Any, Any]:
        """Return the new weight and memories.

        Written with arithmetic and NumPy's functions, and `initperf.jit.like` for constants, so
        that it runs on arrays and compiled on scalars.

        Parameters
        ----------
        w, g : float32 or float64, array or scalar
            Weight and gradient.
        first, second : of the same kind
            What it remembers of the weight; 0 for a memory that it does not keep.
        factors : numpy.ndarray
            One row of `factors`, of the weights' dtype. The first is the learning rate, to which
            alone the step must be proportional: a scheme may scale it for each layer.
        """
        raise NotImplementedError

    def step_factors(self, rates: np.ndarray, steps: np.ndarray) -> tuple[Any, ...]:
        """Return what `step` finds in ``factors[2:]``, after learning rate and weight decay.

        Parameters
        ----------
        rates : numpy.ndarray
            (steps,) float64, learning rates.
        steps : numpy.ndarray
            (steps,) int64, numbers of the steps, counted from 1.

        Returns
        -------
        tuple of float or numpy.ndarray
            Each for all steps, or (steps,).
        """
        return ()

    @property
    def rule(self) -> Rule:
        """`step`, which compiled code can call too; the same function for all settings."""
        return _compilable(self.step)

    def factors(self, rates: np.ndarray, first: int) -> np.ndarray:
        """Return the factors of consecutive steps.

        Parameters
        ----------
        rates : numpy.ndarray
            (steps,) float64, learning rates.
        first : int
            Number of the first of these steps, counted from 0.

        Returns
        -------
        numpy.ndarray
            (steps, factors) float64: learning rate, weight decay, then `step_factors`.
        """
        steps = np.arange(first + 1, first + 1 + len(rates))
        columns = self.step_factors(rates, steps)
        return np.stack(np.broadcast_arrays(rates, self.weight_decay, *columns), axis=1)


@functools.cache
def _compilable(step: Rule) -> Rule:
    from initperf.jit.policy import portable  # imports numba, which the command line's help avoids

    return portable(step)


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", plugins="initperf.optimizers")

register = OPTIMIZERS.register_class
"""Add an optimizer, with default settings; a decorator of its record, with name, formula, cite."""


@register
@dataclass(frozen=True)
class Sgd(Optimizer):
    """Plain gradient descent."""

    name = "sgd"
    formula = "w − ηg"
    cite = "Robbins & Monro 1951"

    @staticmethod
    def step(w: Any, g: Any, first: Any, second: Any, factors: Any) -> tuple[Any, Any, Any]:
        """Return the new weight."""
        g = g + factors[1] * w
        return w - factors[0] * g, first, second


@dataclass(frozen=True)
class _WithMomentum(Optimizer):
    memories = 1

    momentum: float = setting(
        0.9, "share of the velocity that is kept at a step", allowed=Range(at_least=0.0, below=1.0)
    )

    def step_factors(self, rates: np.ndarray, steps: np.ndarray) -> tuple[Any, ...]:
        """Return the momentum."""
        return (self.momentum,)


@register
@dataclass(frozen=True)
class Momentum(_WithMomentum):
    """Gradient descent along an average of gradients, the velocity."""

    name = "momentum"
    formula = "w − ηv, v ← μv + g"
    cite = "Polyak 1964"

    @staticmethod
    def step(w: Any, g: Any, first: Any, second: Any, factors: Any) -> tuple[Any, Any, Any]:
        """Return the new weight and velocity."""
        g = g + factors[1] * w
        first = factors[2] * first + g
        return w - factors[0] * first, first, second


@register
@dataclass(frozen=True)
class Nesterov(_WithMomentum):
    """Momentum whose velocity looks one gradient ahead."""

    name = "nesterov"
    formula = "w − η(g + μv), v ← μv + g"
    cite = "Nesterov 1983; in the form of Sutskever et al. 2013"

    @staticmethod
    def step(w: Any, g: Any, first: Any, second: Any, factors: Any) -> tuple[Any, Any, Any]:
        """Return the new weight and velocity."""
        g = g + factors[1] * w
        first = factors[2] * first + g
        return w - factors[0] * (g + factors[2] * first), first, second


@register
@dataclass(frozen=True)
class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square."""

    name = "adam"
    formula = "w − ηm̂ / (√v̂ + ε)"
    cite = "Kingma & Ba 2015"
    memories = 2

    betas: tuple[float, float] = setting(
        (0.9, 0.999),
        "share of the mean gradient and of the mean square that is kept at a step",
        allowed=Range(at_least=0.0, below=1.0),
    )
    epsilon: float = setting(
        1e-8, "added to the root of the mean square", allowed=Range(at_least=0.0)
    )

    def step_factors(self, rates: np.ndarray, steps: np.ndarray) -> tuple[Any, ...]:
        """Return both betas and their complements, both corrections of bias, and epsilon."""
        beta, gamma = self.betas
        unbiased = 1.0 / (1.0 - beta**steps), 1.0 / np.sqrt(1.0 - gamma**steps)
        return beta, 1.0 - beta, gamma, 1.0 - gamma, *unbiased, self.epsilon

    @staticmethod
    def step(w: Any, g: Any, first: Any, second: Any, factors: Any) -> tuple[Any, Any, Any]:
        """Return the new weight and means."""
        g = g + factors[1] * w
        first = factors[2] * first + factors[3] * g
        second = factors[4] * second + factors[5] * (g * g)
        rate = factors[0] * factors[6]
        return w - rate * first / (np.sqrt(second) * factors[7] + factors[8]), first, second


@register
@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weight decay shrinks the weights beside the step, not through the gradient."""

    name = "adamw"
    formula = "(1 − ηλ) w − ηm̂ / (√v̂ + ε)"
    cite = "Loshchilov & Hutter 2019"

    weight_decay: float = setting(
        0.01, "share of a weight that a step of rate 1 removes", allowed=Range(at_least=0.0)
    )

    @staticmethod
    def step(w: Any, g: Any, first: Any, second: Any, factors: Any) -> tuple[Any, Any, Any]:
        """Return the new weight and means."""
        first = factors[2] * first + factors[3] * g
        second = factors[4] * second + factors[5] * (g * g)
        kept = w - (factors[0] * factors[1]) * w
        rate = factors[0] * factors[6]
        return kept - rate * first / (np.sqrt(second) * factors[7] + factors[8]), first, second
