"""Attention whose scores spread too far, so that its softmax saturates."""

import math
from collections.abc import Iterator

from initperf.torch.signals.finding import Finding
from initperf.torch.signals.graph import Operation, children
from initperf.torch.signals.running import Run
from initperf.torch.signals.scores import ScoreSpread
from initperf.torch.signals.thresholds import THRESHOLDS

_UNSCALED = 1.5
"""Multiple of 1/√d from which on scores count as not divided by √d."""


def scores(run: Run) -> Iterator[Finding]:
    """Find attention whose scores have too large a standard deviation."""
    limit = THRESHOLDS["scores"].limit
    readers = children(run.operations)
    for each in run.spreads:
        operation = run.operations[each.index]
        averages = operation.kind == "attention" or _averages(run, readers, each.index)
        if each.deviation > limit and averages:
            cause, mended, fix = _cause(run, each)
            yield Finding(
                "scores",
                operation.name,
                f"the scores of {operation.described} have a standard deviation of "
                f"{each.deviation:.3g}",
                cause=cause,
                remedy=mended,
                fix=fix,
                layers=(operation.name,),
            )


def _averages(run: Run, readers: list[list[int]], index: int) -> bool:
    """Return whether an attention reads a softmax, through dropout and casts."""
    waiting = list(readers[index])
    while waiting:
        each = run.operations[waiting.pop()]
        if each.kind == "attention":
            return True
        if each.kind in ("scale", "other"):
            waiting.extend(readers[each.index])
    return False


def _cause(run: Run, spread: ScoreSpread) -> tuple[str, str, str]:
    """Return whether the scores miss their division by √d, or what else is too large.

    Returns
    -------
    tuple of str
        Cause, remedy, and what `initperf.torch.fix_` does.
    """
    width, scale = spread.width, spread.scale
    if not width:
        product, scale = _product(run, run.operations[spread.index])
        width = 0 if product is None else int(product.terms)
    if width and scale * math.sqrt(width) > _UNSCALED:
        return (
            f"queries times keys are multiplied by {scale:.3g}, not by 1/√{width}",
            f"divide them by √{width} = {math.sqrt(width):.3g}",
            "",
        )
    return (
        "the weights of queries and keys are too large",
        "smaller weights of queries and keys",
        "fix_ scales them",
    )


def _product(run: Run, operation: Operation) -> tuple[Operation | None, float]:
    """Return the product of queries and keys above a softmax, and what scales it."""
    scale = 1.0
    while operation.parents:
        operation = run.operations[operation.parents[0]]
        if operation.kind == "scores":
            return operation, scale
        if operation.kind == "scale" and math.isfinite(operation.factor):
            scale *= operation.factor
    return None, scale
