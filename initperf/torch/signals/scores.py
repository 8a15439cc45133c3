"""Spread of attention scores before their softmax."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from initperf.torch.signals.calls import Call
from initperf.torch.signals.graph import Operation

_MASKED = -1e4
"""Scores below it are masked: additive masks are −∞ or the lowest number of a dtype."""


@dataclass(frozen=True, slots=True)
class ScoreSpread:
    """Standard deviation of the scores of one attention.

    Attributes
    ----------
    index : int
        Of the softmax, or of the fused attention.
    deviation : float
        Along the keys, the root mean square over queries and heads of the first sample.
    scale : float
        What scores are multiplied by, where the operation is fused; else NaN.
    width : int
        Length d of a query, where the operation is fused; else 0.
    """

    index: int
    deviation: float
    scale: float = math.nan
    width: int = 0


def spread_of_softmax(call: Call, operation: Operation) -> Iterator[ScoreSpread]:
    """Visit the spread of what a softmax reads, if it is more than one number.

    Parameters
    ----------
    call : Call
    operation : Operation
    """
    x = call.signals[0].tensor.detach()
    if x.ndim > 2 and x.shape[-1] > 1:
        yield ScoreSpread(operation.index, _deviation(x[:1].float()))


def spread_of_fused(call: Call, operation: Operation) -> Iterator[ScoreSpread]:
    """Visit the spread of the scores of a fused attention, computed again for the first sample.

    Parameters
    ----------
    call : Call
    operation : Operation
    """
    query, key = call.operand("query"), call.operand("key")
    if query is None or key is None or query.tensor.ndim < 3:
        return
    first, second = query.tensor[0].detach().float(), key.tensor[0].detach().float()
    if first.ndim > 2 and first.shape[0] != second.shape[0]:
        first = first[:: first.shape[0] // second.shape[0]]  # queries that share a key
    width = int(first.shape[-1])
    given = call.given.get("scale")
    scale = 1.0 / math.sqrt(width) if given is None else float(given)
    with torch.autocast(first.device.type, enabled=False):
        deviation = _deviation(first @ second.transpose(-1, -2)) * scale
    yield ScoreSpread(operation.index, deviation, scale, width)


def _deviation(scores: torch.Tensor) -> float:
    kept = scores > _MASKED
    count = kept.sum(-1).clamp_min(1)
    values = torch.where(kept, scores, 0.0)
    mean = values.sum(-1) / count
    variance = (values * values).sum(-1) / count - mean * mean
    several = count > 1
    return math.sqrt(max(0.0, float(variance[several].mean()))) if bool(several.any()) else 0.0
