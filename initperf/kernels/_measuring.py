"""Where the training loop writes statistics and histograms of a layer."""

import numpy as np

from initperf.jit.policy import portable
from initperf.kernels._callees import Callees
from initperf.kernels._epoch_arguments import Records
from initperf.kernels.histogram import HISTOGRAM

ACTIVATION, GRADIENT = 0, 1
"""Places in the histograms of a layer."""

_count = HISTOGRAM.call


@portable
def statistics_of(records: Records, step: int, number: int) -> np.ndarray:
    """Return where the statistics of a layer go, one number for each of `STATISTICS`.

    In a step that is not recorded it has no element, and functions that get it measure nothing.

    Parameters
    ----------
    records : Records
    step, number : int
        The step's and the layer's, from 0.
    """
    row = step - (records.losses.size - records.statistics.shape[0])
    if row >= 0:
        return records.statistics[row, number]  # type: ignore[no-any-return]  # an array
    return records.losses[:0]


@portable
def take_histogram(
    callees: Callees, records: Records, step: int, number: int, quantity: int, values: np.ndarray
) -> None:
    """Take the histogram of a layer's activations or gradients, if the step is one of those wanted.

    Parameters
    ----------
    callees : Callees
    records : Records
    step, number : int
        The step's and the layer's, from 0.
    quantity : int
        `ACTIVATION` or `GRADIENT`.
    values : numpy.ndarray
        1-D.
    """
    rows, bounds, counts = records.histograms  # type: ignore[misc]  # the twin has put them there
    row = rows[step]
    if row >= 0:
        place = (row, number, quantity)
        _count(callees.histogram, values, bounds[place], counts[place])
