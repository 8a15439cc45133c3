"""Cosines between the results of different samples, and their effective rank."""

import math
from dataclasses import dataclass

import numpy as np
import torch

PIECE = 1 << 14
"""Elements of a row that are multiplied at a time."""

MOST = 16
"""Samples that are compared; the first ones. Products between them cost as much as 16 readings."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike the results of different samples are.

    Attributes
    ----------
    cosine, highest : float
        Mean and largest cosine between two of them; NaN for fewer than two that are not 0.
    rank : float
        Exponential of the entropy of the squared singular values, normalized to sum to 1.
    """

    cosine: float = math.nan
    highest: float = math.nan
    rank: float = math.nan


def likeness(x: torch.Tensor, samples: int, largest: float) -> Likeness:
    """Compare the entries of the first axis.

    Parameters
    ----------
    x : torch.Tensor
        Its first axis holds the samples of the batch, each as often as it divides their number:
        rows of tokens lie sample by sample.
    samples : int
        Number of samples of the batch.
    largest : float
        Largest magnitude in `x`.
    """
    comparable = samples > 1 and x.ndim > 1 and x.shape[0] % samples == 0
    if not (comparable and 0.0 < largest < math.inf):
        return Likeness()
    each = x.shape[0] // samples
    count = min(samples, MOST)
    rows = x.detach()[: count * each].reshape(count, -1)
    if rows.dtype not in (torch.float32, torch.float64):
        rows = rows.float()
    # the squares must not leave the range of float32
    scaled = rows if 1e-12 < largest < 1e12 else rows / largest
    with torch.autocast(rows.device.type, enabled=False):
        products = _products(scaled).cpu().numpy().astype(np.float64)
    return of_products(products)


def _products(rows: torch.Tensor) -> torch.Tensor:
    """Return the inner products of rows, long ones piece by piece.

    BLAS multiplies many pieces that fit into a cache much faster than a few rows that are far
    longer than they are many.
    """
    count, length = rows.shape
    whole = length // PIECE * PIECE
    pieces = rows[:, :whole].reshape(count, -1, PIECE).transpose(0, 1)
    rest = rows[:, whole:]
    return torch.bmm(pieces, pieces.transpose(1, 2)).sum(0) + rest @ rest.T


def of_products(products: np.ndarray) -> Likeness:
    """Return the likeness of vectors from their inner products.

    Parameters
    ----------
    products : numpy.ndarray
        (samples, samples) float64.
    """
    squares = np.diag(products)
    if not np.all(np.isfinite(products)) or np.count_nonzero(squares > 0.0) < 2:
        return Likeness()
    energies = np.clip(np.linalg.eigvalsh(products), 0.0, None)
    shares = energies[energies > 0.0] / energies.sum()
    rank = math.exp(-float(shares @ np.log(shares)))
    live = squares > 0.0
    norms = np.sqrt(squares[live])
    cosines = products[np.ix_(live, live)] / np.outer(norms, norms)
    apart = cosines[~np.eye(len(norms), dtype=bool)]
    return Likeness(float(apart.mean()), float(min(1.0, apart.max())), rank)
