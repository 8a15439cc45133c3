"""Softmax of many short rows: transposed, so that vectors hold one class of many rows.

Each row's maximum and sum are taken in the order of its classes, as row by row.
"""

from typing import Any

from initperf.jit.elementary import exp
from initperf.jit.policy import like, portable, where
from initperf.jit.tiles import add_columns, side
from initperf.kernels.transpose import transpose


@portable
def by_columns(logits: Any, targets: Any, delta: Any, share: Any, scratch: Any, turned: Any) -> int:
    """Exponentiate and scale the rows of a block.

    Parameters
    ----------
    logits, targets, delta : numpy.ndarray
        The rows, as the kernel `softmax_cross_entropy` takes them; `delta` is written, without what
        is subtracted for the label. Rows and classes are at least as many as `side` tells.
    share : float
        1 / batch, in the array's dtype.
    scratch : numpy.ndarray
        (4, rows or more), written: maxima and sums of the rows, their factors, and the class of
        the maximum.
    turned : numpy.ndarray
        (classes, rows), written.

    Returns
    -------
    int
        The number of correct predictions.
    """
    maxima, sums, scales, firsts = scratch[0], scratch[1], scratch[2], scratch[3]
    classes, count = turned.shape
    transpose(logits, turned)
    for i in range(count):
        maxima[i], firsts[i], sums[i] = turned[0, i], like(turned, 0.0), like(turned, 0.0)
    for j in range(1, classes):
        column, here = turned[j], like(turned, j)
        for i in range(count):
            is_higher = column[i] > maxima[i]
            maxima[i] = where(is_higher, column[i], maxima[i])
            firsts[i] = where(is_higher, here, firsts[i])
    for j in range(classes):
        column = turned[j]
        for i in range(count):
            value = exp(column[i] - maxima[i])
            column[i] = value
            sums[i] += value
    correct = 0
    for i in range(count):
        scales[i] = share / sums[i]
        correct += firsts[i] == targets[i, 0]
    for j in range(classes):
        column = turned[j]
        for i in range(count):
            column[i] *= scales[i]
    transpose(turned, delta)
    return correct


@portable
def add_rows(matrix: Any, totals: Any, begun: Any) -> None:
    """Add the rows of a matrix to totals, in their order.

    Parameters
    ----------
    matrix : numpy.ndarray
        (rows, classes); at least as many classes as `side` tells.
    totals : numpy.ndarray
        (1, classes), written.
    begun : numpy.ndarray
        (1, classes), overwritten.
    """
    classes, count = totals.shape[1], side(totals)
    for j in range(classes):
        begun[0, j] = totals[0, j]
    for j in range(0, classes, count):  # the last columns overlap those before them
        add_columns(matrix, begun, totals, min(j, classes - count))
