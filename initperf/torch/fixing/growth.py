"""Graph of a forward pass while it grows: its nodes, and the tensors that hold their results."""

from collections.abc import Iterable

import torch

from initperf.torch.fixing.graph import Node
from initperf.torch.fixing.operations import address_of, moments
from initperf.torch.fixing.owners import Owners


class Growth:
    """Nodes in the order of execution, found by the tensors that hold their results.

    Parameters
    ----------
    owners : Owners
        What tensors from outside are.

    Attributes
    ----------
    nodes : list of Node
    """

    def __init__(self, owners: Owners) -> None:
        self.nodes: list[Node] = []
        self._owners = owners
        self._places: dict[int, int] = {}
        # kept, so that no address of a tensor that is known is given to another one
        self._alive: list[torch.Tensor] = []

    def keep(self, results: Iterable[torch.Tensor]) -> None:
        """Keep tensors alive until the end of the pass."""
        self._alive.extend(results)

    def moment(self, place: int) -> float | None:
        """Return the second moment of a node, or None where there is none yet."""
        return self.nodes[place].second_moment if place < len(self.nodes) else None

    def add(self, node: Node) -> int:
        """Add a node whose result no tensor holds, and return its place."""
        self.nodes.append(node)
        return len(self.nodes) - 1

    def put(self, node: Node, results: Iterable[torch.Tensor]) -> None:
        """Add a node.

        Parameters
        ----------
        node : Node
        results : iterable of torch.Tensor
            What holds its results.
        """
        place = self.add(node)
        for x in results:
            self._places[address_of(x)] = place
            self._owners.forget(x)

    def copy(self, x: torch.Tensor, result: torch.Tensor) -> bool:
        """Take a tensor for a copy of another; return whether that holds a known result.

        Parameters
        ----------
        x, result : torch.Tensor
        """
        place = self.known(x)
        if place is not None:
            self._places[address_of(result)] = place
        return place is not None

    def forget(self, results: Iterable[torch.Tensor]) -> None:
        """Take tensors for ones from outside."""
        for x in results:
            self._places.pop(address_of(x), None)

    def known(self, x: torch.Tensor) -> int | None:
        """Return the place of the node whose result a tensor holds; None for no such node."""
        return self._places.get(address_of(x))

    def place(self, x: torch.Tensor) -> int:
        """Return the place of a tensor's node, which is made for one from outside."""
        found = self.known(x)
        if found is None:
            kind = "constant" if self._owners.constant(x) else "input"
            kind = "parameter" if self._owners.held(x) is not None else kind
            found = self._places[address_of(x)] = self.add(Node(kind, (), *moments(x)))
            self.keep([x])
        return found
