"""Losses at the start: heads that are too large, and sums that nothing divides."""

from collections.abc import Iterator

from initperf.torch.signals.finding import Finding
from initperf.torch.signals.graph import Operation
from initperf.torch.signals.running import Run
from initperf.torch.signals.thresholds import THRESHOLDS


def head(run: Run) -> Iterator[Finding]:
    """Find a classifier that starts far above the loss of guessing."""
    loss = run.loss
    if loss is None or not loss.average - loss.guessing > THRESHOLDS["head"].limit:
        return
    layer = _head(run, loss.name)
    name = layer.name if layer is not None else loss.name
    described = name if layer is None else layer.described
    where = f"({name})" if described == name else described
    spread = loss.spread
    if layer is not None:
        spread = run.forward[layer.index].statistics.root_mean_square
    shared = layer is not None and _shared(run, layer)
    yield Finding(
        "head",
        name,
        f"the head {where} starts at loss {loss.average:.3g}, ln C is {loss.guessing:.3g}",
        cause=f"its logits have a root mean square of {spread:.3g}: its weights"
        f"{', tied to the embedding,' if shared else ''} are {spread:.2g} times too large",
        remedy="a standard deviation of 1/√width of its weights",
        fix="fix_ scales them",
        layers=(name,),
    )


def _head(run: Run, name: str) -> Operation | None:
    """Return the layer whose result a cross-entropy reads."""
    operation = next(each for each in run.operations if each.name == name)
    while operation.parents:
        operation = run.operations[operation.parents[0]]
        if operation.weighted:
            return operation
    return None


def _shared(run: Run, layer: Operation) -> bool:
    return any(each.kind == "embedding" and each.weight == layer.weight for each in run.operations)


def summed(run: Run) -> Iterator[Finding]:
    """Find a loss that sums its terms without dividing by their number."""
    loss = run.loss
    if loss is not None and loss.summed > THRESHOLDS["loss_sum"].limit:
        yield Finding(
            "loss_sum",
            loss.name,
            f"the loss {loss.name} sums {loss.summed} terms",
            cause="nothing divides it: gradients grow with the batch",
            remedy="take the mean",
            layers=(loss.name,),
        )
