"""Losses, which training minimises, one record each.

The softmax cross-entropy is that of classes; all other losses are of values, one for each output
of the network, and are the mean of a function of an output and its target. That function is
written once: it runs on NumPy arrays, and on scalars where it is compiled into the loop of
`initperf.kernels.pointwise_loss`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from initperf._core.registry import Registry
from initperf.jit.policy import like, portable

ValueAndSlope = Callable[[Any, Any], tuple[Any, Any]]


@dataclass(frozen=True)
class Loss:
    """Loss of a network's outputs.

    Attributes
    ----------
    name : str
        Canonical name.
    formula : str
        The loss in one line: output y, target t.
    cite : str
        Paper or source.
    score : str
        Name of the score that is measured beside the loss: ``"accuracy"`` of classes, ``"r2"`` of
        values.
    """

    name: str
    formula: str
    cite: str
    score: ClassVar[str] = "accuracy"


@dataclass(frozen=True)
class PointwiseLoss(Loss):
    """Loss of values: the mean of a function of each output and its target.

    Attributes
    ----------
    value_and_slope : callable
        From outputs and targets, arrays or scalars of float32 or float64, to the loss of each and
        its derivative by the output, in the same dtype; see `register`.
    """

    value_and_slope: ValueAndSlope
    score = "r2"


LOSSES: Registry[Loss] = Registry("loss", plugins="initperf.losses")

CLASSIFICATION = LOSSES.register(
    "softmax_cross_entropy",
    Loss("softmax_cross_entropy", "log Σ exp y − y of the class", "Bridle 1990"),
    aliases=("cross_entropy",),
)
"""The loss of classes, each an output of the network; experiments that name no loss have it."""


def register(
    name: str, formula: str, cite: str, aliases: tuple[str, ...] = ()
) -> Callable[[ValueAndSlope], ValueAndSlope]:
    """Add a loss of values; a decorator of the function that computes value and slope.

    The function must be written with `initperf.jit.policy.like` for its constants and
    `initperf.jit.policy.where` for its branches, so that it runs on arrays and compiled on
    scalars.

    Parameters
    ----------
    name : str
        Canonical name, lower case.
    formula : str
        The loss in one line.
    cite : str
        Paper or source.
    aliases : tuple of str
        Other names of it.

    Returns
    -------
    callable
        The decorator; it returns the function, callable from other compiled code.

    Raises
    ------
    ValueError
        When a name is taken.

    Examples
    --------
    >>> from initperf.jit.policy import like, where
    >>> from initperf.losses import LOSSES, register
    >>> @register("absolute_error", "|y − t|", "an example")
    ... def absolute_error(output, target):
    ...     one = like(output, 1.0)
    ...     return abs(output - target), where(output > target, one, -one)
    >>> LOSSES["absolute_error"].score
    'r2'
    """

    def add(value_and_slope: ValueAndSlope) -> ValueAndSlope:
        function = portable(value_and_slope)
        LOSSES.register(name, PointwiseLoss(name, formula, cite, function), aliases)
        return function

    return add


@register("squared_error", "(y − t)²", "Legendre 1805", aliases=("mean_squared_error", "mse"))
def _squared_error(output: Any, target: Any) -> tuple[Any, Any]:
    error = output - target
    return error * error, like(output, 2.0) * error
