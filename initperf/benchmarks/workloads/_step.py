"""Networks, batches and sizes of the training workloads, which all methods share."""

from itertools import pairwise
from typing import Any

import numpy as np

from initperf._core.text import hyphenated
from initperf.benchmarks.workloads._workload import Size
from initperf.training.network import Mlp

Shape = tuple[int, ...]

RATE = 1e-4
STEPS = 8


def size(batch: int, *sizes: int) -> Size:
    """Return the size of steps in a network.

    Parameters
    ----------
    batch : int
        Rows of a batch.
    *sizes : int
        Widths of the layers, from the input to the output.
    """
    values = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))
    return Size(f"{hyphenated(sizes)}, {STEPS} steps of {batch}", (batch, *sizes), values)


def problem(
    shape: Shape, dtype: str, activation: str = "relu", backend: str = "numba"
) -> tuple[Mlp, Any, Any]:
    """Return a network, the rows of a batch and their labels, equal for all methods.

    Parameters
    ----------
    shape : tuple of int
        Rows of a batch, and widths of the layers.
    dtype : str
        Of parameters and rows.
    activation : str
        Of the hidden layers.
    backend : str
        Of the network.
    """
    batch, *sizes = shape
    rng = np.random.default_rng(0)
    network = Mlp(sizes, activation, dtype, backend).initialize("he_normal", rng=0)
    images = rng.standard_normal((batch, sizes[0])).astype(dtype)
    return network, images, np.arange(batch) % sizes[-1]


WIDE = size(128, 784, 512, 256, 128, 10)
SMALL = size(32, 784, 256, 10)
NARROW = size(128, 784, *[100] * 20, 10)
DEEP = size(64, 784, *[32] * 50, 10)
TRIAL = size(4, 20, 12, 5)
