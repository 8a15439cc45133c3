"""Findings about first weights, decided by declared thresholds."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from initperf.torch.recording import Row


@dataclass(frozen=True)
class Threshold:
    """Limit beyond which a measurement is a finding.

    Attributes
    ----------
    limit : float
        The largest value that is healthy.
    measures : str
        What is compared with it.
    source : str
        Why it is there: a paper, or the margin over what healthy networks show.
    """

    limit: float
    measures: str
    source: str


THRESHOLDS: Mapping[str, Threshold] = MappingProxyType(
    {
        "overflow": Threshold(
            0.0,
            "share of infinite and NaN elements; −∞ alone is a mask, except in a layer",
            "one such element makes the loss NaN",
        ),
        "layer": Threshold(
            10.0,
            "root mean square of a layer's result divided by that of its input",
            "√2 by He et al. 2015, and up to 5.7 where a normalization follows, in torchvision's "
            "ResNet; weights of He et al. that are 10 times too large give 14",
        ),
        "signal": Threshold(
            1e3,
            "largest ratio between the root mean squares of two layers' results",
            "Hanin & Rolnick 2018: healthy networks of 100 layers of 100 units keep their "
            "logarithm within √5, a factor of 10",
        ),
        "gradient": Threshold(
            1e4,
            "ratio of the largest gradient norms in the first and the last quarter of layers",
            "the square of the signal's, as gradients are divided by layers and places as well",
        ),
        "dead": Threshold(
            0.95,
            "share of zeros after a rectifier",
            "Lu et al. 2019: one half at random; all of them in a network born dead",
        ),
    }
)
"""Each threshold by the kind of finding that it decides."""

_RECTIFIERS = ("relu", "clamp_min", "threshold", "hardtanh")


@dataclass(frozen=True)
class Finding:
    """One reason why a model is not healthy, or a note on one that is.

    Attributes
    ----------
    kind : str
        One of `THRESHOLDS`, ``"unreached"`` or ``"blocked"``.
    name : str
        The operation, layer or parameter.
    text : str
        One sentence.
    severe : bool
        Whether the model is not healthy. Closed gates and heads of zeros, which many models start
        with on purpose, are notes.
    """

    kind: str
    name: str
    text: str
    severe: bool = True


Judge: TypeAlias = Callable[[Sequence[Row]], Iterator[Finding]]


def findings(rows: Sequence[Row], unreached: Sequence[str]) -> tuple[Finding, ...]:
    """Return what is wrong; a cause before its consequences, each once for all seeds.

    Parameters
    ----------
    rows : sequence of Row
        Of all seeds.
    unreached : sequence of str
        Names of parameters that no gradient reaches.

    Returns
    -------
    tuple of Finding
        Without severe ones for a healthy model.
    """
    found: dict[tuple[str, str], Finding] = {}
    for seed in dict.fromkeys(row.seed for row in rows):
        own = [row for row in rows if row.seed == seed]
        for judge in (_overflow, _layer, _dead, _signal, _gradient, _blocked):
            for each in judge(own):
                found.setdefault((each.kind, each.name), each)
    for name in unreached:
        text = f"no gradient reaches {name}: nothing of the loss depends on it"
        found["unreached", name] = Finding("unreached", name, text)
    return tuple(found.values())


def _overflow(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        mask = row.measured.mean == -math.inf and not row.weighted
        if row.measured.nonfinite > THRESHOLDS["overflow"].limit and not mask:
            text = f"{row.measured.nonfinite:.2g} of the elements of {row.name} are not finite"
            where = "result" if row.direction == "forward" else "gradient"
            yield Finding("overflow", row.name, f"{text} ({where} in {row.measured.dtype})")
            return


def _layer(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in _layers(rows, "forward"):
        if row.gain > THRESHOLDS["layer"].limit:
            text = f"{row.name} multiplies the root mean square by {row.gain:.3g}"
            yield Finding("layer", row.name, f"{text}: its weights are too large")


def _dead(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        rectifier = row.direction == "forward" and row.operation.startswith(_RECTIFIERS)
        if rectifier and row.measured.zeros > THRESHOLDS["dead"].limit:
            yield Finding("dead", row.name, f"{row.measured.zeros:.1%} of {row.name} are zero")


def _signal(rows: Sequence[Row]) -> Iterator[Finding]:
    limit = THRESHOLDS["signal"].limit
    low = high = None
    for row in _layers(rows, "forward"):
        size = math.sqrt(row.measured.second_moment)
        low = (size, row) if low is None or size < low[0] else low
        high = (size, row) if high is None or size > high[0] else high
        if size == 0.0 or high[0] <= limit * low[0]:
            continue
        before = high[1] if low[1] is row else low[1]
        verb = "vanishes" if low[1] is row else "explodes"
        ratio = math.sqrt(row.measured.second_moment / before.measured.second_moment)
        text = f"the signal {verb}: {row.name} is {ratio:.2g} times {before.name}"
        yield Finding("signal", row.name, text)
        return


def _gradient(rows: Sequence[Row]) -> Iterator[Finding]:
    layers = {row.name: row for row in _layers(rows, "backward")}
    ordered = [layers[row.name] for row in _layers(rows, "forward") if row.name in layers]
    quarter = -(-len(ordered) // 4)
    if len(ordered) < 2:
        return
    first, last = max(ordered[:quarter], key=_norm), max(ordered[-quarter:], key=_norm)
    small, large = sorted((_norm(first), _norm(last)))
    if large > THRESHOLDS["gradient"].limit * small:
        verb = "vanishes" if _norm(first) == small else "explodes"
        ratio = _norm(first) / _norm(last) if _norm(last) else math.inf
        text = f"the gradient {verb}: at {first.name} it is {ratio:.2g} times that at {last.name}"
        yield Finding("gradient", first.name, text)


def _blocked(rows: Sequence[Row]) -> Iterator[Finding]:
    names = [r.name for r in rows if r.direction == "parameter" and r.measured.zeros == 1.0]
    if names:
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        text = f"gradients are exactly 0, as what follows is 0: {listed}"
        yield Finding("blocked", names[0], text, severe=False)


def _layers(rows: Sequence[Row], direction: str) -> list[Row]:
    """Return the operations whose weight multiplies a signal, those of zeros left out."""
    return [
        row
        for row in rows
        if row.weighted
        and row.direction == direction
        and row.measured.zeros < 1.0
        and math.isfinite(row.measured.second_moment)
    ]


def _norm(row: Row) -> float:
    return math.sqrt(row.measured.second_moment * row.measured.elements)
