"""What initializers share whose entries depend on one another."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arguments import as_shape, integral
from initperf._core.keys import Key, RandomSource, as_index
from initperf.initializers._fans import fans
from initperf.initializers._filling import as_source
from initperf.initializers._initializer import Initializer


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

    def __post_init__(self) -> None:
        integral(in_axis=self.in_axis, out_axis=self.out_axis)

    def _fill(
        self,
        out: np.ndarray,
        *,
        rng: RandomSource,
        backend: str,
        stream: int,
        offset: int,
        threads: int | None,
    ) -> None:
        if as_index("offset", offset):
            raise ValueError(f"{self.family} weights cannot be drawn in parts; offset must be 0")
        fans(out.shape, self.in_axis, self.out_axis)
        self._check(out)
        key, number, *_ = as_source(
            out.size, rng=rng, stream=stream, backend=backend, threads=threads
        )
        self._fill_whole(out, Key(key), int(number), backend, threads)

    @abstractmethod
    def _check(self, out: np.ndarray) -> None:
        """Check that `out`, which has fans, can hold the weight; nothing is written before."""

    @abstractmethod
    def _fill_whole(
        self, out: np.ndarray, key: Key, stream: int, backend: str, threads: int | None
    ) -> None:
        """Fill a checked array from a checked source."""

    def _matrix_shape(self, shape: Any) -> tuple[int, int]:
        """Return (all that feeds an output, the receptive field included; outputs)."""
        rows, _ = fans(shape, self.in_axis, self.out_axis)
        return rows, as_shape(shape)[self.out_axis]

    def _channels(self, shape: Any) -> tuple[int, int]:
        """Return the lengths of the input and of the output axis."""
        fans(shape, self.in_axis, self.out_axis)
        lengths = as_shape(shape)
        return lengths[self.in_axis], lengths[self.out_axis]


def at(weight: np.ndarray, in_axis: int, out_axis: int, places: Any) -> np.ndarray:
    """Return the matrix (inputs, outputs) at one place of the receptive field, as a view.

    `places` takes the length of an axis of the field to the index there.
    """
    moved = np.moveaxis(weight, (in_axis, out_axis), (-2, -1))
    view: np.ndarray = moved[tuple(places(length) for length in moved.shape[:-2])]
    return view
