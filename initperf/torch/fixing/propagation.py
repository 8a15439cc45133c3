"""Moments of signals along a graph, computed for weights that have been multiplied by factors.

The idea is that of AutoInit (Bingham & Miikkulainen, arXiv:2109.08958): mean and variance are
carried from layer to layer by formulas, so that a gain for each weight follows without training.
Elementwise operations are applied to quantiles of the normal distribution with the operand's mean
and variance, so that no activation needs a formula of its own; a chain of them, such as GELU
written out, is applied as a whole. Sums and products take their operands as independent.
Normalizations and softmax keep the moments that were measured, as does what a recurrent layer
computes, over whose steps errors of the formulas would grow; any other operation keeps its measured
gain.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from initperf.torch.fixing.graph import Node, Replay, Use

_QUANTILES = 2001
_FINITE = 0.9
"""Least share of quantiles at which an elementwise operation must be finite."""

_ATTENTION = "scaled_dot_product"
_PRODUCTS = ("mm", "bmm", "baddbmm", "mul")

Choose = Callable[[Use, float, Callable[[int], "float | None"]], float]


@dataclass(frozen=True, slots=True)
class State:
    """Moments of one node.

    Attributes
    ----------
    mean, second_moment : float
        Predicted averages of x and x².
    root : int
        Place of the node whose elements these are functions of, one by one.
    values : torch.Tensor
        The function's values at quantiles of the root's elements.
    recurrent : bool
        Whether it comes from a recurrent layer, without another weight since then.
    """

    mean: float
    second_moment: float
    root: int
    values: torch.Tensor
    recurrent: bool = False


def propagate(nodes: Sequence[Node], choose: Choose) -> list[float]:
    """Compute the second moments of all nodes.

    Parameters
    ----------
    nodes : sequence of Node
        A whole graph.
    choose : callable
        From a use of a weight, the mean square of its result without bias as predicted for the
        weight as it is (of a recurrent one, its gain), and a function from places to second
        moments, None where they come later, to the factor that the weight has there.

    Returns
    -------
    list of float
        In the order of the nodes.
    """
    states: list[State] = []

    def moment(place: int) -> float | None:
        return states[place].second_moment if place < len(states) else None

    for node in nodes:
        factor = 1.0
        if node.use is not None:
            power = node.use.gain if node.use.recurrent else _power(node.use, node, states)
            factor = choose(node.use, power, moment)
        states.append(_after(node, nodes, states, factor))
    return [state.second_moment for state in states]


def _power(use: Use, node: Node, states: Sequence[State]) -> float:
    """Return the mean square of a weight's result without bias, for the weight as it is."""
    looked_up = use.lookup or not node.operands
    return use.gain * (1.0 if looked_up else states[node.operands[0]].second_moment)


def _after(node: Node, nodes: Sequence[Node], states: Sequence[State], factor: float) -> State:
    """Return the moments of a node.

    Parameters
    ----------
    node : Node
    nodes : sequence of Node
        The whole graph.
    states : sequence of State
        Of the nodes before it.
    factor : float
        Of its weight.
    """
    place = len(states)
    given = [states[x] for x in node.operands]
    if node.use is not None:
        # what is measured beyond the weight's part is the bias's
        bias = max(0.0, node.second_moment - node.use.power) if node.use.bias else 0.0
        power = _power(node.use, node, states)
        state = _normal(place, 0.0, power * factor * factor + bias)
        return replace(state, recurrent=node.use.recurrent)
    recurrent = any(state.recurrent for state in given)
    if not given or node.normalizes or recurrent:
        return replace(_normal(place, node.mean, node.second_moment), recurrent=recurrent)
    together = _elementwise(node, given)
    if together is not None:
        return together
    if node.operation in ("add", "sub") and len(given) == 2 and node.replay is not None:
        return _sum(node.replay, place, given)
    grown = _growth(node, nodes, states)
    return _normal(place, node.mean * math.sqrt(grown), node.second_moment * grown)


def _growth(node: Node, nodes: Sequence[Node], states: Sequence[State]) -> float:
    """Return the ratio of predicted and measured second moments that the operands' ratios make."""
    ratios = [
        states[x].second_moment / nodes[x].second_moment if nodes[x].second_moment > 0.0 else 1.0
        for x in node.operands
    ]
    if _ATTENTION in node.operation:
        return ratios[2]  # of query, key, value: weights of an average do not grow
    if node.operation in _PRODUCTS:
        return math.prod(ratios)
    if node.operation == "div":
        return ratios[0] / (math.prod(ratios[1:]) or 1.0)
    pairs = zip(node.operands, ratios, strict=True)
    signals = [ratio for x, ratio in pairs if not nodes[x].constant]
    return sum(signals) / len(signals) if signals else 1.0


def _elementwise(node: Node, given: Sequence[State]) -> State | None:
    """Apply an elementwise operation to operands that are functions of one and the same node."""
    if node.replay is None or len({state.root for state in given}) != 1:
        return None
    values = node.replay([state.values for state in given]).double()
    finite = torch.isfinite(values)
    if values.shape != given[0].values.shape or float(finite.double().mean()) < _FINITE:
        return None
    # such as the root of what is never negative, and of whose normal approximation a tail is
    values = torch.where(finite, values, values[finite].mean())
    mean, square = float(values.mean()), float((values * values).mean())
    return State(mean, square, given[0].root, values)


def _sum(replay: Replay, place: int, given: Sequence[State]) -> State:
    """Add independent operands, with the factors that the operation gives them."""
    one, none = torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    factors = [float(replay([one, none])), float(replay([none, one]))]
    pairs = list(zip(factors, given, strict=True))
    mean = sum(factor * state.mean for factor, state in pairs)
    variances = [f * f * max(0.0, x.second_moment - x.mean**2) for f, x in pairs]
    return _normal(place, mean, sum(variances) + mean * mean)


def _normal(place: int, mean: float, second_moment: float) -> State:
    spread = math.sqrt(max(0.0, second_moment - mean * mean))
    return State(mean, second_moment, place, mean + spread * _quantiles())


@functools.cache
def _quantiles() -> torch.Tensor:
    """Return the means of the normal distribution's equally probable pieces, of variance 1."""
    edges = torch.linspace(0.0, 1.0, _QUANTILES + 1, dtype=torch.float64)
    middle = torch.special.ndtri((edges[1:] + edges[:-1]) / 2)
    return middle / middle.square().mean().sqrt()
