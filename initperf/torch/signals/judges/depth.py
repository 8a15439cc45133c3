"""Signals and gradients that vanish or explode with depth."""

import math
import statistics
from collections.abc import Iterator, Sequence

from initperf.torch.signals.finding import Finding
from initperf.torch.signals.judges.causes import critical_gain, following, remedy, rule_of
from initperf.torch.signals.running import Run
from initperf.torch.signals.statistics import Measurement
from initperf.torch.signals.thresholds import THRESHOLDS

_SAME_SIZE = 0.3
"""Ratio of branch and trunk from which on additions make the trunk grow exponentially."""


def layers(found: Sequence[Measurement]) -> list[Measurement]:
    """Return the measurements of layers, those of zeros left out."""
    return [
        each
        for each in found
        if each.operation.weighted
        and each.statistics.zeros < 1.0
        and math.isfinite(each.statistics.second_moment)
    ]


def signal(run: Run) -> Iterator[Finding]:
    """Find the first layer that is too much smaller or larger than one before."""
    limit = THRESHOLDS["signal"].limit
    low: Measurement | None = None
    high: Measurement | None = None
    for each in layers(run.forward):
        size = each.statistics.root_mean_square
        low = each if low is None or size < low.statistics.root_mean_square else low
        high = each if high is None or size > high.statistics.root_mean_square else high
        if low is high or size == 0.0:
            continue
        if high.statistics.root_mean_square > limit * low.statistics.root_mean_square:
            yield _signal(run, high if low is each else low, each)
            return


def _signal(run: Run, before: Measurement, last: Measurement) -> Finding:
    verb = "vanishes" if _rms(last) < _rms(before) else "explodes"
    ratio = _rms(last) / _rms(before)
    span = [
        each
        for each in layers(run.forward)
        if before.operation.index <= each.operation.index <= last.operation.index
    ]
    steps = max(1, len(span) - 1)
    rate = (ratio**2) ** (1.0 / steps)
    begin, end = before.operation.described, last.operation.described
    grown = _grown(run, before, last)
    if grown and verb == "explodes":
        return Finding(
            "signal",
            grown[0],
            f"the signal explodes along the trunk from {grown[0]} on: {end} is {ratio:.2g} times "
            f"{begin}",
            cause=f"{len(grown)} branches as large as the trunk are added, and nothing normalizes "
            "or scales them",
            remedy="scale branches by 1/√depth, start their gates at 0, or normalize",
            fix="fix_ scales the last weight of each branch",
            layers=tuple(grown),
        )
    cause, mended = _rate_cause(run, [each.operation.index for each in span], rate)
    return Finding(
        "signal",
        last.operation.name,
        f"the signal {verb} after {begin}: {end} is {ratio:.2g} times it (second moment "
        f"×{rate:.2g} a layer)",
        cause=cause,
        remedy=mended,
        fix="fix_ scales each layer",
        layers=tuple(each.operation.name for each in span),
    )


def _rms(measurement: Measurement) -> float:
    return measurement.statistics.root_mean_square


def _grown(run: Run, before: Measurement, last: Measurement) -> list[str]:
    """Return the residual additions between two layers, if they explain growth."""
    between = range(before.operation.index, last.operation.index + 1)
    found = [each for each in run.additions if each.index in between]
    normalized = any(run.operations[i].kind == "norm" for i in between)
    ratios = [each.ratio for each in found if math.isfinite(each.ratio)]
    if normalized or not ratios or statistics.median(ratios) < _SAME_SIZE:
        return []
    return [each.name for each in found]


def _rate_cause(run: Run, span: Sequence[int], rate: float) -> tuple[str, str]:
    """Return why the second moment changes by a rate a layer, by theory, and what would hold."""
    states = {each.name for each in run.recurrences if each.state}
    again = next((run.operations[i].weight for i in span if run.operations[i].weight in states), "")
    if again:
        return f"{again} multiplies the state of its layer at each step", "orthogonal would hold"
    middle = span[len(span) // 2]
    operation, square = run.operations[middle], run.weights[middle][1]
    normalized, activation = following(run, middle)
    if normalized:
        return "", ""
    gains = [run.operations[each].terms * run.weights[each][1] for each in span]
    gain = statistics.geometric_mean([each for each in gains if each > 0.0] or [1.0])
    theory = gain / critical_gain(activation) ** 2
    rule = rule_of(square, operation) or f"weights of variance {gain:.2g}/fan-in"
    named = activation or "layers"
    apart = abs(math.log(rate / theory)) if rate > 0.0 and theory > 0.0 else math.inf
    with_theory = f"theory {theory:.2g}: {named} with {rule}"
    if apart > math.log(2.0):
        return f"{with_theory}, which does not explain it", remedy(activation)
    return with_theory, remedy(activation)


def _steepest(run: Run, found: Sequence[Measurement]) -> Iterator[Measurement]:
    """Visit gradients; of a recurrent layer's weight, whose steps add up, that of one step only."""
    again = {each.name for each in run.recurrences}
    largest: dict[str, Measurement] = {}
    for each in found:
        weight = each.operation.weight
        if weight not in again:
            yield each
        elif weight not in largest or each.statistics.norm > largest[weight].statistics.norm:
            largest[weight] = each
    yield from largest.values()


def gradient(run: Run) -> Iterator[Finding]:
    """Compare the largest gradients in the first and the last quarter of layers."""
    directions = [each.direction for each in run.backward]
    direction = "cotangent" if "cotangent" in directions else "loss"
    found = layers([each for each in run.backward if each.direction == direction])
    reached = {each.operation.index: each for each in _steepest(run, found)}
    ordered = [
        reached[each.operation.index]
        for each in layers(run.forward)
        if each.operation.index in reached
    ]
    if len(ordered) < 2:
        return
    quarter = -(-len(ordered) // 4)
    first = max(ordered[:quarter], key=lambda each: each.statistics.norm)
    last = max(ordered[-quarter:], key=lambda each: each.statistics.norm)
    small, large = sorted((first.statistics.norm, last.statistics.norm))
    if large > THRESHOLDS["gradient"].limit * small:
        verb = "vanishes" if first.statistics.norm == small else "explodes"
        ratio = first.statistics.norm / last.statistics.norm if last.statistics.norm else math.inf
        indices = sorted(each.operation.index for each in ordered)
        rate = (ratio**2) ** (1.0 / len(indices))
        cause, mended = _rate_cause(run, indices, rate)
        yield Finding(
            "gradient",
            first.operation.name,
            f"the gradient {verb}: at {first.operation.described} it is {ratio:.2g} times that at "
            f"{last.operation.described}",
            cause=cause,
            remedy=mended,
            fix="fix_ scales each layer",
            layers=(first.operation.name, last.operation.name),
        )
