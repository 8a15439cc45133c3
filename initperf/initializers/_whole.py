"""Base class of initializers whose entries depend on one another."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from initperf._core.arrays import as_shape
from initperf._core.source import Source
from initperf.initializers._fans import fans
from initperf.initializers._initializer import Filler, Initializer


@dataclass(frozen=True, kw_only=True)
class Whole(Initializer):
    """An initializer that draws a weight as a whole, not entry by entry.

    Attributes
    ----------
    in_axis, out_axis : int
        The weight's input and output axes.
    """

    in_axis: int = -2
    out_axis: int = -1
    divisible: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.check_integers("in_axis", "out_axis")

    def filler(self, out: np.ndarray) -> Filler:
        """Check that `out` has fans and can hold the weight, and return what fills it."""
        fans(out.shape, self.in_axis, self.out_axis)
        self._check(out)
        return self.fill

    @abstractmethod
    def _check(self, out: np.ndarray) -> None:
        """Check that `out`, which has fans, can hold the weight; nothing is written before."""

    @abstractmethod
    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array.

        Parameters
        ----------
        out : numpy.ndarray
            Float32 or float64, of any layout.
        source : Source
            Source of the values, whose offset is 0.
        """

    def _matrix_shape(self, shape: Any) -> tuple[int, int]:
        """Return (entries that feed an output, the receptive field included; outputs)."""
        rows, _ = fans(shape, self.in_axis, self.out_axis)
        return rows, as_shape(shape)[self.out_axis]

    def _channels(self, shape: Any) -> tuple[int, int]:
        """Return the lengths of the input and of the output axis."""
        fans(shape, self.in_axis, self.out_axis)
        lengths = as_shape(shape)
        return lengths[self.in_axis], lengths[self.out_axis]


def at(weight: np.ndarray, in_axis: int, out_axis: int, place: Callable[[int], int]) -> np.ndarray:
    """Return the matrix (inputs, outputs) at one place of the receptive field, as a view.

    Parameters
    ----------
    weight : numpy.ndarray
        At least two axes.
    in_axis, out_axis : int
        Its input and output axes; all others are the receptive field.
    place : callable
        From the length of an axis of the field to the index there.
    """
    moved = np.moveaxis(weight, (in_axis, out_axis), (-2, -1))
    view: np.ndarray = moved[tuple(place(length) for length in moved.shape[:-2])]
    return view
