"""The loss at the start: what guessing gives, and sums that nothing divides."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from initperf.torch.signals.calls import Call
from initperf.torch.signals.graph import Operation
from initperf.torch.signals.statistics import Statistics

_SUM = 2
"""PyTorch's number for losses that are summed; 1 stands for a mean, 0 for neither."""


@dataclass(frozen=True, slots=True)
class LossCall:
    """A loss of PyTorch that a model or a loss function called.

    Attributes
    ----------
    index : int
        Of the operation.
    summed : bool
        Whether its targets are summed.
    targets : int
        Number of targets.
    classes : int
        Of a cross-entropy, the number of classes; else 0.
    """

    index: int
    summed: bool
    targets: int
    classes: int


@dataclass(frozen=True, slots=True)
class InitialLoss:
    """The loss of the first run.

    Attributes
    ----------
    value : float
        What the loss returned.
    name : str
        Name of the operation that computes the cross-entropy, or of the last one.
    average : float
        The cross-entropy for each target; NaN where there is none.
    classes : int
        C, the number of classes, or 0.
    spread : float
        Root mean square deviation of the logits between classes, from the cross-entropy's excess
        over ln C: √(2 (average − ln C)) of normal logits; NaN where there is none.
    summed : int
        Number of terms that are summed without being divided; 0 for a mean.
    """

    value: float
    name: str
    average: float
    classes: int
    spread: float
    summed: int

    @property
    def guessing(self) -> float:
        """Return ln C, the cross-entropy of equal chances; NaN without classes."""
        return math.log(self.classes) if self.classes > 1 else math.nan


def loss_call(call: Call, operation: Operation) -> LossCall | None:
    """Return the record of a loss, of other operations None.

    Parameters
    ----------
    call : Call
    operation : Operation
    """
    given, name = call.given, operation.operation
    scores = given.get("self")
    if "reduction" not in given and not name.startswith("nll_loss"):
        return None
    if not isinstance(scores, torch.Tensor):
        return None
    summed = int(given.get("reduction", 1)) == _SUM
    target = given.get("target")
    targets, classes = scores.numel(), 0
    if name.startswith("nll_loss"):
        classes = scores.shape[1] if scores.ndim > 1 else scores.shape[0]
        ignored = given.get("ignore_index", -100)
        targets = int((target != ignored).sum()) if isinstance(target, torch.Tensor) else 0
    elif "with_logits" in name:
        classes = 2
    return LossCall(operation.index, summed, targets, int(classes))


def initial_loss(
    operations: Sequence[Operation],
    statistics: Sequence[Statistics],
    calls: Sequence[LossCall],
    last: int | None,
) -> InitialLoss | None:
    """Return the loss of a run; None where nothing computed one.

    Parameters
    ----------
    operations : sequence of Operation
        Of the run, with names.
    statistics : sequence of Statistics
        Of their results.
    calls : sequence of LossCall
        Of the run, in order.
    last : int or None
        Operation whose result is the loss.
    """
    if last is None:
        return None
    classified = [each for each in calls if each.classes > 1 and each.targets > 0]
    average, classes, name, spread = math.nan, 0, operations[last].name, math.nan
    if classified:
        call = classified[-1]
        found = statistics[call.index]
        total = found.mean * (1.0 if found.elements > 1 or not call.summed else 1 / call.targets)
        average, classes, name = total, call.classes, operations[call.index].name
        spread = math.sqrt(2.0 * max(0.0, average - math.log(classes)))
    summed = _summed(operations, {each.index: each for each in calls}, last)
    return InitialLoss(statistics[last].mean, name, average, classes, spread, summed)


def _summed(operations: Sequence[Operation], calls: dict[int, LossCall], last: int) -> int:
    """Return how many terms are summed on the way to a scalar without being divided."""
    waiting, most = [last], 0
    while waiting:
        operation = operations[waiting.pop()]
        if math.prod(operation.shape) > 1:
            continue
        call = calls.get(operation.index)
        if call is not None:
            most = max(most, call.targets if call.summed and call.targets > 1 else 0)
        elif operation.operation == "sum":
            terms = math.prod(operations[operation.parents[0]].shape)
            most = max(most, terms if terms > 1 else 0)
        elif operation.kind in ("add", "residual", "other") or operation.factor == 1.0:
            waiting.extend(operation.parents)
    return most
