"""The loss at the start, against what guessing gives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InitialLoss:
    """The loss of the first run.

    Attributes
    ----------
    value : float
        What the loss returned.
    guessing : float
        ln C, the mean cross-entropy of equal chances for C classes; NaN where the loss is no
        cross-entropy of classes.
    classes : int
        C, or 0.
    average : float
        The cross-entropy for each target; NaN where the loss is none.
    """

    value: float
    guessing: float
    classes: int
    average: float
