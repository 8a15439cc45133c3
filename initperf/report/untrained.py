"""Tables of untrained networks, measured beside trainings: one call for each network.

Much of what they take is Python, under the interpreter's lock; trainings hold it for next to
nothing. One of each at a time keeps both processors busy, where two of a kind do not.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from initperf._core.parallel import default_threads, side_by_side
from initperf._core.progress import Progress
from initperf.jit.blas import blas_threads
from initperf.training.each_network import EachNetwork
from initperf.training.experiment import Experiment

if TYPE_CHECKING:
    import pandas as pd

_Waiting = tuple[str, str, Experiment]


class Untrained:
    """Tables whose networks are measured call by call.

    Parameters
    ----------
    tables : mapping of str to mapping of str to EachNetwork
        By name, and by the words of the setup.
    """

    def __init__(self, tables: Mapping[str, Mapping[str, EachNetwork]]) -> None:
        self._tables = tables
        self._parts: dict[tuple[str, str], list[pd.DataFrame]] = {}
        self._waiting: deque[_Waiting] = deque()
        for name, setups in tables.items():
            for words, each in setups.items():
                self._parts[name, words] = []
                self._waiting += [(name, words, network) for network in each.networks]

    def __len__(self) -> int:
        """Return how many calls are left."""
        return len(self._waiting)

    def calls(self) -> Iterator[Callable[[], None]]:
        """Give calls, each of which measures a network; one that was given must be made."""
        while self._waiting:
            yield partial(self._measure, *self._waiting.popleft())

    def finish(self, progress: Progress) -> "dict[str, pd.DataFrame]":
        """Make the calls that are left, and return the tables, with the setup of each row.

        Parameters
        ----------
        progress : callable
            Told ``(done, total, label)`` after each network that was left.
        """
        import pandas as pd

        count = len(self)
        with blas_threads(1):
            done = side_by_side(lambda call: call(), list(self.calls()), default_threads())
            for number, _ in enumerate(done):
                progress(number, count, "networks")
        return {
            name: pd.concat(
                [
                    each.joined(self._parts[name, words]).assign(setup=words)
                    for words, each in setups.items()
                ],
                ignore_index=True,
            )
            for name, setups in self._tables.items()
        }

    def _measure(self, name: str, words: str, network: Experiment) -> None:
        self._parts[name, words].append(self._tables[name][words].measured(network))
