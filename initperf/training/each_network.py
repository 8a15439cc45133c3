"""Table that is made of a table of each of several networks, side by side."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from initperf._core.parallel import default_threads, side_by_side
from initperf._core.progress import Progress
from initperf.jit.blas import blas_threads
from initperf.training.experiment import Experiment

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class EachNetwork:
    """Networks, and what is measured of each.

    Attributes
    ----------
    networks : tuple of Experiment
    measured : callable
        ``measured(network)`` returns its table, and may be called on several threads.
    order : tuple of str
        Columns by which the rows of the whole table are sorted.
    """

    networks: tuple[Experiment, ...]
    measured: "Callable[[Experiment], pd.DataFrame]"
    order: tuple[str, ...]

    def joined(self, tables: "Iterable[pd.DataFrame]") -> "pd.DataFrame":
        """Return the whole table, made of those of the networks in any order."""
        import pandas as pd

        parts = list(tables)
        if not parts:
            return pd.DataFrame()
        return pd.concat(parts).sort_values(list(self.order), ignore_index=True)

    def table(self, progress: Progress) -> "pd.DataFrame":
        """Measure the networks and return the whole table.

        Parameters
        ----------
        progress : callable
            Told ``(done, total, label)`` after each network.
        """
        parts: list[pd.DataFrame] = []
        with blas_threads(1):
            for table in side_by_side(self.measured, self.networks, default_threads()):
                progress(len(parts), len(self.networks), "networks")
                parts.append(table)
        return self.joined(parts)
