"""A flame graph: each box a function above its callers, as wide as its share of the samples.

After Gregg, "The flame graph", Communications of the ACM 59 (2016).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from initperf.profiling.stacks import Node

_LEAST_SHARE = 0.0005
"""A box narrower than this, half a pixel on a wide page, is left out."""


@dataclass(frozen=True)
class Box:
    """A box; left edge and width are shares of the whole, the level counts from the root.

    Attributes
    ----------
    name, kind : str
        The function and what sort of code it is.
    count : int
        Samples in it and in what it called.
    """

    name: str
    kind: str
    level: int
    left: float
    width: float
    count: int


def boxes(root: Node) -> list[Box]:
    """Lay a tree out, callers first."""
    return list(_boxes(root, 0, 0.0, root.count)) if root.count else []


def _boxes(node: Node, level: int, left: float, total: int) -> Iterator[Box]:
    yield Box(node.frame.name, node.frame.kind, level, left, node.count / total, node.count)
    for frame in sorted(node.below):
        child = node.below[frame]
        if child.count / total >= _LEAST_SHARE:
            yield from _boxes(child, level + 1, left, total)
        left += child.count / total
