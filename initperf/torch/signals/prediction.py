"""Second moments that theory predicts along the graph of a run, and their finite-width bands.

Each rule is an average over draws of the weights, of mean 0 and of the second moment that they
have: a linear layer or a convolution multiplies the second moment by the number of terms times that
of the weight (He et al. 2015), an activation takes it to E[f(√q z)²] (`initperf.theory.MeanField`),
branches whose last layer is random add theirs, a normalization sets it, and attention averages
values that may be all alike or independent, which gives two bounds. n units make the logarithm
fluctuate with the variance (E[f⁴]/E[f²]² − 1)/n a layer: 5/n for ReLU, as `relu_log_norm` has it.
Where a rule does not apply, the prediction is not known, and starts again from what was measured.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from initperf._core.quadrature import normal_quadrature
from initperf.theory import MeanField
from initperf.torch.signals.graph import Operation, ancestors
from initperf.torch.signals.nonlinearities import record_of
from initperf.torch.signals.statistics import Prediction, Statistics

_LINEAR = 2.0
"""E[z⁴]/E[z²]² − 1 of a normal variable."""

_ROUNDING = 1e-4
"""Variance of the logarithm that is granted to every rule: 1 %, squared."""

_CENTRED = 0.1
"""Share of a weight's second moment that its squared mean may be, for a mean of 0 in the rules."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of an operation's result.

    Attributes
    ----------
    low, high : float
        Bounds of the second moment.
    before : float
        Variance of its logarithm from the layers before.
    own : float
        From the operation itself.
    centred : bool
        Whether random signs of a weight of its own make products with other signals vanish.
    normal : bool
        Whether its elements are normal, of mean 0.
    since : str
        Name of the operation from whose measurement it starts.
    """

    low: float
    high: float
    before: float
    own: float
    centred: bool
    normal: bool
    since: str

    @property
    def variance(self) -> float:
        """Return the variance of the logarithm."""
        return self.before + self.own

    @property
    def value(self) -> float:
        """Return the mean of the bounds."""
        return 0.5 * (self.low + self.high)


@dataclass(frozen=True)
class Known:
    """What the rules may look at.

    Attributes
    ----------
    operations : sequence of Operation
    statistics : sequence of Statistics
        Of results, by index.
    weights : mapping of int to tuple of float
        Mean and second moment of each operation's weight.
    parameters : mapping of str to float
        Second moments of parameters.
    """

    operations: Sequence[Operation]
    statistics: Sequence[Statistics]
    weights: Mapping[int, tuple[float, float]]
    parameters: Mapping[str, float]

    def squared(self, name: str, missing: float) -> float:
        """Return a parameter's second moment.

        Parameters
        ----------
        name : str
        missing : float
            Returned for no name.
        """
        return self.parameters.get(name, missing) if name else missing


Rule = Callable[[Operation, list[Expected], Known], Expected | None]


def predictions(known: Known) -> list[Prediction | None]:
    """Return the prediction for each operation; None where there is none.

    Parameters
    ----------
    known : Known
        Of one run.
    """
    found: list[Expected | None] = []
    used: set[str] = set()
    for operation in known.operations:
        parents = [_or_measured(found, parent, known) for parent in operation.parents]
        rule = _RULES.get(operation.kind)
        again = operation.weighted and operation.weight in used
        used.add(operation.weight)
        sound = all(0.0 <= each.low <= each.high < math.inf for each in parents)
        expected = rule(operation, parents, known) if rule and sound and not again else None
        if expected is not None and not math.isfinite(expected.high):
            expected = None
        found.append(expected)
    return [_prediction(each) for each in found]


def _prediction(expected: Expected | None) -> Prediction | None:
    if expected is None:
        return None
    deviation = math.sqrt(expected.variance + _ROUNDING)
    return Prediction(expected.low, expected.high, deviation, expected.since)


def _or_measured(found: Sequence[Expected | None], index: int, known: Known) -> Expected:
    expected = found[index]
    if expected is not None:
        return expected
    square = known.statistics[index].second_moment
    name = known.operations[index].name
    return Expected(square, square, 0.0, 0.0, False, False, name)


def _layer(operation: Operation, parents: list[Expected], known: Known) -> Expected | None:
    """Predict a linear layer or a convolution."""
    if not operation.weight or len(parents) != 1:
        return None
    mean, square = known.weights[operation.index]
    if not mean * mean <= _CENTRED * square:
        return None
    (read,) = parents
    gain, bias = operation.terms * square, known.squared(operation.bias, 0.0)
    return Expected(
        low=gain * read.low + bias,
        high=gain * read.high + bias,
        before=read.variance,
        own=_LINEAR / operation.units,
        centred=True,
        normal=True,
        since=read.since,
    )


def _embedding(operation: Operation, parents: list[Expected], known: Known) -> Expected | None:
    if not operation.weight:
        return None
    square = known.weights[operation.index][1]
    own = _LINEAR / operation.units
    return Expected(square, square, 0.0, own, True, True, operation.name)


def _activation(operation: Operation, parents: list[Expected], known: Known) -> Expected | None:
    if len(parents) != 1 or record_of(operation.activation) is None or not parents[0].normal:
        return None
    (read,) = parents
    (low, excess, slope), (high, *_) = (
        _through(operation.activation, q) for q in (read.low, read.high)
    )
    return Expected(
        low=min(low, high),
        high=max(low, high),
        before=slope * slope * read.before,
        own=excess / operation.units,
        centred=False,
        normal=False,
        since=read.since,
    )


@functools.lru_cache(maxsize=4096)
def _through(activation: str, q: float) -> tuple[float, float, float]:
    """Return E[f²], E[f⁴]/E[f²]² − 1, and the slope of log E[f²] by log q."""
    record = record_of(activation)
    if record is None or q < 1e-200:
        return 0.0, 0.0, 1.0
    field = MeanField(record, 1.0)
    square = float(field.q_map(q))
    z, weights = normal_quadrature()
    value = np.asarray(record.value(math.sqrt(q) * z))
    fourth = float(np.sum(weights * value**4))
    slope = q * float(field.q_slope(q)) / square
    return square, max(0.0, fourth / square**2 - 1.0), slope


def _norm(operation: Operation, parents: list[Expected], known: Known) -> Expected | None:
    if len(parents) != 1:
        return None
    (read,) = parents
    gain = known.squared(operation.weight, 1.0)
    shift = known.squared(operation.bias, 0.0)
    stored = not math.isnan(operation.factor)
    scaled = [
        q * operation.factor**2 if stored else q / (q + operation.epsilon) if q > 0.0 else 0.0
        for q in (read.low, read.high)
    ]
    low, high = (gain * each + shift for each in scaled)
    before = read.before if stored else 0.0
    own = read.own if stored else 0.0
    return Expected(low, high, before, own, read.centred, True, read.since)


def _scale(operation: Operation, parents: list[Expected], known: Known) -> Expected | None:
    if len(parents) != 1 or not math.isfinite(operation.factor):
        return None
    (read,) = parents
    square = operation.factor**2
    return replace(read, low=square * read.low, high=square * read.high)


def _add(operation: Operation, parents: list[Expected], known: Known) -> Expected | None:
    """Predict a sum of two signals, or of one and what is none."""
    if len(parents) == 1 and math.isfinite(operation.offset):
        (read,) = parents
        shift = operation.offset**2
        if operation.operation == "add" and operation.parents and shift == 0.0:
            return None  # of a signal to itself, or in a way that is not known
        normal = read.normal and bool(operation.bias)
        return replace(read, low=read.low + shift, high=read.high + shift, normal=normal)
    if len(parents) != 2 or not (parents[0].centred or parents[1].centred):
        return None
    first, second = parents
    total = first.value + second.value
    share = first.value / total if total > 0.0 else 0.5
    spread = share * math.sqrt(first.variance) + (1.0 - share) * math.sqrt(second.variance)
    return Expected(
        low=first.low + second.low,
        high=first.high + second.high,
        before=spread**2,
        own=4.0 * share * (1.0 - share) / operation.units,
        centred=first.centred and second.centred,
        normal=first.normal and second.normal,
        since=first.since,
    )


def _product(operation: Operation, parents: list[Expected], known: Known) -> Expected | None:
    if len(parents) != 2 or not (parents[0].centred or parents[1].centred):
        return None
    one, other = operation.parents
    if one in ancestors(known.operations, other) or other in ancestors(known.operations, one):
        return None
    first, second = parents
    variance = (math.sqrt(first.variance) + math.sqrt(second.variance)) ** 2
    low, high = first.low * second.low, first.high * second.high
    own = (_LINEAR + 1.0) / operation.units
    return Expected(low, high, variance, own, True, False, first.since)


def _scores(operation: Operation, parents: list[Expected], known: Known) -> Expected | None:
    if not parents or not all(each.centred for each in parents):
        return None
    first, second = parents[0], parents[-1]
    variance = (math.sqrt(first.variance) + math.sqrt(second.variance)) ** 2
    low, high = (operation.terms * a * b for a, b in zip(*map(_ends, (first, second)), strict=True))
    own = 2.0 * _LINEAR / max(1.0, operation.terms)
    return Expected(low, high, variance, own, True, True, first.since)


def _ends(expected: Expected) -> tuple[float, float]:
    return expected.low, expected.high


def _attention(operation: Operation, parents: list[Expected], known: Known) -> Expected | None:
    """Predict an average of values: of T independent ones a T-th, of equal ones all of it."""
    if not parents or operation.terms < 1.0:
        return None
    values = parents[-1]
    own = values.own + _LINEAR / operation.units
    low = values.low / operation.terms
    return replace(values, low=low, own=own, normal=values.centred)


def _join(operation: Operation, parents: list[Expected], known: Known) -> Expected | None:
    if not parents:
        return None
    sizes = [math.prod(known.operations[parent].shape) for parent in operation.parents]
    if sum(sizes) != math.prod(operation.shape):
        return None
    shares = [size / sum(sizes) for size in sizes]
    return Expected(
        low=sum(share * each.low for share, each in zip(shares, parents, strict=True)),
        high=sum(share * each.high for share, each in zip(shares, parents, strict=True)),
        before=max(each.variance for each in parents),
        own=0.0,
        centred=all(each.centred for each in parents),
        normal=all(each.normal for each in parents),
        since=parents[0].since,
    )


_RULES: Mapping[str, Rule] = {
    "linear": _layer,
    "convolution": _layer,
    "embedding": _embedding,
    "activation": _activation,
    "norm": _norm,
    "scale": _scale,
    "add": _add,
    "residual": _add,
    "product": _product,
    "scores": _scores,
    "attention": _attention,
    "join": _join,
}
