"""Layers whose weights are too large, or whose variance follows the fan of the wrong axis."""

import math
import re
import statistics
from collections.abc import Iterator

from initperf.torch.signals.finding import Finding
from initperf.torch.signals.graph import Operation
from initperf.torch.signals.judges.causes import critical_gain, following, remedy, rule_of
from initperf.torch.signals.running import Run
from initperf.torch.signals.thresholds import THRESHOLDS

_NUMERATORS = {1.0 / 3.0: "1/3", 1.0: "1", 2.0: "2", 6.0: "6"}
_NEAR = 0.05


def _weighted(run: Run) -> Iterator[tuple[Operation, float, float]]:
    """Visit the layers with the second moment of their weight and the gain that it leads to.

    A weight that is used several times is visited where it is used first. Those of recurrent
    layers have a judge of their own.
    """
    seen = {each.name for each in run.recurrences}
    for operation in run.operations:
        if operation.weighted and operation.weight not in seen:
            seen.add(operation.weight)
            square = run.weights[operation.index][1]
            yield operation, square, math.sqrt(operation.terms * square)


def fan(run: Run) -> Iterator[Finding]:
    """Find layers whose variance is a usual number divided by the fan of the other axis."""
    limit = THRESHOLDS["fan"].limit
    for operation, square, gain in _weighted(run):
        if not gain > 0.0 or 1.0 / limit <= gain <= limit or rule_of(square, operation):
            continue
        product = square * operation.fan_out
        slack = _NEAR + 4.0 * math.sqrt(2.0 / (operation.fan_in * operation.fan_out))
        near = [text for each, text in _NUMERATORS.items() if abs(product / each - 1.0) < slack]
        normalized, activation = following(run, operation.index)
        if near and not normalized:
            yield Finding(
                "fan",
                operation.name,
                f"{operation.described} multiplies the root mean square by {gain:.3g}",
                cause=f"its variance is {near[0]}/{operation.fan_out}, divided by the fan of the "
                f"wrong axis; its fan-in is {operation.fan_in}",
                remedy=f"{remedy(activation)} with the fan-in counted along the other axis",
                fix="fix_ scales it",
                layers=(operation.name,),
            )


def large(run: Run) -> Iterator[Finding]:
    """Find layers that multiply the signal by too much."""
    for operation, _, gain in _weighted(run):
        least = THRESHOLDS["layer"].limit
        measured = run.forward[operation.index].gain
        if not (gain > least and measured > least):
            continue
        normalized, activation = following(run, operation.index)
        limit = THRESHOLDS["normalized layer"].limit if normalized else least
        if min(gain, measured) > limit:
            factor = gain / critical_gain(activation)
            yield Finding(
                "layer",
                operation.name,
                f"{operation.described} multiplies the root mean square by {measured:.3g}",
                cause=f"its weights are {factor:.2g} times too large",
                remedy=remedy(activation),
                fix="fix_ scales it",
                layers=(operation.name,),
            )


def unlike_siblings(run: Run) -> Iterator[Finding]:
    """Find layers whose gain is far from that of layers of the same fans in other blocks."""
    groups: dict[tuple[str, int, int], list[tuple[Operation, float]]] = {}
    for operation, _, gain in _weighted(run):
        if gain > 0.0:
            pattern = re.sub(r"\d+", "*", operation.weight)
            key = pattern, operation.fan_in, operation.fan_out
            groups.setdefault(key, []).append((operation, gain))
    limit = THRESHOLDS["siblings"].limit
    for members in groups.values():
        usual = statistics.median(gain for _, gain in members)
        odd = [(each, gain / usual) for each, gain in members if gain > limit * usual]
        if len(members) > 2 and len(odd) == 1:
            ((operation, factor),) = odd
            yield Finding(
                "layer",
                operation.name,
                f"the weights of {operation.described} are {factor:.2g} times those of "
                f"{len(members) - 1} layers like it",
                remedy="initialize it as the others are",
                fix="fix_ scales it",
                layers=(operation.name,),
            )
