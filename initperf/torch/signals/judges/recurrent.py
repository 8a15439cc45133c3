"""Recurrent layers whose weights saturate their gates, or pass on hardly any of their state."""

from collections.abc import Iterator

from initperf.torch.signals.finding import Finding
from initperf.torch.signals.graph import Operation
from initperf.torch.signals.recurrences import Recurrence
from initperf.torch.signals.running import Run
from initperf.torch.signals.thresholds import THRESHOLDS


def recurrent(run: Run) -> Iterator[Finding]:
    """Find weights of recurrent layers that are far too large or too small."""
    for each in run.recurrences:
        readers = _readers(run, each)
        layers = (each.name, *(operation.name for operation in readers[:1]))
        if each.state:
            yield from _of_state(each, layers)
        elif readers:
            yield from _of_input(run, each, readers[0], layers)


def _readers(run: Run, weight: Recurrence) -> list[Operation]:
    """Return the operations that multiply by a weight, or are the recurrent layer that does."""
    return [
        each
        for each in run.operations
        if each.weight == weight.name
        or (each.kind == "recurrent" and weight.name in each.parameters)
    ]


def _of_state(weight: Recurrence, layers: tuple[str, ...]) -> Iterator[Finding]:
    gain = max(weight.gains)
    if gain > THRESHOLDS["recurrent"].limit:
        cause = f"it is {gain:.2g} times too large{_where(weight)}, so that "
        cause += "its gates saturate" if weight.gated else "it saturates or explodes"
    elif gain < THRESHOLDS["recurrent memory"].limit:
        cause = "its gates hardly read its state" if weight.gated else "it forgets earlier steps"
    else:
        return
    yield Finding(
        "recurrent",
        weight.name,
        f"{weight.name} multiplies the state of its layer by {gain:.3g} at each step",
        cause=cause,
        remedy="orthogonal would hold" + (", gate by gate" if weight.gated else ""),
        fix="fix_ scales it",
        layers=layers,
        severe=gain > 1.0 or not weight.gated,
    )


def _of_input(
    run: Run, weight: Recurrence, reader: Operation, layers: tuple[str, ...]
) -> Iterator[Finding]:
    """Judge a weight by what it multiplies the layer's input by.

    Parameters
    ----------
    run : Run
    weight : Recurrence
    reader : Operation
        The product with the input, or the layer where PyTorch runs it as one operation.
    layers : tuple of str
        For the finding.
    """
    gain, measured = max(weight.gains), run.forward[reader.index].gain
    if weight.gated:
        # a gate saturates by the size of what it gets: large weights of small inputs do no harm
        read = [run.forward[parent].statistics.root_mean_square for parent in reader.parents]
        measured = gain * max(read, default=0.0)
    if min(gain, measured) > THRESHOLDS["layer"].limit:
        saturates = ", so that its gates saturate" if weight.gated else ""
        yield Finding(
            "layer",
            weight.name,
            f"{weight.name} multiplies the root mean square by {gain:.3g}",
            cause=f"it is {gain:.2g} times too large{_where(weight)}{saturates}",
            remedy="glorot_uniform would hold" + (", gate by gate" if weight.gated else ""),
            fix="fix_ scales it",
            layers=layers,
        )


def _where(weight: Recurrence) -> str:
    """Return in which gates a weight is too large, unless it is in all."""
    limit = THRESHOLDS["recurrent" if weight.state else "layer"].limit
    pairs = zip(weight.gates, weight.gains, strict=True)
    found = [gate for gate, gain in pairs if gain > limit]
    return "" if len(found) == len(weight.gates) else f" in its {' and '.join(found)}"
