"""Which of two signals is the trunk and which the branch where they are added."""

from collections.abc import Iterable


class Ancestry:
    """What each node of a graph depends on, itself included, as bits of integers."""

    def __init__(self) -> None:
        self._before: list[int] = []
        self._layers = self._signals = 0

    def add(self, parents: Iterable[int], *, layer: bool, signal: bool = True) -> None:
        """Add a node.

        Parameters
        ----------
        parents : iterable of int
            Places of nodes that have been added.
        layer : bool
            Whether it counts as a layer.
        signal : bool
            Whether it carries the signal; parameters and constants do not.
        """
        place = len(self._before)
        known = 1 << place
        for parent in parents:
            known |= self._before[parent]
        self._before.append(known)
        self._layers |= int(layer) << place
        self._signals |= int(signal) << place

    def trunk_and_branch(self, first: int, second: int) -> tuple[int, int] | None:
        """Return the trunk and the branch of two signals of a common origin.

        The trunk passed fewer layers since they parted.

        Parameters
        ----------
        first, second : int
            Places of nodes that have been added.

        Returns
        -------
        tuple of int or None
            None where they have no origin in common, or passed as many layers.

        Examples
        --------
        >>> from initperf.torch.signals.forks import Ancestry
        >>> found = Ancestry()
        >>> found.add((), layer=False)  # an input
        >>> found.add((0,), layer=True)
        >>> found.add((), layer=True)  # another one
        >>> found.trunk_and_branch(1, 0), found.trunk_and_branch(1, 2)
        ((0, 1), None)
        """
        common = self._before[first] & self._before[second] & self._signals
        if first == second or not common:
            return None
        since = ~((1 << common.bit_length()) - 1)  # later than the last common ancestor
        passed = [(self._before[x] & self._layers & since).bit_count() for x in (first, second)]
        if passed[0] == passed[1]:
            return None
        return (first, second) if passed[0] < passed[1] else (second, first)
