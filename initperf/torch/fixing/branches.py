"""Residual additions of a graph: which operand is the trunk, and which weight ends the branch."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from initperf.torch.fixing.graph import Node
from initperf.torch.signals.forks import Ancestry

_HOMOGENEOUS = (
    *("relu", "leaky_relu", "prelu", "neg", "native_dropout", "mean", "avg_pool2d"),
    *("max_pool2d_with_indices", "upsample_nearest2d", "upsample_bilinear2d"),
)
"""Operations of one signal whose result grows as their operand does."""


@dataclass(frozen=True)
class End:
    """The weight at the end of a residual branch.

    Attributes
    ----------
    trunk : int
        Place of the node that the branch is added to.
    ratio : float
        Mean square of what is added divided by that of the weight's result.
    """

    trunk: int
    ratio: float


def branch_ends(nodes: Sequence[Node]) -> dict[tuple[str, int], End]:
    """Find the weights that alone decide how much a residual branch adds.

    A branch that ends in a normalization, or in an activation that is not homogeneous, is not
    among them, nor is one with a gate, whose size is the model's choice, nor a weight that is used
    several times, as that of a recurrent layer.

    Parameters
    ----------
    nodes : sequence of Node
        A whole graph.

    Returns
    -------
    dict
        By the weight's name and the number of its call.
    """
    ancestry = Ancestry()
    for node in nodes:
        ancestry.add(node.operands, layer=node.use is not None, signal=not node.constant)
    calls = Counter(node.use.weight for node in nodes if node.use is not None)
    found: dict[tuple[str, int], End] = {}
    for node in nodes:
        if node.operation != "add" or len(node.operands) != 2:
            continue
        apart = ancestry.trunk_and_branch(*node.operands)
        if apart is None:
            continue
        trunk, branch = apart
        place = _last_weight(nodes, branch)
        if place is None:
            continue
        end = nodes[place]
        if end.use is None or calls[end.use.weight] > 1 or not end.second_moment > 0.0:
            continue
        ratio = nodes[branch].second_moment / end.second_moment
        if 0.0 < ratio < math.inf:
            found[end.use.weight, end.use.call] = End(trunk, ratio)
    return found


def _last_weight(nodes: Sequence[Node], place: int) -> int | None:
    """Return the weighted node whose result reaches a node through homogeneous operations only."""
    while nodes[place].use is None:
        node = nodes[place]
        signals = [x for x in node.operands if not nodes[x].constant]
        gated = any(nodes[x].operation == "parameter" for x in node.operands)
        scaled = node.operation in ("mul", "div") and len(signals) == 1 and not gated
        if len(signals) != 1 or not (scaled or node.operation in _HOMOGENEOUS):
            return None
        place = signals[0]
    return place


def activated_scales(nodes: Sequence[Node]) -> dict[tuple[str, int], float]:
    """Find weights whose result is multiplied by a number before an activation, as in SIREN.

    Parameters
    ----------
    nodes : sequence of Node
        A whole graph.

    Returns
    -------
    dict
        The square of the number, by the weight's name and the number of its call; NaN for a layer
        that reads an input of the model, as its weights then are frequencies.
    """
    readers: dict[int, list[int]] = {}
    for place, node in enumerate(nodes):
        for operand in node.operands:
            readers.setdefault(operand, []).append(place)
    found = {}
    for place, node in enumerate(nodes):
        after = readers.get(place, [])
        if node.use is None or len(after) != 1 or not node.second_moment > 0.0:
            continue
        scaled = nodes[after[0]]
        number = scaled.operation in ("mul", "div") and len(scaled.operands) == 1
        if number and all(_activates(nodes[each]) for each in readers.get(after[0], [])):
            first = any(nodes[x].operation == "input" for x in node.operands)
            ratio = math.nan if first else scaled.second_moment / node.second_moment
            found[node.use.weight, node.use.call] = ratio
    return found


def _activates(node: Node) -> bool:
    linear = node.operation in ("mul", "div", "add", "sub", "neg")
    return node.replay is not None and len(node.operands) == 1 and not linear
