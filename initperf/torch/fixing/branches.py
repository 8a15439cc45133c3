"""Residual additions of a graph: which operand is the trunk, and which weight ends the branch."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from initperf.torch.fixing.graph import Node

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
    among them, nor is a weight that is used several times, as that of a recurrent layer. Of two
    operands with a common origin, the trunk is the one with fewer weights since then.

    Parameters
    ----------
    nodes : sequence of Node
        A whole graph.

    Returns
    -------
    dict
        By the weight's name and the number of its call.
    """
    before = _ancestors(nodes)
    weights = sum(1 << place for place, node in enumerate(nodes) if node.use is not None)
    signals = sum(1 << place for place, node in enumerate(nodes) if node.operation != "constant")
    calls = Counter(node.use.weight for node in nodes if node.use is not None)
    found: dict[tuple[str, int], End] = {}
    for node in nodes:
        if node.operation != "add" or len(node.operands) != 2:
            continue
        first, second = node.operands
        common = before[first] & before[second] & signals
        if first == second or not common:
            continue
        since = ~((1 << common.bit_length()) - 1)  # later than the last common ancestor
        counts = [(before[x] & weights & since).bit_count() for x in node.operands]
        if counts[0] == counts[1]:
            continue
        trunk, branch = (first, second) if counts[0] < counts[1] else (second, first)
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


def _ancestors(nodes: Sequence[Node]) -> list[int]:
    """Return, for each node, the set of the nodes that it depends on, itself included, as bits."""
    found: list[int] = []
    for place, node in enumerate(nodes):
        known = 1 << place
        for operand in node.operands:
            known |= found[operand]
        found.append(known)
    return found


def _last_weight(nodes: Sequence[Node], place: int) -> int | None:
    """Return the weighted node whose result reaches a node through homogeneous operations only."""
    while nodes[place].use is None:
        node = nodes[place]
        signals = [x for x in node.operands if nodes[x].operation != "constant"]
        scaled = node.operation in ("mul", "div") and len(signals) == 1
        if len(signals) != 1 or not (scaled or node.operation in _HOMOGENEOUS):
            return None
        place = signals[0]
    return place
