"""Runs of a measurement that a time budget may have ended."""

from dataclasses import dataclass

from initperf.training.run import Run


@dataclass(frozen=True, eq=False)
class Found:
    """Runs of maps or of a study.

    Attributes
    ----------
    runs : list of Run
        In the order in which they were asked for, those of searches among them.
    complete : bool
        Whether nothing is left to do; else the time budget ended.
    """

    runs: list[Run]
    complete: bool
