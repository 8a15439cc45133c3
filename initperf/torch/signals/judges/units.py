"""Units that are dead, and units that are equal."""

import math
from collections.abc import Iterator

import numpy as np
from scipy import special, stats

from initperf._core.quadrature import normal_quadrature
from initperf.torch.signals.finding import Finding
from initperf.torch.signals.graph import Operation
from initperf.torch.signals.nonlinearities import RECTIFIERS
from initperf.torch.signals.running import Run
from initperf.torch.signals.samples import MOST
from initperf.torch.signals.thresholds import THRESHOLDS


def dead(run: Run) -> Iterator[Finding]:
    """Find the first rectifier with more dead units than independent symmetric weights give."""
    for each in run.forward:
        operation, share = each.operation, each.statistics.dead
        if operation.kind != "activation" or not operation.operation.startswith(RECTIFIERS):
            continue
        count = round(share * operation.units)
        expected = _chance(run, operation)
        if count and stats.binom.sf(count - 1, operation.units, expected) < _limit():
            layer = _layer(run, operation)
            source = operation if layer is None else layer
            yield Finding(
                "dead",
                operation.name,
                f"{share:.0%} of the units of {operation.described} are dead for the whole batch, "
                f"and {expected:.0%} by chance at most",
                cause=f"biases or the mean of {source.described} lie far below 0",
                remedy="biases of 0",
                fix="fix_ sets those of dead units",
                layers=tuple(dict.fromkeys((operation.name, source.name))),
            )
            return


def _limit() -> float:
    return THRESHOLDS["dead"].limit


def _layer(run: Run, operation: Operation) -> Operation | None:
    """Return the layer whose result an activation reads, through biases and normalizations."""
    while operation.parents:
        operation = run.operations[operation.parents[0]]
        if operation.weighted:
            return operation
        if operation.kind not in ("add", "norm", "scale"):
            return None
    return None


def _chance(run: Run, operation: Operation) -> float:
    """Return a bound of the chance that a unit of symmetric weights is dead."""
    layer = _layer(run, operation)
    if layer is None or len(operation.shape) != 2 or not layer.parents:
        return 0.5
    read = run.forward[layer.parents[0]].statistics
    samples = min(MOST, operation.shape[0])
    highest = read.highest_cosine
    return 0.5 if math.isnan(highest) else dead_chance(highest, samples)


def dead_chance(cosine: float, samples: int) -> float:
    """Return the chance that samples of equal cosines all lie on one side of a random plane.

    By Slepian's inequality a bound for samples whose cosines are at most that.

    Parameters
    ----------
    cosine : float
        At most 1; below 0 as 0.
    samples : int
        Number of samples.

    Examples
    --------
    >>> from initperf.torch.signals.judges.units import dead_chance
    >>> round(dead_chance(0.0, 4), 6), round(dead_chance(1.0, 4), 6)
    (0.0625, 0.5)
    >>> round(dead_chance(0.5, 2), 4)
    0.3333
    """
    if cosine >= 1.0:
        return 0.5
    shared = max(0.0, cosine)
    t, weights = normal_quadrature()
    below = special.ndtr(-t * math.sqrt(shared / (1.0 - shared)))
    return float(np.sum(weights * below**samples))


def duplicate(run: Run) -> Iterator[Finding]:
    """Find layers with units that equal each other for the whole batch."""
    for each in run.forward:
        operation, share = each.operation, each.statistics.duplicates
        finite = each.statistics.nonfinite == 0.0  # units of NaN alone equal each other
        if operation.weighted and finite and share > THRESHOLDS["duplicate"].limit:
            yield Finding(
                "duplicate",
                operation.name,
                f"{share:.0%} of the units of {operation.described} equal another to the bit",
                cause="their weights are equal, and stay so",
                remedy="draw them at random",
                layers=(operation.name,),
            )
